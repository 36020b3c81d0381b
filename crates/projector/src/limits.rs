//! The projector's limits and waits, each with its reason.

use std::time::Duration;

/// A query waits this long for its `at_least`; longer, and the asker's own deadline decides blindly.
pub(crate) const AT_LEAST_WAIT_MAX: Duration = Duration::from_secs(2);
/// Queries that read the store at once: more than cores only wait for each other.
pub(crate) const READERS_MAX: usize = 16;
/// Entries on a page when the asker names no limit.
pub(crate) const PAGE_DEFAULT: u32 = 50;
/// Entries on a page: what a reader scrolls through; long comments end it earlier.
pub(crate) const PAGE_MAX: u32 = 200;
/// Bytes of words on a page; a page that reaches it ends early. JSON may double them, and a NATS message carries 1 MB.
pub(crate) const PAGE_BYTES_MAX: usize = 384 * 1024;
/// Threads in one `counts`.
pub(crate) const COUNTS_MAX: usize = 100;
/// Sites in one `sites`.
pub(crate) const SITES_MAX: usize = 200;
/// Comments in one `facts`: a parent and twenty quotes fit.
pub(crate) const FACTS_COMMENTS_MAX: usize = 32;
/// Former names that moderators are told of.
pub(crate) const FORMER_NAMES_MAX: usize = 50;
/// Frozen places that `status` names.
pub(crate) const FROZEN_NAMED_MAX: usize = 100;
/// Places in one `digest` when the asker names no limit.
pub(crate) const DIGEST_DEFAULT: u32 = 100;
/// Places in one `digest`: each is read by itself, so that folding waits for one thread at most.
pub(crate) const DIGEST_MAX: u32 = 200;
/// Comments in one `digest` of a thread: their digests are half a megabyte, and a NATS message carries one.
pub(crate) const DIGEST_COMMENTS_MAX: u32 = 16_384;
/// Comments in one announcement; a step that changed more sends several.
pub(crate) const ANNOUNCED_COMMENTS_MAX: usize = 100;
/// Orders of operators that wait; one more is told `overloaded`.
pub(crate) const ORDERS_WAITING_MAX: usize = 1;
/// Finds of damage that wait to be heard: the first of a generation is enough.
pub(crate) const FINDS_WAITING_MAX: usize = 1;
/// A rebuild stands still while what is served is further behind the log's end: a tenth of a full fold step, some
/// milliseconds of folding.
pub(crate) const REBUILD_YIELDS_LAG_MAX: u64 = 1_000;
/// Generations kept beside the one that serves: the one before, to go back to; each takes the room of all read models.
pub(crate) const GENERATIONS_KEPT_MAX: usize = 1;
/// Outcomes of votes that are remembered: some seconds at full speed, for those who wait.
pub(crate) const RING_ENTRIES_MAX: usize = 65_536;
/// Changed comments that are remembered for those who ask since a position: minutes of a busy site.
pub(crate) const RECENT_ENTRIES_MAX: usize = 65_536;
/// Changed comments in one answer; whoever missed more asks the page again.
pub(crate) const CHANGES_TOLD_MAX: usize = 1_000;
/// Events in one step of a generation that serves: readers wait while it is written, some tens of milliseconds.
pub(crate) const LIVE_EVENTS_MAX: usize = 10_000;
/// Events in one step of a generation that catches up: each comment's votes are written once a step, and a kill loses a
/// second's work.
pub(crate) const CATCH_UP_EVENTS_MAX: usize = 100_000;
/// Bytes of events that are read and wait for the fold: long comments fill it before their number does.
pub(crate) const GATHERED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Events of a batch that are decoded where they arrive: about as long as the runtime may be held up, 50 µs.
pub(crate) const DECODED_HERE_MAX: usize = 32;
/// How often a quiet fold looks whether it may pass gaps.
pub(crate) const PASS_INTERVAL: Duration = Duration::from_millis(250);
/// A store that served before catches up first, so that readers do not see time run back after a crash; one that has more
/// to catch up than this shows what it has.
pub(crate) const CATCH_UP_FIRST_MAX: Duration = Duration::from_secs(5);
/// An end of the log that was seen so long ago still counts as the end, for a generation that catches up.
pub(crate) const HEAD_AGE_MAX: Duration = Duration::from_secs(3);
/// A log that goes on while nothing arrives for so many ticks (five seconds) is followed anew.
pub(crate) const STALLED_TICKS_MAX: u32 = 20;
/// The old generation may be ahead by what came in between; the new one has this long to get there.
pub(crate) const SWITCH_WAIT_MAX: Duration = Duration::from_secs(30);
/// Events that a projector may be behind and still be ready: as many as it folds in one step, well below a second.
pub(crate) const READY_LAG_EVENTS_MAX: u64 = 10_000;
/// A projector that has not seen the log's end for so long is not ready; it looks each second, and a look may take three.
pub(crate) const READY_HEAD_AGE_MAX: Duration = Duration::from_secs(10);
/// How often disk and caches are looked at: below the usual scrape interval of 15 s, and a listing of files each.
pub(crate) const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(5);
