//! Generations in the life of a projector: start, rebuild beside, switch over.

mod forgetting;
mod troubles;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use views::Store;
use wire::error::Failure;

use crate::folding::{self, Ended, Told};
use crate::generations::Generations;
use crate::limits::{CATCH_UP_FIRST_MAX, GENERATIONS_KEPT_MAX, SWITCH_WAIT_MAX};
use crate::shared::{Generation, Order, Shared, StoreState};
use forgetting::Forgetting;
use troubles::{is_for_now, state_after};

/// Tidings of folds that wait; there are two folds, and each says two things.
const TIDINGS_WAITING_MAX: usize = 8;

/// A generation whose fold runs.
struct Running {
    generation: Arc<Generation>,
    stop: CancellationToken,
    /// Cancelled when the fold has ended.
    ended: CancellationToken,
    task: Id,
}

/// A generation that stands still until the disk takes something again. Nothing serves meanwhile.
struct Waiting {
    number: u32,
    /// Whether it served, or was to be served next.
    served: bool,
    look_at: Instant,
}

struct Manager {
    generations: Generations,
    shared: Arc<Shared>,
    stop: CancellationToken,
    folds: JoinSet<anyhow::Result<Ended>>,
    told: mpsc::Sender<Told>,
    /// Published to readers once its log is known to be the right one, and its end is reached or takes too long.
    serving: Option<Running>,
    building: Option<Running>,
    waiting: Option<Waiting>,
    /// A reader met damage in this generation, which is aside as soon as another serves.
    damaged: Option<u32>,
    /// When a find in it may begin another rebuild, if the last one was lost.
    find_again_at: Option<Instant>,
    /// When the serving generation is published though it has not caught up.
    publish_by: Option<Instant>,
    forgetting: Forgetting,
}

/// Runs the folds until the stop, then flushes.
pub(crate) async fn run(
    generations: Generations,
    shared: Arc<Shared>,
    (mut orders, mut finds): (mpsc::Receiver<Order>, mpsc::Receiver<Weak<Generation>>),
    forget_after: Duration,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (told, mut tidings) = mpsc::channel(TIDINGS_WAITING_MAX);
    let mut manager = Manager::new(generations, shared, told, forget_after, stop.clone());
    manager.shared.store_is(StoreState::Ok);
    manager.start()?;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(told) = tidings.recv() => match told {
                Told::Verified(number) => manager.verified(number),
                Told::CaughtUp(number) => manager.caught_up(number).await?,
            },
            () = at(manager.waiting.as_ref().map(|waiting| waiting.look_at)) => manager.look_at_waiting()?,
            () = at(manager.publish_by) => manager.publish_serving()?,
            () = at(Some(manager.forgetting.look_at)) => manager.look_for_erased().await?,
            Some(order) = orders.recv() => manager.obey(order)?,
            Some(found) = finds.recv() => manager.found_damaged(&found)?,
            Some(ended) = manager.folds.join_next_with_id() => {
                let (task, ended) = ended.context("a fold broke")?;
                manager.ended(task, ended?).await?;
            }
        }
    }
    manager.finish().await
}

