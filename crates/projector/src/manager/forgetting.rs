//! Forgetting: what was erased is gone from a store for certain once a generation serves that never held it, and no other is left.
//!
//! A store keeps overwritten bytes for a while, so that an erasure makes a rebuild due. Erasures are gathered for it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::time::Instant;

use super::Manager;

/// How often it is asked whether something was erased: a look costs one look-up in the store.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// When it is looked, and how long an erasure may wait for others.
pub(super) struct Forgetting {
    pub(super) look_at: Instant,
    after: Duration,
}

impl Forgetting {
    pub(super) fn new(after: Duration) -> Self {
        Self { look_at: Instant::now() + LOOK_INTERVAL, after }
    }
}

impl Manager {
    /// Begins a rebuild where what was erased may stand in the store that serves, and removes every other one where it may.
    pub(super) async fn look_for_erased(&mut self) -> anyhow::Result<()> {
        self.forgetting.look_at = Instant::now() + LOOK_INTERVAL;
        let Some(serving) = &self.serving else { return Ok(()) };
        let (number, store) = (serving.generation.number, Arc::clone(&serving.generation.store));
        if !self.shared.serves(number) {
            return Ok(());
        }
        let read = tokio::task::spawn_blocking(move || store.view().erased_up_to());
        // Damage is found by whoever folds or reads.
        let Ok(Ok(erased)) = read.await else { return Ok(()) };
        let begun_at = self.generations.begun_at(number);
        self.shared.metrics.erased(erased, begun_at);
        if erased == 0 {
            return Ok(());
        }
        let building = self.building.as_ref().map(|running| running.generation.number);
        let waiting = self.waiting.as_ref().map(|waiting| waiting.number);
        let used: Vec<u32> = [Some(number), building, waiting].into_iter().flatten().collect();
        let forgotten = self.generations.forget(erased, &used).context("an old generation cannot be removed")?;
        if !forgotten.is_empty() {
            tracing::info!(?forgotten, "generations that may hold what was erased are gone");
        }
        if erased <= begun_at {
            return self.generations.has_forgotten().context("what was forgotten cannot be written down");
        }
        if used.len() > 1 {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let due = now.saturating_add(self.forgetting.after.as_secs());
        let due = self.generations.forget_at(due).context("when to forget cannot be written down")?;
        if due > now {
            return Ok(());
        }
        tracing::info!(erased.sequence = erased, "folding the log again, so that no store holds what was erased");
        if self.try_build()?.is_some() {
            // What is erased while it is folded waits anew.
            self.generations.has_forgotten().context("what was forgotten cannot be written down")?;
        }
        Ok(())
    }
}
