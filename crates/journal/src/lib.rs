//! The log: append, follow, provision and read back.
//!
//! JetStream stands behind it, and an in-memory twin under the same laws for tests that need no broker. Deliberately
//! not here: what events mean, HTTP, sled.

mod entry;
mod erased;
mod error;
mod head;
mod jetstream;
pub mod limits;
mod memory;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Envelope, Place, Timestamp};
use tokio::sync::watch;

pub use entry::Entry;
pub use error::Error;
pub use head::{Head, Storage};
pub use jetstream::{GroupCommit, Options, Provision};

/// What came of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The event is in the log, by this call.
    New {
        /// Its place in the stream.
        sequence: u64,
    },
    /// The same command's event was in the log already.
    Repeated {
        /// Its place in the stream.
        sequence: u64,
    },
    /// Another command's event stands under this id.
    Reused,
}

/// What came of putting messages of another log into this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All are in the log, one after another if nobody else wrote.
    All {
        /// The place of the last one.
        last: u64,
    },
    /// None was recorded: the broker remembers one of their ids, and does not say which.
    Known,
}

/// What group commit brought so far: events that were recorded many at a time, because the broker syncs for each publish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grouped {
    /// Batches that were recorded.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Batches that were refused or lost; their events were published alone.
    pub refused: u64,
}

/// What a follower met.
#[derive(Debug)]
pub enum Step {
    /// The log was opened, or opened again after a break: whoever keeps a checkpoint checks it now.
    Opened,
    /// Messages in log order, at least one.
    Batch(Vec<Entry>),
}

/// How much of each message a follower needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// All of it.
    Whole,
    /// Subject and headers, for those who count.
    HeadersOnly,
}

/// The log of events. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    log: Log,
}

#[derive(Clone)]
enum Log {
    JetStream(Arc<jetstream::Log>),
    Memory(memory::Log),
}

/// Reads the log from a place on, for ever.
pub struct Follower {
    log: FollowedLog,
}

enum FollowedLog {
    JetStream(Box<jetstream::Follower>),
    Memory(memory::Follower),
}

/// Reads a part of the log once.
pub struct Scan {
    log: ScannedLog,
}

enum ScannedLog {
    JetStream(Box<jetstream::Scan>),
    Memory(Option<Vec<Entry>>),
}

impl Scan {
    /// The next messages in log order; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        match &mut self.log {
            ScannedLog::JetStream(scan) => scan.next().await,
            ScannedLog::Memory(found) => Ok(found.take().filter(|found| !found.is_empty())),
        }
    }
}

impl Journal {
    /// The log behind a connection. The stream and the epoch's bucket are made if they are not there.
    pub async fn open(client: async_nats::Client, options: &Options) -> Result<Self, Error> {
        Ok(Self { log: Log::JetStream(Arc::new(jetstream::Log::open(client, options).await?)) })
    }

    /// A log of this process alone.
    pub fn in_memory(window: Duration) -> Self {
        Self { log: Log::Memory(memory::Log::new(window)) }
    }

    /// The name of the stream.
    pub fn stream(&self) -> &str {
        match &self.log {
            Log::JetStream(_) => jetstream::STREAM,
            Log::Memory(_) => "memory",
        }
    }

    /// How long the broker remembers ids.
    pub fn window(&self) -> Duration {
        match &self.log {
            Log::JetStream(log) => log.window(),
            Log::Memory(log) => log.window(),
        }
    }

    /// The log's end as it was last seen; [`Journal::watch`] keeps it fresh.
    pub fn head(&self) -> watch::Receiver<Head> {
        match &self.log {
            Log::JetStream(log) => log.head(),
            Log::Memory(log) => log.head(),
        }
    }

    /// Looks at how the broker keeps the log. In memory nobody keeps it.
    pub async fn storage(&self) -> Result<Storage, Error> {
        match &self.log {
            Log::JetStream(log) => log.storage().await,
            Log::Memory(_) => Ok(Storage::default()),
        }
    }

