//! Service: cast-vote commands become vote-cast events.
//!
//! Found over NATS as `koe-votes`; any number of instances may run. Deliberately not here: counting (a tally is the
//! number of voters in a set, which is the fold's), and a handler: a vote asks nothing that the writer does not.

mod nats;

use std::sync::Arc;

use service::Instruments;
use tokio_util::sync::CancellationToken;
use writer::{About, Repeats};
pub use writer::{Options, RateOptions};

const ABOUT: About = About { name: "koe-votes", description: "Commands that set votes" };

/// Serves until the stop.
pub async fn run(options: Options, instruments: &Instruments, stop: CancellationToken) -> anyhow::Result<()> {
    let (writer, mut door) = writer::start(ABOUT, &options, Repeats::MustBeFresh, instruments, stop).await?;
    nats::serve(&mut door, Arc::clone(&writer)).await?;
    tracing::info!("votes are taken");
    writer::serve(door, &writer).await
}
