//! What a writer counts beside its door.

use prometheus::{Histogram, HistogramOpts, IntCounter, Registry};

/// From a publish that is not synced to one that waits for a busy disk, in seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

pub(crate) struct Metrics {
    pub(crate) cached: IntCounter,
    pub(crate) asked: IntCounter,
    pub(crate) looked_again: IntCounter,
    pub(crate) repeated: IntCounter,
    pub(crate) publish: Histogram,
}

impl Metrics {
    pub(crate) fn new(role: &str, registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(format!("koe_{role}_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let publish = Histogram::with_opts(
            HistogramOpts::new(
                format!("koe_{role}_publish_duration_seconds"),
                "Time from publishing an event to its acknowledgement, retries included.",
            )
            .buckets(BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(publish.clone()))?;
        Ok(Self {
            cached: counter("facts_cached_total", "Commands decided on facts at hand.")?,
            asked: counter("facts_asked_total", "Questions for facts to the projector.")?,
            looked_again: counter("looks_again_total", "Commands that were looked at again before a refusal.")?,
            repeated: counter("commands_repeated_total", "Commands that had been accepted before.")?,
            publish,
        })
    }
}
