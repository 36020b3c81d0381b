//! What the fold, the queries and the manager of generations share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, OnceLock, Weak};

use journal::{Head, Journal};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use views::{Checkpoint, Store};
use wire::error::Failure;

use crate::limits::READERS_MAX;
use crate::metrics::Metrics;
use crate::recent::Recent;
use crate::ring::Ring;

/// Which log a generation is folded from: another stream under the name, or one that lost its tail, is another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogIdentity {
    pub(crate) created_nanos: i64,
    pub(crate) epoch: u64,
}

impl LogIdentity {
    pub(crate) fn of(head: &Head) -> Self {
        Self { created_nanos: head.created_nanos, epoch: head.epoch }
    }

    pub(crate) fn at(checkpoint: &Checkpoint) -> Self {
        Self { created_nanos: checkpoint.created_nanos, epoch: checkpoint.epoch }
    }
}

/// A store with how far it is.
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) store: Arc<Store>,
    /// Everything up to here is folded or was passed; at least the store's own sequence.
    pub(crate) position: watch::Sender<u64>,
    /// Parts of decisions that were carried out, since this process opened the store.
    pub(crate) parts: watch::Sender<u64>,
    /// Cancelled when what serves stands still so that this one gets past it.
    pub(crate) goes_first: CancellationToken,
    /// Known once the log was opened and found to be the right one; never another afterwards.
    log: OnceLock<LogIdentity>,
}

/// What everybody in the projector knows.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) nats: async_nats::Client,
    pub(crate) head: watch::Receiver<Head>,
    /// The generation that serves; none before the first has caught up.
    pub(crate) serving: watch::Sender<Option<Arc<Generation>>>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) readers: Semaphore,
    pub(crate) metrics: Metrics,
    /// The generation that is being rebuilt, 0 for none, and how far it is.
    pub(crate) rebuilding: AtomicU32,
    pub(crate) rebuilding_sequence: AtomicU64,
    pub(crate) recent: Arc<Recent>,
    /// What operators ask of the manager.
    pub(crate) orders: mpsc::Sender<Order>,
    /// Tells the manager that a reader met damage in this generation. A find keeps no store open.
    pub(crate) finds: mpsc::Sender<Weak<Generation>>,
    /// How the store is, as the manager sees it.
    pub(crate) store_state: watch::Sender<StoreState>,
    /// Where the generations lie.
    pub(crate) dir: PathBuf,
    /// Whether folds are to stand still.
    pub(crate) fold_paused: Option<watch::Receiver<bool>>,
}

/// What an operator asks of the manager.
pub(crate) enum Order {
    /// Fold the log again; answered with the generation's number, or why not.
    Rebuild(oneshot::Sender<Result<u32, Failure>>),
    /// Let a generation serve that is kept; answered once it catches up, or why not.
    Switch(u32, oneshot::Sender<Result<(), Failure>>),
    /// Give a generation's room back; answered with its bytes, or why not.
    Drop(u32, oneshot::Sender<Result<u64, Failure>>),
}

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreState {
    Ok,
    /// It stands still until there is room.
    DiskFull,
    /// Damage was found; the log is folded again.
    Unreadable,
}

impl StoreState {
    pub(crate) const EVERY: [Self; 3] = [Self::Ok, Self::DiskFull, Self::Unreadable];

    /// The word for it, in `status` and as a label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::DiskFull => "disk-full",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Generation {
    pub(crate) fn new(number: u32, store: Store) -> Self {
        let position = watch::Sender::new(store.sequence());
        let goes_first = CancellationToken::new();
        let parts = watch::Sender::new(0);
        Self { number, store: Arc::new(store), position, parts, goes_first, log: OnceLock::new() }
    }

    /// The log that it is folded from, once that is known.
    pub(crate) fn log(&self) -> Option<LogIdentity> {
        self.log.get().copied()
    }

    pub(crate) fn set_log(&self, log: LogIdentity) {
        let known = *self.log.get_or_init(|| log);
        debug_assert_eq!(known, log, "a generation is folded from one log");
    }

    /// The epoch of its positions.
    pub(crate) fn epoch(&self) -> u64 {
        self.log().map_or(0, |log| log.epoch)
    }
}

impl Shared {
    pub(crate) fn new(
        (journal, fold_paused): (Journal, Option<watch::Receiver<bool>>),
        nats: async_nats::Client,
        metrics: Metrics,
        (orders, finds): (mpsc::Sender<Order>, mpsc::Sender<Weak<Generation>>),
        dir: PathBuf,
    ) -> Self {
        Self {
            head: journal.head(),
            journal,
            nats,
            serving: watch::Sender::new(None),
            ring: Arc::default(),
            recent: Arc::default(),
            readers: Semaphore::new(READERS_MAX),
            metrics,
            rebuilding: AtomicU32::new(0),
            rebuilding_sequence: AtomicU64::new(0),
            orders,
            finds,
            store_state: watch::Sender::new(StoreState::Ok),
            dir,
            fold_paused,
        }
    }

    /// How the store is from now on, for `status` and the metrics.
    pub(crate) fn store_is(&self, state: StoreState) {
        self.store_state.send_replace(state);
        self.metrics.store_is(state);
    }

    /// Whether this is the generation that readers see.
    pub(crate) fn serves(&self, number: u32) -> bool {
        self.serving.borrow().as_ref().is_some_and(|generation| generation.number == number)
    }
}
