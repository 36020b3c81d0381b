//! What the gateway counts.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// From a stylesheet to a command that waits for the fold, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) requests: IntCounterVec,
    pub(crate) durations: HistogramVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let requests = IntCounterVec::new(
            Opts::new(
                "koe_gateway_requests_total",
                "HTTP requests answered, by route and by the code of the answer, `ok` if it was not refused.",
            ),
            &["route", "code"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "koe_gateway_request_duration_seconds",
                "Time from the head of an HTTP request to the head of its answer, by route.",
            )
            .buckets(BUCKETS.to_vec()),
            &["route"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        Ok(Self { requests, durations })
    }
}
