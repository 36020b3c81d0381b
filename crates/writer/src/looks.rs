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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Envelope, Event, Place, Roles, Timestamp};
    use futures::future::join_all;
    use journal::Appended;

    use super::*;

    #[tokio::test]
    async fn a_shared_look_is_never_older_than_the_question() {
        let journal = Journal::in_memory(Duration::from_mins(1));
        let looks = Looks::new(journal.clone());
        let place = Place { site: "s".parse().unwrap(), thread: None };
        let asked = (0..50).map(|_| async {
            let actor = domain::Actor { id: "ann".parse().unwrap(), roles: Roles::default() };
            let event = Event::AuthorNamed { author: actor.id.clone(), name: "Ann".into() };
            let event = Envelope { id: client::new_command_id(), time: Timestamp(0), actor, event };
            let appended = journal.append(&place, &event, None).await.unwrap();
            let Appended::New { sequence } = appended else { panic!("{appended:?}") };
            (sequence, looks.end().await.unwrap().sequence)
        });
        for (sequence, end) in join_all(asked).await {
            assert!(end >= sequence, "{end} was seen before {sequence} was recorded");
        }
    }
}
