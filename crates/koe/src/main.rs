//! One executable: roles as an enum, and nothing else.

mod broker;
mod config;
mod data_dir;
mod demo;
mod keys;
mod log;
mod output;
mod role;
mod stop;
mod token;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use tokio_util::sync::CancellationToken;

/// Koe, a comment service for news sites: readers post, quote and vote, and every tally is the fold of its votes.
///
/// `koe up` runs everything in one process, with a nats-server beside it: start there. The other commands run one
/// role each, as many as there is load, on a nats-server of yours.
#[derive(Parser)]
#[command(
    name = "koe",
    version,
    max_term_width = 100,
    after_help = "\
Exit status: 0 for success, 1 for what `koe replay verify` or `frozen` found, 2 for an error.

Examples:
  koe up --demo                          everything, with a demonstration, in ./data
  koe token --site demo --author ann     a token to log in with at /login
  koe votes --nats nats://10.0.0.7:4222  one more process that takes votes
  koe replay verify --data ./data        are the read models what the log says?
  koe replay export all.koe              the log as a file, to keep or to move
  koe import disqus f.xml --site demo    discussions that were held elsewhere"
)]
struct Cli {
    #[command(flatten)]
    log: log::Options,
    #[command(flatten)]
    config: config::FileOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Up(up::Options),
    /// Take commands about sites, threads, comments and authors, over NATS.
    ///
    /// Keeps nothing: run as many as you like, they share the load.
    Comments(role::Alone<comments::Options>),
    /// Take votes, over NATS.
    ///
    /// Keeps nothing: run as many as you like, they share the load.
    Votes(role::Alone<votes::Options>),
    /// Fold the log into read models and answer queries about them.
    ///
    /// Everything under its data directory can be deleted: it is folded again from the log at the next start.
    Projector(role::Alone<projector::Options>),
    /// Serve readers and the HTTP API.
    ///
    /// Keeps nothing: run as many as you like behind a load balancer, with the same session key.
    Gateway(role::Alone<gateway::Options>),
    Exporter(exporter::Options),
    Replay(replay::Options),
    Import(replay::ImportOptions),
    Bench(bench::Options),
    Token(token::Options),
    NatsKeys(keys::Options),
    Config(config::Options),
}

/// The fold and the brokers' messages make and drop many small values; the system's own allocator took a fifth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match told_and_run().await {
        Ok(code) => code,
        Err(error) => {
            output::error(&error);
            ExitCode::from(2)
        }
    }
}

/// Reads the words and the configuration file, begins to log, and does what is asked.
async fn told_and_run() -> anyhow::Result<ExitCode> {
    let words: Vec<_> = std::env::args_os().collect();
    let (matches, manual, settings) = config::read(Cli::command(), &words)?;
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    log::start(&cli.log);
    match cli.command {
        Command::Config(options) => config::run(&options, &manual, &settings),
        command => Box::pin(run(command)).await,
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    let _signals = stop::on_signals(&stop)?;
    match command {
        Command::Up(options) => up::run(options, stop).await?,
        Command::Comments(alone) => role::comments(alone, stop).await?,
        Command::Votes(alone) => role::votes(alone, stop).await?,
        Command::Projector(alone) => Box::pin(role::projector(alone, stop)).await?,
        Command::Gateway(alone) => role::gateway(alone, stop).await?,
        Command::Exporter(options) => role::exporter(options, stop).await?,
        Command::Replay(options) => return replay::run(options, stop).await,
        Command::Import(options) => return replay::import(options, stop).await,
        Command::Bench(options) => {
            let nats_server = broker::find(options.nats_server.as_deref()).await?;
            Box::pin(bench::run(&options, &nats_server, &stop)).await?;
        }
        Command::Token(options) => token::run(&options)?,
        Command::NatsKeys(options) => keys::run(&options)?,
        // It is about all commands, and was done before.
        Command::Config(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}
