//! The writers' limits and waits, each with its reason.

use std::time::Duration;

/// Facts that could change are forgotten when a change is heard of; what is not heard is this old at most, and the fold
/// judges what slips through.
pub(crate) const FACTS_AGE_MAX: Duration = Duration::from_secs(2);
/// A change that was heard of while it was published is folded long before this is over.
pub(crate) const HEARD_KEPT: Duration = Duration::from_secs(10);
/// Facts that are kept: the comments that are voted on now, at about 200 bytes each.
pub(crate) const FACTS_CACHED_MAX: u64 = 100_000;
/// Sites whose settings are kept.
pub(crate) const SITES_CACHED_MAX: u64 = 1_000;
/// Different rates that sites have set; one more forgets what the others counted.
pub(crate) const RATES_MAX: u64 = 64;
/// Actors whose rates are kept; beyond it those who were quiet are forgotten.
pub(crate) const ACTORS_MAX: usize = 100_000;
/// Commands between two looks at how many actors are kept.
pub(crate) const ACTORS_CHECK_INTERVAL: u64 = 1_024;
/// Voters that a refusal names: whoever mistook a list sees which one it was, and the answer stays short.
pub(crate) const VOTERS_TOLD_MAX: usize = 10;
/// A writer that has not seen the log's end for so long is not ready; it looks each second, and a look may take three.
pub(crate) const HEAD_AGE_MAX: Duration = Duration::from_secs(10);
