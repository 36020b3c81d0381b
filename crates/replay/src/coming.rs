//! `koe import`: discussions that were held elsewhere.
//!
//! A format reads its file and gives out threads, comments and votes; everything behind that is the same for all: they are sorted
//! on the disk, planned once to say what would happen, and planned again to be put into the log. The ids of all events follow from the file,
//! so that the same import again is the same events.

mod disqus;
mod html;
mod intake;
mod item;
mod plan;
mod sort;
mod there;
mod votes;
mod wordpress;
mod xml;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use domain::{SiteId, ThreadId, Timestamp, text};
use indicatif::HumanCount;
use journal::Journal;
use serde_json::json;
use tokio::sync::mpsc;

use crate::import::publish;
use crate::limits::BATCHES_WAITING_MAX;
use crate::progress::Progress;
use crate::report;
use crate::source::Source;
use intake::{Found, Intake};
use plan::{Plan, Planned};
use sort::Sorted;
use there::There;

/// Brings discussions that were held elsewhere into Koe.
///
/// Threads, comments, replies, authors and votes keep their times and their places; HTML becomes Koe's Markdown. First it says what the
/// file holds and what of it cannot be carried, and why; then it writes. A row that cannot be read goes into a side file with its line
/// and the reason, and the rest goes in. A reply to a comment that is not in the file stands below a placeholder.
///
/// The ids of all events follow from the file, so that the same import again adds nothing, and one that was interrupted goes
/// on. What somebody did here since is not touched: a vote is cast only where the voter has none.
///
/// Formats: `disqus` is Disqus's XML export, `wordpress` is the WXR export of `WordPress`, `votes-csv` is a log of votes with the header line
/// `timestamp,comment,voter,vote` (vote 1, 0 or -1; times in RFC 3339 or as seconds or milliseconds since 1970; lines in any order:
/// the last vote of each voter on each comment counts).
///
/// Exits 0 when everything that can be carried is in the log, 2 if the file is none of its format, is hostile, or the import
/// could not be finished.
///
/// Examples:
///
/// `koe import disqus export.xml --site courier --dry-run --data ./data`
///
/// `koe import wordpress blog.wxr --site courier --nats nats://127.0.0.1:4222`
///
/// `koe import votes-csv votes.csv --site courier --thread harbour --comments comments.csv`
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// What the file is.
    #[arg(value_enum)]
    format: Format,
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The site that everything goes into; it is opened if it is not.
    #[arg(long, value_name = "SITE")]
    site: SiteId,
    /// The thread that the comments of a log of votes belong to; it is opened if it is not.
    #[arg(long, value_name = "THREAD")]
    thread: Option<ThreadId>,
    /// The words of these comments: a CSV file with the header line `id,text`.
    #[arg(long, value_name = "FILE")]
    comments: Option<PathBuf>,
    /// Where rows go that cannot be read; FILE.rejected.jsonl if nothing is said.
    #[arg(long, value_name = "PATH")]
    rejected: Option<PathBuf>,
    /// Say what would be written, and write nothing into the log.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object at the end instead of words.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

/// A format of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Disqus's XML export.
    Disqus,
    /// The WXR export of `WordPress`.
    #[value(alias = "wxr")]
    Wordpress,
    /// A log of votes.
    VotesCsv,
}

impl Format {
    /// Part of every id that it gives. Stored: never change.
    fn name(self) -> &'static str {
        match self {
            Self::Disqus => "disqus",
            Self::Wordpress => "wordpress",
            Self::VotesCsv => "votes-csv",
        }
    }
}

/// Reads, says what would happen, and does it.
pub(crate) async fn run(options: &Options, progress: &Progress) -> anyhow::Result<()> {
    match (options.format, &options.thread) {
        (Format::VotesCsv, None) => bail!("votes-csv needs --thread: the thread that the comments belong to"),
        (Format::Disqus | Format::Wordpress, thread) if thread.is_some() || options.comments.is_some() => {
            bail!("--thread and --comments belong to votes-csv: this file says itself what belongs where")
        }
        _ => {}
    }
    // Blocking work ends when this is dropped.
    let wanted = Arc::new(());
    let nats = service::connect(&options.source.nats()?, "koe-import").await?;
    let (given, still) = (options.clone(), Arc::downgrade(&wanted));
    progress.begin("reading", 0);
    let reading = tokio::task::spawn_blocking(move || read(&given, &still));
    let (mut items, found, rejected) = reading.await.context("reading broke")??;
    let journal = Journal::open(nats, &journal::Options::default()).await.context("the log cannot be opened")?;
    let head = journal.look().await.context("the log's end cannot be seen")?;
    if !head.clock_fits() {
        bail!("this machine's clock is {} ms off the broker's: set one of them right", head.clock_skew_millis);
    }
    let mut there = There::look(&journal, &options.site).await?;
    let site = options.site.clone();
    let (format, now) = (options.format.name(), Timestamp(jiff::Timestamp::now().as_millisecond()));
    let planning = tokio::task::spawn_blocking(move || {
        let planned = Plan { site: &site, format, now }.run(&mut items, &mut there)?;
        items.rewind()?;
        Ok::<_, anyhow::Error>((items, there, planned, site))
    });
    let (mut items, mut there, planned, site) = planning.await.context("planning broke")??;
    progress.end();
    let (fresh, mut written) = (there.fresh, 0);
    let mut outcome = Outcome { found, planned, rejected, fresh, written, dry_run: options.dry_run };
    if !options.json {
        report::print(&outcome.words())?;
    }
    if !options.dry_run && fresh > 0 {
        let end = journal.look().await.context("the log's end cannot be seen")?.sequence;
        let (sender, batches) = mpsc::channel(BATCHES_WAITING_MAX);
        there.write_to(sender);
        let writing = tokio::task::spawn_blocking(move || {
            let run = Plan { site: &site, format, now }.run(&mut items, &mut there);
            run.map(drop)
        });
        progress.begin("importing", fresh);
        let tell = |imported| progress.at(imported, fresh);
        let published = publish::all(&journal, batches, &mut written, tell, end).await;
        published?;
        writing.await.context("planning broke")??;
        progress.end();
    }
    drop(wanted);
    outcome.written = written;
    let (json, last) = (outcome.json(), outcome.last());
    report::print(&if options.json { json } else { last })
}

