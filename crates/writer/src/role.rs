//! What the two writing services have in common as roles: options, start, and the life between start and stop.

use std::sync::Arc;

use client::Client;
use journal::Journal;
use prometheus::Registry;
use service::{Door, NatsOptions, connect};
use tokio_util::sync::CancellationToken;

use crate::rate::RateOptions;
use crate::writer::{Repeats, Writer};

/// The options of a writing service.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where NATS is.
    #[command(flatten)]
    pub nats: NatsOptions,
    /// How often one actor may ask.
    #[command(flatten)]
    pub rates: RateOptions,
}

/// What a writing service is called.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The role, which names its metrics.
    pub role: &'static str,
    /// The NATS service, as `$SRV.INFO` shows it.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
}

/// Connects, and gives the writer and a door that takes nothing yet.
pub async fn start(
    about: About,
    options: &Options,
    repeats: Repeats,
    registry: &Registry,
    stop: CancellationToken,
) -> anyhow::Result<(Arc<Writer>, Door)> {
    let nats = connect(&options.nats, about.name).await?;
    let journal = Journal::open(nats.clone(), &journal::Options::default()).await?;
    let parts = (journal, Client::new(nats.clone()));
    let writer = Writer::new(about.role, parts, &options.rates, repeats, registry)?;
    let door = Door::open(&nats, (about.role, about.name, about.description), registry, stop).await?;
    Ok((Arc::new(writer), door))
}

/// Serves until the stop.
pub async fn serve(door: Door, writer: &Writer) -> anyhow::Result<()> {
    tokio::select! {
        served = door.run() => served,
        kept = writer.keep_fresh() => kept,
    }
}