    /// Looks at the log's end now.
    pub async fn look(&self) -> Result<Head, Error> {
        match &self.log {
            Log::JetStream(log) => log.look().await,
            Log::Memory(log) => {
                let head = log.look();
                // As over a network: what was seen arrives a moment later.
                tokio::task::yield_now().await;
                Ok(head)
            }
        }
    }

    /// Keeps [`Journal::head`] fresh until dropped.
    pub async fn watch(&self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(error = error::chain(&error), "the log's end cannot be seen");
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        }
    }

    /// Appends the event of a command: acknowledged by the broker, at most once however often it is called within the
    /// window. Nothing is published after `until`.
    pub async fn append(
        &self,
        place: &Place,
        envelope: &Envelope,
        until: Option<Instant>,
    ) -> Result<Appended, Error> {
        if until.is_some_and(|until| Instant::now() > until) {
            return Err(Error::Late);
        }
        let (sequence, duplicate) = match &self.log {
            Log::JetStream(log) => log.publish(place, envelope, until).await?,
            Log::Memory(log) => log.publish(place, envelope),
        };
        if !duplicate {
            return Ok(Appended::New { sequence });
        }
        Ok(if self.holds(sequence, place, envelope).await? {
            Appended::Repeated { sequence }
        } else {
            Appended::Reused
        })
    }

    /// Puts messages of another log into this one as they are, all of them or none: at least one, within
    /// [`limits::GROUP_EVENTS_MAX`] and [`limits::GROUP_BYTES_MAX`]. Whoever gets an error does not know whether they are in
    /// the log, and looks.
    pub async fn copy(&self, entries: &[Entry]) -> Result<Copied, Error> {
        match &self.log {
            Log::JetStream(log) => log.copy(entries).await,
            Log::Memory(log) => Ok(log.copy(entries)),
        }
    }

    /// What group commit brought so far in this process.
    pub fn grouped(&self) -> Grouped {
        match &self.log {
            Log::JetStream(log) => log.grouped(),
            Log::Memory(_) => Grouped::default(),
        }
    }

    /// Whether the message at a place came from the same command. Neither the time nor what a writer judged is compared, and a message that is
    /// gone counts as equal.
    pub async fn holds(&self, sequence: u64, place: &Place, envelope: &Envelope) -> Result<bool, Error> {
        let Some(entry) = self.read(sequence).await? else {
            return Ok(true);
        };
        let stored = entry.decode();
        let domain::Content::Event(known) = stored.content else {
            return Ok(false);
        };
        let same = known.id == envelope.id
            && known.actor.id == envelope.actor.id
            && known.event.asks_the_same(&envelope.event);
        Ok(same && stored.place.as_ref() == Some(place))
    }

    /// The message at a place, if it is still there.
    pub async fn read(&self, sequence: u64) -> Result<Option<Entry>, Error> {
        match &self.log {
            Log::JetStream(log) => log.read(sequence).await,
            Log::Memory(log) => Ok(log.read(sequence)),
        }
    }

    /// Reads some subjects once, from a place on up to the log's end of now, as they are stored: with what is erased and not
    /// deleted yet. For who erases, and for tools.
    pub async fn scan(&self, subjects: Vec<String>, after: u64) -> Result<Scan, Error> {
        let log = match &self.log {
            Log::JetStream(log) => ScannedLog::JetStream(Box::new(log.scan(subjects, after).await?)),
            Log::Memory(log) => ScannedLog::Memory(Some(log.scan(&subjects, after))),
        };
        Ok(Scan { log })
    }

    /// Takes in what the log says of erased messages by now; whether it says anything.
    pub async fn look_for_erased(&self) -> Result<bool, Error> {
        match &self.log {
            Log::JetStream(log) => log.look_for_erased().await,
            Log::Memory(log) => Ok(log.has_erased()),
        }
    }

    /// A message that was scanned, as whoever follows the log reads it: without what was erased, as far as it was looked for.
    pub fn without_erased(&self, entry: Entry) -> Entry {
        match &self.log {
            Log::JetStream(log) => log.without_erased(entry),
            Log::Memory(log) => log.without_erased(entry),
        }
    }

    /// What the log says of the message at a place in its stead, as far as it was looked for.
    pub fn erased_at(&self, sequence: u64) -> Option<Entry> {
        match &self.log {
            Log::JetStream(log) => log.erased_at(sequence),
            Log::Memory(log) => log.erased_at(sequence),
        }
    }

    /// How many messages of the log from a place on and before another were erased, as far as it was looked for.
    pub fn erased_between(&self, from: u64, before: u64) -> u64 {
        match &self.log {
            Log::JetStream(log) => log.erased_between(from, before),
            Log::Memory(log) => log.erased_between(from, before),
        }
    }

    /// What the log says in the stead of messages after a place and up to another, as far as it was looked for.
    pub fn erased_within(&self, after: u64, up_to: u64) -> Vec<Entry> {
        match &self.log {
            Log::JetStream(log) => log.erased_within(after, up_to),
            Log::Memory(log) => log.erased_within(after, up_to),
        }
    }

    /// The place of the first message that was stored at a time or later; behind the log's end if none was.
    pub async fn first_since(&self, time: Timestamp) -> Result<u64, Error> {
        match &self.log {
            Log::JetStream(log) => log.first_since(time).await,
            Log::Memory(log) => Ok(log.first_since(time)),
        }
    }

    /// Deletes a message, and overwrites its bytes; false if it was gone already. Only once a `messages-erased` says what stands in
    /// its place.
    pub async fn delete(&self, sequence: u64) -> Result<bool, Error> {
        match &self.log {
            Log::JetStream(log) => log.delete(sequence).await,
            Log::Memory(log) => Ok(log.delete(sequence)),
        }
    }

    /// Whether the log takes no deletes at all, by its configuration.
    pub async fn keeps_everything(&self) -> Result<bool, Error> {
        match &self.log {
            Log::JetStream(log) => log.keeps_everything().await,
            Log::Memory(_) => Ok(false),
        }
    }

    /// How far in the log some work is that goes on after a restart, 0 if it never began. Kept beside the log, under the work's name.
    pub async fn progress(&self, of: &str) -> Result<u64, Error> {
        match &self.log {
            Log::JetStream(log) => log.progress(of).await,
            Log::Memory(log) => Ok(log.progress(of)),
        }
    }

    /// Notes how far some work is.
    pub async fn set_progress(&self, of: &str, sequence: u64) -> Result<(), Error> {
        match &self.log {
            Log::JetStream(log) => log.set_progress(of, sequence).await,
            Log::Memory(log) => {
                log.set_progress(of, sequence);
                Ok(())
            }
        }
    }

    /// Whether the leader has no event after `after` and up to `end`: what a position may pass over.
    pub async fn is_empty_between(&self, after: u64, end: u64) -> Result<bool, Error> {
        match &self.log {
            Log::JetStream(log) => log.is_empty_between(after, end).await,
            Log::Memory(log) => Ok(log.is_empty_between(after, end)),
        }
    }

    /// Reads the log after a place, for ever: through reconnects, ended consumers and gaps.
    pub fn follow(&self, after: u64, contents: Contents) -> Follower {
        let log = match &self.log {
            Log::JetStream(log) => FollowedLog::JetStream(Box::new(log.follow(after, contents))),
            Log::Memory(log) => FollowedLog::Memory(log.follow(after)),
        };
        Follower { log }
    }

    /// Begins a new epoch, because the log lost its tail; returns the epoch that holds, which may be another's.
    pub async fn begin_epoch(&self, lost: u64) -> Result<u64, Error> {
        match &self.log {
            Log::JetStream(log) => log.begin_epoch(lost).await,
            Log::Memory(log) => Ok(log.begin_epoch(lost)),
        }
    }
}

impl Follower {
    /// The next step. Waits for as long as nothing happens; safe to drop and call again.
    pub async fn next(&mut self) -> Step {
        match &mut self.log {
            FollowedLog::JetStream(follower) => follower.next().await,
            FollowedLog::Memory(follower) => follower.next().await,
        }
    }
}
