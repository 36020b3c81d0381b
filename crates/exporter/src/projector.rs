//! What the projector says of itself, and how far it is behind the log.

use std::time::{SystemTime, UNIX_EPOCH};

use client::Client;
use domain::{Event, Timestamp};
use journal::Journal;
use tokio::time::timeout;
use wire::v1::StatusReply;

use crate::deltas::Deltas;
use crate::every;
use crate::lag;
use crate::limits::{LOOK_INTERVAL, POLL_TIMEOUT};
use crate::metrics::{Metrics, Target};

/// The only source of counts here: this release has one projector.
const PROJECTOR: &str = "projector";

/// Asks for ever.
pub(crate) async fn watch(koe: &Client, journal: &Journal, metrics: &Metrics) {
    let mut tick = every(LOOK_INTERVAL);
    let mut counts = Deltas::new(1);
    let mut position = None;
    loop {
        tick.tick().await;
        // What is asked after the head was seen cannot look further behind than it is.
        let head = *journal.head().borrow();
        match timeout(POLL_TIMEOUT, koe.status()).await {
            Ok(Ok(status)) => {
                metrics.projector.up.set(1);
                position = Some(status.sequence);
                show(metrics, &mut counts, &status);
            }
            Ok(Err(error)) => down(metrics, &error),
            Err(late) => down(metrics, &late),
        }
        // A projector that does not answer serves nothing newer than it did: its lag grows on.
        let Some(position) = position else { continue };
        match timeout(POLL_TIMEOUT, lag::seconds(journal, position, &head, now())).await {
            Ok(Ok(seconds)) => metrics.projector.lags(head.sequence.saturating_sub(position), seconds),
            Ok(Err(error)) => metrics.poll_failed(Target::Log, &error),
            Err(late) => metrics.poll_failed(Target::Log, &late),
        }
    }
}

fn down(metrics: &Metrics, error: &(dyn std::error::Error + 'static)) {
    metrics.projector.up.set(0);
    metrics.poll_failed(Target::Projector, error);
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}

fn show(metrics: &Metrics, counts: &mut Deltas<&'static str>, status: &StatusReply) {
    let void: Vec<_> = status.void_events.iter().map(|void| (void.name.as_str(), void.count)).collect();
    metrics.projector.serves(status.generation, status.frozen.len(), &void);
    let mut grown = counts.advance(PROJECTOR, counts_of(status)).into_iter();
    metrics.projector.regressions.inc_by(grown.next().unwrap_or_default());
    for (kind, grown) in Event::KINDS.iter().zip(grown) {
        metrics.projector.folded(kind, grown);
    }
}

/// The counts that begin with the projector's process: lost tails, then each type of event.
fn counts_of(status: &StatusReply) -> Vec<u64> {
    let folded = Event::KINDS.iter().map(|kind| {
        let counts = status.folded.iter().filter(|folded| folded.name == *kind);
        counts.fold(0_u64, |sum, folded| sum.saturating_add(folded.count))
    });
    std::iter::once(status.log_regressions).chain(folded).collect()
}

#[cfg(test)]
mod tests {
    use prometheus::{Registry, TextEncoder};
    use wire::v1::NamedCount;

    use super::*;

    fn status(votes: u64, log_regressions: u64) -> StatusReply {
        let folded = vec![
            NamedCount { name: "vote-cast".into(), count: votes },
            NamedCount { name: "from-a-later-release".into(), count: 9 },
        ];
        StatusReply { folded, log_regressions, generation: 1, ..StatusReply::default() }
    }

    #[test]
    fn a_projector_that_began_again_makes_no_counter_fall() {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        let mut counts = Deltas::new(1);
        for (votes, regressions) in [(10, 1), (15, 1), (3, 0), (4, 0)] {
            show(&metrics, &mut counts, &status(votes, regressions));
        }
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(text.contains("koe_exporter_projector_folded_total{type=\"vote-cast\"} 19\n"), "{text}");
        assert!(text.contains("koe_exporter_projector_log_regressions_total 1\n"), "{text}");
        assert!(!text.contains("later-release"));
    }
}
