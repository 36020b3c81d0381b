//! Tool: verify the read models against the log, rebuild them from it, and see what lies on a projector's disk.
//!
//! It folds the log with the same code as the projector, in a store of its own, and asks the projector by query.
//! Deliberately not here: writing to the log, and touching a projector's files.

mod compare;
mod erasures;
mod limits;
mod patience;
mod progress;
mod rebuild;
mod refold;
mod report;
mod source;
mod status;
mod verify;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

use progress::Progress;
use source::Source;

/// Answers from the log: is what is served its fold, and fold it again.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Folds the log again into a temporary store and compares that with what is served.
    ///
    /// Nothing stops meanwhile: each site and thread is compared as of the position at which the projector read it.
    /// The temporary store needs room in $TMPDIR, about as much as the projector's.
    ///
    /// With --erasures it looks instead whether what was erased is gone: it reads every message of the log as it is stored, and asks
    /// which generations on the projector's disk may still hold it.
    ///
    /// Exits 0 if all is equal (or nothing of what was erased is left), 1 if not (and says where), 2 if that could not be found
    /// out.
    ///
    /// Examples:
    ///
    /// `koe replay verify`
    ///
    /// `koe replay verify --erasures`
    ///
    /// `koe replay verify --data /var/lib/koe`
    ///
    /// `koe replay verify --nats nats://127.0.0.1:4222 --json`
    Verify {
        /// Look whether what was erased is gone from the log and from the projector's disk.
        #[arg(long)]
        erasures: bool,
        #[command(flatten)]
        how: How,
    },
    /// Makes the projector fold the log again beside the living view, and waits until the new one serves.
    ///
    /// Readers are served by the old view until then. The projector's disk holds both meanwhile.
    ///
    /// Exits 0 when the new generation serves, 2 if that could not be brought about.
    ///
    /// Examples:
    ///
    /// `koe replay rebuild --data ./data`
    ///
    /// `koe replay rebuild --nats nats://127.0.0.1:4222`
    Rebuild(How),
    /// Shows how far the projector is, what lies on its disk, which places stand still, and which events were void.
    ///
    /// Exits 0 if a projector answered, 2 if none did.
    ///
    /// Examples:
    ///
    /// `koe replay status --data ./data`
    ///
    /// `koe replay status --nats nats://127.0.0.1:4222 --json`
    Status(How),
    /// Gives the room of a generation back that was replaced or set aside; `status` names them.
    ///
    /// Exits 0 when it is gone, 2 if it serves, is being rebuilt, or is not there.
    ///
    /// Examples:
    ///
    /// `koe replay drop-generation 3 --data ./data`
    DropGeneration {
        /// Its number.
        generation: u32,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Clone, Debug, clap::Args)]
struct How {
    #[command(flatten)]
    source: Source,
    /// Print one JSON object instead of words.
    #[arg(long)]
    json: bool,
}

/// Runs the tool until it is done or told to stop; what came of it is the exit code.
pub async fn run(options: Options, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let done = Box::pin(async {
        match options.action {
            Action::Verify { erasures: true, how } => verify_erasures(&how).await,
            Action::Verify { erasures: false, how } => verify(&how).await,
            Action::Rebuild(how) => rebuild(&how).await,
            Action::Status(how) => status(&how).await,
            Action::DropGeneration { generation, how } => drop_generation(&how, generation).await,
        }
    });
    match stop.run_until_cancelled(done).await {
        Some(done) => done,
        None => bail!("stopped before it was done"),
    }
}

async fn verify(how: &How) -> anyhow::Result<ExitCode> {
    let nats = service::connect(&how.source.nats()?, "koe-replay").await?;
    let report = verify::run(nats, &Progress::new()).await?;
    report::print(&if how.json { report.json() } else { report.words() })?;
    Ok(if report.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn verify_erasures(how: &How) -> anyhow::Result<ExitCode> {
    let nats = service::connect(&how.source.nats()?, "koe-replay").await?;
    let report = erasures::run(nats, &Progress::new()).await?;
    report::print(&if how.json { report.json() } else { report.words() })?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rebuild(how: &How) -> anyhow::Result<ExitCode> {
    let nats = service::connect(&how.source.nats()?, "koe-replay").await?;
    let generation = rebuild::run(&client::Client::new(nats), &Progress::new()).await?;
    let json = serde_json::json!({ "generation": generation });
    report::print(&if how.json { format!("{json}\n") } else { format!("generation {generation} serves\n") })?;
    Ok(ExitCode::SUCCESS)
}

async fn status(how: &How) -> anyhow::Result<ExitCode> {
    let nats = service::connect(&how.source.nats()?, "koe-replay").await?;
    let status = client::Client::new(nats).status().await.context("no projector tells its status")?;
    report::print(&if how.json { status::json(&status) } else { status::words(&status) })?;
    Ok(ExitCode::SUCCESS)
}

async fn drop_generation(how: &How, generation: u32) -> anyhow::Result<ExitCode> {
    let nats = service::connect(&how.source.nats()?, "koe-replay").await?;
    let dropped = client::Client::new(nats).drop_generation(generation).await;
    let bytes = dropped.with_context(|| format!("generation {generation} is not dropped"))?.bytes;
    let json = serde_json::json!({ "generation": generation, "bytes": bytes });
    let words = format!("generation {generation} is gone: {}\n", indicatif::HumanBytes(bytes));
    report::print(&if how.json { format!("{json}\n") } else { words })?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        let matches = Options::augment_args(Command::new("replay")).try_get_matches_from(words)?;
        <Options as clap::FromArgMatches>::from_arg_matches(&matches)
    }

    #[test]
    fn a_directory_and_an_address_exclude_each_other() {
        Options::augment_args(Command::new("replay")).debug_assert();
        assert!(parse(&["replay", "verify"]).is_ok());
        assert!(parse(&["replay", "verify", "--data", "d", "--json"]).is_ok());
        assert!(parse(&["replay", "verify", "--erasures", "--data", "d"]).is_ok());
        assert!(parse(&["replay", "rebuild", "--nats", "nats://localhost:1", "--nats-token", "t"]).is_ok());
        assert!(parse(&["replay", "status", "--json"]).is_ok());
        assert!(parse(&["replay", "drop-generation", "3", "--data", "d"]).is_ok());
        assert!(parse(&["replay", "drop-generation"]).is_err());
        assert!(parse(&["replay", "verify", "--data", "d", "--nats", "nats://localhost:1"]).is_err());
    }
}