/// Waits for a moment, for ever if there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Manager {
    fn new(
        generations: Generations,
        shared: Arc<Shared>,
        told: mpsc::Sender<Told>,
        forget_after: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            generations,
            shared,
            stop,
            folds: JoinSet::new(),
            told,
            serving: None,
            building: None,
            waiting: None,
            damaged: None,
            find_again_at: None,
            publish_by: None,
            forgetting: Forgetting::new(forget_after),
        }
    }

    /// What served last serves again soon; without one, the log is folded before anybody is answered.
    fn start(&mut self) -> anyhow::Result<()> {
        let Some(number) = self.generations.serving()? else {
            return self.build().map(drop);
        };
        match self.generations.store(number) {
            Ok(store) => {
                self.serving = Some(self.fold(Arc::new(Generation::new(number, store))));
                Ok(())
            }
            Err(error @ views::Error::InUse) => Err(error.into()),
            Err(error) => {
                tracing::error!(generation = number, %error, "the store cannot be used; folding the log again");
                self.shared.store_is(state_after(&error));
                self.give_up(number, &error)?;
                self.build().map(drop)
            }
        }
    }

    fn fold(&mut self, generation: Arc<Generation>) -> Running {
        let stop = self.stop.child_token();
        let (shared, told) = (Arc::clone(&self.shared), self.told.clone());
        let fold = folding::run(shared, Arc::clone(&generation), told, stop.clone());
        let ended = CancellationToken::new();
        let at_end = ended.clone().drop_guard();
        let task = self.folds.spawn(async move {
            let ended = fold.await;
            drop(at_end);
            ended
        });
        Running { generation, stop, ended, task: task.id() }
    }

    /// Folds the log into a new generation beside the serving one, unless that is under way or one waits for the disk;
    /// returns its number.
    fn build(&mut self) -> anyhow::Result<u32> {
        if let Some(building) = &self.building {
            return Ok(building.generation.number);
        }
        if let Some(waiting) = &self.waiting {
            return Ok(waiting.number);
        }
        let mut number = self.generations.begun()?;
        let store = match self.generations.store(number) {
            Ok(store) => store,
            Err(error) if error.is_of_the_disk() && self.serving.is_none() => {
                self.wait_for_disk(number, false, &error)?;
                return Ok(number);
            }
            Err(error) if is_for_now(&error) => return Err(error.into()),
            Err(error) => {
                tracing::error!(generation = number, %error, "the store cannot be used; beginning again");
                // The one that serves stays written down as it is.
                if !matches!(error, views::Error::OtherSchema { .. }) {
                    self.set_aside(number)?;
                }
                number += 1;
                self.generations.store(number)?
            }
        };
        if store.sequence() == 0 {
            let end = self.shared.head.borrow().sequence;
            self.generations.set_begun_at(number, end).context("a new generation cannot be written")?;
        }
        if let Err(error) = self.generations.set_unfinished(number) {
            tracing::warn!(generation = number, %error, "a stop would interrupt this rebuild until the next order");
        }
        self.fold_beside(number, store);
        Ok(number)
    }

    fn fold_beside(&mut self, number: u32, store: Store) {
        tracing::info!(generation = number, from = store.sequence(), "folding the log into a new generation");
        self.shared.rebuilding_sequence.store(store.sequence(), Ordering::Relaxed);
        self.shared.rebuilding.store(number, Ordering::Relaxed);
        self.shared.metrics.rebuilding.set(i64::from(number));
        self.shared.metrics.rebuilt(store.sequence(), self.shared.head.borrow().sequence);
        self.building = Some(self.fold(Arc::new(Generation::new(number, store))));
    }

    /// The same beside what serves: `None` if the store cannot be opened for now.
    fn try_build(&mut self) -> anyhow::Result<Option<u32>> {
        match self.build() {
            Err(error) if self.serving.is_some() && error.downcast_ref().is_some_and(is_for_now) => {
                tracing::warn!(error = format!("{error:#}"), "no rebuild can begin for now");
                Ok(None)
            }
            begun => begun.map(Some),
        }
    }

    /// Whoever ordered may have gone; it is done all the same.
    fn obey(&mut self, order: Order) -> anyhow::Result<()> {
        match order {
            Order::Rebuild(answer) => {
                let begun = if self.waiting.is_some() { None } else { self.try_build()? };
                answer.send(begun.ok_or(Failure::Unavailable)).ok();
            }
            Order::Switch(number, answer) => {
                answer.send(self.switch_to(number)?).ok();
            }
            Order::Drop(number, answer) => {
                answer.send(self.drop_generation(number)?).ok();
            }
        }
        Ok(())
    }

    /// Folds what the log has since into a generation that was kept, so that it serves once it has caught up.
    fn switch_to(&mut self, number: u32) -> anyhow::Result<Result<(), Failure>> {
        let serving = self.serving.as_ref().map(|running| Arc::clone(&running.generation));
        let Some(serving) = serving.filter(|serving| self.shared.serves(serving.number)) else {
            return Ok(Err(Failure::Unavailable));
        };
        if serving.number == number {
            return Ok(Ok(()));
        }
        if self.building.is_some() || self.waiting.is_some() {
            return Ok(Err(Failure::GenerationInUse));
        }
        let erased = serving.store.view().erased_up_to().context("the serving store cannot be read")?;
        if !self.generations.is_kept(number, erased).context("the generations cannot be listed")? {
            return Ok(Err(Failure::GenerationUnknown));
        }
        match self.generations.store(number) {
            Ok(store) => {
                if serving.number > number {
                    self.generations.set_left(serving.number).context("the generations cannot be written")?;
                }
                self.fold_beside(number, store);
                Ok(Ok(()))
            }
            Err(error) => {
                tracing::error!(generation = number, %error, "the generation that was kept cannot be used");
                Ok(Err(Failure::GenerationUnknown))
            }
        }
    }

    fn drop_generation(&self, number: u32) -> anyhow::Result<Result<u64, Failure>> {
        let in_use = [&self.serving, &self.building].into_iter().flatten();
        let in_use = in_use.map(|running| running.generation.number);
        if in_use.chain(self.waiting.as_ref().map(|waiting| waiting.number)).any(|used| used == number) {
            return Ok(Err(Failure::GenerationInUse));
        }
        let bytes = self.generations.drop_kept(number).context("the generation cannot be removed")?;
        if bytes.is_some() {
            tracing::info!(generation = number, "the generation was dropped");
        }
        Ok(bytes.ok_or(Failure::GenerationUnknown))
    }

    fn is_unpublished(&self, number: u32) -> bool {
        let serving = self.serving.as_ref().is_some_and(|running| running.generation.number == number);
        serving && !self.shared.serves(number)
    }

    /// The log is the one that this generation was folded from: readers may see it soon.
    fn verified(&mut self, number: u32) {
        if self.is_unpublished(number) && self.publish_by.is_none() {
            self.publish_by = Some(Instant::now() + CATCH_UP_FIRST_MAX);
        }
    }

    /// What a stop interrupted goes on beside it, once readers have what they need.
    fn publish_serving(&mut self) -> anyhow::Result<()> {
        self.publish_by = None;
        if let Some(running) = self.serving.take() {
            self.publish(running);
        }
        if self.serving.is_some() && self.generations.is_unfinished()? {
            self.try_build()?;
        }
        Ok(())
    }

    async fn caught_up(&mut self, number: u32) -> anyhow::Result<()> {
        if self.is_unpublished(number) {
            return self.publish_serving();
        }
        let built = self.building.take_if(|running| running.generation.number == number);
        let Some(built) = built else { return Ok(()) };
        if let Some(old) = self.serving.take() {
            // First the old one stands still, then the new one gets past it: no reader sees time run back.
            old.stop.cancel();
            old.ended.cancelled().await;
            built.generation.goes_first.cancel();
            let old_position = *old.generation.position.borrow();
            let mut position = built.generation.position.subscribe();
            let past = position.wait_for(|position| *position >= old_position);
            let reached = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = built.ended.cancelled() => false,
                reached = tokio::time::timeout(SWITCH_WAIT_MAX, past) => reached.is_ok(),
            };
            if !reached {
                tracing::error!(
                    generation = number,
                    "the new generation cannot reach the old one; keeping the old"
                );
                built.stop.cancel();
                // Its store is free again for the next rebuild.
                built.ended.cancelled().await;
                drop(built);
                self.nothing_is_built();
                self.serving = Some(self.fold(old.generation));
                return Ok(());
            }
        }
        // One that waits for the disk is the one before now.
        self.waiting = None;
        self.generations.set_serving(number).context("the serving generation cannot be written down")?;
        self.nothing_is_built();
        self.publish(built);
        tracing::info!(generation = number, "the new generation serves");
        self.shared.store_is(StoreState::Ok);
        if let Some(damaged) = self.damaged.take() {
            self.set_aside(damaged)?;
        }
        self.generations.keep(number, GENERATIONS_KEPT_MAX).context("an old generation cannot be removed")
    }

    fn nothing_is_built(&self) {
        self.shared.rebuilding.store(0, Ordering::Relaxed);
        self.shared.metrics.rebuilding.set(0);
        self.shared.metrics.rebuilt(0, 0);
    }

    fn publish(&mut self, running: Running) {
        self.shared.ring.clear();
        self.shared.recent.begin(|| u64::MAX);
        self.shared.metrics.generation.set(i64::from(running.generation.number));
        let sequence = running.generation.store.sequence();
        self.shared.metrics.sequence.set(i64::try_from(sequence).unwrap_or(i64::MAX));
        self.shared.serving.send_replace(Some(Arc::clone(&running.generation)));
        // Now that every step is remembered: none may be folded before this and remembered by nobody.
        self.shared.recent.begin(|| running.generation.store.sequence());
        self.serving = Some(running);
    }

    /// Readers are told `behind` from here on.
    fn unpublish(&mut self) {
        self.publish_by = None;
        self.shared.serving.send_replace(None);
        self.shared.metrics.generation.set(0);
    }

    async fn finish(mut self) -> anyhow::Result<()> {
        while self.folds.join_next().await.is_some() {}
        let stores = [self.serving.take(), self.building.take()].into_iter().flatten();
        for running in stores {
            let store = Arc::clone(&running.generation.store);
            tokio::task::spawn_blocking(move || store.flush()).await.context("the flush broke")??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
