//! Service: commands about sites, threads, comments and authors become events.
//!
//! Found over NATS as `koe-comments`; any number of instances may run. Deliberately not here: votes, and state.

mod eraser;
mod handler;
mod house_rules;
mod nats;
mod words;

use std::sync::Arc;

use service::Instruments;
use tokio_util::sync::CancellationToken;
use writer::{About, Repeats};
pub use writer::{Options, RateOptions};

use eraser::Eraser;
use handler::Handler;

const ABOUT: About =
    About { name: "koe-comments", description: "Commands about sites, threads, comments and authors" };

/// Serves until the stop.
pub async fn run(options: Options, instruments: &Instruments, stop: CancellationToken) -> anyhow::Result<()> {
    let (writer, mut door) =
        writer::start(ABOUT, &options, Repeats::Remembered, instruments, stop.clone()).await?;
    let eraser = Eraser::new(writer.journal().clone(), instruments.registry())?;
    nats::serve(&mut door, &Arc::new(Handler::new(Arc::clone(&writer)))).await?;
    tracing::info!("comments are taken");
    tokio::try_join!(writer::serve(door, &writer), eraser.run(stop)).map(drop)
}
