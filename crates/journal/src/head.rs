//! The end of the log, as somebody saw it.

use std::time::{Duration, Instant};

use crate::limits::CLOCK_SKEW_MAX;

/// The end of the log at the moment it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last sequence that the stream gave out.
    pub sequence: u64,
    /// The oldest sequence that is still there.
    pub first_sequence: u64,
    /// Messages in the stream.
    pub messages: u64,
    /// Bytes in the stream.
    pub bytes: u64,
    /// When the stream was made, in nanoseconds since the Unix epoch: another stream under the name has another.
    pub created_nanos: i64,
    /// Changes when the log is found to have lost its tail.
    pub epoch: u64,
    /// This machine's clock less the broker's, at most wrong by the time of one request.
    pub clock_skew_millis: i64,
    /// When this was seen.
    pub seen: Instant,
}

impl Head {
    /// Whether a writer with this clock may stamp events.
    pub fn clock_fits(&self) -> bool {
        Duration::from_millis(self.clock_skew_millis.unsigned_abs()) <= CLOCK_SKEW_MAX
    }
}