fn read(options: &Options, wanted: &std::sync::Weak<()>) -> anyhow::Result<(Sorted, Found, Option<PathBuf>)> {
    let rejected = options.rejected.clone().unwrap_or_else(|| {
        let mut path = options.file.as_os_str().to_owned();
        path.push(".rejected.jsonl");
        PathBuf::from(path)
    });
    let open = |path: &Path| {
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok::<_, anyhow::Error>(BufReader::new(file))
    };
    let mut intake = Intake::new(&rejected, wanted);
    let file = open(&options.file)?;
    match (options.format, &options.thread) {
        (Format::Disqus, _) => disqus::read(file, &mut intake),
        (Format::Wordpress, _) => wordpress::read(file, &mut intake),
        (Format::VotesCsv, Some(thread)) => {
            let words = options.comments.as_deref().map(open).transpose()?;
            votes::read(file, words, thread, &mut intake)
        }
        (Format::VotesCsv, None) => bail!("votes-csv needs --thread"),
    }
    .with_context(|| format!("{} cannot be imported; nothing was written", options.file.display()))?;
    intake.done()
}

/// A headline of at most what Koe takes, `None` if it is empty.
fn headline(words: &str) -> Option<String> {
    shortened(words, domain::limits::HEADLINE_CHARS_MAX)
        .and_then(|words| text::headline(&words).ok())
        .map(Into::into)
}

/// A name of at most what Koe takes.
fn name(words: &str) -> Option<String> {
    shortened(words, domain::limits::NAME_CHARS_MAX)
        .and_then(|words| text::author_name(&words).ok())
        .map(Into::into)
}

fn shortened(words: &str, max: usize) -> Option<String> {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: String = words.trim().chars().take(max).collect();
    if words.is_empty() { None } else { Some(words) }
}

/// What a file held, and what became of it.
struct Outcome {
    found: Found,
    planned: Planned,
    rejected: Option<PathBuf>,
    /// Events that were not there.
    fresh: u64,
    written: u64,
    dry_run: bool,
}

impl Outcome {
    /// What is not carried, by reason.
    fn left(&self) -> BTreeMap<&str, u64> {
        let mut left = BTreeMap::new();
        for (reason, count) in self.found.left.iter().chain(&self.planned.left) {
            *left.entry(reason.as_str()).or_default() += count;
        }
        left
    }

    /// For people, before anything is written.
    fn words(&self) -> String {
        let Found { threads, comments, authors, votes, bad, .. } = &self.found;
        let count = |number: u64| HumanCount(number).to_string();
        let mut lines = vec![format!(
            "found: {} threads, {} comments, {} authors, {} votes",
            count(*threads),
            count(*comments),
            count(*authors),
            count(*votes)
        )];
        let Planned { events, comments, votes, placeholders, .. } = &self.planned;
        let placeholders = match placeholders {
            0 => String::new(),
            number => format!(", {} placeholders for comments that are missing", count(*number)),
        };
        lines.push(format!(
            "carried: {} comments, {} votes{placeholders}; {} events, {} of them not in the log yet",
            count(*comments),
            count(*votes),
            count(*events),
            count(self.fresh)
        ));
        lines.extend(
            self.left().iter().map(|(reason, number)| format!("not carried: {:>9}  {reason}", count(*number))),
        );
        lines.extend(bad.iter().map(|(reason, number)| format!("bad:         {:>9}  {reason}", count(*number))));
        if let Some(rejected) = &self.rejected {
            lines.push(format!("bad rows, with line and reason: {}", rejected.display()));
        }
        lines.join("\n") + "\n"
    }

    /// The last line.
    fn last(&self) -> String {
        match (self.dry_run, self.written) {
            (true, _) => "nothing was written\n".to_owned(),
            (false, 0) => "all of it is in the log already: nothing was written\n".to_owned(),
            (false, written) => format!("imported: {} events\n", HumanCount(written)),
        }
    }

    fn json(&self) -> String {
        let Found { threads, comments, authors, votes, bad, .. } = &self.found;
        let object = json!({
            "found": { "threads": threads, "comments": comments, "authors": authors, "votes": votes },
            "carried": {
                "comments": self.planned.comments,
                "votes": self.planned.votes,
                "placeholders": self.planned.placeholders,
                "events": self.planned.events,
            },
            "not_carried": self.left(),
            "bad": bad,
            "rejected": self.rejected,
            "fresh": self.fresh,
            "written": self.written,
            "dry_run": self.dry_run,
        });
        format!("{object}\n")
    }
}
