//! Tool: verify the read models against the log, rebuild them from it, and see what lies on a projector's disk.
//!
//! It folds the log with the same code as the projector, in a store of its own, and asks the projector by query.
//! Deliberately not here: writing to the log, and touching a projector's files.

mod archive;
mod as_of;
mod coming;
mod compare;
mod describe;
mod diff;
mod digest;
mod erasures;
mod export;
mod following;
mod frozen;
mod import;
mod limits;
mod log;
mod moment;
mod patience;
mod progress;
mod rebuild;
mod refold;
mod report;
mod selected;
mod source;
mod status;
mod thread_fold;
mod verify;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

/// Discussions from elsewhere.
pub use coming::Options as ImportOptions;
pub use words::Options;

use progress::Progress;
use words::{Action, How};

impl How {
    async fn connect(&self) -> anyhow::Result<async_nats::Client> {
        service::connect(&self.source.nats()?, "koe-replay").await
    }

    fn print(&self, words: String, json: String) -> anyhow::Result<ExitCode> {
        report::print(&if self.json { json } else { words })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Imports until it is done or told to stop; what is in the log by then stays, and the same again goes on.
pub async fn import(options: ImportOptions, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let progress = Progress::new();
    match stop.run_until_cancelled(Box::pin(coming::run(&options, &progress))).await {
        Some(done) => done.map(|()| ExitCode::SUCCESS),
        None => bail!("stopped before it was done: what is in the log by now stays, and the same command goes on"),
    }
}

/// A thread as readers saw it at a place in the log, as the JSON that it was served as then.
pub async fn as_of(
    nats: async_nats::Client,
    site: &domain::SiteId,
    thread: &domain::ThreadId,
    sequence: u64,
) -> anyhow::Result<String> {
    let which = thread_fold::Which { site: Some(site.clone()), thread: thread.clone() };
    as_of::draw(nats, &which, moment::Moment::Sequence(sequence), as_of::Form::Json, &Progress::hidden()).await
}

/// Runs the tool until it is done or told to stop; what came of it is the exit code.
pub async fn run(options: Options, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let done = Box::pin(async {
        match options.action {
            Action::Verify { erasures: true, how, .. } => verify_erasures(&how).await,
            Action::Verify { archives, metrics_file, how, .. } => {
                verify(&how, &archives, metrics_file.as_deref()).await
            }
            Action::Rebuild(how) => rebuild(&how).await,
            Action::Status { digest, how } => status(&how, digest).await,
            Action::Switch { to, how } => switch(&how, to).await,
            Action::Frozen { action } => {
                let how = action.how();
                let (code, said) = frozen::run(how.connect().await?, &action, how.json, &Progress::new()).await?;
                report::print(&said)?;
                Ok(code)
            }
            Action::AsOf { options, how } => {
                let shown = as_of::run(how.connect().await?, &options, how.json, &Progress::new()).await?;
                how.print(shown.clone(), shown)
            }
            Action::Diff { options, how } => {
                let shown = diff::run(how.connect().await?, &options, how.json, &Progress::new()).await?;
                how.print(shown.clone(), shown)
            }
            Action::Log { options, how } => {
                log::run(how.connect().await?, &options, how.json).await?;
                Ok(ExitCode::SUCCESS)
            }
            Action::Export { options, how } => {
                let report = export::run(how.connect().await?, &options, &Progress::new()).await?;
                how.print(report.words(), report.json())
            }
            Action::Import { options, how } => {
                let report = import::run(how.connect().await?, &options, &Progress::new()).await?;
                how.print(report.words(), report.json())
            }
            Action::DropGeneration { generation, how } => drop_generation(&how, generation).await,
        }
    });
    match stop.run_until_cancelled(done).await {
        Some(done) => done,
        None => bail!("stopped before it was done"),
    }
}

async fn verify(how: &How, archives: &[PathBuf], metrics: Option<&Path>) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let report = verify::run(how.connect().await?, archives, &Progress::new()).await?;
    if let Some(path) = metrics {
        let text = report.metrics(began.elapsed(), jiff::Timestamp::now().as_second());
        // Whoever collects it reads all of it or the one before.
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
        written.with_context(|| format!("{} cannot be written", path.display()))?;
    }
    report::print(&if how.json { report.json() } else { report.words() })?;
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

async fn status(how: &How, digest: bool) -> anyhow::Result<ExitCode> {
    let nats = how.connect().await?;
    let koe = client::Client::new(nats.clone());
    let log = status::Log::look(&nats).await?;
    let mut status = koe.status().await.context("no projector tells its status")?;
    // The projector looks at the log's end each second.
    status.end = status.end.max(log.last);
    let digest = if digest { digest::of_all(&koe).await?.or(Some("moving".into())) } else { None };
    how.print(status::words(&log, &status, digest.as_deref()), status::json(&log, &status, digest.as_deref()))
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

async fn switch(how: &How, to: u32) -> anyhow::Result<ExitCode> {
    let koe = client::Client::new(how.connect().await?);
    koe.switch(to).await.with_context(|| format!("generation {to} is not switched to"))?;
    let progress = Progress::new();
    rebuild::until_serving(&koe, &progress, |status| status.generation == to).await?;
    how.print(format!("generation {to} serves\n"), format!("{}\n", serde_json::json!({ "generation": to })))
}
