//! One thread folded by itself, up to a moment: its own events and its site's, in a temporary store, by the code that serves.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use domain::{Content, Order, Place, Recorded, SiteId, ThreadId, Timestamp};
use journal::{Head, Journal};
use tempfile::TempDir;
use views::{Reading, Store, Viewer};
use wire::v1;

use crate::limits::{CACHE_BYTES, FLUSH_EVERY_MILLIS, THREAD_PAGE_BYTES, THREAD_PAGE_ROWS};
use crate::moment::{Moment, time_words};
use crate::progress::Progress;
use crate::selected::{Selected, Subjects};

/// Which thread.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Which {
    /// The thread's id.
    #[arg(long, value_name = "THREAD")]
    pub(crate) thread: ThreadId,
    /// Its site; not needed where one site has a thread of this id.
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<SiteId>,
}

impl Which {
    /// The thread's site, looked for in the log if nobody says it.
    pub(crate) async fn site(&self, journal: &Journal) -> anyhow::Result<SiteId> {
        if let Some(site) = &self.site {
            return Ok(site.clone());
        }
        let mut sites = std::collections::BTreeSet::new();
        let openings = vec![wire::subject::openings_of(&self.thread)];
        let mut scan = journal.scan(openings, 0).await.context("the log cannot be read")?;
        while let Some(batch) = scan.next().await.context("the log cannot be read")? {
            sites.extend(batch.iter().map(|entry| wire::subject::site_token(&entry.subject).to_owned()));
        }
        let mut found = sites.iter();
        match (found.next(), found.next()) {
            (Some(site), None) => site.parse().context("the log has a site whose id is none"),
            (None, _) => bail!("the log has no thread {}", self.thread),
            (Some(_), Some(_)) => {
                let sites = sites.iter().cloned().collect::<Vec<_>>().join(", ");
                bail!("the sites {sites} have a thread {}: say which with --site", self.thread)
            }
        }
    }
}

/// A thread's events, in the order of the log, and how they are folded.
pub(crate) struct ThreadFold {
    site: SiteId,
    thread: ThreadId,
    events: Vec<Recorded>,
    /// What is erased after the last moment that is asked for: it must not be shown in any.
    erased_later: Vec<Recorded>,
    head: Head,
    stream: String,
}

/// A thread as it was.
pub(crate) struct Still {
    pub(crate) page: v1::ThreadPageReply,
    /// The last event of the thread or its site that it shows: its place and its time; 0 and none if there is none.
    pub(crate) last: (u64, Option<Timestamp>),
    pub(crate) moment: Moment,
}

impl ThreadFold {
    /// Reads the thread's events up to the later of the moments, or all.
    pub(crate) async fn read(
        journal: &Journal,
        which: &Which,
        up_to: &[Moment],
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        // Seen when the log was opened, a moment ago.
        let head = *journal.head().borrow();
        for moment in up_to {
            if let Moment::Sequence(sequence) = moment {
                ensure!(*sequence <= head.sequence, "the log ends at {}, before {sequence}", head.sequence);
            }
        }
        let site = which.site(journal).await?;
        let subjects = Subjects::of_thread(&site, &which.thread);
        let mut log = Selected::begin(journal, subjects, 0, Some(&site)).await?;
        progress.begin("reading the thread", log.end());
        let mut fold = Self {
            site,
            thread: which.thread.clone(),
            events: Vec::new(),
            erased_later: Vec::new(),
            head,
            stream: journal.stream().to_owned(),
        };
        let mut over = false;
        while let Some(batch) = log.next().await? {
            for entry in batch {
                let recorded = log.decode(&entry);
                over = over || up_to.iter().all(|moment| is_past(*moment, &recorded));
                if !over {
                    fold.events.push(recorded);
                } else if ["comment-erased", "author-erased"].contains(&entry.kind()) {
                    fold.erased_later.push(recorded);
                }
                progress.at(entry.sequence, log.end());
            }
        }
        progress.end();
        Ok(fold)
    }

    pub(crate) fn place(&self) -> (&SiteId, &ThreadId) {
        (&self.site, &self.thread)
    }

