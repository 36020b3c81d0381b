//! What the eraser counts.

use prometheus::{IntCounter, IntGauge, Registry};

pub(super) struct Metrics {
    pub(super) waiting: IntGauge,
    pub(super) done: IntCounter,
    pub(super) messages: IntCounter,
    pub(super) failures: IntCounter,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> anyhow::Result<Self> {
        let counter = |name: &str, help: &str| -> anyhow::Result<IntCounter> {
            let counter = IntCounter::new(format!("koe_comments_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let waiting =
            IntGauge::new("koe_comments_erasures_waiting", "Erasures that the log does not carry out yet.")?;
        registry.register(Box::new(waiting.clone()))?;
        Ok(Self {
            waiting,
            done: counter("erasures_done_total", "Erasures that were carried out in the log.")?,
            messages: counter("messages_erased_total", "Messages that were deleted from the log.")?,
            failures: counter("erasure_failures_total", "Times that the log could not be erased from.")?,
        })
    }
}
