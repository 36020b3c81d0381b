//! The exporter's limits and waits, each with its reason.

use std::time::Duration;

/// How often the log and the projector are looked at: what lag in seconds is good for, at a small request each.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often the NATS services are asked for their statistics: below the usual scrape interval of 15 s.
pub(crate) const SERVICES_INTERVAL: Duration = Duration::from_secs(5);
/// How often the broker is asked how it keeps the log: below the usual scrape interval of 15 s.
pub(crate) const STORAGE_INTERVAL: Duration = Duration::from_secs(5);
/// How often the page's plots go on: what an eye follows, at a millisecond of writing text each.
pub(crate) const HISTORY_INTERVAL: Duration = Duration::from_secs(2);
/// Samples that the page's plots begin with: 15 minutes, in which one sees what just went wrong.
pub(crate) const HISTORY_SAMPLES_MAX: usize = 450;
/// Series in one sample: more than a `koe up` with everything in use has; with the samples that is some ten megabytes.
pub(crate) const HISTORY_SERIES_MAX: usize = 512;
/// Nobody knows how many services will answer: who has not by then counts at the next poll.
pub(crate) const GATHER_WAIT: Duration = Duration::from_millis(500);
/// A poll that takes longer counts as failed; the projector itself may wait two seconds before it answers.
pub(crate) const POLL_TIMEOUT: Duration = Duration::from_secs(4);
/// The pause before the log is opened again.
pub(crate) const OPEN_PAUSE: Duration = Duration::from_secs(1);
/// Replies taken at one poll: more instances than one broker's Koe has, with room.
pub(crate) const INSTANCES_MAX: usize = 256;
/// Endpoints of instances whose last figures are remembered, of those that are gone too, so that one that comes back
/// after a break does not count twice: some megabytes.
pub(crate) const ENDPOINTS_REMEMBERED_MAX: usize = 8_192;
/// Services that are named in labels: Koe has three, and anybody on the broker may call itself `koe-…`.
pub(crate) const SERVICES_MAX: usize = 32;
/// Endpoints of one instance that are counted; the largest service of Koe has nine.
pub(crate) const ENDPOINTS_MAX: usize = 64;
/// Pairs of service and endpoint that are named in labels, since each is three time series for ever.
pub(crate) const ENDPOINTS_NAMED_MAX: usize = 256;
/// Characters of a name that becomes a label.
pub(crate) const NAME_CHARS_MAX: usize = 64;
/// An exporter that has not seen the log's end for so long shows what was; it looks each second, and a look may take three.
pub(crate) const HEAD_AGE_MAX: Duration = Duration::from_secs(10);
