//! What a writer counts beside its door.

use std::sync::{Mutex, PoisonError};

use journal::Grouped;
use prometheus::{Histogram, HistogramOpts, IntCounter, Registry};

/// From a publish that is not synced to one that waits for a busy disk, in seconds.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

pub(crate) struct Metrics {
    pub(crate) cached: IntCounter,
    pub(crate) asked: IntCounter,
    pub(crate) looked_again: IntCounter,
    pub(crate) repeated: IntCounter,
    pub(crate) publish: Histogram,
    batches: IntCounter,
    batched: IntCounter,
    refused: IntCounter,
    /// What the three above were told so far.
    grouped: Mutex<Grouped>,
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
            batches: counter("batches_total", "Atomic batches in which events were recorded.")?,
            batched: counter("batched_events_total", "Events that were recorded in batches.")?,
            refused: counter(
                "batches_refused_total",
                "Batches that were refused or lost, whose events were published alone.",
            )?,
            grouped: Mutex::default(),
        })
    }

    /// Counts what the journal gathered since this was last called.
    pub(crate) fn count_grouped(&self, now: Grouped) {
        let mut before = self.grouped.lock().unwrap_or_else(PoisonError::into_inner);
        // Two may come in another order than they looked.
        self.batches.inc_by(now.batches.saturating_sub(before.batches));
        self.batched.inc_by(now.events.saturating_sub(before.events));
        self.refused.inc_by(now.refused.saturating_sub(before.refused));
        *before = Grouped {
            batches: now.batches.max(before.batches),
            events: now.events.max(before.events),
            refused: now.refused.max(before.refused),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gathered_is_counted_once_in_whatever_order_it_is_told() {
        let metrics = Metrics::new("votes", &Registry::new()).unwrap();
        let grouped = |batches, events| Grouped { batches, events, refused: 1 };
        for now in [grouped(1, 10), grouped(3, 35), grouped(2, 20), grouped(3, 35)] {
            metrics.count_grouped(now);
        }
        assert_eq!((metrics.batches.get(), metrics.batched.get(), metrics.refused.get()), (3, 35, 1));
    }
}
