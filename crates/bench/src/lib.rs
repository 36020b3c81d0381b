//! Tool: measures Koe against the raw ceiling in one run, and checks every answer that it times.
//!
//! It starts what it needs, a nats-server and directories of its own, and leaves nothing behind. The figures of a machine
//! stand in docs/performance.md; nothing in here asserts a time. Deliberately not here: load on anything that somebody
//! else started.

mod check;
mod fold;
mod limits;
mod load;
mod report;
mod server;
mod votes;

use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use limits::{EVENTS_MAX, EVENTS_MIN};
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
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// What to measure.
    name: Name,
    /// How many events, or commands for each number in flight.
    #[arg(long, value_name = "N", default_value_t = 200_000,
          value_parser = clap::value_parser!(u64).range(EVENTS_MIN..=EVENTS_MAX))]
    events: u64,
    /// Print an object of JSON a line.
    #[arg(long)]
    json: bool,
    /// The nats-server to start; unless set, the one that is found beside koe, in .tools or on the PATH.
    #[arg(long, env = "KOE_NATS_SERVER", value_name = "FILE")]
    pub nats_server: Option<std::path::PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// The log into an empty store; the ceiling reads the same log raw.
    Fold,
    /// Commands to vote, acknowledged; the ceiling is a bare request, publish with ack, reply.
    Votes,
    /// The same with `sync_interval: always`.
    VotesSynced,
}

/// Measures, checks and prints.
pub async fn run(options: &Options, nats_server: &Path) -> anyhow::Result<()> {
    let progress = Progress::new();
    let figures = match options.name {
        Name::Fold => fold::run(nats_server, options.events, &progress).await?,
        Name::Votes => votes::run(nats_server, options.events, Sync::Default, &progress).await?,
        Name::VotesSynced => votes::run(nats_server, options.events, Sync::Always, &progress).await?,
    };
    progress.bar.finish_and_clear();
    report::print(&figures, options.json)
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let template = "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is a constant"));
        Self { bar }
    }

    fn begin(&self, what: &'static str, end: u64) {
        self.bar.reset();
        self.bar.set_message(what);
        self.bar.set_length(end);
    }

    fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    fn one_more(&self) {
        self.bar.inc(1);
    }
}
