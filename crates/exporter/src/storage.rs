//! How the broker keeps the log, as Prometheus reads it.

use prometheus::IntGaugeVec;

use crate::metrics::{Maker, set};

/// The log's copies, and the room for it.
pub(crate) struct Storage {
    first: IntGaugeVec,
    consumers: IntGaugeVec,
    bytes_max: IntGaugeVec,
    replicas: IntGaugeVec,
    replicas_current: IntGaugeVec,
    leader: IntGaugeVec,
    replica_lag: IntGaugeVec,
    used: IntGaugeVec,
    room: IntGaugeVec,
    api_errors: IntGaugeVec,
}

impl Storage {
    pub(crate) fn new(make: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            first: make.gauge("log_first_sequence", "The first sequence that is still in the log.")?,
            consumers: make.gauge("log_consumers", "Consumers that follow the log.")?,
            bytes_max: make
                .gauge("log_max_bytes", "Bytes that the log may take; no value if it is not limited.")?,
            replicas: make.gauge("log_replicas", "Copies that the log shall have.")?,
            replicas_current: make.gauge("log_replicas_current", "Copies of the log that are up to date.")?,
            leader: make
                .gauge("log_has_leader", "Whether a server leads the log, without which nothing is written.")?,
            replica_lag: make
                .gauge("log_replica_lag_writes", "Writes that the slowest copy of the log is behind.")?,
            used: make.gauge("jetstream_used_bytes", "Bytes that JetStream stores for our account.")?,
            room: make.gauge(
                "jetstream_max_bytes",
                "Bytes that JetStream may store for our account; no value if they are not limited.",
            )?,
            api_errors: make.gauge(
                "jetstream_api_errors",
                "Questions to JetStream that ended in an error, of all clients since the broker began.",
            )?,
        })
    }

    pub(crate) fn show(&self, seen: &journal::Storage) {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        set(&self.first, seen.first_sequence);
        set(&self.consumers, count(seen.consumers));
        set(&self.replicas, count(seen.replicas));
        set(&self.replicas_current, count(seen.replicas_current));
        set(&self.leader, seen.has_leader.into());
        set(&self.replica_lag, seen.replica_lag_max);
        set(&self.used, seen.used);
        set(&self.api_errors, seen.api_errors);
        for (gauge, limit) in [(&self.bytes_max, seen.log_max), (&self.room, seen.room)] {
            match limit {
                Some(limit) => set(gauge, limit),
                None => gauge.reset(),
            }
        }
    }
}
