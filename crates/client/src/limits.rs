//! The client's limits and waits, each with its reason.

use std::time::Duration;

/// How long one request may take, unless the caller says otherwise. A query waits at most two seconds for `at_least`, a
/// command for a look and an acknowledgement.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a command is sent under its id before the caller is told.
pub const ATTEMPTS_MAX: u32 = 4;
/// The pause before a command is sent again, growing with each attempt.
pub const RETRY_PAUSE: Duration = Duration::from_millis(150);
/// Events that are pulled at once. The next pull is made when half of one is left, so that one and a half wait in the
/// client at most: of the largest events, settings with two lists of words, 512 KiB, that is 96 MiB. Of comments of the
/// greatest length, 40 KB, it is 8 MB.
pub const PULL_MESSAGES_MAX: usize = 128;
/// The broker says that it lives this often, and a consumer that is silent for twice as long is made anew.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long one pull stands open.
pub const PULL_EXPIRES: Duration = Duration::from_secs(10);
/// A consumer that nobody asks is dropped by the broker after this long.
pub const CONSUMER_INACTIVE: Duration = Duration::from_mins(1);
/// A consumer that delivered nothing for so long is made anew: one can stall without a word (nats-server#8036), and
/// making another costs two small requests.
pub const CONSUMER_IDLE_MAX: Duration = Duration::from_mins(1);
/// How soon a subscription notices that its connection was replaced.
pub const RECONNECT_CHECK: Duration = Duration::from_millis(250);
/// How often a subscription of events asks for the epoch: as often as Koe's own roles.
pub const EPOCH_CHECK: Duration = Duration::from_secs(1);
/// The first pause before a subscription that broke is opened again; it doubles.
pub const REOPEN_PAUSE: Duration = Duration::from_millis(200);
/// The longest such pause: a broker that is back is not left waiting.
pub const REOPEN_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Random milliseconds on top of such a pause, so that many subscribers do not come back at once.
pub const REOPEN_JITTER_MILLIS: u128 = 200;
/// Kinds that one subscription may name: the broker compares each message with each of them.
pub const KINDS_MAX: usize = 64;
/// How often a follower of changes asks whether it missed any, besides after a reconnect.
pub const CHANGES_CHECK: Duration = Duration::from_secs(5);
/// The pause after such a question had no answer.
pub const CHANGES_RETRY: Duration = Duration::from_secs(1);
/// Changed comments that a follower remembers between two such questions, to tell no change twice.
pub const TOLD_COMMENTS_MAX: usize = 2_000;
