//! What the two writing services have in common as roles: options, start, and the life between start and stop.

use std::sync::Arc;

use client::Client;
use journal::{Head, Journal};
use service::{Door, Instruments, NatsOptions};
use tokio_util::sync::CancellationToken;

use crate::limits::HEAD_AGE_MAX;
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
    instruments: &Instruments,
    stop: CancellationToken,
) -> anyhow::Result<(Arc<Writer>, Door)> {
    let nats = instruments.connect(&options.nats, about.name).await?;
    let journal = Journal::open(nats.clone(), &journal::Options::default()).await?;
    let parts = (journal, Client::new(nats.clone()));
    let writer = Writer::new(instruments.role(), parts, &options.rates, repeats, instruments.registry())?;
    let door = Door::open(&nats, (about.name, about.description), instruments, stop).await?;
    let head = writer.journal().head();
    instruments.ready_when(move || {
        let ready = ready(&head.borrow());
        async { ready }
    });
    Ok((Arc::new(writer), door))
}

/// Whether this may record anything: it sees the log, and its clock is the log's.
fn ready(head: &Head) -> Result<(), String> {
    let age = head.seen.elapsed();
    if age > HEAD_AGE_MAX {
        return Err(format!("the log was last seen {} s ago: check that NATS runs and answers", age.as_secs()));
    }
    if !head.clock_fits() {
        let off = head.clock_skew_millis;
        return Err(format!("this machine's clock is {off} ms off the broker's: set it right"));
    }
    Ok(())
}

/// Serves until the stop.
pub async fn serve(door: Door, writer: &Writer) -> anyhow::Result<()> {
    tokio::select! {
        served = door.run() => served,
        kept = writer.keep_fresh() => kept,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_writer_is_ready_while_it_sees_the_log_and_its_clock_fits() {
        let journal = Journal::in_memory(Duration::from_mins(1));
        let head = *journal.head().borrow();
        assert_eq!(ready(&head), Ok(()));
        let seen = Instant::now().checked_sub(HEAD_AGE_MAX + Duration::from_secs(1)).unwrap();
        assert_eq!(
            ready(&Head { seen, ..head }).unwrap_err(),
            "the log was last seen 11 s ago: check that NATS runs and answers"
        );
        let off = ready(&Head { clock_skew_millis: -2_001, ..head }).unwrap_err();
        assert_eq!(off, "this machine's clock is -2001 ms off the broker's: set it right");
    }
}
