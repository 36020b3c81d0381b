//! The end of the log, as somebody saw it.

use std::time::{Duration, Instant};

use crate::limits::CLOCK_SKEW_MAX;

/// The end of the log at the moment it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last sequence that the stream gave out.
    pub sequence: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_two_seconds_off_and_no_more() {
        let fits = |clock_skew_millis| {
            let head = Head {
                sequence: 0,
                messages: 0,
                bytes: 0,
                created_nanos: 0,
                epoch: 0,
                clock_skew_millis,
                seen: Instant::now(),
            };
            head.clock_fits()
        };
        assert!(fits(0) && fits(2_000) && fits(-2_000));
        assert!(!fits(2_001) && !fits(-2_001) && !fits(i64::MIN));
    }
}