    /// The events behind one moment and up to another.
    pub(crate) fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = &Recorded> {
        let up_to = self.up_to(to).len();
        self.events.iter().take(up_to).skip(self.up_to(from).len())
    }

    fn up_to(&self, moment: Moment) -> &[Recorded] {
        let end = self.events.iter().position(|recorded| is_past(moment, recorded));
        self.events.get(..end.unwrap_or(self.events.len())).unwrap_or_default()
    }

    /// The whole thread as readers saw it at a moment, folded into an empty store; without what was erased since.
    pub(crate) fn still(&self, moment: Moment, store: &Store) -> anyhow::Result<Still> {
        let events = self.up_to(moment);
        let log = (self.stream.as_str(), self.head.created_nanos, self.head.epoch);
        let rest: Vec<_> = self
            .events
            .get(events.len()..)
            .unwrap_or_default()
            .iter()
            .filter(|it| is_erasure(it))
            .cloned()
            .collect();
        for part in [events, &rest, &self.erased_later] {
            store.catch_up(part, log).context("the temporary store cannot be written")?;
        }
        while store.is_open() {
            store.carry_on().context("the temporary store cannot be written")?;
        }
        let last = events.last().map_or(0, |recorded| recorded.sequence);
        let time = events.last().and_then(time_of);
        let page = self.page(store, last)?.with_context(|| {
            let when = match moment {
                Moment::Sequence(sequence) => format!("at {sequence}"),
                Moment::Time(time) => format!("at {}", time_words(time)),
            };
            format!("there was no thread {} of site {} yet {when}", self.thread, self.site)
        })?;
        Ok(Still { page, last: (last, time), moment })
    }

    /// All of the page's comments in one; `None` if there is no such thread.
    fn page(&self, store: &Store, last: u64) -> anyhow::Result<Option<v1::ThreadPageReply>> {
        let place = Place { site: self.site.clone(), thread: Some(self.thread.clone()) };
        let position = wire::Position { epoch: self.head.epoch, sequence: last }.to_string();
        let view = store.view();
        let (mut whole, mut reading) = (None::<v1::ThreadPageReply>, Reading::first(Order::Oldest, false));
        loop {
            let limits = (THREAD_PAGE_ROWS, THREAD_PAGE_BYTES);
            let read = view.comments(&self.site, &self.thread, &Viewer::default(), reading, limits);
            let Ok(mut page) = read.context("the temporary store cannot be read")? else { return Ok(None) };
            let next = page.next.take();
            let drawn = projector::thread_page(page, &place, position.clone());
            match &mut whole {
                None => whole = Some(drawn),
                Some(whole) => whole.comments.extend(drawn.comments),
            }
            match next {
                None => return Ok(whole),
                Some(cursor) => reading = Reading::From(cursor),
            }
        }
    }
}

fn is_past(moment: Moment, recorded: &Recorded) -> bool {
    match moment {
        Moment::Sequence(sequence) => recorded.sequence > sequence,
        Moment::Time(time) => time_of(recorded).is_some_and(|of| of > time),
    }
}

fn is_erasure(recorded: &Recorded) -> bool {
    let Content::Event(envelope) = &recorded.content else { return false };
    matches!(envelope.event, domain::Event::CommentErased { .. } | domain::Event::AuthorErased { .. })
}

fn time_of(recorded: &Recorded) -> Option<Timestamp> {
    match &recorded.content {
        Content::Event(envelope) => Some(envelope.time),
        Content::Unreadable(_) | Content::Misplaced { .. } => None,
    }
}

/// A store that goes with its directory.
pub(crate) fn temporary_store() -> anyhow::Result<(Arc<Store>, TempDir)> {
    let dir = tempfile::Builder::new().prefix("koe-replay-").tempdir();
    let dir = dir.context("no temporary directory can be made: set $TMPDIR to one with room")?;
    let options = views::Options {
        cache_bytes: CACHE_BYTES,
        flush_every_millis: FLUSH_EVERY_MILLIS,
        ..views::Options::default()
    };
    let store = Store::open(dir.path(), options).context("the temporary store cannot be opened")?;
    Ok((Arc::new(store), dir))
}
