//! `koe replay import`: archives back into a log, as they were.
//!
//! What is there already is told by the log itself: its events of the archive's sites must be the beginning of the archive, or
//! all of it. So nothing is ever doubled, an interrupted import goes on where it ended, and nobody's living events are mixed with
//! old ones. Everything is checked before anything is written.

pub(crate) mod chain;
pub(crate) mod publish;
mod standing;

use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::HumanCount;
use journal::{Entry, Journal};
use serde_json::json;
use tokio::sync::mpsc;

use crate::archive::Reader;
use crate::limits::BATCHES_WAITING_MAX;
use crate::progress::Progress;
use chain::{Chain, Left};
use standing::Standing;

/// What is imported.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The archives, each one after the one that it follows.
    #[arg(value_name = "ARCHIVE", required = true)]
    pub(crate) archives: Vec<PathBuf>,
    /// Check the archives and the log, say what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What was found and written.
pub(crate) struct Report {
    chain: Chain,
    standing: u64,
    imported: u64,
    /// Messages of earlier archives that were erased since.
    deleted: u64,
    end: u64,
    dry_run: bool,
}

pub(crate) async fn run(
    nats: async_nats::Client,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Report> {
    let archives = options.archives.clone();
    progress.begin("checking", 0);
    let checked = tokio::task::spawn_blocking(move || Chain::check(&archives));
    let chain = checked.await.context("checking broke")??;
    let journal = Journal::open(nats, &journal::Options::default()).await;
    let journal = journal.context("the log cannot be opened")?;
    let standing = Standing::find(&journal, &chain, progress).await?;
    let mut report = Report {
        standing: standing.events,
        imported: 0,
        deleted: 0,
        end: standing.end,
        dry_run: options.dry_run,
        chain,
    };
    if options.dry_run {
        progress.end();
        return Ok(report);
    }
    if standing.events < report.chain.events() {
        fill(&journal, options, &standing, &mut report, progress).await?;
    }
    // Also what an import that was interrupted left.
    report.deleted = delete(&journal, &standing, progress).await?;
    progress.end();
    Ok(report)
}

/// Puts in what is not there.
async fn fill(
    journal: &Journal,
    options: &Options,
    standing: &Standing,
    report: &mut Report,
    progress: &Progress,
) -> anyhow::Result<()> {
    let left = Left::new(&report.chain, standing, journal).await?;
    let (sender, batches) = mpsc::channel(BATCHES_WAITING_MAX);
    let (archives, skip) = (options.archives.clone(), standing.events);
    let reading = tokio::task::spawn_blocking(move || read(archives, skip, &left, &sender));
    progress.begin("importing", report.chain.events());
    let all = report.chain.events();
    let tell = |imported| progress.at(skip + imported, all);
    report.end = publish::all(journal, batches, &mut report.imported, tell, standing.end).await?;
    reading.await.context("reading the archive broke")?
}

/// Deletes messages of earlier archives that the log says by now were erased.
async fn delete(journal: &Journal, standing: &Standing, progress: &Progress) -> anyhow::Result<u64> {
    if standing.moved.is_empty() {
        return Ok(0);
    }
    journal.look_for_erased().await.context("what was erased cannot be seen")?;
    let (mut deleted, all) = (0, u64::try_from(standing.moved.len()).expect("a length fits"));
    progress.begin("deleting what was erased", all);
    for (done, sequence) in (1..).zip(standing.moved.values()) {
        if journal.erased_at(*sequence).is_some() {
            let is_deleted = journal.delete(*sequence).await;
            deleted +=
                u64::from(is_deleted.context("what was erased since the earlier archive is in the log still")?);
        }
        progress.at(done, all);
    }
    Ok(deleted)
}

/// Reads the archives and gives out what is to be published, in batches of the broker's size.
fn read(archives: Vec<PathBuf>, skip: u64, left: &Left, sender: &mpsc::Sender<Vec<Entry>>) -> anyhow::Result<()> {
    let mut number = 0;
    for path in archives {
        let mut reader = Reader::open(&path)?;
        while let Some(chunk) = reader.next()? {
            let mut fresh = Vec::new();
            for entry in chunk.entries {
                number += 1;
                if number > skip {
                    fresh.push(left.of(entry));
                }
            }
            for batch in publish::batches(fresh) {
                // Whoever takes them has failed, and says why.
                if sender.blocking_send(batch).is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

impl Report {
    pub(crate) fn words(&self) -> String {
        let mut lines = self.chain.lines();
        let standing = HumanCount(self.standing);
        lines.push(match (self.standing, self.dry_run) {
            (all, _) if all == self.chain.events() => {
                "all of it is in the log already: nothing was written".to_owned()
            }
            (0, true) => "nothing of it is in the log yet; nothing was written".to_owned(),
            (_, true) => format!("{standing} of its events are in the log already; nothing was written"),
            (0, false) => {
                format!("imported: {} events, log end {}", HumanCount(self.imported), HumanCount(self.end))
            }
            (_, false) => format!(
                "imported: {} events after the {standing} that were there, log end {}",
                HumanCount(self.imported),
                HumanCount(self.end)
            ),
        });
        if self.deleted > 0 {
            let deleted = HumanCount(self.deleted);
            lines.push(format!(
                "{deleted} messages of earlier archives were erased since, and are gone from the log; `koe replay rebuild` takes \
                 them out of the read models now, the projector does within the hour"
            ));
        }
        lines.join("\n") + "\n"
    }

    pub(crate) fn json(&self) -> String {
        let object = json!({
            "archives": self.chain.json(),
            "events": self.chain.events(),
            "standing": self.standing,
            "imported": self.imported,
            "deleted": self.deleted,
            "end": self.end,
            "dry_run": self.dry_run,
        });
        format!("{object}\n")
    }
}
