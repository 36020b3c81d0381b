//! One generation's fold: catch-up and live in one loop that outlives reconnects and ended consumers.

mod steps;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use journal::Contents;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use views::Step;

use crate::announce;
use crate::limits::{CATCH_UP_EVENTS_MAX, HEAD_AGE_MAX, LIVE_EVENTS_MAX, PASS_INTERVAL, STALLED_TICKS_MAX};
use crate::pace::Pace;
use crate::shared::{Generation, LogIdentity, Shared};
use steps::{Folded, Gathered, Read, Stepped, UnderWay, done, fold, read};

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
    /// What is read and waits for the fold: nothing while live, much while catching up.
    gathered: Gathered,
    /// The step that is being folded.
    step: Option<UnderWay>,
    /// Whether the next step is a part of what was decided for all threads of a site, if that is not carried out yet.
    part_next: bool,
}

/// Folds until the stop, or until that makes no sense any more.
pub(crate) async fn run(
    shared: Arc<Shared>,
    generation: Arc<Generation>,
    manager: mpsc::Sender<Told>,
    stop: CancellationToken,
) -> anyhow::Result<Ended> {
    let folding = Folding {
        shared,
        generation,
        manager,
        stop,
        caught_up: false,
        quiet_ticks: 0,
        stalled_ticks: 0,
        gathered: Gathered::default(),
        step: None,
        part_next: false,
    };
    folding.run().await
}

