//! Every limit of the gateway, each with its reason. Nothing in Koe is unbounded.

use std::time::Duration;

/// Requests served at once; more are told `overloaded`. A page holds about a megabyte while it is drawn.
pub(crate) const IN_FLIGHT_MAX: usize = 512;
/// Connections open at once; more wait in the kernel. Below 1,024 open files, the usual limit of a process.
pub(crate) const CONNECTIONS_MAX: usize = 768;
/// A connection that sends nothing for so long is closed, so that idle readers do not hold places for ever. Longer
/// than any request takes.
pub(crate) const IDLE_MAX: Duration = Duration::from_mins(1);
/// A request has its answer within this time: two attempts of a command, so that a writer may be restarted meanwhile.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(25);
/// After a stop, what was taken is finished within this time; the process has five seconds in all.
pub(crate) const FINISH_MAX: Duration = Duration::from_secs(3);
/// How long a probe waits for the projector; orchestrators ask every few seconds.
pub(crate) const PROBE_MAX: Duration = Duration::from_secs(2);
/// How long a login waits for the reader's name to be recorded; the session is good without it.
pub(crate) const NAMING_MAX: Duration = Duration::from_secs(3);

/// Comments on one page for readers: what one reads in a sitting.
pub(crate) const PAGE_COMMENTS: u32 = 50;
/// Comments on one page for programs that name no limit.
pub(crate) const JSON_COMMENTS: u32 = 50;
/// Comments on one page while looking for a comment's page; the most that the contract gives.
pub(crate) const SEARCH_COMMENTS: u32 = 200;
/// Pages read while looking for a comment's page: 4,000 comments, beyond which the link leads to the thread's start.
pub(crate) const SEARCH_PAGES_MAX: u32 = 20;
/// Threads asked for their counts at once; the most that the contract gives.
pub(crate) const COUNTS_MAX: usize = 100;
/// Sites on the front page, one query each.
pub(crate) const FRONT_SITES_MAX: usize = 20;
/// Threads of one site on the front page, with a link to the rest.
pub(crate) const FRONT_THREADS: u32 = 20;
/// Threads on one page of a site.
pub(crate) const SITE_THREADS: u32 = 100;
/// Parts of somebody's own data read at once: each goes through thousands of comments, and readers come first.
pub(crate) const OWN_DATA_AT_ONCE_MAX: usize = 4;
/// How long a part of somebody's own data waits for its turn; within a request's time, with the reading.
pub(crate) const OWN_DATA_WAIT_MAX: Duration = Duration::from_secs(10);

/// Comments on one page of what waits for a moderator, and one query each for their flags.
pub(crate) const QUEUE_COMMENTS: u32 = 20;

/// Browsers keep no cookie above 4 KiB, and a longer token costs an attacker less than us.
pub(crate) const TOKEN_BYTES_MAX: usize = 3_800;
/// Clocks of the signer and ours may differ by so much.
pub(crate) const LEEWAY_SECS: u64 = 30;

/// Lists, quotes and emphasis inside each other; deeper ones become plain, since nobody reads them and each level costs
/// the browser.
pub(crate) const MARKUP_DEPTH_MAX: usize = 8;
/// Quotes inside quotes; the projector draws three deep.
pub(crate) const QUOTE_DEPTH_MAX: usize = 4;
