//! `koe replay frozen`: places that stand still because a message of the log cannot be read, and what can be done about them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use client::Client;
use domain::{Content, Place, SiteId, ThreadId};
use indicatif::{HumanBytes, HumanCount};
use journal::{Entry, Journal};
use serde_json::json;
use wire::v1::FrozenThread;

use crate::archive::to_line;
use crate::describe::plain;
use crate::following::open_log;
use crate::moment::time_words;
use crate::progress::Progress;
use crate::rebuild;
use crate::selected::Subjects;
use crate::status;
use crate::words::How;

/// What is done.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Names every place that stands still, the message that it stands at, and why.
    ///
    /// Exits 0 if none does, 1 if one does, 2 if that could not be found out.
    List(How),
    /// Shows the message that a place stands at, and how much waits behind it.
    Show(Which),
    /// Folds the log again, if this release can read the message; the place goes on then.
    ///
    /// What a newer release wrote is read by a newer release: upgrade the projector first, and this tool with it.
    ///
    /// Exits 0 when the place goes on, 1 if this release cannot read the message either, 2 if something else failed.
    Refold(Which),
    /// Takes the message out of the log for good, keeps it in a file, and folds the log again.
    ///
    /// What it asked for does not happen, and what came after it does. The file is a line of JSON as in an archive. Nobody but an
    /// administrator should do this: the message cannot be put back in its place.
    ///
    /// Exits 0 when the place goes on, 2 if something failed.
    Discard {
        #[command(flatten)]
        which: Which,
        /// The file that the message is kept in; it must not be there yet.
        #[arg(long, value_name = "FILE")]
        keep: PathBuf,
    },
}

/// Which place.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Which {
    /// The site.
    #[arg(long, value_name = "SITE")]
    site: SiteId,
    /// The thread; without one the whole site stands still.
    #[arg(long, value_name = "THREAD")]
    thread: Option<ThreadId>,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(
    nats: async_nats::Client,
    action: &Action,
    json: bool,
    progress: &Progress,
) -> anyhow::Result<(ExitCode, String)> {
    let koe = Client::new(nats.clone());
    let which = match action {
        Action::List(_) => return list(&koe, json).await,
        Action::Show(which) | Action::Refold(which) | Action::Discard { which, .. } => which,
    };
    let journal = open_log(nats).await?;
    let frozen = find(&koe, which).await?;
    let entry = journal.read(frozen.sequence).await.context("the log cannot be read")?;
    let entry = entry.with_context(|| {
        format!("the message at {} is gone: `koe replay rebuild` folds the log without it", frozen.sequence)
    })?;
    match action {
        Action::List(_) => list(&koe, json).await,
        Action::Show(_) => show(&journal, which, &frozen, &entry, json).await,
        Action::Refold(_) => {
            if let Content::Unreadable(unreadable) = entry.decode().content {
                let why = plain(&unreadable.reason);
                let said = json!({ "refolded": false, "reason": why });
                let words =
                    format!("this release cannot read it either ({why}): take a newer one, or discard it\n");
                return Ok((ExitCode::FAILURE, if json { format!("{said}\n") } else { words }));
            }
            refold(&koe, which, progress, json).await
        }
        Action::Discard { keep, .. } => {
            keep_in(keep, &entry)?;
            ensure!(
                !journal.keeps_everything().await.context("the log cannot be looked at")?,
                "the stream takes no deletes: its configuration has deny_delete or is sealed"
            );
            journal.delete(entry.sequence).await.context("the message cannot be taken out of the log")?;
            refold(&koe, which, progress, json).await
        }
    }
}

impl Action {
    /// Where the log is, and how it is said.
    pub(crate) fn how(&self) -> &How {
        match self {
            Self::List(how) => how,
            Self::Show(which) | Self::Refold(which) | Self::Discard { which, .. } => &which.how,
        }
    }
}

impl Which {
    fn place(&self) -> Place {
        Place { site: self.site.clone(), thread: self.thread.clone() }
    }

    fn words(&self) -> String {
        let thread = self.thread.as_ref().map_or_else(String::new, |thread| format!(" thread {thread}"));
        format!("site {}{thread}", self.site)
    }
}

