//! What the exporter knows, as Prometheus reads it.
//!
//! Figures that come from elsewhere have no value until they were seen once: a lag of 0 that nobody measured would be a
//! lie. They are vectors without labels for that reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::Event;
use prometheus::core::Collector;
use prometheus::{CounterVec, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use wire::Code;

use crate::storage::Storage;

/// The label of everything that has no name of its own.
pub(crate) const OTHER: &str = "other";

/// What is polled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Log,
    Projector,
    Services,
    Storage,
}

impl Target {
    const EVERY: [Self; 4] = [Self::Log, Self::Projector, Self::Services, Self::Storage];

    fn label(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Projector => "projector",
            Self::Services => "services",
            Self::Storage => "storage",
        }
    }
}

/// The exporter's metrics.
pub(crate) struct Metrics {
    published: Vec<(&'static str, IntCounter)>,
    published_other: IntCounter,
    poll_errors: IntCounterVec,
    pub(crate) log: Log,
    pub(crate) projector: Projector,
    pub(crate) services: Services,
    pub(crate) storage: Storage,
}

/// The log, as it was last seen.
pub(crate) struct Log {
    end: IntGaugeVec,
    messages: IntGaugeVec,
    bytes: IntGaugeVec,
    seen: GaugeVec,
}

/// The projector, as it was last asked.
pub(crate) struct Projector {
    pub(crate) up: IntGauge,
    pub(crate) regressions: IntCounter,
    folded: IntCounterVec,
    lag_events: IntGaugeVec,
    lag_seconds: GaugeVec,
    generation: IntGaugeVec,
    frozen: IntGaugeVec,
    void: IntGaugeVec,
    /// The codes that were shown: another generation may lack one of them.
    void_codes: Mutex<BTreeSet<&'static str>>,
}

/// The NATS services, as their instances count.
pub(crate) struct Services {
    pub(crate) requests: IntCounterVec,
    pub(crate) errors: IntCounterVec,
    pub(crate) processing: CounterVec,
    pub(crate) instances: IntGaugeVec,
}

/// Makes metrics in one registry, all under the exporter's prefix.
pub(crate) struct Maker<'r>(&'r Registry);

impl Maker<'_> {
    fn opts(name: &str, help: &str) -> Opts {
        Opts::new(format!("koe_exporter_{name}"), help)
    }

    fn registered<C: Collector + Clone + 'static>(
        &self,
        collector: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let collector = collector?;
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.registered(IntCounterVec::new(Self::opts(name, help), labels))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.registered(IntGaugeVec::new(Self::opts(name, help), labels))
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGaugeVec> {
        self.gauges(name, help, &[])
    }

    fn seconds(&self, name: &str, help: &str) -> prometheus::Result<GaugeVec> {
        self.registered(GaugeVec::new(Self::opts(name, help), &[]))
    }
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let make = Maker(registry);
        let published = make.counters(
            "events_published_total",
            "Events that came into the log since this exporter began, by type.",
            &["type"],
        )?;
        let poll_errors =
            make.counters("poll_errors_total", "Polls that failed, by what was polled.", &["target"])?;
        for target in Target::EVERY {
            poll_errors.with_label_values(&[target.label()]);
        }
        Ok(Self {
            published: Event::KINDS.iter().map(|kind| (*kind, published.with_label_values(&[kind]))).collect(),
            published_other: published.with_label_values(&[OTHER]),
            poll_errors,
            log: Log::new(&make)?,
            projector: Projector::new(&make)?,
            services: Services::new(&make)?,
            storage: Storage::new(&make)?,
        })
    }

    /// Counts an event that came into the log.
    pub(crate) fn published(&self, kind: &str) {
        let counter = self.published.iter().find(|(known, _)| *known == kind).map(|(_, counter)| counter);
        counter.unwrap_or(&self.published_other).inc();
    }

    /// Counts a poll that failed, and says why.
    pub(crate) fn poll_failed(&self, target: Target, error: &(dyn std::error::Error + 'static)) {
        self.poll_errors.with_label_values(&[target.label()]).inc();
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let error = causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"));
        tracing::debug!(polled = target.label(), error, "a poll failed");
    }
}

impl Log {
    fn new(make: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            end: make.gauge("log_end_sequence", "The last sequence of the log, as it was last seen.")?,
            messages: make.gauge("log_messages", "Messages in the log, as it was last seen.")?,
            bytes: make.gauge("log_bytes", "Bytes in the log, as it was last seen.")?,
            seen: make.seconds(
                "log_end_seen_timestamp_seconds",
                "When the end of the log was last seen; it ages while the broker is away.",
            )?,
        })
    }

    /// Shows the log as it was seen.
    pub(crate) fn show(&self, head: &journal::Head) {
        set(&self.end, head.sequence);
        set(&self.messages, head.messages);
        set(&self.bytes, head.bytes);
        set_seconds(&self.seen, unix_seconds(head.seen));
    }
}

