//! Every event that comes into the log, counted by type.

use journal::{Contents, Head, Journal, Step};

use crate::metrics::{Metrics, Target};

/// Counts for ever, each event once: the follower goes on where it was after any break.
pub(crate) async fn watch(journal: &Journal, metrics: &Metrics) {
    let mut from = *journal.head().borrow();
    loop {
        from = follow(journal, metrics, from).await;
    }
}

/// Follows one log; returns where the next one begins when this one lost its tail or was replaced.
async fn follow(journal: &Journal, metrics: &Metrics, from: Head) -> Head {
    let mut follower = journal.follow(from.sequence, Contents::HeadersOnly);
    let mut counted = from.sequence;
    loop {
        match follower.next().await {
            Step::Batch(entries) => {
                for entry in &entries {
                    metrics.published(entry.kind());
                }
                counted = entries.last().map_or(counted, |entry| entry.sequence);
            }
            Step::Opened => match journal.look().await {
                Ok(head) if is_other(&from, counted, &head) => return head,
                Ok(_) => {}
                // What comes next is counted all the same.
                Err(error) => metrics.poll_failed(Target::Log, &error),
            },
        }
    }
}

/// Whether sequences after `counted` are not those of the log that was followed.
fn is_other(from: &Head, counted: u64, now: &Head) -> bool {
    now.created_nanos != from.created_nanos || now.sequence < counted
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Actor, AuthorId, CommandId, Envelope, Event, Place, Roles, Timestamp};
    use prometheus::Registry;

    use super::*;

    fn opened(id: u128) -> (Place, Envelope) {
        let author: AuthorId = "koe".parse().unwrap();
        let actor = Actor { id: author, roles: Roles::default() };
        let event = Event::SiteOpened { name: "Demo".into(), zone: "Asia/Tokyo".into() };
        let place = Place { site: "demo".parse().unwrap(), thread: None };
        (place, Envelope { id: CommandId::from_u128(id), time: Timestamp(0), actor, event })
    }

    #[tokio::test]
    async fn events_are_counted_from_the_beginning_of_the_exporter_on() {
        let journal = Journal::in_memory(Duration::from_mins(1));
        let (place, envelope) = opened(1);
        journal.append(&place, &envelope, None).await.unwrap();
        let registry = Registry::new();
        let metrics = Metrics::new(&registry).unwrap();
        let (place, envelope) = opened(2);
        let publish = async {
            // The follower begins first: it is polled first, and waits.
            journal.append(&place, &envelope, None).await.unwrap();
            tokio::task::yield_now().await;
        };
        tokio::select! {
            biased;
            () = watch(&journal, &metrics) => {}
            () = publish => {}
        }
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(text.contains("koe_exporter_events_published_total{type=\"site-opened\"} 1\n"), "{text}");
    }

    #[tokio::test]
    async fn another_log_or_a_lost_tail_is_noticed() {
        let from = Journal::in_memory(Duration::from_mins(1)).look().await.unwrap();
        assert!(!is_other(&from, 0, &from));
        assert!(!is_other(&from, 7, &Head { sequence: 7, ..from }));
        assert!(is_other(&from, 7, &Head { sequence: 6, ..from }));
        assert!(is_other(&from, 7, &Head { sequence: 9, created_nanos: 1, ..from }));
    }
}