impl Folding {
    async fn run(mut self) -> anyhow::Result<Ended> {
        let journal = self.shared.journal.clone();
        let mut follower = journal.follow(self.position(), Contents::Whole);
        let mut tick = tokio::time::interval(PASS_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let read = {
                // Pinned over the ticks: dropped halfway, opening the log would begin again, on a slow broker for ever.
                let mut next = pin!(read(&mut follower));
                loop {
                    let ended = tokio::select! {
                        biased;
                        () = self.stop.cancelled() => Some(self.stopped().await?),
                        step = done(&mut self.step) => self.folded(step).await?,
                        read = &mut next, if self.gathered.has_room(self.events_max()) => break Some(read?),
                        _ = tick.tick() => self.tick().await?,
                    };
                    if let Some(ended) = ended {
                        return Ok(ended);
                    }
                    if self.stalled_ticks > STALLED_TICKS_MAX {
                        break None;
                    }
                }
            };
            self.quiet_ticks = 0;
            let ended = match read {
                Some(Read::Opened) => self.opened().await?,
                Some(Read::Batch(batch)) => {
                    self.gathered.add(batch);
                    self.begin_step();
                    None
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

    /// Events in one step, for now. Readers of a serving generation wait for a step to be written.
    fn events_max(&self) -> usize {
        let serves = self.shared.serves(self.generation.number);
        if serves { LIVE_EVENTS_MAX } else { CATCH_UP_EVENTS_MAX }
    }

    /// Begins a step, unless one is under way: with what was gathered (the slower the fold, the larger its steps), and in turns
    /// with that, a part of what was decided for all threads of a site.
    fn begin_step(&mut self) {
        let Some(log) = self.generation.log() else { return };
        if self.step.is_some() {
            return;
        }
        if self.generation.store.is_open() && (self.part_next || self.gathered.is_empty()) {
            self.part_next = false;
            return self.begin_part();
        }
        if self.gathered.is_empty() {
            return;
        }
        self.part_next = true;
        let recorded = self.gathered.take(self.events_max());
        let (store, stream) = (Arc::clone(&self.generation.store), self.shared.journal.stream().to_owned());
        let serves = self.shared.serves(self.generation.number);
        let duration = self.shared.metrics.step.clone();
        let turn = self.turn();
        self.step = Some(Box::pin(async move {
            if !turn.await {
                return Ok(Ok(Folded::NotBegun));
            }
            // The disk has a thread of its own; answers go on meanwhile.
            let step = tokio::task::spawn_blocking(move || {
                let timer = duration.start_timer();
                let step = fold(&store, &recorded, (&stream, log.created_nanos, log.epoch), serves);
                timer.observe_duration();
                step
            });
            step.await
        }));
    }

    fn begin_part(&mut self) {
        let (store, duration) = (Arc::clone(&self.generation.store), self.shared.metrics.part.clone());
        let turn = self.turn();
        self.step = Some(Box::pin(async move {
            if !turn.await {
                return Ok(Ok(Folded::NotBegun));
            }
            let part = tokio::task::spawn_blocking(move || {
                let timer = duration.start_timer();
                let part = store.carry_on().map(|part| part.map_or(Folded::NotBegun, Folded::Part));
                timer.observe_duration();
                part
            });
            part.await
        }));
    }

    /// Waits until a step may begin: what is served goes first. False if there is a stop before that.
    fn turn(&self) -> impl Future<Output = bool> + Send + use<> {
        let (shared, number, stop) = (Arc::clone(&self.shared), self.generation.number, self.stop.clone());
        let goes_first = self.generation.goes_first.clone();
        async move {
            if let Some(mut paused) = shared.fold_paused.clone() {
                // A benchmark wants the fold to stand still. One that is gone holds nobody up.
                stop.run_until_cancelled(paused.wait_for(|paused| !paused)).await;
            }
            let mut pace = Pace::new(shared.head.clone(), shared.serving.subscribe(), goes_first);
            if !pace.must_wait(number) {
                return true;
            }
            shared.metrics.rebuild_pauses.inc();
            stop.run_until_cancelled(pace.turn(number)).await.is_some()
        }
    }

    /// Finishes the step that is under way, so that the position stands still afterwards.
    async fn stopped(&mut self) -> anyhow::Result<Ended> {
        self.gathered = Gathered::default();
        let ended = match self.step.take() {
            Some(step) => self.folded(step.await).await?,
            None => None,
        };
        Ok(ended.unwrap_or(Ended::Stopped))
    }

    /// Finishes everything that was read.
    async fn finish_gathered(&mut self) -> anyhow::Result<Option<Ended>> {
        self.begin_step();
        while let Some(step) = self.step.take() {
            if let Some(ended) = self.folded(step.await).await? {
                return Ok(Some(ended));
            }
        }
        Ok(None)
    }

    fn position(&self) -> u64 {
        *self.generation.position.borrow()
    }

    /// While nothing arrives: is the log still the same, may gaps be passed, is the end reached?
    async fn tick(&mut self) -> anyhow::Result<Option<Ended>> {
        self.quiet_ticks += 1;
        let head = *self.shared.head.borrow();
        let Some(identity) = self.generation.log() else { return Ok(None) };
        self.begin_step();
        if LogIdentity::of(&head) != identity {
            return self.opened().await;
        }
        let idle = self.step.is_none() && self.gathered.is_empty();
        if idle && self.quiet_ticks > 1 && head.sequence > self.position() {
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

    async fn tell(&mut self, told: Told) -> anyhow::Result<()> {
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            sent = self.manager.send(told) => sent.context("the manager is gone"),
        }
    }

    /// Takes in what came of a step, and begins the next one.
    async fn folded(&mut self, step: Stepped) -> anyhow::Result<Option<Ended>> {
        self.step = None;
        match step {
            Ok(Ok(Folded::Told(step))) => self.make_known(&step).await,
            Ok(Ok(Folded::Quietly(sequence))) => self.pass_quietly(sequence),
            Ok(Ok(Folded::Part(step))) => self.make_part_known(&step).await,
            Ok(Ok(Folded::NotBegun)) => return Ok(None),
            Ok(Err(error)) => return Ok(Some(Ended::StoreBroken(error))),
            // sled panics over some damage, which is damage like any other here.
            Err(broken) => {
                tracing::error!(error = %broken, "the fold broke");
                return Ok(Some(Ended::StoreBroken(views::Error::Damaged("it broke while a batch was folded"))));
            }
        }
        self.begin_step();
        self.stalled_ticks = 0;
        self.tell_when_caught_up().await?;
        Ok(None)
    }

    fn pass_quietly(&self, sequence: u64) {
        if self.shared.serves(self.generation.number) {
            // It began to serve meanwhile: what this step changed is remembered by nobody.
            self.shared.recent.begin(|| sequence);
        }
        self.generation.position.send_replace(sequence);
        self.tell_progress(sequence);
    }

    fn tell_progress(&self, sequence: u64) {
        let shared = &self.shared;
        if shared.rebuilding.load(Ordering::Relaxed) == self.generation.number {
            shared.rebuilding_sequence.store(sequence, Ordering::Relaxed);
            shared.metrics.rebuilt(sequence, shared.head.borrow().sequence);
        }
    }

    /// Makes a step known, to readers first.
    async fn make_known(&mut self, step: &Step) {
        let epoch = self.generation.epoch();
        let shared = &self.shared;
        if !shared.serves(self.generation.number) {
            self.generation.position.send_replace(step.sequence);
            self.tell_progress(step.sequence);
            return;
        }
        // Whoever sees the position may ask for the outcome.
        shared.ring.remember(&step.outcomes);
        shared.recent.remember(step);
        self.generation.position.send_replace(step.sequence);
        shared.metrics.sequence.set(i64::try_from(step.sequence).unwrap_or(i64::MAX));
        shared.metrics.count(step);
        log(step);
        announce::announce(shared, step, epoch).await;
    }

    /// Makes known what a part changed. It belongs to what was folded before, so that no position moves.
    async fn make_part_known(&mut self, step: &Step) {
        let shared = &self.shared;
        let serves = shared.serves(self.generation.number);
        if serves {
            shared.recent.remember(step);
        }
        self.generation.parts.send_modify(|parts| *parts = parts.wrapping_add(1));
        if serves {
            announce::announce(shared, step, self.generation.epoch()).await;
        }
    }

    /// Whether the log still is what this generation was folded from. A gap is not a lost log: erasure leaves gaps.
    async fn opened(&mut self) -> anyhow::Result<Option<Ended>> {
        // What was read before the break is part of what is looked at.
        if let Some(ended) = self.finish_gathered().await? {
            return Ok(Some(ended));
        }
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

/// What came of each event, by the id of its command: the end of the way that begins where the command was sent.
fn log(step: &Step) {
    for outcome in &step.outcomes {
        let id = outcome.id.as_ref().map(tracing::field::display);
        let (event, verdict) = (outcome.kind, outcome.verdict);
        match verdict {
            views::Verdict::Froze | views::Verdict::Foreign => tracing::error!(
                event.sequence = outcome.sequence,
                "an event cannot be read; its thread stands still"
            ),
            _ => tracing::debug!(
                command.id = id,
                event.sequence = outcome.sequence,
                event.r#type = event,
                ?verdict,
                "an event is folded"
            ),
        }
    }
}
