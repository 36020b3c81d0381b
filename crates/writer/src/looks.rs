//! Looks at the log's end, shared between the commands that wait for one.

use std::sync::atomic::{AtomicU64, Ordering};

use journal::{Error, Head, Journal};
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
    head: Head,
}

impl Looks {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, asked: AtomicU64::new(0), last: Mutex::new(None) }
    }

    /// The log's end, seen after this was called.
    pub(crate) async fn end(&self) -> Result<Head, Error> {
        let ticket = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some(look) = *last
            && look.covers > ticket
        {
            return Ok(look.head);
        }
        let covers = self.asked.load(Ordering::SeqCst);
        let head = self.journal.look().await?;
        *last = Some(Look { covers, head });
        Ok(head)
    }
}
