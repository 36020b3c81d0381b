//! The last minutes of what is served, for the exporter's own page: whoever opens it sees what came before, too.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{Registry, TextEncoder};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::every;
use crate::limits::{HISTORY_INTERVAL, HISTORY_SAMPLES_MAX, HISTORY_SERIES_MAX};

/// What the page draws, by how a series begins. Of the roles' own only what runs in this process is there.
const SHOWN: [&str; 21] = [
    "koe_comments_publish_duration_seconds_count",
    "koe_comments_publish_duration_seconds_sum",
    "koe_comments_requests_total",
    "koe_exporter_events_published_total",
    "koe_exporter_frozen_threads",
    "koe_exporter_lag_",
    "koe_exporter_log_bytes",
    "koe_exporter_log_end_",
    "koe_exporter_projector_folded_total",
    "koe_exporter_projector_generation",
    "koe_exporter_projector_up",
    "koe_exporter_service_",
    "koe_projector_flush_duration_seconds_count",
    "koe_projector_flush_duration_seconds_sum",
    "koe_projector_request_duration_seconds_count",
    "koe_projector_request_duration_seconds_sum",
    "koe_projector_step_duration_seconds_count",
    "koe_projector_step_duration_seconds_sum",
    "koe_votes_publish_duration_seconds_count",
    "koe_votes_publish_duration_seconds_sum",
    "koe_votes_requests_total",
];

/// The last samples, shared by who takes and who shows them.
#[derive(Clone, Default)]
pub(crate) struct History(Arc<Mutex<Samples>>);

#[derive(Default)]
struct Samples {
    /// How many were taken, those that are forgotten too.
    taken: u64,
    kept: VecDeque<Arc<Sample>>,
    /// The names of series, each kept once.
    names: HashSet<Arc<str>>,
}

/// What was served at one moment.
#[derive(Debug, Serialize)]
struct Sample {
    /// Seconds since the Unix epoch.
    at: f64,
    values: Values,
}

#[derive(Debug)]
struct Values(Vec<(Arc<str>, f64)>);

/// What the page is told.
#[derive(Serialize)]
pub(crate) struct Told {
    interval_secs: u64,
    /// What to ask for the next time.
    next: u64,
    #[serde(serialize_with = "each")]
    samples: Vec<Arc<Sample>>,
}

fn each<S: Serializer>(samples: &[Arc<Sample>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(samples.iter().map(AsRef::as_ref))
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name.as_ref(), value)?;
        }
        map.end()
    }
}

impl History {
    /// Takes samples for ever.
    pub(crate) async fn record(&self, registry: &Registry) {
        let mut tick = every(HISTORY_INTERVAL);
        loop {
            tick.tick().await;
            match TextEncoder::new().encode_to_string(&registry.gather()) {
                Ok(text) => self.take(&text, now()),
                Err(error) => tracing::debug!(%error, "the metrics cannot be written"),
            }
        }
    }

    fn take(&self, text: &str, at: f64) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = Vec::new();
        for (name, value) in text.lines().filter_map(shown).take(HISTORY_SERIES_MAX) {
            values.push((samples.named(name), value));
        }
        samples.taken += 1;
        samples.kept.push_back(Arc::new(Sample { at, values: Values(values) }));
        if samples.kept.len() > HISTORY_SAMPLES_MAX {
            samples.kept.pop_front();
        }
    }

    /// Every sample that is kept from the `after`th on.
    pub(crate) fn since(&self, after: u64) -> Told {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = samples.taken - u64::try_from(samples.kept.len()).unwrap_or(samples.taken);
        let skipped = usize::try_from(after.saturating_sub(forgotten)).unwrap_or(usize::MAX);
        Told {
            interval_secs: HISTORY_INTERVAL.as_secs(),
            next: samples.taken,
            samples: samples.kept.iter().skip(skipped).cloned().collect(),
        }
    }
}

impl Samples {
    fn named(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        // Labels come from fixed lists, so this ends.
        self.names.insert(Arc::clone(&name));
        name
    }
}

/// A series of the page, out of a line of the text.
fn shown(line: &str) -> Option<(&str, f64)> {
    let (name, value) = line.rsplit_once(' ')?;
    let value: f64 = value.parse().ok()?;
    SHOWN.iter().any(|start| name.starts_with(start)).then_some((name, value))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_is_told_what_is_new_and_who_was_away_what_is_left() {
        let history = History::default();
        let text = |n: u64| format!("# TYPE koe_exporter_lag_events gauge\nkoe_exporter_lag_events {n}\n");
        let kept = u64::try_from(HISTORY_SAMPLES_MAX).unwrap();
        for n in 1..=kept + 5 {
            history.take(&text(n), 0.5);
        }
        let all = history.since(0);
        assert_eq!((all.next, all.samples.len()), (kept + 5, HISTORY_SAMPLES_MAX));
        let last = history.since(kept + 4);
        assert_eq!(last.samples.len(), 1);
        let json = serde_json::to_value(&last).unwrap()["samples"].to_string();
        assert_eq!(json, format!(r#"[{{"at":0.5,"values":{{"koe_exporter_lag_events":{}.0}}}}]"#, kept + 5));
        assert!(history.since(kept + 5).samples.is_empty());
        assert!(history.since(u64::MAX).samples.is_empty(), "an exporter that began again is asked from nothing");
    }

    #[test]
    fn what_the_page_does_not_draw_is_left_out() {
        assert_eq!(
            shown("koe_votes_requests_total{code=\"ok\"} 3"),
            Some(("koe_votes_requests_total{code=\"ok\"}", 3.0))
        );
        assert_eq!(shown("koe_votes_publish_duration_seconds_bucket{le=\"0.1\"} 3"), None);
        assert_eq!(shown("process_threads 3"), None);
        assert_eq!(shown("koe_exporter_lag_seconds 0"), Some(("koe_exporter_lag_seconds", 0.0)));
    }
}
