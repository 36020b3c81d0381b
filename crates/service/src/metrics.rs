//! What a door counts.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

/// From a cached fact to a wait for the fold, in seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// The code of an answer that is no refusal.
pub(crate) const OK: &str = "ok";

pub(crate) struct Metrics {
    requests: IntCounterVec,
    durations: HistogramVec,
}

/// Those of one endpoint: what most answers need is held, and found by no name.
#[derive(Clone)]
pub(crate) struct OfEndpoint {
    name: &'static str,
    ok: IntCounter,
    duration: Histogram,
    requests: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(role: &str, registry: &Registry) -> prometheus::Result<Self> {
        let requests = IntCounterVec::new(
            Opts::new(
                format!("koe_{role}_requests_total"),
                "Requests answered, by endpoint and by the code of the answer, `ok` if it was not refused.",
            ),
            &["endpoint", "code"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new(
                format!("koe_{role}_request_duration_seconds"),
                "Time from taking a request to its answer, by endpoint.",
            )
            .buckets(BUCKETS.to_vec()),
            &["endpoint"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        Ok(Self { requests, durations })
    }

    pub(crate) fn of(&self, endpoint: &'static str) -> OfEndpoint {
        OfEndpoint {
            name: endpoint,
            ok: self.requests.with_label_values(&[endpoint, OK]),
            duration: self.durations.with_label_values(&[endpoint]),
            requests: self.requests.clone(),
        }
    }
}

impl OfEndpoint {
    /// Counts an answer.
    pub(crate) fn answered(&self, code: &'static str, after: Duration) {
        if code == OK {
            self.ok.inc();
        } else {
            self.requests.with_label_values(&[self.name, code]).inc();
        }
        self.duration.observe(after.as_secs_f64());
    }
}
