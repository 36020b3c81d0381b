//! One generation's fold: catch-up and live in one loop that outlives reconnects and ended consumers.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use journal::{Contents, Entry, Step as LogStep};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use views::Step;

use crate::announce;
use crate::limits::{HEAD_AGE_MAX, PASS_INTERVAL, STALLED_TICKS_MAX};
use crate::shared::{Generation, LogIdentity, Shared};

/// What a fold tells its manager, with the generation's number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// The log is the one that the generation was folded from.
    Verified(u32),
    /// The log's end is reached.
    CaughtUp(u32),
}

/// Why a fold ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was told to.
    Stopped,
    /// The log is not the one that this generation was folded from: it lost its tail, or is another.
    LogLost { epoch: u64 },
    /// The store cannot be used any more.
    StoreBroken(views::Error),
}

/// One generation on its way.
struct Folding {
    shared: Arc<Shared>,
    generation: Arc<Generation>,
    manager: mpsc::Sender<Told>,
    stop: CancellationToken,
    caught_up: bool,
    /// Ticks without a message, and without a way past what the leader has.
    quiet_ticks: u32,
    stalled_ticks: u32,
}

/// Folds until the stop, or until that makes no sense any more.
pub(crate) async fn run(
    shared: Arc<Shared>,
    generation: Arc<Generation>,
    manager: mpsc::Sender<Told>,
    stop: CancellationToken,
) -> anyhow::Result<Ended> {
    let folding =
        Folding { shared, generation, manager, stop, caught_up: false, quiet_ticks: 0, stalled_ticks: 0 };
    folding.run().await
}

impl Folding {
    async fn run(mut self) -> anyhow::Result<Ended> {
        let journal = self.shared.journal.clone();
        let mut follower = journal.follow(self.position(), Contents::Whole);
        let mut tick = tokio::time::interval(PASS_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = {
                // Pinned over the ticks: dropped halfway, opening the log would begin again, on a slow broker for ever.
                let mut next = pin!(follower.next());
                loop {
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => return Ok(Ended::Stopped),
                        step = &mut next => break Some(step),
                        _ = tick.tick() => {
                            if let Some(lost) = self.tick().await? {
                                return Ok(lost);
                            }
                            if self.stalled_ticks > STALLED_TICKS_MAX {
                                break None;
                            }
                        }
                    }
                }
            };
            self.quiet_ticks = 0;
            let ended = match step {
                Some(LogStep::Opened) => self.opened().await?,
                Some(LogStep::Batch(entries)) => {
                    self.while_paused().await;
                    self.fold(entries).await?
                }
                None => {
                    tracing::warn!("the log goes on and nothing arrives; following it anew");
                    self.stalled_ticks = 0;
                    follower = journal.follow(self.position(), Contents::Whole);
                    None
                }
            };
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// A benchmark may want the fold to stand still. One that is gone holds nobody up, and neither does a stop.
    async fn while_paused(&self) {
        let Some(mut paused) = self.shared.fold_paused.clone() else { return };
        tokio::select! {
            () = self.stop.cancelled() => {}
            _ = paused.wait_for(|paused| !paused) => {}
        }
    }

    fn position(&self) -> u64 {
        *self.generation.position.borrow()
    }

    /// While nothing arrives: is the log still the same, may gaps be passed, is the end reached?
    async fn tick(&mut self) -> anyhow::Result<Option<Ended>> {
        self.quiet_ticks += 1;
        let head = *self.shared.head.borrow();
        let Some(identity) = self.generation.log() else { return Ok(None) };
        if LogIdentity::of(&head) != identity {
            return self.opened().await;
        }
        if self.quiet_ticks > 1 && head.sequence > self.position() {
            // A passed position is never a checkpoint (law 9).
            match self.shared.journal.is_empty_between(self.position(), head.sequence).await {
                Ok(true) => {
                    self.generation.position.send_replace(head.sequence);
                    self.stalled_ticks = 0;
                }
                Ok(false) => self.stalled_ticks += 1,
                Err(error) => tracing::debug!(%error, "the leader cannot be asked"),
            }
        }
        self.tell_when_caught_up().await?;
        Ok(None)
    }

    /// Under load something always comes after a look: an end that was seen a moment ago is end enough.
    async fn tell_when_caught_up(&mut self) -> anyhow::Result<()> {
        let head = *self.shared.head.borrow();
        let reached = self.position() >= head.sequence && head.seen.elapsed() < HEAD_AGE_MAX;
        if reached && !self.caught_up {
            self.caught_up = true;
            self.tell(Told::CaughtUp(self.generation.number)).await?;
        }
        Ok(())
    }

    async fn tell(&self, told: Told) -> anyhow::Result<()> {
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            sent = self.manager.send(told) => sent.context("the manager is gone"),
        }
    }

