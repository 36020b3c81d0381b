//! How much of the archives is in the log already: the log and they are walked side by side.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use indicatif::HumanCount;
use journal::Journal;
use tokio::sync::mpsc;

use super::chain::Chain;
use crate::archive::Reader;
use crate::following::Following;
use crate::limits::BATCHES_WAITING_MAX;
use crate::progress::Progress;

/// What is in the log.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Events of the archives that it has, from the first one on.
    pub(super) events: u64,
    /// The log's end at that moment.
    pub(super) end: u64,
    /// Where messages of earlier archives stand that were erased since, by their ids.
    pub(super) moved: HashMap<String, u64>,
}

impl Standing {
    /// Walks the log. Fails if it has other events of these sites, and not all of the archives' before them.
    pub(super) async fn find(journal: &Journal, chain: &Chain, progress: &Progress) -> anyhow::Result<Self> {
        let end = journal.look().await.context("the log's end cannot be seen")?.sequence;
        let mut standing = Self { end, ..Self::default() };
        let (sender, mut ids) = mpsc::channel::<Vec<String>>(BATCHES_WAITING_MAX);
        let paths = chain.paths();
        let reading = tokio::task::spawn_blocking(move || {
            for path in paths {
                let mut reader = Reader::open(&path)?;
                while let Some(chunk) = reader.next()? {
                    let ids = chunk.entries.into_iter().map(|entry| entry.message_id).collect();
                    if sender.blocking_send(ids).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok::<_, anyhow::Error>(())
        });
        let mut expected: std::vec::IntoIter<String> = Vec::new().into_iter();
        let mut next = None;
        // Behind the earlier archives' last event.
        let mut begun = chain.previous().is_none_or(|previous| previous.last_id.is_empty());
        let mut foreign = None;
        let mut log = Following::begin(journal, 0).await?;
        progress.begin("looking what is there", end);
        while let Some(batch) = log.up_to(end).await? {
            for entry in batch {
                progress.at(entry.sequence, end);
                if !chain.has_site(&entry.subject) {
                    continue;
                }
                if !begun {
                    if chain.is_erased_earlier(&entry.message_id) {
                        standing.moved.insert(entry.message_id.clone(), entry.sequence);
                    }
                    begun = chain.previous().is_some_and(|previous| previous.last_id == entry.message_id);
                    continue;
                }
                if next.is_none() {
                    next = expected.next();
                    if next.is_none() {
                        expected = ids.recv().await.unwrap_or_default().into_iter();
                        next = expected.next();
                    }
                }
                if next.as_ref() == Some(&entry.message_id) {
                    next = None;
                    standing.events += 1;
                } else if entry.kind() != "messages-erased" && foreign.is_none() {
                    // The eraser speaks in every log for itself.
                    foreign = Some(entry.sequence);
                }
            }
        }
        drop(ids);
        reading.await.context("reading the archive broke")??;
        let sites = chain.sites().iter().cloned().collect::<Vec<_>>().join(", ");
        if !begun {
            bail!(
                "the archive follows another one, which is not in the log: import that one first, or both at once"
            );
        }
        if let Some(foreign) = foreign.filter(|_| standing.events < chain.events()) {
            bail!(
                "the log has events of its own about {sites}, the first of them at {}, and {} of the archive's {}: import into a \
                 log that has nothing of these sites",
                HumanCount(foreign),
                HumanCount(standing.events),
                HumanCount(chain.events())
            );
        }
        Ok(standing)
    }
}
