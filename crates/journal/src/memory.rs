//! The log of one process: the twin of JetStream under the same laws.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{CommandId, Envelope, Place, Timestamp};
use tokio::sync::watch;
use wire::subject;

use crate::erased::Erased;
use crate::limits::BATCH_MESSAGES_MAX;
use crate::{Copied, Entry, Head, Step};

/// The epoch of a log that never loses its tail.
const FIRST_EPOCH: u64 = 1;

#[derive(Clone)]
pub(crate) struct Log {
    window: Duration,
    state: Arc<Mutex<State>>,
    head: watch::Sender<Head>,
}

#[derive(Default)]
struct State {
    /// By sequence from 1; `None` where one was deleted.
    entries: Vec<Option<Entry>>,
    erased: Erased,
    progress: HashMap<String, u64>,
    ids: HashMap<CommandId, (u64, Instant)>,
    bytes: u64,
}

impl Log {
    pub(crate) fn new(window: Duration) -> Self {
        let head = Head {
            sequence: 0,
            messages: 0,
            bytes: 0,
            created_nanos: 0,
            epoch: FIRST_EPOCH,
            clock_skew_millis: 0,
            seen: Instant::now(),
        };
        Self { window, state: Arc::default(), head: watch::Sender::new(head) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the log")
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }

    pub(crate) fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub(crate) fn look(&self) -> Head {
        self.head.send_modify(|head| head.seen = Instant::now());
        *self.head.borrow()
    }

    /// Puts messages of another log into this one; an id that it has is refused with all of them.
    pub(crate) fn copy(&self, entries: &[Entry]) -> Copied {
        let mut state = self.state();
        let known =
            |entry: &Entry| state.entries.iter().flatten().any(|known| known.message_id == entry.message_id);
        if entries.iter().any(known) {
            return Copied::Known;
        }
        for entry in entries {
            let sequence = u64::try_from(state.entries.len()).expect("a count fits") + 1;
            state.bytes += u64::try_from(entry.payload.len()).expect("a length fits");
            let entry = Entry { sequence, ..entry.clone() };
            state.erased.note(&entry.decode());
            state.entries.push(Some(entry));
        }
        let (last, bytes) = (u64::try_from(state.entries.len()).expect("a count fits"), state.bytes);
        self.head.send_modify(|head| {
            (head.sequence, head.messages, head.bytes, head.seen) = (last, last, bytes, Instant::now());
        });
        Copied::All { last }
    }

    pub(crate) fn publish(&self, place: &Place, envelope: &Envelope) -> (u64, bool) {
        let mut state = self.state();
        let now = Instant::now();
        if let Some((sequence, at)) = state.ids.get(&envelope.id)
            && now.duration_since(*at) < self.window
        {
            return (*sequence, true);
        }
        let payload = Bytes::from(wire::envelope::encode(envelope));
        let sequence = u64::try_from(state.entries.len()).expect("a count fits") + 1;
        state.bytes += u64::try_from(payload.len()).expect("a length fits");
        state.ids.insert(envelope.id, (sequence, now));
        let entry = Entry {
            sequence,
            subject: subject::event(place, envelope.event.kind()),
            message_id: envelope.id.to_string(),
            payload,
            stored: envelope.time,
        };
        state.erased.note(&entry.decode());
        state.entries.push(Some(entry));
        let bytes = state.bytes;
        self.head.send_modify(|head| {
            (head.sequence, head.messages, head.bytes, head.seen) = (sequence, sequence, bytes, now);
        });
        (sequence, false)
    }

    pub(crate) fn read(&self, sequence: u64) -> Option<Entry> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.state().entries.get(index).cloned().flatten()
    }

    pub(crate) fn scan(&self, subjects: &[String], after: u64) -> Vec<Entry> {
        let state = self.state();
        let matching = |entry: &&Entry| {
            entry.sequence > after && subjects.iter().any(|subject| matches(subject, &entry.subject))
        };
        state.entries.iter().flatten().filter(matching).cloned().collect()
    }

    pub(crate) fn has_erased(&self) -> bool {
        !self.state().erased.is_empty()
    }

    pub(crate) fn erased_between(&self, from: u64, before: u64) -> u64 {
        self.state().erased.count(from, before)
    }

    pub(crate) fn erased_within(&self, after: u64, up_to: u64) -> Vec<Entry> {
        if after < up_to { self.state().erased.within(after + 1..=up_to).cloned().collect() } else { Vec::new() }
    }

    pub(crate) fn first_since(&self, time: Timestamp) -> u64 {
        let state = self.state();
        let found = state.entries.iter().flatten().find(|entry| entry.stored >= time).map(|entry| entry.sequence);
        found.unwrap_or(u64::try_from(state.entries.len()).expect("a count fits") + 1)
    }

    pub(crate) fn without_erased(&self, entry: Entry) -> Entry {
        self.state().erased.read(entry)
    }

    pub(crate) fn erased_at(&self, sequence: u64) -> Option<Entry> {
        self.state().erased.at(sequence).cloned()
    }

    pub(crate) fn delete(&self, sequence: u64) -> bool {
        let index = usize::try_from(sequence.saturating_sub(1)).expect("a count fits");
        self.state().entries.get_mut(index).and_then(Option::take).is_some()
    }

    pub(crate) fn progress(&self, of: &str) -> u64 {
        self.state().progress.get(of).copied().unwrap_or_default()
    }

    pub(crate) fn set_progress(&self, of: &str, sequence: u64) {
        self.state().progress.insert(of.to_owned(), sequence);
    }

    pub(crate) fn is_empty_between(&self, after: u64, end: u64) -> bool {
        let state = self.state();
        let between = |entry: &&Entry| entry.sequence > after && entry.sequence <= end;
        let erased = after < end && state.erased.within(after + 1..=end).next().is_some();
        !erased && !state.entries.iter().flatten().any(|entry| between(&entry))
    }

    pub(crate) fn follow(&self, after: u64) -> Follower {
        Follower { log: self.clone(), after, opened: false, head: self.head() }
    }

    pub(crate) fn begin_epoch(&self, lost: u64) -> u64 {
        self.head.send_modify(|head| {
            if head.epoch == lost {
                head.epoch += 1;
            }
        });
        self.head.borrow().epoch
    }
}

/// Whether a subject is one that a filter names: `*` stands for a token, `>` for the rest.
fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, found) if found == Some(wanted) => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

pub(crate) struct Follower {
    log: Log,
    after: u64,
    opened: bool,
    head: watch::Receiver<Head>,
}

impl Follower {
    pub(crate) async fn next(&mut self) -> Step {
        if !self.opened {
            self.opened = true;
            return Step::Opened;
        }
        let (after, mut seen) = (self.after, self.after);
        loop {
            seen =
                self.head.wait_for(|head| head.sequence > seen).await.expect("the log holds the sender").sequence;
            let skip = usize::try_from(after).expect("a count fits");
            let state = self.log.state();
            let batch: Vec<Entry> =
                state.entries.iter().skip(skip).flatten().take(BATCH_MESSAGES_MAX).cloned().collect();
            // Nothing but what was deleted: the broker would deliver nothing either.
            let Some(last) = batch.last() else { continue };
            self.after = last.sequence;
            return Step::Batch(state.erased.read_batch(after, batch));
        }
    }
}
