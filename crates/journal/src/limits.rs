//! The journal's limits and waits, each with its reason.

use std::time::Duration;

/// Ids are remembered for this long: half of it is the time in which a vote may be retried, and the broker keeps
/// about 130 bytes an entry, so the default of two minutes costs twice the memory for nothing.
pub const DUPLICATE_WINDOW: Duration = Duration::from_mins(1);
/// A broker that has not acknowledged by then is asked again under the same id.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// Publishes of one command: as many as begin within `PUBLISH_BEGIN_MAX` when each waits in vain.
pub const PUBLISH_ATTEMPTS_MAX: u32 = 3;
/// No attempt begins later than this after the command came, however it waited to be gathered: with the wait for the last
/// acknowledgement it stays below the ten seconds after which a client sends the command again.
pub const PUBLISH_BEGIN_MAX: Duration = Duration::from_millis(6_500);
/// A pause between publishes of one command, with jitter on top.
pub const PUBLISH_RETRY_PAUSE: Duration = Duration::from_millis(100);
/// More in flight starved consumers on the same connection (nats.rs#1285).
pub const ACKS_IN_FLIGHT_MAX: usize = 1_024;
/// Any other question to the broker.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
/// How often the log's end is looked at: what lag in seconds is good for, at one small request.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The clock of a writer may be off the broker's by this much (law 7).
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(2);
/// Messages pulled at once: as many as one batch of a follower takes, and a pull is a wait for the broker.
pub const PULL_MESSAGES_MAX: usize = 10_000;
/// Bytes pulled at once, which bounds what waits here whatever messages hold; one may have half a megabyte.
pub const PULL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Messages in one batch of a follower, which is decoded in one go; the projector gathers batches into its steps.
pub const BATCH_MESSAGES_MAX: usize = 10_000;
/// Bytes in one batch of a follower: an eighth of what may wait for the fold, so that one batch runs little over that.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The broker says that it lives this often, and a consumer that is silent for twice as long is made anew.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long one pull stands open.
pub const PULL_EXPIRES: Duration = Duration::from_secs(10);
/// A consumer that nobody asks is dropped by the broker after this long.
pub const CONSUMER_INACTIVE: Duration = Duration::from_mins(1);
/// How soon a follower notices that its connection was replaced.
pub const RECONNECT_CHECK: Duration = Duration::from_millis(250);
/// The pause before a consumer is made again after a failure.
pub const REOPEN_PAUSE: Duration = Duration::from_millis(300);
/// Messages that a scan reads at once, which bounds what its reader holds.
pub const SCAN_MESSAGES_MAX: usize = 2_000;
/// Events in one atomic batch: what the broker takes at most.
pub const GROUP_EVENTS_MAX: usize = 1_000;
/// Bytes in one atomic batch, which the broker stages and writes while everybody else waits.
pub const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Events that wait to be gathered: a few batches; whoever comes then is published alone and waits in the broker's queue.
pub const GATHERED_MAX: usize = 4 * GROUP_EVENTS_MAX;
/// Others are gathered once those in flight keep the broker busy for this long: a fraction of what a batch takes, so that the
/// next batch is ready when the last one ends, and far more than a lone event waits.
pub const GATHER_WAIT: Duration = Duration::from_millis(5);
/// So many go alone whatever was measured, so that it is measured on: after one moment in which the broker stood still,
/// a fast one would be taken for slow for ever.
pub const LONE_IN_FLIGHT_MIN: u32 = 4;
/// A broker that takes less for each event does not sync each one (11 µs were measured, 50 on a busy machine), and one
/// that does takes more (170 µs and up): on the former batches bring nothing.
pub const LONE_COST_MIN: Duration = Duration::from_micros(100);
/// What a batch is taken to cost before one was measured: 20 to 30 ms were, whatever its size, since its staging area is a
/// store of its own.
pub const BATCH_COST: Duration = Duration::from_millis(25);
/// After a batch that was refused or lost everything is published alone for this long: a broker in trouble is not tried
/// by the thousand, and whoever sends commands twice at once costs each second one batch at most.
pub const GROUP_PAUSE: Duration = Duration::from_secs(1);
/// A command of this age goes alone: it may have been sent before, to another writer, since clients send again after ten
/// seconds, some sooner. Much less would keep out commands that only waited, when the load is highest.
pub const GROUP_AGE_MAX: Duration = Duration::from_secs(5);
/// Ids of late publishes that are kept out of batches: half a minute of a synced log at its best, in some 10 MB.
pub const RECENT_IDS_MAX: usize = 1 << 19;
