//! Request counts, errors and durations of every NATS service of Koe, as they keep them themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::Client;
use futures::StreamExt;
use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};

use crate::deltas::Deltas;
use crate::every;
use crate::limits::{
    ENDPOINTS_MAX, ENDPOINTS_NAMED_MAX, ENDPOINTS_REMEMBERED_MAX, GATHER_WAIT, INSTANCES_MAX, NAME_CHARS_MAX,
    POLL_TIMEOUT, SERVICES_INTERVAL, SERVICES_MAX,
};
use crate::metrics::{Metrics, OTHER, Target};

/// Where every NATS service answers with its statistics.
const STATS: &str = "$SRV.STATS";
/// What the names of Koe's services begin with.
const PREFIX: &str = "koe-";

/// The statistics of one instance, as far as they are counted.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Instance {
    name: String,
    id: String,
    #[serde(default)]
    endpoints: Option<Vec<Endpoint>>,
}

/// The statistics of one endpoint of an instance.
#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Endpoint {
    name: String,
    #[serde(default, rename = "num_requests")]
    requests: u64,
    #[serde(default, rename = "num_errors")]
    errors: u64,
    #[serde(default, rename = "processing_time")]
    processing_nanos: u64,
}

/// What is named in labels, and what was last known of each endpoint of each instance.
struct Known {
    services: BTreeSet<String>,
    endpoints: BTreeSet<(String, String)>,
    counts: Deltas<(String, String)>,
}

/// Asks for ever.
pub(crate) async fn watch(nats: &Client, metrics: &Metrics) {
    let mut tick = every(SERVICES_INTERVAL);
    let mut known = Known::new();
    loop {
        tick.tick().await;
        match timeout(POLL_TIMEOUT, gather(nats)).await {
            Ok(Ok(instances)) => known.show(metrics, instances),
            Ok(Err(error)) => metrics.poll_failed(Target::Services, error.as_ref()),
            Err(late) => metrics.poll_failed(Target::Services, &late),
        }
    }
}

/// Asks every service at once, and takes what comes.
async fn gather(nats: &Client) -> Result<Vec<Instance>, Box<dyn std::error::Error + Send + Sync>> {
    let inbox = nats.new_inbox();
    let mut replies = nats.subscribe(inbox.clone()).await?;
    nats.publish_with_reply(STATS, inbox, "".into()).await?;
    nats.flush().await?;
    let end = Instant::now() + GATHER_WAIT;
    let mut instances = Vec::new();
    while instances.len() < INSTANCES_MAX
        && let Ok(Some(reply)) = timeout_at(end, replies.next()).await
    {
        // Others than Koe's services answer here too.
        instances.extend(parse(&reply.payload));
    }
    replies.unsubscribe().await?;
    Ok(instances)
}

/// Reads a reply; `None` if it is not the statistics of one of Koe's services.
fn parse(payload: &[u8]) -> Option<Instance> {
    let instance: Instance = serde_json::from_slice(payload).ok()?;
    (instance.name.starts_with(PREFIX) && is_name(&instance.name) && is_name(&instance.id)).then_some(instance)
}

