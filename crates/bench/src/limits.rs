//! Limits and waits of the benchmark, each with its reason.

use std::time::Duration;

/// Fewer measure how things start.
pub(crate) const EVENTS_MIN: u64 = 1_000;
/// More than a day's work for the two cores that the figures are for.
pub(crate) const EVENTS_MAX: u64 = 100_000_000;
/// Publishes that wait for their acknowledgement while the log is made: more starve the connection (nats.rs#1285).
pub(crate) const PUBLISHES_IN_FLIGHT: usize = 1_024;
/// A nats-server that does not listen by then will not.
pub(crate) const START_MAX: Duration = Duration::from_secs(20);
/// A fold that stands still for so long has failed.
pub(crate) const STALLED_MAX: Duration = Duration::from_mins(1);
/// How often it is looked whether a fold has reached the end: far below what is measured.
pub(crate) const LOOK_PAUSE: Duration = Duration::from_millis(5);
/// Comments whose tallies are compared with what was sent, the most voted on among them.
pub(crate) const TALLIES_CHECKED: usize = 2_000;
