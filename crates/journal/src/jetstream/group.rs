//! Group commit: where the broker syncs for each event, many that wait are recorded by one wait.
//!
//! An event goes alone, at once, unless the broker is slow and busy. Then it waits with others until those in flight are
//! nearly through, and all of them are published as one atomic batch, one at a time. Whatever goes wrong with a batch, its
//! events are published alone, under the same ids, by those who wait for them: nothing is decided here but who waits.

mod pace;
mod recent;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::connection::State as Connection;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use self::pace::Pace;
use self::recent::Recent;
use super::batch::{self, Failed, Outgoing};
use crate::limits::{ACK_TIMEOUT, GATHERED_MAX, GROUP_BYTES_MAX, GROUP_EVENTS_MAX, GROUP_PAUSE};
use crate::{GroupCommit, Grouped};

/// What came of gathering an event with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gathered {
    /// It is in the log, by a batch.
    Recorded {
        /// Its place in the stream.
        sequence: u64,
    },
    /// It was not published: it goes alone.
    Alone,
    /// It may have been published: it goes alone, and this was its first attempt.
    Lost,
}

/// The events that wait for a slow broker, and the task that publishes them, which ends with this.
pub(super) struct Group {
    shared: Arc<Shared>,
    _committer: JoinSet<()>,
}

struct Shared {
    client: Client,
    state: Mutex<State>,
    /// Something may be ripe.
    wake: Notify,
}

struct State {
    waiting: VecDeque<Waiting>,
    /// Whether the broker takes batches at all.
    able: bool,
    /// After a failure there are no batches before this.
    resume: Instant,
    /// Lone publishes that are not acknowledged.
    in_flight: u32,
    /// Whether a batch is under way.
    committing: bool,
    pace: Pace,
    recent: Recent,
    grouped: Grouped,
}

struct Waiting {
    event: Outgoing,
    until: Option<Instant>,
    /// Whether its id was published before: it waits only to be behind the first.
    repeated: bool,
    answer: oneshot::Sender<Gathered>,
}

/// What was taken from those who wait.
struct Taken {
    /// What goes alone at once: its time would be over by the end of a batch.
    ending: Vec<Waiting>,
    /// What makes a batch: none, or at least two.
    batch: Vec<Waiting>,
    /// What goes alone once the batch is answered.
    alone: Vec<Waiting>,
}

/// A lone publish under way.
pub(super) struct Flight<'a> {
    shared: &'a Shared,
    /// How many were ahead of it, if nothing but these can hold it up.
    ahead: Option<u32>,
    began: Instant,
}

impl Group {
    /// `mode` is `None` where the broker takes no batches.
    pub(super) fn new(client: Client, window: Duration, mode: Option<GroupCommit>) -> Self {
        let state = State::new(window, mode.unwrap_or(GroupCommit::Never), Instant::now());
        let able = state.able;
        let shared = Arc::new(Shared { client, state: Mutex::new(state), wake: Notify::new() });
        let mut committer = JoinSet::new();
        if able {
            committer.spawn(commit_what_waits(Arc::clone(&shared)));
        }
        Self { shared, _committer: committer }
    }

    /// Waits with others if that is sooner than going alone.
    pub(super) async fn gather(&self, event: &Outgoing, until: Option<Instant>) -> Gathered {
        let Some(answer) = self.shared.state().enter(event, until, Instant::now()) else {
            return Gathered::Alone;
        };
        self.shared.wake.notify_one();
        match tokio::time::timeout(ACK_TIMEOUT, answer).await {
            Ok(Ok(gathered)) => gathered,
            Ok(Err(_)) | Err(_) => Gathered::Lost,
        }
    }

    /// A lone publish begins.
    pub(super) fn depart(&self) -> Flight<'_> {
        let mut state = self.shared.state();
        let ahead = (!state.committing).then_some(state.in_flight);
        state.in_flight += 1;
        Flight { shared: &self.shared, ahead, began: Instant::now() }
    }

    pub(super) fn grouped(&self) -> Grouped {
        self.shared.state().grouped
    }
}

