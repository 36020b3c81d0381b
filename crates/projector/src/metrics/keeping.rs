//! What is looked at in its own time: the disk, the caches, the flush.

use std::sync::{Mutex, PoisonError};

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use views::Lookups;

pub(crate) struct Keeping {
    pub(crate) flush: Histogram,
    lookups: [IntCounter; 2],
    /// The generation whose look-ups were counted last, and what was counted of them.
    looked_up: Mutex<(u32, Lookups)>,
    store_bytes: [IntGauge; 2],
    disk: [IntGauge; 2],
}

impl Keeping {
    pub(super) fn new(registry: &Registry) -> anyhow::Result<Self> {
        let store_bytes = IntGaugeVec::new(
            Opts::new(
                "koe_projector_store_bytes",
                "Bytes on the disk: of the generation that serves, and of all others.",
            ),
            &["generations"],
        )?;
        registry.register(Box::new(store_bytes.clone()))?;
        let lookups = IntCounterVec::new(
            Opts::new("koe_projector_lookups_total", "Values that the fold asked for, by where it found them."),
            &["found"],
        )?;
        registry.register(Box::new(lookups.clone()))?;
        let disk = |name: &str, help: &str| -> anyhow::Result<IntGauge> {
            let gauge = IntGauge::new(format!("koe_projector_disk_{name}_bytes"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let flush = "Time to bring to the disk what was written, measured every five seconds.";
        Ok(Self {
            flush: super::duration(registry, "flush", flush)?,
            lookups: [lookups.with_label_values(&["memory"]), lookups.with_label_values(&["store"])],
            looked_up: Mutex::default(),
            store_bytes: [store_bytes.with_label_values(&["serving"]), store_bytes.with_label_values(&["others"])],
            disk: [
                disk("free", "Bytes that are free on the disk of the data directory.")?,
                disk("size", "Bytes of the disk of the data directory.")?,
            ],
        })
    }

    /// What the fold of a generation asked for so far; each counts once.
    pub(crate) fn looked_up(&self, generation: u32, now: Lookups) {
        let mut before = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner);
        // A generation that was opened again counts from nothing.
        let base = if before.0 == generation && now.kept >= before.1.kept { before.1 } else { Lookups::default() };
        let [kept, read] = &self.lookups;
        kept.inc_by(now.kept.saturating_sub(base.kept));
        read.inc_by(now.read.saturating_sub(base.read));
        *before = (generation, now);
    }

    /// What lies on the disk.
    pub(crate) fn stored(&self, serving: u64, others: u64) {
        set_both(&self.store_bytes, serving, others);
    }

    /// The disk itself.
    pub(crate) fn disk(&self, free: u64, size: u64) {
        set_both(&self.disk, free, size);
    }
}

fn set_both(gauges: &[IntGauge; 2], one: u64, other: u64) {
    for (gauge, value) in gauges.iter().zip([one, other]) {
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fold_asked_for_counts_once_and_a_new_generation_begins_at_nothing() {
        let keeping = Keeping::new(&Registry::new()).unwrap();
        for (generation, kept, read) in [(1, 10, 4), (1, 15, 4), (2, 3, 1), (2, 5, 1), (2, 1, 1)] {
            keeping.looked_up(generation, Lookups { kept, read });
        }
        assert_eq!(keeping.lookups.each_ref().map(IntCounter::get), [21, 6]);
    }
}
