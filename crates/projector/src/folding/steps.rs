//! Steps of a fold: what is gathered for one, how large it may be, what came of it.

use std::pin::Pin;

use anyhow::Context as _;
use domain::Recorded;
use journal::{Entry, Follower, Step as LogStep};
use views::{Step, Store};

use crate::limits::{DECODED_HERE_MAX, GATHERED_BYTES_MAX};

/// A step that was folded.
pub(super) enum Folded {
    /// With what it changed.
    Told(Step),
    /// A part of what was decided for all threads of a site, with what it changed.
    Part(Step),
    /// Up to this sequence, for nobody who reads.
    Quietly(u64),
    /// Not at all: it was told to stop while it waited for its turn.
    NotBegun,
}

/// Messages that were read, in log order.
#[derive(Default)]
pub(super) struct Gathered {
    recorded: Vec<Recorded>,
    /// The bytes of each.
    lens: Vec<usize>,
    bytes: usize,
}

impl Gathered {
    fn decoded(entries: &[Entry]) -> Self {
        let lens: Vec<_> = entries.iter().map(|entry| entry.payload.len()).collect();
        Self { bytes: lens.iter().sum(), lens, recorded: entries.iter().map(Entry::decode).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// Whether more may be read before what was read is folded.
    pub(super) fn has_room(&self, events_max: usize) -> bool {
        self.recorded.len() < events_max && self.bytes < GATHERED_BYTES_MAX
    }

    pub(super) fn add(&mut self, batch: Self) {
        self.recorded.extend(batch.recorded);
        self.lens.extend(batch.lens);
        self.bytes += batch.bytes;
    }

    /// The first so many; what is left waits for its own step.
    pub(super) fn take(&mut self, events_max: usize) -> Vec<Recorded> {
        let count = events_max.min(self.recorded.len());
        let taken_bytes: usize = self.lens.drain(..count).sum();
        self.bytes = self.bytes.saturating_sub(taken_bytes);
        let left = self.recorded.split_off(count);
        std::mem::replace(&mut self.recorded, left)
    }
}

/// What was read of the log.
pub(super) enum Read {
    Opened,
    Batch(Gathered),
}

/// The next step of the log, decoded beside the fold.
pub(super) async fn read(follower: &mut Follower) -> anyhow::Result<Read> {
    match follower.next().await {
        LogStep::Opened => Ok(Read::Opened),
        // Few are decoded sooner than a thread wakes up for them.
        LogStep::Batch(entries) if entries.len() <= DECODED_HERE_MAX => {
            Ok(Read::Batch(Gathered::decoded(&entries)))
        }
        LogStep::Batch(entries) => {
            let decode = move || Gathered::decoded(&entries);
            tokio::task::spawn_blocking(decode).await.context("decoding broke").map(Read::Batch)
        }
    }
}

/// What came of a step, or that it broke.
pub(super) type Stepped = Result<Result<Folded, views::Error>, tokio::task::JoinError>;

/// A step that is being folded.
pub(super) type UnderWay = Pin<Box<dyn Future<Output = Stepped> + Send>>;

/// Waits for the step that is under way, for ever if there is none.
pub(super) async fn done(step: &mut Option<UnderWay>) -> Stepped {
    match step {
        Some(step) => step.await,
        None => std::future::pending().await,
    }
}

/// One step. Of a generation that nobody reads yet, nobody asks what changed.
pub(super) fn fold(
    store: &Store,
    recorded: &[Recorded],
    log: (&str, i64, u64),
    serves: bool,
) -> Result<Folded, views::Error> {
    if serves {
        store.fold(recorded, log).map(Folded::Told)
    } else {
        store.catch_up(recorded, log).map(Folded::Quietly)
    }
}

#[cfg(test)]
mod tests {
    use domain::Content;

    use super::*;

    #[test]
    fn a_step_takes_what_it_may_and_the_rest_waits_in_order() {
        let of = |sequences: std::ops::RangeInclusive<u64>| Gathered {
            lens: sequences.clone().map(|_| 10).collect(),
            bytes: sequences.clone().count() * 10,
            recorded: sequences
                .map(|sequence| Recorded {
                    sequence,
                    place: None,
                    content: Content::Misplaced { message_id: "".into() },
                })
                .collect(),
        };
        let mut gathered = of(1..=3);
        gathered.add(of(4..=5));
        assert!(gathered.has_room(6) && !gathered.has_room(5));
        for (events_max, expected, left) in [(2, vec![1, 2], 30), (2, vec![3, 4], 10), (9, vec![5], 0)] {
            let taken: Vec<_> = gathered.take(events_max).iter().map(|recorded| recorded.sequence).collect();
            assert_eq!((taken, gathered.bytes), (expected, left));
        }
        assert!(gathered.is_empty());
    }
}