impl Projector {
    fn new(make: &Maker<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            up: make.registered(IntGauge::with_opts(Maker::opts(
                "projector_up",
                "Whether a projector answered when it was last asked.",
            )))?,
            regressions: make.registered(IntCounter::with_opts(Maker::opts(
                "projector_log_regressions_total",
                "Times that the projector found that the log had lost its tail.",
            )))?,
            folded: make.counters(
                "projector_folded_total",
                "Events folded into the serving generation, by type, over restarts of the projector.",
                &["type"],
            )?,
            lag_events: make
                .gauge("lag_events", "How far what is served is behind the log's end, in sequences.")?,
            lag_seconds: make.seconds(
                "lag_seconds",
                "Age of the oldest event that is in the log and not served yet, 0 if there is none.",
            )?,
            generation: make.gauge("projector_generation", "The generation that serves, 0 for none.")?,
            frozen: make.gauge(
                "frozen_threads",
                "Threads and sites that stand still because an event cannot be read, counted up to 100.",
            )?,
            void: make.gauges("void_events", "Void events in the serving generation, by code.", &["code"])?,
            void_codes: Mutex::default(),
        })
    }

    /// Shows how far what is served is behind the log.
    pub(crate) fn lags(&self, events: u64, seconds: f64) {
        set(&self.lag_events, events);
        set_seconds(&self.lag_seconds, seconds);
    }

    /// Shows what stands in the serving generation.
    pub(crate) fn serves(&self, generation: u32, frozen: usize, void: &[(&str, u64)]) {
        set(&self.generation, generation.into());
        set(&self.frozen, u64::try_from(frozen).unwrap_or(u64::MAX));
        let mut codes = self.void_codes.lock().expect("nothing panics while it holds the codes");
        let mut counts: BTreeMap<_, u64> = codes.iter().map(|code| (*code, 0)).collect();
        for (code, count) in void {
            *counts.entry(Code::from_word(code).map_or(OTHER, Code::as_str)).or_default() += count;
        }
        for (code, count) in &counts {
            self.void.with_label_values(&[code]).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        *codes = counts.into_keys().collect();
    }

    /// Counts what a projector folded; kinds are those of [`Event::KINDS`].
    pub(crate) fn folded(&self, kind: &str, count: u64) {
        self.folded.with_label_values(&[kind]).inc_by(count);
    }
}

impl Services {
    fn new(make: &Maker<'_>) -> prometheus::Result<Self> {
        let by_endpoint = ["service", "endpoint"];
        Ok(Self {
            requests: make.counters(
                "service_requests_total",
                "Requests that the NATS services took, over all instances.",
                &by_endpoint,
            )?,
            errors: make.counters(
                "service_errors_total",
                "Requests that the NATS services refused, over all instances.",
                &by_endpoint,
            )?,
            processing: make.registered(CounterVec::new(
                Maker::opts(
                    "service_processing_seconds_total",
                    "Time that the NATS services spent on requests, over all instances.",
                ),
                &by_endpoint,
            ))?,
            instances: make.gauges(
                "service_instances",
                "Instances of each NATS service that answered when they were last asked.",
                &["service"],
            )?,
        })
    }
}

pub(crate) fn set(gauge: &IntGaugeVec, value: u64) {
    let none: [&str; 0] = [];
    gauge.with_label_values(&none).set(i64::try_from(value).unwrap_or(i64::MAX));
}

fn set_seconds(gauge: &GaugeVec, seconds: f64) {
    let none: [&str; 0] = [];
    gauge.with_label_values(&none).set(seconds);
}

fn unix_seconds(at: Instant) -> f64 {
    let at = SystemTime::now() - at.elapsed();
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(registry: &Registry) -> String {
        prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn what_was_not_seen_has_no_value() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        assert!(!text(&registry).contains("koe_exporter_lag_events"));
        metrics.projector.lags(3, 0.5);
        assert!(text(&registry).contains("\nkoe_exporter_lag_events 3\n"));
    }

    #[test]
    fn labels_come_from_fixed_lists_only() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        metrics.published("vote-cast");
        metrics.published("made-up");
        metrics.projector.serves(1, 0, &[("thread-unknown", 2), ("made-up", 5)]);
        metrics.projector.serves(2, 0, &[("made-up", 1)]);
        let text = text(&registry);
        for line in [
            r#"koe_exporter_events_published_total{type="vote-cast"} 1"#,
            r#"koe_exporter_events_published_total{type="other"} 1"#,
            r#"koe_exporter_events_published_total{type="comment-posted"} 0"#,
            r#"koe_exporter_void_events{code="thread-unknown"} 0"#,
            r#"koe_exporter_void_events{code="other"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("made-up"));
    }
}
