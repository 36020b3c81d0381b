//! Service: commands about sites, threads, comments and authors become events.
//!
//! Found over NATS as `koe-comments`; any number of instances may run. Deliberately not here: votes, and state.

mod handler;
mod nats;

use std::sync::Arc;

use client::Client;
use journal::Journal;
use prometheus::Registry;
use service::{Door, NatsOptions, connect};
use tokio_util::sync::CancellationToken;
pub use writer::RateOptions;
use writer::{Repeats, Writer};

use handler::Handler;

/// Takes commands about sites, threads, comments and authors.
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
    let nats = connect(&options.nats, "koe-comments").await?;
    let journal = Journal::open(nats.clone(), &journal::Options::default()).await?;
    let parts = (journal, Client::new(nats.clone()));
    let writer = Writer::new("comments", parts, &options.rates, Repeats::Remembered, registry)?;
    let about = ("comments", "koe-comments", "Commands about sites, threads, comments and authors");
    let mut door = Door::open(&nats, about, registry, stop.clone()).await?;
    let handler = Arc::new(Handler::new(writer));
    nats::serve(&mut door, &handler).await?;
    tracing::info!("comments are taken");
    tokio::select! {
        served = door.run() => served,
        kept = handler.keep_fresh() => kept,
    }
}
