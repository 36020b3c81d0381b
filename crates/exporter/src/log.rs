//! The log's end, its size, when they were last seen, and how the broker keeps it.

use journal::Journal;

use tokio::time::timeout;

use crate::every;
use crate::limits::{LOOK_INTERVAL, POLL_TIMEOUT, STORAGE_INTERVAL};
use crate::metrics::{Metrics, Target};

/// Looks at the log for ever, which keeps [`Journal::head`] fresh too.
pub(crate) async fn watch(journal: &Journal, metrics: &Metrics) {
    let mut tick = every(LOOK_INTERVAL);
    loop {
        tick.tick().await;
        match journal.look().await {
            Ok(head) => metrics.log.show(&head),
            Err(error) => metrics.poll_failed(Target::Log, &error),
        }
    }
}

/// Looks at how the broker keeps the log, for ever.
pub(crate) async fn watch_storage(journal: &Journal, metrics: &Metrics) {
    let mut tick = every(STORAGE_INTERVAL);
    loop {
        tick.tick().await;
        match timeout(POLL_TIMEOUT, journal.storage()).await {
            Ok(Ok(storage)) => metrics.storage.show(&storage),
            Ok(Err(error)) => metrics.poll_failed(Target::Storage, &error),
            Err(late) => metrics.poll_failed(Target::Storage, &late),
        }
    }
}
