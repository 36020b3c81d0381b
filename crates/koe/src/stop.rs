//! Ctrl-C and SIGTERM ask for a stop; the second time they end the process at once.

use std::process::abort;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Listens for signals for as long as the returned set lives.
pub(crate) fn on_signals(stop: &CancellationToken) -> anyhow::Result<JoinSet<()>> {
    let interrupt = signal(SignalKind::interrupt()).context("signals cannot be listened for")?;
    let terminate = signal(SignalKind::terminate()).context("signals cannot be listened for")?;
    let mut listening = JoinSet::new();
    listening.spawn(listen(interrupt, terminate, stop.clone()));
    Ok(listening)
}

async fn listen(mut interrupt: Signal, mut terminate: Signal, stop: CancellationToken) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_cancelled() {
            // Nothing is lost by it: what was accepted is in the log.
            abort();
        }
        tracing::info!("stopping; once more to stop at once");
        stop.cancel();
    }
}
