//! What the projector counts.

use domain::Event;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use views::{Step, Verdict};

use crate::shared::StoreState;

/// From a batch of one to a full one, in seconds.
const STEP_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// The projector's metrics; hot paths hold their child.
pub(crate) struct Metrics {
    folded: Vec<(&'static str, IntCounter)>,
    void: IntCounterVec,
    skipped: IntCounter,
    unreadable: IntCounter,
    repeated: IntCounter,
    pub(crate) step: Histogram,
    pub(crate) sequence: IntGauge,
    pub(crate) generation: IntGauge,
    pub(crate) rebuilding: IntGauge,
    rebuilding_sequence: IntGauge,
    rebuilding_end: IntGauge,
    pub(crate) rebuild_pauses: IntCounter,
    store: IntGaugeVec,
    pub(crate) regressions: IntCounter,
    pub(crate) damaged: IntCounter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> anyhow::Result<Self> {
        let counter = |name: &str, help: &str| -> anyhow::Result<IntCounter> {
            let counter = IntCounter::new(format!("koe_projector_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> anyhow::Result<IntGauge> {
            let gauge = IntGauge::new(format!("koe_projector_{name}"), help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let folded = IntCounterVec::new(
            Opts::new("koe_projector_events_folded_total", "Events folded into the serving generation, by type."),
            &["type"],
        )?;
        registry.register(Box::new(folded.clone()))?;
        let void = IntCounterVec::new(
            Opts::new(
                "koe_projector_events_void_total",
                "Events that broke a rule by their place in the log, by code.",
            ),
            &["code"],
        )?;
        registry.register(Box::new(void.clone()))?;
        let step = Histogram::with_opts(
            HistogramOpts::new("koe_projector_step_duration_seconds", "Time to fold and write one batch.")
                .buckets(STEP_BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(step.clone()))?;
        let store = IntGaugeVec::new(
            Opts::new("koe_projector_store_state", "1 for how the store is, 0 for how it is not."),
            &["state"],
        )?;
        registry.register(Box::new(store.clone()))?;
        Ok(Self {
            folded: Event::KINDS.iter().map(|kind| (*kind, folded.with_label_values(&[kind]))).collect(),
            void,
            skipped: counter(
                "events_skipped_total",
                "Events of threads that stand still, counted and not folded.",
            )?,
            unreadable: counter("events_unreadable_total", "Messages of the log that could not be read.")?,
            repeated: counter("events_repeated_total", "Events whose command was folded before.")?,
            step,
            sequence: gauge("folded_sequence", "The last sequence folded into the serving generation.")?,
            generation: gauge("generation", "The generation that serves, 0 for none.")?,
            rebuilding: gauge("rebuilding_generation", "The generation that is being rebuilt, 0 for none.")?,
            rebuilding_sequence: gauge(
                "rebuilding_sequence",
                "The last sequence folded into the generation that is being rebuilt, 0 if there is none.",
            )?,
            rebuilding_end: gauge(
                "rebuilding_end_sequence",
                "The sequence that the rebuild goes to, the log's end as it was last seen, 0 if there is none.",
            )?,
            rebuild_pauses: counter(
                "rebuild_pauses_total",
                "Times that a rebuild stood still because what is served lagged.",
            )?,
            store,
            regressions: counter("log_regressions_total", "Times that the log was found to have lost its tail.")?,
            damaged: counter(
                "stores_given_up_total",
                "Stores that were moved aside: damaged, or folded from a log that was lost.",
            )?,
        })
    }

    /// How the store is from now on.
    pub(crate) fn store_is(&self, state: StoreState) {
        for every in StoreState::EVERY {
            self.store.with_label_values(&[every.as_str()]).set(i64::from(every == state));
        }
    }

    /// How far the rebuild is, of how much.
    pub(crate) fn rebuilt(&self, sequence: u64, end: u64) {
        self.rebuilding_sequence.set(i64::try_from(sequence).unwrap_or(i64::MAX));
        self.rebuilding_end.set(i64::try_from(end.max(sequence)).unwrap_or(i64::MAX));
    }

    pub(crate) fn count(&self, step: &Step) {
        for outcome in &step.outcomes {
            match outcome.verdict {
                Verdict::Applied => {
                    let folded = self.folded.iter().find(|(kind, _)| outcome.kind == Some(kind));
                    if let Some((_, counter)) = folded {
                        counter.inc();
                    }
                }
                Verdict::Void(rejection) => self.void.with_label_values(&[rejection.code()]).inc(),
                Verdict::Repeated => self.repeated.inc(),
                Verdict::Froze | Verdict::Foreign => self.unreadable.inc(),
                Verdict::Skipped => self.skipped.inc(),
            }
        }
    }

    /// Events folded since the process began, by type.
    pub(crate) fn folded(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.folded.iter().map(|(kind, counter)| (*kind, counter.get()))
    }
}