    async fn fold(&mut self, entries: Vec<Entry>) -> anyhow::Result<Option<Ended>> {
        let Some(log) = self.generation.log() else { return Ok(None) };
        let (store, stream) = (Arc::clone(&self.generation.store), self.shared.journal.stream().to_owned());
        let timer = self.shared.metrics.step.start_timer();
        // The disk has a thread of its own; answers go on meanwhile.
        let step = tokio::task::spawn_blocking(move || {
            let recorded: Vec<_> = entries.iter().map(Entry::decode).collect();
            store.fold(&recorded, (&stream, log.created_nanos, log.epoch))
        });
        let step = step.await;
        timer.observe_duration();
        match step {
            Ok(Ok(step)) => self.folded(&step, log.epoch).await,
            Ok(Err(error)) => return Ok(Some(Ended::StoreBroken(error))),
            // sled panics over some damage, which is damage like any other here.
            Err(broken) => {
                tracing::error!(error = %broken, "the fold broke");
                return Ok(Some(Ended::StoreBroken(views::Error::Damaged("it broke while a batch was folded"))));
            }
        }
        self.stalled_ticks = 0;
        self.tell_when_caught_up().await?;
        Ok(None)
    }

    /// Makes a step known, to readers first.
    async fn folded(&self, step: &Step, epoch: u64) {
        let shared = &self.shared;
        if !shared.serves(self.generation.number) {
            self.generation.position.send_replace(step.sequence);
            shared.rebuilding_sequence.store(step.sequence, Ordering::Relaxed);
            return;
        }
        // Whoever sees the position may ask for the outcome.
        shared.ring.remember(&step.outcomes);
        shared.recent.remember(step);
        self.generation.position.send_replace(step.sequence);
        shared.metrics.sequence.set(i64::try_from(step.sequence).unwrap_or(i64::MAX));
        shared.metrics.count(step);
        for outcome in &step.outcomes {
            if matches!(outcome.verdict, views::Verdict::Froze | views::Verdict::Foreign) {
                tracing::error!(
                    event.sequence = outcome.sequence,
                    "an event cannot be read; its thread stands still"
                );
            }
        }
        announce::announce(shared, step, epoch).await;
    }

    /// Whether the log still is what this generation was folded from. A gap is not a lost log: erasure leaves gaps.
    async fn opened(&mut self) -> anyhow::Result<Option<Ended>> {
        let checkpoint = match self.generation.store.checkpoint() {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Ok(Some(Ended::StoreBroken(error))),
        };
        let at = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.sequence);
        // The log was opened a moment ago; while it cannot be seen, nothing is known and nothing is folded.
        let (head, entry) = loop {
            let seen = async {
                let head = self.shared.journal.look().await?;
                let entry = if at == 0 { None } else { self.shared.journal.read(at).await? };
                Ok::<_, journal::Error>((head, entry))
            };
            tokio::select! {
                () = self.stop.cancelled() => return Ok(Some(Ended::Stopped)),
                seen = seen => match seen {
                    Ok(seen) => break seen,
                    Err(error) => tracing::warn!(%error, "the log's end cannot be seen; trying again"),
                }
            }
            tokio::time::sleep(PASS_INTERVAL).await;
        };
        let found = LogIdentity::of(&head);
        let expected = checkpoint.as_ref().map(LogIdentity::at).or(self.generation.log()).unwrap_or(found);
        let other_message = checkpoint.is_some_and(|checkpoint| {
            entry.is_some_and(|entry| entry.decode().content.message_id() != checkpoint.message_id)
        });
        if found == expected && !other_message && head.sequence >= self.position() {
            self.generation.set_log(found);
            self.tell(Told::Verified(self.generation.number)).await?;
            self.tell_when_caught_up().await?;
            return Ok(None);
        }
        tracing::error!(
            checkpoint.sequence = at,
            log.end = head.sequence,
            "the log is not the one that was folded: it lost its tail or is another; rebuilding"
        );
        Ok(Some(Ended::LogLost { epoch: expected.epoch }))
    }
}