/// Whether a name may become a label: what NATS allows for services and endpoints, and not too long.
fn is_name(name: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

impl Known {
    fn new() -> Self {
        Self {
            services: BTreeSet::new(),
            endpoints: BTreeSet::new(),
            counts: Deltas::new(ENDPOINTS_REMEMBERED_MAX),
        }
    }

    /// Adds what the instances did since they were last seen. One that is gone takes nothing away.
    fn show(&mut self, metrics: &Metrics, instances: Vec<Instance>) {
        let mut alive: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for instance in instances {
            let service = self.service(&instance.name);
            for endpoint in instance.endpoints.unwrap_or_default().into_iter().take(ENDPOINTS_MAX) {
                self.add(metrics, &service, &instance.id, endpoint);
            }
            alive.entry(service).or_default().insert(instance.id);
        }
        let silent = self.services.iter().filter(|service| !alive.contains_key(*service));
        for service in silent {
            metrics.services.instances.with_label_values(&[service.as_str()]).set(0);
        }
        for (service, ids) in alive {
            let count = i64::try_from(ids.len()).expect("few are taken");
            metrics.services.instances.with_label_values(&[service.as_str()]).set(count);
        }
    }

    fn add(&mut self, metrics: &Metrics, service: &str, id: &str, endpoint: Endpoint) {
        let counts = vec![endpoint.requests, endpoint.errors, endpoint.processing_nanos];
        let label = self.endpoint(service, &endpoint.name);
        let grown = self.counts.advance((id.to_owned(), endpoint.name), counts);
        let [requests, errors, processing_nanos] = grown.try_into().unwrap_or_default();
        let labels = [service, label.as_str()];
        metrics.services.requests.with_label_values(&labels).inc_by(requests);
        metrics.services.errors.with_label_values(&labels).inc_by(errors);
        let processing = Duration::from_nanos(processing_nanos).as_secs_f64();
        metrics.services.processing.with_label_values(&labels).inc_by(processing);
    }

    /// A service's label: its name, as long as there is room for names.
    fn service(&mut self, name: &str) -> String {
        if self.services.contains(name) {
            return name.to_owned();
        }
        let label = if self.services.len() < SERVICES_MAX { name } else { OTHER };
        self.services.insert(label.to_owned());
        label.to_owned()
    }

    /// An endpoint's label, likewise.
    fn endpoint(&mut self, service: &str, name: &str) -> String {
        let named = (service.to_owned(), name.to_owned());
        if self.endpoints.contains(&named) {
            return named.1;
        }
        if is_name(name) && self.endpoints.len() < ENDPOINTS_NAMED_MAX {
            self.endpoints.insert(named.clone());
            return named.1;
        }
        OTHER.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{Registry, TextEncoder};

    use super::*;

    fn instance(name: &str, id: &str, requests: u64) -> Instance {
        let endpoint = Endpoint {
            name: "cast-vote".into(),
            requests,
            errors: requests / 10,
            processing_nanos: requests * 1_000_000,
        };
        Instance { name: name.into(), id: id.into(), endpoints: Some(vec![endpoint]) }
    }

    fn shown(polls: Vec<Vec<Instance>>) -> String {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        let mut known = Known::new();
        for instances in polls {
            known.show(&metrics, instances);
        }
        TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn statistics_are_read_as_nats_services_give_them() {
        let reply = br#"{"type":"io.nats.micro.v1.stats_response","name":"koe-votes","id":"Vx1","version":"0.1.0",
            "started":"2026-01-01T00:00:00Z","endpoints":[{"name":"cast-vote","subject":"koe.v1.command.*.cast-vote",
            "num_requests":20,"num_errors":2,"processing_time":20000000,"average_processing_time":1000000,
            "last_error":"404:x","queue_group":"q"}]}"#;
        assert_eq!(parse(reply), Some(instance("koe-votes", "Vx1", 20)));
        let bare = parse(br#"{"name":"koe-votes","id":"a","endpoints":null}"#).unwrap();
        assert_eq!(bare.endpoints, None);
    }

    #[test]
    fn what_is_not_the_statistics_of_a_service_of_koe_is_passed_over() {
        let long = format!(r#"{{"name":"koe-{}","id":"a"}}"#, "x".repeat(NAME_CHARS_MAX));
        for bad in [
            "",
            "{",
            "[]",
            "null",
            r#"{"name":"koe-votes"}"#,
            r#"{"name":"other","id":"a"}"#,
            r#"{"name":"koe-\"x","id":"a"}"#,
            r#"{"name":"koe-votes","id":"a","endpoints":[{"name":"x","num_requests":-1}]}"#,
            r#"{"name":"koe-votes","id":"a","endpoints":7}"#,
            &long,
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn instances_add_up_and_none_that_goes_takes_its_counts_away() {
        let name = "koe-votes";
        let text = shown(vec![
            vec![instance(name, "a", 10), instance(name, "b", 20)],
            vec![instance(name, "b", 30)],
            vec![instance(name, "a", 10), instance(name, "b", 30), instance(name, "c", 10)],
            vec![instance(name, "c", 20)],
        ]);
        for line in [
            r#"koe_exporter_service_requests_total{endpoint="cast-vote",service="koe-votes"} 60"#,
            r#"koe_exporter_service_errors_total{endpoint="cast-vote",service="koe-votes"} 6"#,
            r#"koe_exporter_service_processing_seconds_total{endpoint="cast-vote",service="koe-votes"} 0.06"#,
            r#"koe_exporter_service_instances{service="koe-votes"} 1"#,
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_service_that_is_silent_has_no_instance() {
        let text = shown(vec![vec![instance("koe-votes", "a", 1)], Vec::new()]);
        assert!(text.contains("koe_exporter_service_instances{service=\"koe-votes\"} 0\n"), "{text}");
    }

    #[test]
    fn names_beyond_the_bound_share_one_label() {
        let many = (0..SERVICES_MAX + 5).map(|n| instance(&format!("koe-{n}"), &format!("i{n}"), 1)).collect();
        let text = shown(vec![many]);
        assert!(text.contains("koe_exporter_service_instances{service=\"other\"} 5\n"), "{text}");
    }
}
