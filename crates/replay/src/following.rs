//! The log read once, from a place up to exactly a sequence: as everybody reads it, without what was erased.

use anyhow::Context as _;
use journal::{Contents, Entry, Follower, Head, Journal, Provision, Step};

use crate::limits::QUIET;

/// When the broker does not tell.
pub(crate) const UNSEEN: &str = "the log's end cannot be seen";

/// The log as it is: nothing is made that is not there.
pub(crate) async fn open_log(nats: async_nats::Client) -> anyhow::Result<Journal> {
    let options = journal::Options { provision: Provision::Never, ..journal::Options::default() };
    let journal = Journal::open(nats, &options).await;
    journal.context("the log cannot be opened: has Koe run on this nats-server?")
}

/// The log that was read is not the log any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogLost;

/// What came of reading on.
pub(crate) enum Read {
    /// What follows; it may lie beyond the sequence that was asked for.
    Some(Vec<Entry>),
    /// There is nothing more up to that sequence.
    Nothing,
    /// Another log is there.
    Lost,
}

/// A reading that is under way.
pub(crate) struct Following {
    journal: Journal,
    follower: Follower,
    head: Head,
    /// The last sequence that was read.
    read: u64,
}

impl Following {
    /// Begins after a sequence.
    pub(crate) async fn begin(journal: &Journal, after: u64) -> anyhow::Result<Self> {
        let head = look(journal).await?;
        let follower = journal.follow(after, Contents::Whole);
        Ok(Self { journal: journal.clone(), follower, head, read: after })
    }

    /// The log as it was when this began.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// The stream's name.
    pub(crate) fn stream(&self) -> &str {
        self.journal.stream()
    }

    /// The next batch, or that there is none up to a sequence.
    pub(crate) async fn next(&mut self, up_to: u64) -> anyhow::Result<Read> {
        let read = self.read;
        let is_lost = |head: &Head| {
            let same = head.created_nanos == self.head.created_nanos && head.epoch == self.head.epoch;
            !same || head.sequence < up_to
        };
        loop {
            // Dropped halfway it would begin again, on a slow broker for ever.
            let mut step = std::pin::pin!(self.follower.next());
            loop {
                tokio::select! {
                    step = &mut step => match step {
                        Step::Batch(entries) => {
                            self.read = entries.last().map_or(read, |entry| entry.sequence);
                            return Ok(Read::Some(entries));
                        }
                        Step::Opened => break,
                    },
                    () = tokio::time::sleep(QUIET) => {
                        let head = look(&self.journal).await?;
                        if is_lost(&head) {
                            return Ok(Read::Lost);
                        }
                        let gap = self.journal.is_empty_between(read, up_to).await;
                        if gap.context("the log cannot be read")? {
                            return Ok(Read::Nothing);
                        }
                    }
                }
            }
            if is_lost(&look(&self.journal).await?) {
                return Ok(Read::Lost);
            }
        }
    }

    /// As [`Following::next`] for those who end with the log as it is: what lies up to a sequence, `None` once that is all.
    pub(crate) async fn up_to(&mut self, up_to: u64) -> anyhow::Result<Option<Vec<Entry>>> {
        if self.read >= up_to {
            return Ok(None);
        }
        match self.next(up_to).await? {
            Read::Some(mut entries) => {
                entries.truncate(entries.partition_point(|entry| entry.sequence <= up_to));
                Ok(Some(entries))
            }
            Read::Nothing => {
                self.read = up_to;
                Ok(None)
            }
            Read::Lost => anyhow::bail!("the log was replaced or lost its tail meanwhile: begin again"),
        }
    }
}

async fn look(journal: &Journal) -> anyhow::Result<Head> {
    journal.look().await.context(UNSEEN)
}
