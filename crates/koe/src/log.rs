//! What goes to the log, and how: to standard error, as text or as JSON.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged when nobody says: our own lines. The connection's troubles are among them (`service::connect`).
const DEFAULT: &str = "info,async_nats=off,sled=warn";

/// What goes to the log.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to log: a level (error, warn, info, debug, trace), or levels for parts, as in `info,projector=debug`.
    #[arg(long, env = "KOE_LOG", value_name = "FILTER", default_value = DEFAULT, global = true, hide_default_value = true)]
    log: String,
    /// How to log: lines for people or JSON for collectors.
    #[arg(long, env = "KOE_LOG_FORMAT", value_name = "FORMAT", default_value = "text", global = true)]
    log_format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Begins to log.
pub(crate) fn start(options: &Options) {
    let filter = EnvFilter::try_new(&options.log).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match options.log_format {
        Format::Text => subscriber.init(),
        Format::Json => subscriber.json().flatten_event(true).init(),
    }
}
