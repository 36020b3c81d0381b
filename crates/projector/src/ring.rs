//! Outcomes of the latest events by their place in the log, for votes, whose ids are not kept.

use std::collections::VecDeque;
use std::sync::Mutex;

use domain::Rejection;
use views::{Outcome, Verdict};

use crate::limits::RING_ENTRIES_MAX;

/// A bounded ring, outside the digest and empty after a start.
#[derive(Default)]
pub(crate) struct Ring(Mutex<VecDeque<(u64, Option<Rejection>)>>);

impl Ring {
    /// Remembers what came of events, oldest first.
    pub(crate) fn remember(&self, outcomes: &[Outcome]) {
        let mut ring = self.0.lock().expect("nothing panics while it holds the ring");
        for outcome in outcomes {
            let void = match outcome.verdict {
                Verdict::Void(rejection) => Some(rejection),
                Verdict::Froze | Verdict::Skipped => Some(Rejection::ThreadFrozen),
                Verdict::Applied | Verdict::Repeated | Verdict::Foreign => None,
            };
            if ring.len() == RING_ENTRIES_MAX {
                ring.pop_front();
            }
            ring.push_back((outcome.sequence, void));
        }
    }

    /// What came of the event at a place: applied, or void by a broken rule; `None` if it is not remembered.
    pub(crate) fn outcome(&self, sequence: u64) -> Option<Result<(), Rejection>> {
        let ring = self.0.lock().expect("nothing panics while it holds the ring");
        let index = ring.binary_search_by_key(&sequence, |(sequence, _)| *sequence).ok()?;
        ring.get(index).map(|(_, void)| void.map_or(Ok(()), Err))
    }

    /// Forgets everything: another generation serves now.
    pub(crate) fn clear(&self) {
        self.0.lock().expect("nothing panics while it holds the ring").clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_remembers_the_latest_and_is_bounded() {
        let ring = Ring::default();
        let outcome = |sequence, verdict| Outcome { sequence, kind: None, verdict };
        ring.remember(&[outcome(3, Verdict::Applied), outcome(7, Verdict::Void(Rejection::OwnComment))]);
        assert_eq!(ring.outcome(3), Some(Ok(())));
        assert_eq!(ring.outcome(7), Some(Err(Rejection::OwnComment)));
        assert_eq!(ring.outcome(5), None);
        let more: Vec<_> =
            (8..8 + u64::try_from(RING_ENTRIES_MAX).unwrap()).map(|s| outcome(s, Verdict::Applied)).collect();
        ring.remember(&more);
        assert_eq!(ring.outcome(7), None);
        assert_eq!(ring.outcome(8), Some(Ok(())));
    }
}
