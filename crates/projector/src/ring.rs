//! Outcomes of the latest events by their place in the log, and by their ids, for votes, whose ids the store does not keep.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use domain::{CommandId, Rejection};
use views::{Outcome, Verdict};

use crate::limits::RING_ENTRIES_MAX;

/// A bounded ring, outside the digest and empty after a start.
#[derive(Default)]
pub(crate) struct Ring(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    /// Where the event of an id stands: the first one, whose repetitions do nothing.
    sequences: HashMap<CommandId, u64>,
}

struct Entry {
    sequence: u64,
    id: Option<CommandId>,
    void: Option<Rejection>,
}

impl Ring {
    /// Remembers what came of events, oldest first.
    pub(crate) fn remember(&self, outcomes: &[Outcome]) {
        let mut ring = self.0.lock().expect("nothing panics while it holds the ring");
        let Inner { entries, sequences } = &mut *ring;
        for outcome in outcomes {
            let void = match outcome.verdict {
                Verdict::Void(rejection) => Some(rejection),
                Verdict::Froze | Verdict::Skipped => Some(Rejection::ThreadFrozen),
                Verdict::Applied | Verdict::Repeated | Verdict::Foreign => None,
            };
            if entries.len() == RING_ENTRIES_MAX
                && let Some(Entry { sequence, id: Some(id), .. }) = entries.pop_front()
                && sequences.get(&id) == Some(&sequence)
            {
                sequences.remove(&id);
            }
            if let Some(id) = outcome.id {
                sequences.entry(id).or_insert(outcome.sequence);
            }
            entries.push_back(Entry { sequence: outcome.sequence, id: outcome.id, void });
        }
    }

    /// What came of the event at a place: applied, or void by a broken rule; `None` if it is not remembered.
    pub(crate) fn outcome(&self, sequence: u64) -> Option<Result<(), Rejection>> {
        let ring = self.0.lock().expect("nothing panics while it holds the ring");
        let index = ring.entries.binary_search_by_key(&sequence, |entry| entry.sequence).ok()?;
        ring.entries.get(index).map(|entry| entry.void.map_or(Ok(()), Err))
    }

    /// Where the event of a command stands; `None` if it is not remembered.
    pub(crate) fn sequence_of(&self, id: CommandId) -> Option<u64> {
        self.0.lock().expect("nothing panics while it holds the ring").sequences.get(&id).copied()
    }

    /// Forgets everything: another generation serves now.
    pub(crate) fn clear(&self) {
        *self.0.lock().expect("nothing panics while it holds the ring") = Inner::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_remembers_the_latest_and_is_bounded() {
        let ring = Ring::default();
        let id = |sequence: u64| CommandId::from_u128(u128::from(sequence) + 1);
        let outcome = |sequence, verdict| Outcome { sequence, kind: None, id: Some(id(sequence)), verdict };
        ring.remember(&[outcome(3, Verdict::Applied), outcome(7, Verdict::Void(Rejection::OwnComment))]);
        assert_eq!(ring.outcome(3), Some(Ok(())));
        assert_eq!(ring.outcome(7), Some(Err(Rejection::OwnComment)));
        assert_eq!(ring.outcome(5), None);
        assert_eq!((ring.sequence_of(id(7)), ring.sequence_of(id(5))), (Some(7), None));
        let more: Vec<_> =
            (8..8 + u64::try_from(RING_ENTRIES_MAX).unwrap()).map(|s| outcome(s, Verdict::Applied)).collect();
        ring.remember(&more);
        assert_eq!((ring.outcome(7), ring.sequence_of(id(7))), (None, None));
        assert_eq!((ring.outcome(8), ring.sequence_of(id(8))), (Some(Ok(())), Some(8)));
    }
}
