//! An author's comments as readers see them, the newest first, and what they come to.

use std::collections::HashMap;

use domain::{AuthorId, Mode, SiteId, State, ThreadId};

use crate::error::Error;
use crate::keys::{Key, PlaceNo, prefix, sequence_tail};
use crate::pages::{Author, CommentView, Names, View, Viewer, article};
use crate::records::{self, Comment, Posted};
use crate::value::Value as _;

/// Comments that one page looks at to find those that readers may see.
const LOOKED_AT_MAX: usize = 2_000;
/// Comments that an author's score is summed over, the newest: some milliseconds, in which the fold waits.
pub const SCORED_MAX: usize = 1_000;

/// Comments of one author.
#[derive(Debug)]
pub struct AuthorComments {
    /// What the author is called, or empty.
    pub name: String,
    /// Whether they were erased, and this is a pseudonym.
    pub erased: bool,
    /// The comments, the newest first.
    pub comments: Vec<AuthorComment>,
    /// Where the next page begins: before this place in the log. `None` on the last.
    pub next: Option<u64>,
}

/// A comment and where it stands.
#[derive(Debug)]
pub struct AuthorComment {
    /// The thread.
    pub thread: ThreadId,
    /// What the article is headed.
    pub headline: String,
    /// The comment as a reader sees it.
    pub comment: CommentView,
}

/// The votes on all comments of an author that readers may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthorScore {
    /// How many comments these are.
    pub comments: u32,
    /// Votes on them.
    pub up: u64,
    /// Votes against them.
    pub down: u64,
    /// Whether the author posted more than are looked at: these are the newest.
    pub partial: bool,
}

/// The threads that one reading has looked up, by id: none that readers may not see.
#[derive(Default)]
struct Threads(HashMap<String, Option<(PlaceNo, String)>>);

/// A comment that was found: its place in the log, its thread's id, headline and number, and its own.
struct Found {
    sequence: u64,
    thread: String,
    headline: String,
    no: PlaceNo,
    number: u32,
    comment: Comment,
}

impl View<'_> {
    /// An author's comments that readers may see, before a place in the log or the newest.
    pub fn author_comments(
        &self,
        site: &SiteId,
        author: &AuthorId,
        viewer: &Viewer,
        before: Option<u64>,
        (limit, bytes_max): (usize, usize),
    ) -> Result<AuthorComments, Error> {
        let mut page = AuthorComments { name: String::new(), erased: false, comments: Vec::new(), next: None };
        let Some(record) = self.site(site)? else { return Ok(page) };
        let no = PlaceNo(record.place);
        let (mut names, mut threads, mut bytes) = (Names::default(), Threads::default(), 0);
        Author { name: page.name, erased: page.erased, .. } = self.author(no, author.as_str(), &mut names)?;
        let voter = self.viewer_number(&record, viewer)?;
        for (looked_at, entry) in self.posts(no, author, before).enumerate() {
            let (sequence, posted) = entry?;
            if looked_at == LOOKED_AT_MAX || page.comments.len() == limit || bytes > bytes_max {
                page.next = Some(sequence.saturating_add(1));
                break;
            }
            let Some(found) = self.readable((site, &record), (sequence, posted), &mut threads)? else { continue };
            let row = (found.number, &found.comment);
            let (comment, row_bytes) = self.comment((no, found.no), row, (viewer, voter), &mut names)?;
            bytes += row_bytes;
            if bytes > bytes_max && !page.comments.is_empty() {
                page.next = Some(found.sequence.saturating_add(1));
                break;
            }
            let thread = found.thread.parse().or(Err(Error::Damaged("a thread's id")))?;
            page.comments.push(AuthorComment { thread, headline: found.headline, comment });
        }
        Ok(page)
    }

    /// The votes on an author's comments that readers may see, over the newest [`SCORED_MAX`] that were posted.
    pub fn author_score(&self, site: &SiteId, author: &AuthorId) -> Result<AuthorScore, Error> {
        let mut score = AuthorScore::default();
        let Some(record) = self.site(site)? else { return Ok(score) };
        let mut threads = Threads::default();
        for (looked_at, entry) in self.posts(PlaceNo(record.place), author, None).enumerate() {
            if looked_at == SCORED_MAX {
                score.partial = true;
                break;
            }
            let Some(found) = self.readable((site, &record), entry?, &mut threads)? else { continue };
            let tally = self.tally(found.no, found.number)?;
            score.comments += 1;
            score.up += u64::from(tally.up);
            score.down += u64::from(tally.down);
        }
        Ok(score)
    }

    /// Where an author's comments stand, the newest first.
    fn posts(
        &self,
        site: PlaceNo,
        author: &AuthorId,
        before: Option<u64>,
    ) -> impl Iterator<Item = Result<(u64, Posted), Error>> {
        let prefix = prefix::posted(site, author);
        let end = Key::Posted(site, author, before.unwrap_or(u64::MAX)).encode();
        self.tree.range(prefix..end).rev().map(|entry| {
            let (key, stored) = entry?;
            let sequence = sequence_tail(&key).ok_or(Error::Damaged("a key of a post"))?;
            Ok((sequence, Posted::from_stored(&stored)?))
        })
    }

    /// A comment, if readers may read it: a removed one does not say on its page who wrote it, so it does not here.
    fn readable(
        &self,
        (site, record): (&SiteId, &records::Site),
        (sequence, Posted { thread, number }): (u64, Posted),
        threads: &mut Threads,
    ) -> Result<Option<Found>, Error> {
        if !threads.0.contains_key(&thread) {
            let id = thread.parse().or(Err(Error::Damaged("a thread's id")))?;
            let found = self.thread(site, &id)?.ok_or(Error::Damaged("a thread is missing"))?;
            let article = article(record, &found)?.filter(|article| article.mode != Mode::Hidden);
            let known = article.map(|article| (PlaceNo(found.place), article.headline));
            threads.0.insert(thread.clone(), known);
        }
        let Some(Some((no, headline))) = threads.0.get(&thread) else { return Ok(None) };
        let comment = self.row(*no, number)?;
        let visible = comment.state()? == State::Visible;
        let found = || Found { sequence, thread, headline: headline.clone(), no: *no, number, comment };
        Ok(visible.then(found))
    }
}
