//! What the projector counts.

mod keeping;

use domain::Event;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use views::{Step, Verdict};

use crate::shared::StoreState;
use keeping::Keeping;

/// From a batch of one to a full one, in seconds.
const STEP_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// From an event alone to a full batch of a generation that serves.
const EVENTS_BUCKETS: [f64; 9] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0];

/// The projector's metrics; hot paths hold their child.
pub(crate) struct Metrics {
    folded: Vec<(&'static str, IntCounter)>,
    void: IntCounterVec,
    skipped: IntCounter,
    unreadable: IntCounter,
    repeated: IntCounter,
    pub(crate) step: Histogram,
    pub(crate) part: Histogram,
    pub(crate) sequence: IntGauge,
    pub(crate) generation: IntGauge,
    pub(crate) rebuilding: IntGauge,
    rebuilding_sequence: IntGauge,
    rebuilding_end: IntGauge,
    pub(crate) rebuild_pauses: IntCounter,
    store: IntGaugeVec,
    pub(crate) regressions: IntCounter,
    pub(crate) damaged: IntCounter,
    erased: IntGauge,
    begun: IntGauge,
    step_events: Histogram,
    pub(crate) kept: Keeping,
}

/// How long something takes that is folded and written.
fn duration(registry: &Registry, what: &str, help: &str) -> anyhow::Result<Histogram> {
    let name = format!("koe_projector_{what}_duration_seconds");
    let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(STEP_BUCKETS.to_vec()))?;
    registry.register(Box::new(histogram.clone()))?;
    Ok(histogram)
}

fn step_events(registry: &Registry) -> anyhow::Result<Histogram> {
    let opts =
        HistogramOpts::new("koe_projector_step_events", "Messages in one batch that was folded and written.");
    let histogram = Histogram::with_opts(opts.buckets(EVENTS_BUCKETS.to_vec()))?;
    registry.register(Box::new(histogram.clone()))?;
    Ok(histogram)
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
        let events = |name: &str, label: &str, help: &str| -> anyhow::Result<IntCounterVec> {
            let counters =
                IntCounterVec::new(Opts::new(format!("koe_projector_events_{name}_total"), help), &[label])?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let folded = events("folded", "type", "Events folded into the serving generation, by type.")?;
        let void = events("void", "code", "Events that broke a rule by their place in the log, by code.")?;
        let store = IntGaugeVec::new(
            Opts::new("koe_projector_store_state", "1 for how the store is, 0 for how it is not."),
            &["state"],
        )?;
        registry.register(Box::new(store.clone()))?;
        Ok(Self {
            step_events: step_events(registry)?,
            kept: Keeping::new(registry)?,
            folded: Event::KINDS.iter().map(|kind| (*kind, folded.with_label_values(&[kind]))).collect(),
            void,
            skipped: counter(
                "events_skipped_total",
                "Events of threads that stand still, counted and not folded.",
            )?,
            unreadable: counter("events_unreadable_total", "Messages of the log that could not be read.")?,
            repeated: counter("events_repeated_total", "Events whose command was folded before.")?,
            step: duration(registry, "step", "Time to fold and write one batch.")?,
            part: duration(
                registry,
                "part",
                "Time to carry out and write one part of what was decided for all threads of a site.",
            )?,
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
            erased: gauge(
                "erased_sequence",
                "Where the latest erased messages that are folded stand in the log, 0 if there are none.",
            )?,
            begun: gauge(
                "generation_begun_sequence",
                "The log's end when the fold of the serving generation began: what was erased up to there is not in it.",
            )?,
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

    /// Up to where messages were erased, and from where on they may stand in the store that serves.
    pub(crate) fn erased(&self, erased: u64, begun: u64) {
        self.erased.set(i64::try_from(erased).unwrap_or(i64::MAX));
        self.begun.set(i64::try_from(begun).unwrap_or(i64::MAX));
    }

    pub(crate) fn count(&self, step: &Step) {
        self.step_events.observe(f64::from(u32::try_from(step.outcomes.len()).unwrap_or(u32::MAX)));
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
