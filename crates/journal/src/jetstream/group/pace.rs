//! How long the broker takes: what tells a lone publish from one that is better gathered with others.
//!
//! The broker's configuration cannot be seen. What can be seen is how much longer an event waits for each one ahead of it:
//! the wait of a far broker is the same whatever is ahead, and that of one which syncs for each event is not.

use std::time::Duration;

use crate::GroupCommit;
use crate::limits::{BATCH_COST, GATHER_WAIT, LONE_COST_MIN, LONE_IN_FLIGHT_MIN};

/// How much a new sample counts.
const WEIGHT: f64 = 1.0 / 32.0;
/// How much a new sample of a batch counts; there are fewer of them.
const BATCH_WEIGHT: f64 = 1.0 / 8.0;
/// How much a new sample of a publish with nothing ahead counts: under load there are few of them too.
const BARE_WEIGHT: f64 = 1.0 / 8.0;
/// How much the cost of a batch is forgotten by each that was not tried.
const FORGOTTEN: f64 = 1.0 / 64.0;
/// A batch must promise to be so many times as fast: just after one the disk is still busy with its staging area, and lone
/// publishes look slower than they are.
const GAIN_MIN: f64 = 1.5;

/// What was measured lately, in seconds.
pub(super) struct Pace {
    mode: GroupCommit,
    /// From publish to acknowledgement with nothing ahead.
    bare: Option<f64>,
    /// The mean of what waits beyond that were, and of how many events were ahead.
    waited: f64,
    ahead: f64,
    /// From a batch's first message to its acknowledgement.
    batch: f64,
}

impl Pace {
    pub(super) fn new(mode: GroupCommit) -> Self {
        Self { mode, bare: None, waited: 0.0, ahead: 0.0, batch: BATCH_COST.as_secs_f64() }
    }

    /// A lone publish was acknowledged, with so many others ahead of it.
    pub(super) fn acknowledged(&mut self, ahead: u32, took: Duration) {
        let took = took.as_secs_f64();
        match self.bare {
            _ if ahead == 0 => self.bare = Some(self.bare.map_or(took, |bare| toward(bare, took, BARE_WEIGHT))),
            Some(bare) => {
                self.waited = toward(self.waited, took - bare, WEIGHT);
                self.ahead = toward(self.ahead, f64::from(ahead), WEIGHT);
            }
            None => {}
        }
    }

    /// A batch was acknowledged.
    pub(super) fn committed(&mut self, took: Duration) {
        self.batch = toward(self.batch, took.as_secs_f64(), BATCH_WEIGHT);
    }

    /// A batch did not pay by what is known. That is forgotten little by little, so that one bad moment is not believed for ever.
    pub(super) fn declined(&mut self) {
        self.batch = toward(self.batch, BATCH_COST.as_secs_f64(), FORGOTTEN);
    }

    /// Whether each event costs a wait of its own.
    pub(super) fn is_slow(&self) -> bool {
        self.mode == GroupCommit::Always || self.cost() >= LONE_COST_MIN.as_secs_f64()
    }

    /// Whether so many in flight keep a slow broker busy for long enough to gather others meanwhile.
    pub(super) fn is_busy(&self, in_flight: u32) -> bool {
        match self.mode {
            GroupCommit::Always => in_flight > 0,
            GroupCommit::WhenSooner | GroupCommit::Never => {
                in_flight >= LONE_IN_FLIGHT_MIN && f64::from(in_flight) * self.cost() >= GATHER_WAIT.as_secs_f64()
            }
        }
    }

    /// Whether so many events are sooner recorded as one batch than alone.
    pub(super) fn pays(&self, events: usize) -> bool {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        match self.mode {
            GroupCommit::Always => true,
            GroupCommit::WhenSooner => self.is_slow() && f64::from(events) * self.cost() > self.batch * GAIN_MIN,
            GroupCommit::Never => false,
        }
    }

    /// What each event adds to the wait of those behind it.
    fn cost(&self) -> f64 {
        if self.ahead > 0.0 { self.waited / self.ahead } else { 0.0 }
    }
}

fn toward(mean: f64, sample: f64, weight: f64) -> f64 {
    mean + (sample - mean) * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand acknowledgements, with up to 99 ahead, of a broker that is so far and takes so long for each event.
    fn measured(far: Duration, each: Duration) -> Pace {
        let mut pace = Pace::new(GroupCommit::WhenSooner);
        for ahead in (0..100).cycle().take(1_000) {
            pace.acknowledged(ahead, far + each * (ahead + 1));
        }
        pace
    }

    #[test]
    fn a_broker_of_which_nothing_is_known_is_fast() {
        let pace = Pace::new(GroupCommit::WhenSooner);
        assert!(!pace.is_slow() && !pace.is_busy(1_000) && !pace.pays(1_000));
    }

    #[test]
    fn a_broker_that_syncs_is_slow_and_many_are_sooner_one_batch() {
        let pace = measured(Duration::from_micros(200), Duration::from_micros(180));
        assert!(pace.is_slow() && pace.is_busy(100) && !pace.is_busy(1));
        assert!(pace.pays(1_000) && !pace.pays(200));
    }

    #[test]
    fn a_far_broker_is_not_a_slow_one() {
        let pace = measured(Duration::from_millis(50), Duration::from_micros(11));
        assert!(!pace.is_slow() && !pace.pays(1_000));
    }

    #[test]
    fn who_asks_for_batches_or_for_none_is_obeyed() {
        let always = Pace::new(GroupCommit::Always);
        assert!(always.is_slow() && always.is_busy(1) && !always.is_busy(0) && always.pays(2));
        let mut never = Pace::new(GroupCommit::Never);
        for ahead in 0..100 {
            never.acknowledged(ahead, Duration::from_millis(1) * ahead);
        }
        assert!(!never.pays(1_000));
    }

    #[test]
    fn a_broker_that_became_fast_is_fast() {
        let mut pace = measured(Duration::from_micros(200), Duration::from_millis(1));
        for _ in 0..500 {
            pace.acknowledged(3, Duration::from_micros(250));
        }
        assert!(!pace.is_slow());
    }

    #[test]
    fn a_broker_that_stood_still_once_is_measured_anew() {
        let mut pace = measured(Duration::from_micros(200), Duration::from_micros(11));
        for ahead in 0..LONE_IN_FLIGHT_MIN {
            pace.acknowledged(ahead, Duration::from_secs(3));
        }
        assert!(pace.is_slow() && !pace.is_busy(LONE_IN_FLIGHT_MIN - 1), "some go alone whatever was measured");
        for ahead in (0..LONE_IN_FLIGHT_MIN).cycle().take(500) {
            pace.acknowledged(ahead, Duration::from_micros(200) + Duration::from_micros(11) * ahead);
        }
        assert!(!pace.is_slow());
    }

    #[test]
    fn one_bad_moment_of_a_batch_is_forgotten() {
        let mut pace = measured(Duration::from_micros(200), Duration::from_micros(180));
        for _ in 0..10 {
            pace.committed(Duration::from_secs(3));
        }
        assert!(!pace.pays(1_000));
        for _ in 0..500 {
            pace.declined();
        }
        assert!(pace.pays(1_000));
    }
}