async fn list(koe: &Client, json: bool) -> anyhow::Result<(ExitCode, String)> {
    let status = koe.status().await.context("no projector tells its status")?;
    let code = if status.frozen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        let frozen = status.frozen.iter().map(status::frozen);
        return Ok((code, format!("{}\n", json!({ "frozen": frozen.collect::<Vec<_>>() }))));
    }
    let mut words = String::new();
    for FrozenThread { site, thread, sequence, reason, .. } in &status.frozen {
        let thread = if thread.is_empty() { String::new() } else { format!(" thread {thread}") };
        writeln!(words, "site {site}{thread}, at {}: {}", HumanCount(*sequence), plain(reason))?;
    }
    if words.is_empty() {
        words.push_str("nothing stands still\n");
    }
    Ok((code, words))
}

async fn find(koe: &Client, which: &Which) -> anyhow::Result<FrozenThread> {
    let status = koe.status().await.context("no projector tells its status")?;
    let thread = which.thread.as_ref().map_or("", ThreadId::as_str);
    let found = status.frozen.into_iter().find(|it| it.site == which.site.as_str() && it.thread == thread);
    found.with_context(|| format!("{} does not stand still: see `koe replay frozen list`", which.words()))
}

async fn show(
    journal: &Journal,
    which: &Which,
    frozen: &FrozenThread,
    entry: &Entry,
    json: bool,
) -> anyhow::Result<(ExitCode, String)> {
    let subjects = Subjects(vec![match &which.thread {
        Some(_) => wire::subject::events_at(&which.place()),
        None => format!("koe.v1.event.{}.*.*.*", which.site),
    }]);
    let (mut waiting, mut scan) =
        (0, journal.scan(subjects.0, frozen.sequence).await.context("the log cannot be read")?);
    while let Some(batch) = scan.next().await.context("the log cannot be read")? {
        waiting += batch.len();
    }
    if json {
        let object = json!({ "reason": frozen.reason, "waiting": waiting, "message": to_line(entry) });
        return Ok((ExitCode::SUCCESS, format!("{object}\n")));
    }
    let mut words = String::new();
    writeln!(words, "{} stands still at {}", which.words(), HumanCount(frozen.sequence))?;
    writeln!(words, "reason      {}", plain(&frozen.reason))?;
    writeln!(words, "subject     {}", plain(&entry.subject))?;
    writeln!(words, "message id  {}", plain(&entry.message_id))?;
    writeln!(words, "stored      {}", time_words(entry.stored))?;
    let bytes = u64::try_from(entry.payload.len())?;
    writeln!(words, "payload     {}, in --json as base64", HumanBytes(bytes))?;
    writeln!(words, "behind it   {} events wait", HumanCount(u64::try_from(waiting)?))?;
    let readable = !matches!(entry.decode().content, Content::Unreadable(_));
    let next =
        if readable { "this release can read it: refold" } else { "a newer release may read it; or discard it" };
    writeln!(words, "next        {next}")?;
    Ok((ExitCode::SUCCESS, words))
}

/// Writes the message down before it goes.
fn keep_in(path: &Path, entry: &Entry) -> anyhow::Result<()> {
    let file = std::fs::File::create_new(path);
    let mut file =
        file.with_context(|| format!("{} cannot be made: name a new file with --keep", path.display()))?;
    let line = serde_json::to_string(&to_line(entry)).context("the message cannot be written as JSON")?;
    let written = writeln!(file, "{line}").and_then(|()| file.sync_all());
    written.with_context(|| format!("{} cannot be written", path.display()))
}

async fn refold(
    koe: &Client,
    which: &Which,
    progress: &Progress,
    json: bool,
) -> anyhow::Result<(ExitCode, String)> {
    let generation = rebuild::run(koe, progress).await?;
    if let Ok(frozen) = find(koe, which).await {
        bail!("{} stands still again, at {}: {}", which.words(), frozen.sequence, plain(&frozen.reason));
    }
    let words = format!("{} goes on: generation {generation} serves\n", which.words());
    let object = json!({ "refolded": true, "generation": generation });
    Ok((ExitCode::SUCCESS, if json { format!("{object}\n") } else { words }))
}
