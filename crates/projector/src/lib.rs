//! Service: the journal into views; answers queries; announces changes; rebuilds beside the living view.
//!
//! Only the projector has a disk. Deliberately not here: HTTP, and any rule about what may happen.

mod announce;
mod answers;
mod folding;
mod generations;
mod health;
mod housekeeping;
mod limits;
mod manager;
mod metrics;
mod pace;
mod queries;
mod recent;
mod ring;
mod shared;

pub use answers::page as thread_page;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use journal::Journal;
use service::{Door, Instruments, NatsOptions};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use generations::Generations;
use limits::{FINDS_WAITING_MAX, ORDERS_WAITING_MAX};
use metrics::Metrics;
use shared::Shared;

/// Folds the log into read models and answers queries about them.
///
/// Everything under the data directory can be deleted: it is folded again from the log at the next start.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where NATS is.
    #[command(flatten)]
    pub nats: NatsOptions,
    /// Directory for the read models.
    #[arg(long = "data", env = "KOE_DATA", value_name = "DIR", default_value = "data/projector")]
    pub data: PathBuf,
    /// Memory for the store's cache, in MiB.
    #[arg(long, env = "KOE_CACHE_MIB", value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u64).range(16..=65_536))]
    pub cache_mib: u64,
    /// Seconds after an erasure until the log is folded again, so that no store holds what was erased. Erasures of that time are
    /// gathered; readers do not see what was erased from the first moment on.
    #[arg(long, env = "KOE_FORGET_AFTER_SECS", value_name = "SECS", default_value_t = 3_600,
          value_parser = clap::value_parser!(u64).range(..=2_592_000))]
    pub forget_after_secs: u64,
    /// While this is true the fold stands still and queries are answered from what is folded: for benchmarks of the
    /// writers alone. Nobody can say it on a command line.
    #[arg(skip)]
    pub fold_paused: Option<watch::Receiver<bool>>,
}

/// Runs the projector until the stop.
pub async fn run(options: Options, instruments: &Instruments, stop: CancellationToken) -> anyhow::Result<()> {
    let store_options =
        views::Options { cache_bytes: options.cache_mib * 1024 * 1024, ..views::Options::default() };
    let generations = Generations::open(&options.data, store_options)
        .with_context(|| format!("the data directory {} cannot be used", options.data.display()))?;
    // Consuming at full speed and answering share no connection, so that neither starves the other.
    let consuming = instruments.connect(&options.nats, "koe-projector-fold").await?;
    let answering = instruments.connect(&options.nats, "koe-projector").await?;
    let journal = Journal::open(consuming, &journal::Options::default()).await?;
    let metrics = Metrics::new(instruments.registry())?;
    let (orders, ordered) = mpsc::channel(ORDERS_WAITING_MAX);
    let (finds, found) = mpsc::channel(FINDS_WAITING_MAX);
    let asked = (orders, finds);
    let log = (journal.clone(), options.fold_paused);
    let shared = Arc::new(Shared::new(log, answering.clone(), metrics, asked, options.data));
    let mut door = Door::open(
        &answering,
        ("koe-queries", "Queries about threads, as of a position"),
        instruments,
        stop.clone(),
    )
    .await?;
    queries::serve(&mut door, &shared).await?;
    let ready = Arc::clone(&shared);
    instruments.ready_when(move || {
        let ready = health::ready(&ready);
        async { ready }
    });
    tracing::info!("the projector answers");
    let keeping = housekeeping::keep(&shared);
    let watching = async {
        tokio::select! {
            () = journal.watch() => {}
            () = keeping => {}
            () = stop.cancelled() => {}
        }
        anyhow::Ok(())
    };
    let managing = manager::run(
        generations,
        Arc::clone(&shared),
        (ordered, found),
        Duration::from_secs(options.forget_after_secs),
        stop.clone(),
    );
    // Whichever fails, ends all: answers without a fold would be stale for ever.
    tokio::try_join!(managing, door.run(), watching).map(drop)
}
