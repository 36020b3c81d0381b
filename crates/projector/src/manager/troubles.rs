//! What a manager does where a generation cannot be used: wait for the disk, begin a new epoch, fold the log again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::Id;
use tokio::time::Instant;

use super::{Manager, Running, Waiting};
use crate::folding::Ended;
use crate::shared::{Generation, StoreState};

/// After a generation was given up, so that a broken disk is not worn out.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A store of another release is sound, for that one.
pub(super) fn state_after(error: &views::Error) -> StoreState {
    if matches!(error, views::Error::OtherSchema { .. }) { StoreState::Ok } else { StoreState::Unreadable }
}

/// Whether the store may be opened a moment later as it is: sled lets go of its files after it was dropped, and a full disk
/// is cured by an operator.
pub(super) fn is_for_now(error: &views::Error) -> bool {
    matches!(error, views::Error::InUse) || error.is_of_the_disk()
}

impl Manager {
    /// It serves on where it can: each value that is read is checked. A store that was opened again under the same number
    /// is another find. If the new generation is lost, the next find begins it anew.
    pub(super) fn found_damaged(&mut self, found: &Weak<Generation>) -> anyhow::Result<()> {
        let serving = self.serving.as_ref().map(|running| &running.generation);
        let Some(serving) = serving.filter(|serving| std::ptr::eq(found.as_ptr(), Arc::as_ptr(serving))) else {
            return Ok(());
        };
        let number = serving.number;
        if self.damaged != Some(number) {
            tracing::error!(
                generation = number,
                "a reader met damage in the store; folding the log again beside it"
            );
            self.damaged = Some(number);
            self.shared.store_is(StoreState::Unreadable);
        } else if self.find_again_at.is_some_and(|moment| Instant::now() < moment) {
            return Ok(());
        }
        self.find_again_at = Some(Instant::now() + RESTART_PAUSE);
        self.try_build().map(drop)
    }

    pub(super) async fn ended(&mut self, task: Id, ended: Ended) -> anyhow::Result<()> {
        let is = |running: &mut Running| running.task == task;
        let (running, served) = match self.serving.take_if(is) {
            Some(running) => (Some(running), true),
            None => (self.building.take_if(is), false),
        };
        // One that was replaced by a switch ends when it is told to.
        let Some(running) = running else { return Ok(()) };
        if matches!(ended, Ended::Stopped) {
            return Ok(());
        }
        let number = running.generation.number;
        drop(running);
        if served {
            self.damaged = None;
            self.unpublish();
        } else {
            self.nothing_is_built();
        }
        match ended {
            Ended::Stopped => Ok(()),
            Ended::LogLost { epoch } => {
                self.shared.metrics.regressions.inc();
                if !self.begin_epoch(epoch).await {
                    // Stopped before the new epoch began: the next start finds what this one found.
                    return Ok(());
                }
                self.set_aside(number)?;
                self.build().map(drop)
            }
            Ended::StoreBroken(error) if error.is_of_the_disk() => self.wait_for_disk(number, served, &error),
            Ended::StoreBroken(error) => {
                tracing::error!(generation = number, %error, "the store broke; folding the log again");
                if served {
                    self.shared.store_is(StoreState::Unreadable);
                }
                self.pause().await;
                self.set_aside(number)?;
                if self.serving.is_none() { self.build().map(drop) } else { Ok(()) }
            }
        }
    }

    /// A full disk is cured by an operator and not by a second store on it. A rebuild gives its room back.
    pub(super) fn wait_for_disk(&mut self, number: u32, served: bool, error: &views::Error) -> anyhow::Result<()> {
        tracing::error!(generation = number, %error, "the disk takes no more; standing still until it does");
        if self.serving.is_some() || self.waiting.is_some() {
            return self.generations.remove(number).context("the unfinished generation cannot be removed");
        }
        self.shared.store_is(StoreState::DiskFull);
        self.waiting = Some(Waiting { number, served, look_at: Instant::now() + RESTART_PAUSE });
        Ok(())
    }

    /// Opens the store that waits for the disk. A query may hold the old one for a moment longer.
    pub(super) fn look_at_waiting(&mut self) -> anyhow::Result<()> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let number = waiting.number;
        match self.generations.store(number) {
            Ok(store) if waiting.served => {
                self.serving = Some(self.fold(Arc::new(Generation::new(number, store))));
                self.shared.store_is(StoreState::Ok);
            }
            // What was not readable before is not until this one serves.
            Ok(store) => self.fold_beside(number, store),
            Err(error) if is_for_now(&error) => {
                self.waiting = Some(Waiting { look_at: Instant::now() + RESTART_PAUSE, ..waiting });
            }
            Err(error) => {
                tracing::error!(generation = number, %error, "the store cannot be used; folding the log again");
                self.shared.store_is(state_after(&error));
                self.give_up(number, &error)?;
                self.build()?;
            }
        }
        Ok(())
    }

    async fn pause(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(RESTART_PAUSE) => {}
        }
    }

    /// A new epoch begins before anything is folded again, however long the broker is away; false if stopped meanwhile.
    async fn begin_epoch(&self, lost: u64) -> bool {
        while let Err(error) = self.shared.journal.begin_epoch(lost).await {
            tracing::warn!(%error, "a new epoch cannot begin; trying again");
            self.pause().await;
            if self.stop.is_cancelled() {
                return false;
            }
        }
        true
    }

    /// A store that another release wrote stays where it is; any other is kept aside.
    pub(super) fn give_up(&mut self, number: u32, error: &views::Error) -> anyhow::Result<()> {
        if matches!(error, views::Error::OtherSchema { .. }) {
            return self.generations.clear_serving().context("the serving generation cannot be unset");
        }
        self.set_aside(number)
    }

    pub(super) fn set_aside(&mut self, number: u32) -> anyhow::Result<()> {
        if self.generations.serving()? == Some(number) {
            self.generations.clear_serving()?;
        }
        self.shared.metrics.damaged.inc();
        self.generations.set_aside(number).context("the unusable store cannot be moved aside")
    }
}
