//! The log's end, its size, and when they were last seen.

use journal::Journal;

use crate::every;
use crate::limits::LOOK_INTERVAL;
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
