//! Batches into the log, one after the other. What became of one that was not acknowledged, the log says.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use journal::limits::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX};
use journal::{Copied, Entry, Error, Journal};
use tokio::sync::mpsc;

use crate::following::Following;
use crate::limits::{PUBLISH_ATTEMPTS_MAX, PUBLISH_PAUSE};

/// Cuts messages into batches that the broker takes.
pub(crate) fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
    for entry in entries {
        let full = batch.len() == GROUP_EVENTS_MAX || bytes + entry.payload.len() > GROUP_BYTES_MAX;
        if full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += entry.payload.len();
        batch.push(entry);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Publishes all that comes, in its order; returns the log's end.
pub(crate) async fn all(
    journal: &Journal,
    mut batches: mpsc::Receiver<Vec<Entry>>,
    imported: &mut u64,
    tell: impl Fn(u64),
    mut end: u64,
) -> anyhow::Result<u64> {
    while let Some(batch) = batches.recv().await {
        let count = u64::try_from(batch.len()).expect("a length fits");
        end = publish(journal, batch, end).await?;
        *imported += count;
        tell(*imported);
    }
    Ok(end)
}

/// Publishes a batch until all of it is in the log behind `end`; returns the place of its last message.
async fn publish(journal: &Journal, mut batch: Vec<Entry>, mut end: u64) -> anyhow::Result<u64> {
    let (mut attempt, mut known_since) = (1, None);
    loop {
        let failed = match journal.copy(&batch).await {
            Ok(Copied::All { last }) => return Ok(last),
            Ok(Copied::Known) => None,
            Err(error @ (Error::Full(_) | Error::Misconfigured(_))) => {
                return Err(error)
                    .context("what is imported so far stays, and the same command goes on from there");
            }
            Err(error) => Some(error),
        };
        let before = batch.len();
        end = strike_out(journal, &mut batch, end).await?;
        if batch.is_empty() {
            return Ok(end);
        }
        match failed {
            // The broker remembers an id of it, and it is not this batch's: an older event of the archive has it too. It forgets.
            None if batch.len() == before => {
                if batch.len() > 1 {
                    end = one_by_one(journal, std::mem::take(&mut batch), end).await?;
                    return Ok(end);
                }
                let since = *known_since.get_or_insert_with(Instant::now);
                if since.elapsed() > journal.window() + Duration::from_secs(30) {
                    bail!("the broker holds an id of the archive to be known, and the log does not have it");
                }
                tokio::time::sleep(PUBLISH_PAUSE).await;
            }
            None => {}
            Some(error) if attempt == PUBLISH_ATTEMPTS_MAX => {
                return Err(error)
                    .context("what is imported so far stays, and the same command goes on from there");
            }
            Some(_) => {
                attempt += 1;
                tokio::time::sleep(PUBLISH_PAUSE).await;
            }
        }
    }
}

async fn one_by_one(journal: &Journal, batch: Vec<Entry>, mut end: u64) -> anyhow::Result<u64> {
    for entry in batch {
        end = Box::pin(publish(journal, vec![entry], end)).await?;
    }
    Ok(end)
}

/// Takes those out of a batch that stand in the log behind `end` already; returns the log's end.
async fn strike_out(journal: &Journal, batch: &mut Vec<Entry>, end: u64) -> anyhow::Result<u64> {
    let head = journal.look().await.context("the log's end cannot be seen")?;
    let mut log = Following::begin(journal, end).await?;
    let mut recorded = 0;
    while let Some(read) = log.up_to(head.sequence).await? {
        for entry in read {
            if batch.get(recorded).is_some_and(|next| next.message_id == entry.message_id) {
                recorded += 1;
            }
        }
    }
    batch.drain(..recorded);
    Ok(head.sequence.max(end))
}
