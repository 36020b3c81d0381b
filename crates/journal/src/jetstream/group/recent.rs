//! The ids that this process published lately: one of them in a batch would have the whole batch refused.
//!
//! An id that is not here may be in the log all the same, by another process. What is old enough for that goes alone without
//! being asked for here; for the rest the broker says so, and the batch's events go alone.

use std::collections::HashSet;
use std::mem;
use std::time::{Duration, Instant};

use domain::CommandId;

use crate::limits::RECENT_IDS_MAX;

/// Ids in two halves, by age: an id is forgotten with its half, so each costs one insertion and no search for the oldest.
pub(super) struct Recent {
    window: Duration,
    young: HashSet<CommandId>,
    old: HashSet<CommandId>,
    begun: Instant,
}

impl Recent {
    /// For a broker that remembers ids for so long.
    pub(super) fn new(window: Duration, now: Instant) -> Self {
        Self { window, young: HashSet::new(), old: HashSet::new(), begun: now }
    }

    /// Remembers an id; says whether it was here already.
    pub(super) fn meet(&mut self, id: CommandId, now: Instant) -> bool {
        let age = now.saturating_duration_since(self.begun);
        if age >= self.window || self.young.len() >= RECENT_IDS_MAX / 2 {
            let young = mem::take(&mut self.young);
            // Half filled after twice the window: what it holds is too old as well.
            self.old = if age >= self.window * 2 { HashSet::new() } else { young };
            self.begun = now;
        }
        let known = self.old.contains(&id) || self.young.contains(&id);
        self.young.insert(id);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(1);

    #[test]
    fn an_id_is_known_for_the_window_and_not_for_ever() {
        let start = Instant::now();
        let mut recent = Recent::new(WINDOW, start);
        let id = CommandId::from_u128(1);
        assert!(!recent.meet(id, start));
        assert!(recent.meet(id, start + WINDOW));
        assert!(!recent.meet(CommandId::from_u128(2), start + WINDOW));
        assert!(!recent.meet(id, start + WINDOW * 4));
    }

    #[test]
    fn no_more_ids_are_kept_than_there_is_room_for() {
        let start = Instant::now();
        let mut recent = Recent::new(WINDOW, start);
        for id in 0..2 * RECENT_IDS_MAX {
            assert!(!recent.meet(CommandId::from_u128(u128::try_from(id).unwrap()), start));
        }
        assert!(recent.young.len() + recent.old.len() <= RECENT_IDS_MAX);
        let last = CommandId::from_u128(u128::try_from(2 * RECENT_IDS_MAX - 1).unwrap());
        assert!(recent.meet(last, start));
    }
}
