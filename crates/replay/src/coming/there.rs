//! The log that is imported into: what of an import is there already, and where the rest goes.
//!
//! An event is there if its id is, and a vote if the voter has any on that comment: so an import that is called again adds
//! nothing, and none overturns what somebody did here.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use domain::{AuthorId, CommandId, CommentId, Content, Envelope, Event, Place, SiteId, ThreadId, Timestamp};
use journal::{Entry, Journal};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use wire::subject;

use crate::following;
use crate::import::publish::batches;
use crate::limits::{CHUNK_BYTES, IMPORT_EVENTS_AT_ONCE};

/// What is there of a site, and of one of its threads.
pub(super) struct There {
    journal: Journal,
    site: SiteId,
    site_open: bool,
    /// Whose name is there.
    named: HashSet<AuthorId>,
    /// Threads that are there, and what opened them; the others need no look.
    threads: HashMap<ThreadId, CommandId>,
    thread: Option<(ThreadId, Here)>,
    /// Where batches go; `None` if nothing is to be written.
    out: Option<mpsc::Sender<Vec<Entry>>>,
    batch: Vec<Entry>,
    bytes: usize,
    /// Events that are not there.
    pub(super) fresh: u64,
}

/// What is there of a thread.
#[derive(Default)]
struct Here {
    ids: HashSet<CommandId>,
    /// Comments by their own ids, which a file may use.
    comments: HashSet<CommentId>,
    voted: HashSet<(CommentId, AuthorId)>,
}

impl There {
    pub(super) async fn look(journal: &Journal, site: &SiteId) -> anyhow::Result<Self> {
        let mut there = Self {
            journal: journal.clone(),
            site: site.clone(),
            site_open: false,
            named: HashSet::new(),
            threads: HashMap::new(),
            thread: None,
            out: None,
            batch: Vec::new(),
            bytes: 0,
            fresh: 0,
        };
        let of_site = Place { site: site.clone(), thread: None };
        let openings = format!("koe.v1.event.{site}.*.*.thread-opened");
        let subjects =
            vec![subject::event(&of_site, "site-opened"), subject::event(&of_site, "author-named"), openings];
        let mut scan = journal.scan(subjects, 0).await.context("the log cannot be read")?;
        while let Some(batch) = scan.next().await.context("the log cannot be read")? {
            for entry in batch {
                let recorded = entry.decode();
                let Content::Event(envelope) = recorded.content else { continue };
                match envelope.event {
                    Event::SiteOpened { .. } => there.site_open = true,
                    Event::AuthorNamed { author, .. } => drop(there.named.insert(author)),
                    _ => {
                        let thread = recorded.place.and_then(|place| place.thread);
                        there.threads.extend(thread.map(|thread| (thread, envelope.id)));
                    }
                }
            }
        }
        Ok(there)
    }

    /// Writes from now on.
    pub(super) fn write_to(&mut self, out: mpsc::Sender<Vec<Entry>>) {
        (self.out, self.thread, self.fresh) = (Some(out), None, 0);
    }

    pub(super) fn site_is_open(&self) -> bool {
        self.site_open
    }

    pub(super) fn is_named(&self, author: &AuthorId) -> bool {
        self.named.contains(author)
    }

    pub(super) fn has_thread(&self, thread: &ThreadId) -> bool {
        self.threads.contains_key(thread)
    }

    /// Whether a thread is not there, or was opened by this command.
    pub(super) fn is_opened_by(&self, thread: &ThreadId, command: CommandId) -> bool {
        self.threads.get(thread).is_none_or(|opened_by| *opened_by == command)
    }

    /// The comment of a thread that was there before, by its own id.
    pub(super) fn comment(&mut self, thread: &ThreadId, key: &str) -> anyhow::Result<Option<CommentId>> {
        let Ok(comment) = CommentId::from_str(key) else { return Ok(None) };
        Ok(self.enter(thread)?.comments.contains(&comment).then_some(comment))
    }

    pub(super) fn has_comment(&mut self, thread: &ThreadId, key: &str) -> anyhow::Result<bool> {
        Ok(self.comment(thread, key)?.is_some())
    }

    /// What is there of a thread, looked for once.
    fn enter(&mut self, thread: &ThreadId) -> anyhow::Result<&Here> {
        if self.thread.as_ref().is_none_or(|(of, _)| of != thread) {
            let mut here = Here::default();
            if self.threads.contains_key(thread) {
                let place = Place { site: self.site.clone(), thread: Some(thread.clone()) };
                let journal = self.journal.clone();
                let found = Handle::current().block_on(async move { entries(&journal, &place).await })?;
                for entry in found {
                    here.note(&entry);
                }
            }
            self.thread = Some((thread.clone(), here));
        }
        let (_, here) = self.thread.as_ref().context("a thread was entered")?;
        Ok(here)
    }

    /// Takes an event, if it is not there.
    pub(super) fn put(&mut self, place: &Place, envelope: &Envelope) -> anyhow::Result<()> {
        if let Some(thread) = &place.thread
            && self.enter(thread)?.has(envelope)
        {
            return Ok(());
        }
        self.fresh += 1;
        if self.out.is_none() {
            return Ok(());
        }
        let payload = wire::envelope::encode(envelope);
        self.bytes += payload.len();
        self.batch.push(Entry {
            sequence: 0,
            subject: subject::event(place, envelope.event.kind()),
            message_id: envelope.id.to_string(),
            payload: payload.into(),
            stored: Timestamp::default(),
        });
        if self.batch.len() >= IMPORT_EVENTS_AT_ONCE || self.bytes >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Gives out what waits.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        let Some(out) = &self.out else { return Ok(()) };
        for batch in batches(batch) {
            if out.blocking_send(batch).is_err() {
                bail!("stopped before it was done");
            }
        }
        Ok(())
    }
}

/// A thread's events, without the words that nobody needs here.
async fn entries(journal: &Journal, place: &Place) -> anyhow::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut scan = journal.scan(vec![subject::events_at(place)], 0).await.context("the log cannot be read")?;
    while let Some(batch) = scan.next().await.context("the log cannot be read")? {
        found.extend(batch);
    }
    // Also those that are gone: they were there.
    journal.look_for_erased().await.context("what was erased cannot be seen")?;
    let end = journal.look().await.context(following::UNSEEN)?.sequence;
    let gone = journal.erased_within(0, end).into_iter();
    found.extend(gone.filter(|entry| subject::parse_event(&entry.subject).is_some_and(|of| of.place == *place)));
    Ok(found)
}

impl Here {
    fn note(&mut self, entry: &Entry) {
        let Content::Event(envelope) = entry.decode().content else { return };
        self.ids.insert(envelope.id);
        match envelope.event {
            Event::CommentPosted { .. } => drop(self.comments.insert(CommentId(envelope.id))),
            Event::VoteCast { comment, .. } => drop(self.voted.insert((comment, envelope.actor.id))),
            _ => {}
        }
    }

    fn has(&self, envelope: &Envelope) -> bool {
        let voted = match &envelope.event {
            Event::VoteCast { comment, .. } => self.voted.contains(&(*comment, envelope.actor.id.clone())),
            _ => false,
        };
        voted || self.ids.contains(&envelope.id)
    }
}
