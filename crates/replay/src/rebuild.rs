//! `koe replay rebuild`: ask for it, and watch until the new generation serves.

use std::time::Instant;

use anyhow::{Context as _, bail};
use client::Client;
use wire::v1::StatusReply;

use crate::limits::{ASK_PAUSE, REBUILD_BEGINS_MAX};
use crate::patience::Patience;
use crate::progress::Progress;

/// Returns the generation that serves then.
pub(crate) async fn run(koe: &Client, progress: &Progress) -> anyhow::Result<u32> {
    let asked = ask(koe, progress).await?;
    // A later one holds this one's work too.
    until_serving(koe, progress, |status| status.generation >= asked).await
}

/// Watches until a generation serves; returns its number.
pub(crate) async fn until_serving(
    koe: &Client,
    progress: &Progress,
    serves: impl Fn(&StatusReply) -> bool,
) -> anyhow::Result<u32> {
    progress.begin("rebuilding", 0);
    let mut patience = Patience::new();
    let mut idle_since = None;
    loop {
        tokio::time::sleep(ASK_PAUSE).await;
        let Ok(status) = koe.status().await else {
            patience.wait(koe, progress).await?;
            continue;
        };
        patience = Patience::new();
        if serves(&status) {
            progress.end();
            return Ok(status.generation);
        }
        if status.rebuilding != 0 {
            progress.at(status.rebuilding_sequence, status.end);
            idle_since = None;
        } else if idle_since.get_or_insert_with(Instant::now).elapsed() > REBUILD_BEGINS_MAX {
            let serving = status.generation;
            bail!("the rebuild was given up and generation {serving} serves on: the projector's log says why");
        }
    }
}

async fn ask(koe: &Client, progress: &Progress) -> anyhow::Result<u32> {
    let mut patience = Patience::new();
    loop {
        match koe.rebuild().await {
            Ok(reply) => return Ok(reply.generation),
            Err(error) if error.is_transient() => patience.wait(koe, progress).await?,
            Err(error) => return Err(error).context("the projector does not rebuild"),
        }
    }
}
