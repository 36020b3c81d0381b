//! Tool: measures Koe against the raw ceiling in one run, and checks every answer that it times.
//!
//! It starts what it needs, a nats-server, roles and directories of its own, and leaves nothing behind. The figures of a
//! machine stand in docs/performance.md; nothing in here asserts a time. Deliberately not here: load on anything that
//! somebody else started.

mod announced;
mod archive;
mod bare;
mod catch_up;
mod check;
mod commands;
mod document;
mod echo;
mod fill;
mod fold;
mod growth;
mod koe;
mod limits;
mod load;
mod pages;
mod process;
mod progress;
mod report;
mod restart;
mod server;
mod undo;
mod visible;
mod work;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use tokio_util::sync::CancellationToken;

use document::Document;
use koe::Kind;
use limits::{EVENTS_MAX, EVENTS_MIN};
use progress::Progress;
use report::Figure;
use server::Sync;

/// Measures Koe against the raw ceiling in one run, and checks every answer that it times.
///
/// Starts a nats-server and the roles of its own in a temporary directory ($TMPDIR), talks to loopback only, and leaves
/// nothing behind. A wrong tally ends the run. The ratio of figure to ceiling compares machines; figures alone do not.
///
/// Examples:
///
/// `koe bench fold --events 1000000`
///
/// `koe bench votes --json`
///
/// `koe bench all --write docs/performance.md`
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// What to measure.
    name: Name,
    /// How many events, commands for each number in flight, or comments of the largest thread of `pages`; unless set, what two cores do in half a minute.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(EVENTS_MIN..=EVENTS_MAX))]
    events: Option<u64>,
    /// Let `growth` go on to ten times the events, which takes a while.
    #[arg(long)]
    large: bool,
    /// Print an object of JSON a line.
    #[arg(long)]
    json: bool,
    /// Write the figures into a document as well, between its two marker lines.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Let something happen that the checks must notice.
    #[arg(long, hide = true)]
    plant_error: bool,
    /// The nats-server to start; unless set, the one that is found beside koe, in .tools or on the PATH.
    #[arg(long, env = "KOE_NATS_SERVER", value_name = "FILE")]
    pub nats_server: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// Everything below, one after another.
    All,
    /// The log into an empty store; the ceiling reads the same log raw.
    Fold,
    /// Commands to vote, acknowledged; the ceiling is a bare request, publish with ack, reply.
    Votes,
    /// The same with `sync_interval: always`.
    VotesSynced,
    /// Commands to post; the ceiling is that of the votes.
    Posts,
    /// The same with `sync_interval: always`.
    PostsSynced,
    /// From a command to the announcement of its effect; the ceiling is a publish and a sled batch.
    Visible,
    /// From the start of a projector to its first page, after a stop and after kill -9.
    Restart,
    /// Pages of threads by length, order and shape; the ceiling is a service that answers with as many bytes.
    Pages,
    /// A voter's votes voided and let count again while others vote; the ceiling is the same without, or for a tenth.
    Undo,
    /// Export, import, a thread as it was, and verify, as commands; the ceilings are the same work raw.
    Archive,
    /// Fold, memory, disk and restart at a tenth of the events and at all of them.
    Growth,
}

/// What every benchmark is given.
struct Bench<'a> {
    nats_server: &'a Path,
    events: u64,
    large: bool,
    plant_error: bool,
    progress: &'a Progress,
    stop: &'a CancellationToken,
}

impl Bench<'_> {
    /// Gives work up at the stop. Only for what may be dropped anywhere.
    async fn unless_stopped<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => bail!("it was told to stop"),
            done = work => done,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl Name {
    /// How many events, so that all benchmarks together are to take less than ten minutes on two cores.
    fn events(self) -> u64 {
        match self {
            Self::All => EVENTS_MIN,
            Self::Fold | Self::Restart => 500_000,
            Self::Votes => 50_000,
            Self::Posts => 20_000,
            // A disk may take 5,000 publishes a second, or 800 when others use it.
            Self::VotesSynced | Self::PostsSynced => 4_000,
            Self::Visible => 5_000,
            // The comments of the largest thread.
            Self::Pages => 100_000,
            Self::Undo | Self::Archive | Self::Growth => 1_000_000,
        }
    }

    async fn measure(self, bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::All => Ok(Vec::new()),
            Self::Fold => bench.unless_stopped(Box::pin(fold::run(bench))).await,
            Self::Votes => Box::pin(commands::run(bench, Kind::Votes, Sync::Default)).await,
            Self::VotesSynced => Box::pin(commands::run(bench, Kind::Votes, Sync::Always)).await,
            Self::Posts => Box::pin(commands::run(bench, Kind::Posts, Sync::Default)).await,
            Self::PostsSynced => Box::pin(commands::run(bench, Kind::Posts, Sync::Always)).await,
            Self::Visible => Box::pin(visible::run(bench)).await,
            Self::Restart => bench.unless_stopped(Box::pin(restart::run(bench))).await,
            Self::Pages => bench.unless_stopped(Box::pin(pages::run(bench))).await,
            Self::Undo => Box::pin(undo::run(bench)).await,
            Self::Archive => bench.unless_stopped(Box::pin(archive::run(bench))).await,
            Self::Growth => bench.unless_stopped(Box::pin(growth::run(bench))).await,
        }
    }
}

/// Measures, checks and prints, unless told to stop.
pub async fn run(options: &Options, nats_server: &Path, stop: &CancellationToken) -> anyhow::Result<()> {
    let document = options.write.as_deref().map(Document::open).transpose()?;
    let progress = Progress::new();
    let named =
        |name: &&Name| if options.name == Name::All { **name != Name::All } else { **name == options.name };
    let mut all = Vec::new();
    for name in Name::value_variants().iter().filter(named) {
        let events = options.events.unwrap_or(name.events());
        let Options { large, plant_error, .. } = *options;
        let bench = Bench { nats_server, events, large, plant_error, progress: &progress, stop };
        let figures = name.measure(&bench).await;
        progress.end();
        let figures = figures.with_context(|| format!("the benchmark `{name}` was given up"))?;
        report::print(&figures, options.json)?;
        all.extend(figures);
    }
    document.map_or(Ok(()), |document| document.write(&all, &machine()))
}

/// What the figures were measured on, as far as this knows.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let build = if cfg!(debug_assertions) { "a development build, which says nothing" } else { "a release build" };
    format!("Koe {}, {build}, on {cores} cores.", env!("CARGO_PKG_VERSION"))
}
