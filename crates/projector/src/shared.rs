//! What the fold, the queries and the manager of generations share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use journal::{Head, Journal};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use views::Store;

use crate::limits::READERS_MAX;
use crate::metrics::Metrics;
use crate::ring::Ring;

/// A store with how far it is.
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) store: Arc<Store>,
    /// Everything up to here is folded or was passed; at least the store's own sequence.
    pub(crate) position: watch::Sender<u64>,
}

/// What everybody in the projector knows.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) nats: async_nats::Client,
    pub(crate) head: watch::Receiver<Head>,
    /// The generation that serves; none before the first has caught up.
    pub(crate) serving: watch::Sender<Option<Arc<Generation>>>,
    pub(crate) ring: Ring,
    pub(crate) readers: Semaphore,
    pub(crate) metrics: Metrics,
    /// The generation that is being rebuilt, 0 for none, and how far it is.
    pub(crate) rebuilding: AtomicU32,
    pub(crate) rebuilding_sequence: AtomicU64,
    /// Asks the manager for a rebuild; it answers with the generation.
    pub(crate) rebuild: mpsc::Sender<oneshot::Sender<u32>>,
    pub(crate) rebuild_asked: tokio::sync::Mutex<mpsc::Receiver<oneshot::Sender<u32>>>,
}

impl Generation {
    pub(crate) fn new(number: u32, store: Store) -> Self {
        let position = watch::Sender::new(store.sequence());
        Self { number, store: Arc::new(store), position }
    }
}

impl Shared {
    pub(crate) fn new(journal: Journal, nats: async_nats::Client, metrics: Metrics) -> Self {
        let (rebuild, rebuild_asked) = mpsc::channel(1);
        Self {
            head: journal.head(),
            journal,
            nats,
            serving: watch::Sender::new(None),
            ring: Ring::default(),
            readers: Semaphore::new(READERS_MAX),
            metrics,
            rebuilding: AtomicU32::new(0),
            rebuilding_sequence: AtomicU64::new(0),
            rebuild,
            rebuild_asked: tokio::sync::Mutex::new(rebuild_asked),
        }
    }

    /// Whether this is the generation that readers see.
    pub(crate) fn serves(&self, number: u32) -> bool {
        self.serving.borrow().as_ref().is_some_and(|generation| generation.number == number)
    }
}
