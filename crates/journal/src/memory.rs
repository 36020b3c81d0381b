//! The log of one process: the twin of JetStream under the same laws.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{CommandId, Envelope, Place};
use tokio::sync::watch;
use wire::subject;

use crate::limits::BATCH_MESSAGES_MAX;
use crate::{Entry, Head, Step};

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
    entries: Vec<Entry>,
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
        state.entries.push(Entry {
            sequence,
            subject: subject::event(place, envelope.event.kind()),
            message_id: envelope.id.to_string(),
            payload,
            stored: envelope.time,
        });
        let bytes = state.bytes;
        self.head.send_modify(|head| {
            (head.sequence, head.messages, head.bytes, head.seen) = (sequence, sequence, bytes, now);
        });
        (sequence, false)
    }

    pub(crate) fn read(&self, sequence: u64) -> Option<Entry> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.state().entries.get(index).cloned()
    }

    pub(crate) fn is_empty_between(&self, after: u64, end: u64) -> bool {
        after >= end.min(self.head.borrow().sequence)
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
        let after = self.after;
        self.head.wait_for(|head| head.sequence > after).await.expect("the log holds the sender");
        let skip = usize::try_from(after).expect("a count fits");
        let batch: Vec<Entry> =
            self.log.state().entries.iter().skip(skip).take(BATCH_MESSAGES_MAX).cloned().collect();
        self.after = batch.last().map_or(after, |entry| entry.sequence);
        Step::Batch(batch)
    }
}
