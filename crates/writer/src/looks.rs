//! Looks at the log's end, shared between the commands that wait for one.

use std::sync::atomic::{AtomicU64, Ordering};

use journal::{Head, Journal};
use tokio::sync::Mutex;

/// Gives everybody an end of the log that was seen after they asked, with as few looks as that takes.
pub(crate) struct Looks {
    journal: Journal,
    asked: AtomicU64,
    last: Mutex<Option<Look>>,
}

#[derive(Clone, Copy)]
struct Look {
    /// Everybody who asked before this look began.
    covers: u64,
    /// `None` if the log's end could not be seen.
    head: Option<Head>,
}

impl Looks {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, asked: AtomicU64::new(0), last: Mutex::new(None) }
    }

    /// The log's end, seen after this was called; `None` if it cannot be seen.
    pub(crate) async fn end(&self) -> Option<Head> {
        let ticket = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some(look) = *last
            && look.covers > ticket
        {
            // A failure is shared too: else each who waits would wait for a timeout of their own.
            return look.head;
        }
        let covers = self.asked.load(Ordering::SeqCst);
        let seen = self.journal.look().await;
        let head = seen.inspect_err(|error| tracing::warn!(%error, "the log's end cannot be seen")).ok();
        *last = Some(Look { covers, head });
        head
    }
}