impl Flight<'_> {
    /// It was acknowledged, which tells how fast the broker is.
    pub(super) fn acknowledged(self) {
        if let Some(ahead) = self.ahead {
            self.shared.state().pace.acknowledged(ahead, self.began.elapsed());
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if state.is_ripe() {
            self.shared.wake.notify_one();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the group")
    }

    /// Publishes what was taken, and tells those who wait.
    async fn commit(&self, taken: Taken) {
        let Taken { ending, batch, alone } = taken;
        for waiting in ending {
            waiting.tell(Gathered::Alone);
        }
        if !batch.is_empty() {
            let events: Vec<_> = batch.iter().map(|waiting| waiting.event.message()).collect();
            let began = Instant::now();
            let outcome = batch::publish(&self.client, &events).await;
            self.state().committed(&outcome, events.len(), began.elapsed());
            for (waiting, place) in batch.into_iter().zip(0..) {
                waiting.tell(match &outcome {
                    Ok(first) => Gathered::Recorded { sequence: first + place },
                    Err(Failed::Lost(_)) => Gathered::Lost,
                    Err(_) => Gathered::Alone,
                });
            }
        }
        for waiting in alone {
            waiting.tell(Gathered::Alone);
        }
    }
}

async fn commit_what_waits(shared: Arc<Shared>) {
    loop {
        shared.wake.notified().await;
        loop {
            let connected = shared.client.connection_state() == Connection::Connected;
            let Some(taken) = shared.state().take(connected, Instant::now()) else { break };
            shared.commit(taken).await;
        }
    }
}

impl State {
    fn new(window: Duration, mode: GroupCommit, now: Instant) -> Self {
        Self {
            waiting: VecDeque::new(),
            able: mode != GroupCommit::Never,
            resume: now,
            in_flight: 0,
            committing: false,
            pace: Pace::new(mode),
            recent: Recent::new(window, now),
            grouped: Grouped::default(),
        }
    }

    /// Where to wait for the answer, unless the event goes alone at once.
    fn enter(
        &mut self,
        event: &Outgoing,
        until: Option<Instant>,
        now: Instant,
    ) -> Option<oneshot::Receiver<Gathered>> {
        if !self.able {
            return None;
        }
        let repeated = self.recent.meet(event.id, now);
        let waits = if repeated {
            self.committing || !self.waiting.is_empty()
        } else {
            !event.resent
                && !is_ending(until, now)
                && now >= self.resume
                && self.pace.is_slow()
                && (self.committing || self.pace.is_busy(self.in_flight))
        };
        if !waits || self.waiting.len() >= GATHERED_MAX {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        self.waiting.push_back(Waiting { event: event.clone(), until, repeated, answer });
        Some(answered)
    }

    /// Whether those in flight are nearly through while others wait.
    fn is_ripe(&self) -> bool {
        !self.committing && !self.waiting.is_empty() && !self.pace.is_busy(self.in_flight.saturating_mul(2))
    }

    fn take(&mut self, connected: bool, now: Instant) -> Option<Taken> {
        if !self.is_ripe() {
            return None;
        }
        let (mut ending, mut batch, mut alone, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
        while let Some(waiting) = self.waiting.pop_front() {
            // Nobody waits for it any more, and nothing of it was published.
            if waiting.answer.is_closed() {
                continue;
            }
            // The same id has the same end, so that no repeat overtakes its first by this.
            if is_ending(waiting.until, now) {
                ending.push(waiting);
                continue;
            }
            if waiting.repeated {
                alone.push(waiting);
                continue;
            }
            let size = waiting.event.payload.len();
            if batch.len() == GROUP_EVENTS_MAX || (bytes + size > GROUP_BYTES_MAX && !batch.is_empty()) {
                self.waiting.push_front(waiting);
                break;
            }
            bytes += size;
            batch.push(waiting);
        }
        let possible = self.able && connected && now >= self.resume && batch.len() >= 2;
        if !possible || !self.pace.pays(batch.len()) {
            if possible {
                self.pace.declined();
            }
            alone.append(&mut batch);
        }
        self.committing = !batch.is_empty();
        Some(Taken { ending, batch, alone })
    }

    fn committed(&mut self, outcome: &Result<u64, Failed>, events: usize, took: Duration) {
        self.committing = false;
        match outcome {
            Ok(_) => {
                self.pace.committed(took);
                self.grouped.batches += 1;
                self.grouped.events += u64::try_from(events).unwrap_or(u64::MAX);
            }
            // Whoever sends a command to two writers at once does so again: no warning, for the metric tells.
            Err(Failed::Duplicate) => {
                self.grouped.refused += 1;
                self.resume = Instant::now() + GROUP_PAUSE;
            }
            Err(Failed::Unable(error)) => {
                self.able = false;
                tracing::warn!(error, "the broker takes no batches: from now on each event is published alone");
            }
            Err(Failed::Refused(error) | Failed::Lost(error)) => {
                self.grouped.refused += 1;
                self.resume = Instant::now() + GROUP_PAUSE;
                tracing::warn!(error, events, "a batch was not acknowledged: its events are published alone");
            }
        }
    }
}

/// A batch may be held up for this long, by a broken connection say, and still be recorded.
fn is_ending(until: Option<Instant>, now: Instant) -> bool {
    until.is_some_and(|until| now + ACK_TIMEOUT > until)
}

impl Waiting {
    fn tell(self, gathered: Gathered) {
        // Whoever gave up waiting needs no answer.
        self.answer.send(gathered).ok();
    }
}
