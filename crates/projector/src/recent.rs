//! Which comments changed lately, for those who ask since a position.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use domain::Place;
use views::Step;

use crate::limits::{CHANGES_TOLD_MAX, RECENT_ENTRIES_MAX};

/// A bounded ring, outside the digest. It begins anew with each start and each generation that is switched to.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Everything after this sequence is remembered.
    from: u64,
    changes: VecDeque<Change>,
}

struct Change {
    /// The last sequence of the step that made it.
    sequence: u64,
    place: Arc<Place>,
    number: u32,
}

impl Recent {
    /// Forgets everything: what happened up to a sequence is not known any more. The sequence is looked up while nothing is
    /// remembered, so that no step falls between.
    pub(crate) fn begin(&self, from: impl FnOnce() -> u64) {
        let mut inner = self.0.lock().expect("nothing panics while it holds the ring");
        *inner = Inner { from: from(), changes: VecDeque::new() };
    }

    /// Remembers what a step changed.
    pub(crate) fn remember(&self, step: &Step) {
        let mut inner = self.0.lock().expect("nothing panics while it holds the ring");
        for change in &step.changes {
            let place = Arc::new(Place { site: change.site.clone(), thread: Some(change.thread.clone()) });
            for comment in &change.comments {
                if inner.changes.len() == RECENT_ENTRIES_MAX
                    && let Some(forgotten) = inner.changes.pop_front()
                {
                    // Others of its step may still be there: the step is not known whole any more.
                    inner.from = forgotten.sequence;
                }
                let place = Arc::clone(&place);
                inner.changes.push_back(Change { sequence: step.sequence, place, number: comment.number });
            }
        }
    }

    /// The numbers of the comments that changed in a thread after a sequence; `None` if not all of them are known.
    pub(crate) fn since(&self, sequence: u64, place: &Place) -> Option<BTreeSet<u32>> {
        let inner = self.0.lock().expect("nothing panics while it holds the ring");
        if sequence < inner.from {
            return None;
        }
        let begin = inner.changes.partition_point(|change| change.sequence <= sequence);
        let numbers: BTreeSet<u32> =
            inner.changes.range(begin..).filter(|change| *change.place == *place).map(|c| c.number).collect();
        (numbers.len() <= CHANGES_TOLD_MAX).then_some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use domain::{CommandId, CommentId, State, Tally};
    use views::{CommentChange, ThreadChange};

    use super::*;

    fn step(sequence: u64, thread: &str, numbers: std::ops::Range<u32>) -> Step {
        let id = CommentId(CommandId::from_u128(1));
        let change = |number| CommentChange { id, number, state: State::Visible, tally: Tally::default() };
        let (site, thread) = ("s".parse().unwrap(), thread.parse().unwrap());
        let comments: Vec<_> = numbers.map(change).collect();
        let changes = vec![ThreadChange { site, thread, count: 0, comments }];
        Step { sequence, outcomes: Vec::new(), changes }
    }

    #[test]
    fn what_changed_since_a_sequence_is_told_whole_or_not_at_all() {
        let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        let recent = Recent::default();
        recent.begin(|| 10);
        recent.remember(&step(12, "t", 1..3));
        recent.remember(&step(15, "other", 1..9));
        recent.remember(&step(20, "t", 3..4));
        assert_eq!(recent.since(9, &place), None, "before it began");
        assert_eq!(recent.since(10, &place), Some(BTreeSet::from([1, 2, 3])));
        assert_eq!(recent.since(12, &place), Some(BTreeSet::from([3])));
        assert_eq!(recent.since(20, &place), Some(BTreeSet::new()));
        let many = u32::try_from(RECENT_ENTRIES_MAX).unwrap();
        recent.remember(&step(30, "other", 0..many));
        assert_eq!(recent.since(12, &place), None, "forgotten");
        assert_eq!(recent.since(20, &place), Some(BTreeSet::new()), "all that followed is still there");
    }
}
