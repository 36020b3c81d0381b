//! One role alone in its process, with its metrics.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use service::Instruments;
use tokio_util::sync::CancellationToken;

/// After a stop a role has this long; the process has five seconds in all.
const GRACE: Duration = Duration::from_secs(4);

// A plain comment: a doc comment would be the role's `--help`.
// A role and where its metrics are.
#[derive(clap::Args)]
pub(crate) struct Alone<O: clap::Args> {
    #[command(flatten)]
    role: O,
    /// Address for those who watch this process: its metrics at /metrics, whether it lives at /livez, whether it is ready, and
    /// if not, why, at /readyz. Without it there is none.
    #[arg(long, env = "KOE_METRICS", value_name = "ADDR")]
    metrics: Option<SocketAddr>,
}

pub(crate) async fn comments(alone: Alone<comments::Options>, stop: CancellationToken) -> anyhow::Result<()> {
    let instruments = Instruments::of_process("comments")?;
    let role = Box::pin(comments::run(alone.role, &instruments, stop.clone()));
    beside_vitals(alone.metrics, &instruments, role, &stop).await
}

pub(crate) async fn votes(alone: Alone<votes::Options>, stop: CancellationToken) -> anyhow::Result<()> {
    let instruments = Instruments::of_process("votes")?;
    let role = Box::pin(votes::run(alone.role, &instruments, stop.clone()));
    beside_vitals(alone.metrics, &instruments, role, &stop).await
}

pub(crate) async fn projector(alone: Alone<projector::Options>, stop: CancellationToken) -> anyhow::Result<()> {
    let instruments = Instruments::of_process("projector")?;
    let role = Box::pin(projector::run(alone.role, &instruments, stop.clone()));
    beside_vitals(alone.metrics, &instruments, role, &stop).await
}

pub(crate) async fn gateway(alone: Alone<gateway::Options>, stop: CancellationToken) -> anyhow::Result<()> {
    let instruments = Instruments::of_process("gateway")?;
    let gateway = gateway::bind(&alone.role).await?;
    beside_vitals(alone.metrics, &instruments, Box::pin(gateway.run(&instruments, stop.clone())), &stop).await
}

pub(crate) async fn exporter(options: exporter::Options, stop: CancellationToken) -> anyhow::Result<()> {
    let exporter = exporter::bind(&options).await?;
    let instruments = Instruments::of_process("exporter")?;
    within_grace(Box::pin(exporter.run(&instruments, stop.clone())), &stop).await
}

/// Runs a role and serves what it is watched with; when the role ends, both end.
async fn beside_vitals(
    address: Option<SocketAddr>,
    instruments: &Instruments,
    role: Pin<Box<dyn Future<Output = anyhow::Result<()>> + '_>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(address) = address else {
        return within_grace(role, stop).await;
    };
    let listener = service::listen(address, "--metrics").await?;
    let ended = stop.clone();
    let role = async move {
        let outcome = within_grace(role, stop).await;
        ended.cancel();
        outcome
    };
    let vitals = service::serve_vitals(listener, instruments.clone(), None, stop.clone());
    let (role, metrics) = tokio::join!(role, vitals);
    role.and(metrics)
}

/// A role that has not ended some seconds after the stop is given up: it waits for something that does not come.
async fn within_grace(
    role: Pin<Box<dyn Future<Output = anyhow::Result<()>> + '_>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        outcome = role => outcome,
        () = patience => {
            tracing::warn!("the role was given up at the stop");
            Ok(())
        }
    }
}
