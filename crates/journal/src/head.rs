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

/// How the broker keeps the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The first sequence that is still there.
    pub first_sequence: u64,
    /// Consumers that follow the log.
    pub consumers: usize,
    /// Bytes that the log may take, if it is limited.
    pub log_max: Option<u64>,
    /// Copies that the log shall have.
    pub replicas: usize,
    /// Copies that are up to date, the leader's among them.
    pub replicas_current: usize,
    /// Whether a server leads, without which nothing is written.
    pub has_leader: bool,
    /// Writes that the slowest copy is behind.
    pub replica_lag_max: u64,
    /// Bytes that JetStream stores for our account, all streams together.
    pub used: u64,
    /// Bytes that it may store, if that is limited.
    pub room: Option<u64>,
    /// Questions to JetStream that ended in an error, of all clients of the account.
    pub api_errors: u64,
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
