//! Service: cast-vote commands become vote-cast events.
//!
//! Found over NATS as `koe-votes`; any number of instances may run. Deliberately not here: counting. A tally is the
//! number of voters in a set, which is the fold's.

mod handler;
mod nats;

use std::sync::Arc;

use client::Client;
use journal::Journal;
use prometheus::Registry;
use service::{Door, NatsOptions, connect};
use tokio_util::sync::CancellationToken;
use writer::{RateOptions, Repeats, Writer};

use handler::Handler;

/// Takes votes.
///
/// Keeps nothing: run as many as you like, they share the load.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where NATS is.
    #[command(flatten)]
    pub nats: NatsOptions,
    /// How often one actor may ask.
    #[command(flatten)]
    pub rates: RateOptions,
}

/// Serves until the stop.
pub async fn run(options: Options, registry: &Registry, stop: CancellationToken) -> anyhow::Result<()> {
    let nats = connect(&options.nats, "koe-votes").await?;
    let journal = Journal::open(nats.clone(), &journal::Options::default()).await?;
    let parts = (journal, Client::new(nats.clone()));
    let writer = Writer::new("votes", parts, &options.rates, Repeats::MustBeFresh, registry)?;
    let about = ("votes", "koe-votes", "Commands that set votes");
    let mut door = Door::open(&nats, about, registry, stop.clone()).await?;
    let handler = Arc::new(Handler::new(writer));
    nats::serve(&mut door, Arc::clone(&handler)).await?;
    tracing::info!("votes are taken");
    tokio::select! {
        served = door.run() => served,
        kept = handler.keep_fresh() => kept,
    }
}
