//! Limits and waits of the benchmark, each with its reason.

use std::time::Duration;

/// Fewer measure how things start.
pub(crate) const EVENTS_MIN: u64 = 1_000;
/// More than a day's work for the two cores that the figures are for.
pub(crate) const EVENTS_MAX: u64 = 100_000_000;
/// Publishes that wait for their acknowledgement at once: more starve the connection (nats.rs#1285).
pub(crate) const PUBLISHES_IN_FLIGHT: usize = 1_024;
/// A nats-server that does not listen by then, or a role that does not answer, will not.
pub(crate) const START_MAX: Duration = Duration::from_secs(30);
/// A role has some seconds for its stop; a large store takes some to be brought to the disk.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(20);
/// A fold that stands still for so long has failed.
pub(crate) const STALLED_MAX: Duration = Duration::from_mins(1);
/// How often it is looked whether a fold has reached the end: far below what is measured.
pub(crate) const LOOK_PAUSE: Duration = Duration::from_millis(5);
/// Instances that have not told their statistics by then are not there: on loopback it takes a millisecond.
pub(crate) const STATISTICS_WAIT: Duration = Duration::from_millis(100);
/// Comments whose tallies are compared with what was sent, the most voted on among them.
pub(crate) const TALLIES_CHECKED: usize = 2_000;
/// Comments that are voted on by turns, and authors who post by turns: those of an hour on a busy thread.
pub(crate) const WARM_MAX: usize = 500;
/// One command at a time takes its time: this part of them is as good a measure.
pub(crate) const LONE_PART: u64 = 20;
/// Commands about something new each need a comment that is made beforehand: this part of them is enough.
pub(crate) const COLD_PART: u64 = 5;
/// Fewer commands than this time one moment.
pub(crate) const COMMANDS_MIN: u64 = 200;
/// This part of the events comes right before a kill, for the projector to lose some.
pub(crate) const UNFOLDED_PART: u64 = 20;
/// Live votes are watched for so long before something is undone.
pub(crate) const LIVE_WATCHED: Duration = Duration::from_secs(2);
/// Comments that live votes are about by turns.
pub(crate) const LIVE_VOTED_ON: usize = 100;
/// An undoing that is not carried out by then has failed.
pub(crate) const UNDO_MAX: Duration = Duration::from_mins(5);
/// Comments on a page: the default of the contract.
pub(crate) const PAGE_ROWS: usize = 50;
/// Threads in a question for their counts: the most that one may name.
pub(crate) const COUNTED: usize = 100;
/// Pages asked for at once: enough to keep two cores busy.
pub(crate) const PAGES_IN_FLIGHT: usize = 32;
/// Questions behind a figure: some tenths of a second of them.
pub(crate) const QUESTIONS: u64 = 320;
/// Questions one after another behind the ceiling of a lone one.
pub(crate) const QUESTIONS_ALONE: u64 = 50;
/// Starts of a projector behind a figure of what is asked for the first time, for a median.
pub(crate) const STARTS: usize = 3;
