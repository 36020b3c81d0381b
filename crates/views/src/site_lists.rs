//! The threads of a site in an order: opened last, most comments, most votes lately.
//!
//! The two orders that move are selected from the site's board as of now: 10,000 threads are 80 values. No order has an
//! index of its own, so that a vote writes none.

use domain::{SiteId, Timestamp};
use roaring::RoaringBitmap;

use crate::cursor::CursorFailed;
use crate::error::Error;
use crate::keys::{Key, PlaceNo, THREADS_IN_CHUNK, number_tail, prefix};
use crate::lists::ThreadEntry;
use crate::pages::{View, article};
use crate::records::{Activity, Board, BoardEntry, Site, Totals};
use crate::seen;

/// In which order threads come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadOrder {
    /// By id.
    Id,
    /// The one opened last first.
    Newest,
    /// The one with the most rows first; of equal ones the newer.
    Comments,
    /// The one with the most votes lately first: each counts one and half of that six hours later. Of equal ones the newer.
    Trending,
}

/// A page of a list of threads.
#[derive(Debug)]
pub struct ThreadsPage {
    /// The threads.
    pub threads: Vec<ThreadEntry>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

/// Orders that move, as their cursors name them. Part of cursors: a change is a new version of these.
const COMMENTS: u8 = 1;
const TRENDING: u8 = 2;

impl View<'_> {
    /// A page of a site's threads in an order, after a cursor or the first.
    ///
    /// Who pages on through an order that moves is shown every thread once that was open when they began.
    pub fn threads_in(
        &self,
        site: &SiteId,
        order: ThreadOrder,
        (after, limit): (&str, usize),
    ) -> Result<Result<ThreadsPage, CursorFailed>, Error> {
        let code = match order {
            ThreadOrder::Id => return self.by_id(site, after, limit),
            ThreadOrder::Newest => return self.by_age(site, after, limit),
            ThreadOrder::Comments => COMMENTS,
            ThreadOrder::Trending => TRENDING,
        };
        let mut seen = match seen::read(site, code, after) {
            Ok(seen) => seen,
            Err(fault) => return Ok(Err(fault)),
        };
        let Some(record) = self.site(site)? else { return Ok(Ok(ThreadsPage::none())) };
        let no = PlaceNo(record.place);
        let hour = self.get::<Totals>(&Key::Totals(no))?.and_then(|totals| totals.hour).unwrap_or_default();
        let score = |entry: &BoardEntry| match order {
            ThreadOrder::Trending => entry.heat.at(hour),
            ThreadOrder::Comments | ThreadOrder::Id | ThreadOrder::Newest => entry.count.into(),
        };
        let mut ranked = self.ranked(no, &seen, score)?;
        let more = ranked.len() > limit;
        select(&mut ranked, limit);
        let mut threads = Vec::with_capacity(ranked.len());
        for (_, ordinal) in ranked {
            seen.insert(ordinal);
            threads.push(self.thread_opened_as(site, &record, ordinal)?);
        }
        Ok(Ok(ThreadsPage { threads, next: more.then(|| seen::write(site, code, seen)) }))
    }

    /// Every thread that was not seen, with its score.
    fn ranked(
        &self,
        site: PlaceNo,
        seen: &RoaringBitmap,
        score: impl Fn(&BoardEntry) -> u64,
    ) -> Result<Vec<(u64, u32)>, Error> {
        let mut ranked = Vec::new();
        for stored in self.scan::<Board>(prefix::board(site)) {
            let (key, board) = stored?;
            let chunk = number_tail(&key).ok_or(Error::Damaged("a key of a board"))?;
            let entries = (chunk.saturating_mul(THREADS_IN_CHUNK)..).zip(&board.0);
            let unseen = entries.filter(|(ordinal, _)| !seen.contains(*ordinal));
            ranked.extend(unseen.map(|(ordinal, entry)| (score(entry), ordinal)));
        }
        Ok(ranked)
    }

    fn by_id(&self, site: &SiteId, after: &str, limit: usize) -> Result<Result<ThreadsPage, CursorFailed>, Error> {
        if !after.is_empty() && after.parse::<domain::ThreadId>().is_err() {
            return Ok(Err(CursorFailed::Invalid));
        }
        let mut threads = self.threads(site, after, limit + 1)?;
        let more = threads.len() > limit;
        threads.truncate(limit);
        let next = threads.last().filter(|_| more).map(|last| last.thread.clone());
        Ok(Ok(ThreadsPage { threads, next }))
    }

    /// The cursor is the ordinal of the thread that was shown last.
    fn by_age(
        &self,
        site: &SiteId,
        after: &str,
        limit: usize,
    ) -> Result<Result<ThreadsPage, CursorFailed>, Error> {
        let before = if after.is_empty() { None } else { Some(after.parse::<u32>()) };
        let Ok(before) = before.transpose() else { return Ok(Err(CursorFailed::Invalid)) };
        let Some(record) = self.site(site)? else { return Ok(Ok(ThreadsPage::none())) };
        let opened = self.get::<Totals>(&Key::Totals(PlaceNo(record.place)))?.map_or(0, |totals| totals.threads);
        let mut threads = Vec::new();
        let end = before.map_or(opened, |before| before.min(opened));
        let begin = end.saturating_sub(u32::try_from(limit).unwrap_or(u32::MAX));
        for ordinal in (begin..end).rev() {
            threads.push(self.thread_opened_as(site, &record, ordinal)?);
        }
        Ok(Ok(ThreadsPage { threads, next: (begin > 0).then(|| begin.to_string()) }))
    }

    fn thread_opened_as(&self, site: &SiteId, record: &Site, ordinal: u32) -> Result<ThreadEntry, Error> {
        const MISSING: Error = Error::Damaged("a thread of a list is missing");
        let id: String = self.get(&Key::Ordinal(PlaceNo(record.place), ordinal))?.ok_or(MISSING)?;
        let thread = self.thread(site, &id.parse().or(Err(MISSING))?)?.ok_or(MISSING)?;
        let article = article(record, &thread)?.ok_or(MISSING)?;
        let last_comment = self.last_comment(PlaceNo(thread.place))?;
        Ok(ThreadEntry { thread: id, article, count: thread.count, last_comment })
    }

    /// When the latest row of a thread was posted.
    pub(crate) fn last_comment(&self, thread: PlaceNo) -> Result<Option<Timestamp>, Error> {
        let activity: Option<Activity> = self.get(&Key::Activity(thread))?;
        Ok(activity.and_then(|activity| activity.last_comment_millis).map(Timestamp))
    }
}

impl ThreadsPage {
    fn none() -> Self {
        Self { threads: Vec::new(), next: None }
    }
}

/// The highest so many, the highest first; of equal scores the higher ordinal.
fn select(ranked: &mut Vec<(u64, u32)>, limit: usize) {
    if ranked.len() > limit && limit > 0 {
        ranked.select_nth_unstable_by(limit - 1, |a, b| b.cmp(a));
    }
    ranked.truncate(limit);
    ranked.sort_unstable_by(|a, b| b.cmp(a));
}
