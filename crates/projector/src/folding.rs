//! One generation's fold: catch-up and live in one loop that outlives reconnects and ended consumers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use journal::{Contents, Entry, Step as LogStep};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use views::{Checkpoint, Step, Store};

use crate::announce;
use crate::limits::PASS_INTERVAL;
use crate::shared::{Generation, Shared};

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

/// Folds until the stop; tells `caught_up` once when the log's end is reached.
pub(crate) async fn run(
    shared: Arc<Shared>,
    generation: Arc<Generation>,
    caught_up: mpsc::Sender<u32>,
    stop: CancellationToken,
) -> anyhow::Result<Ended> {
    let mut follower = shared.journal.follow(generation.store.sequence(), Contents::Whole);
    let mut tick = tokio::time::interval(PASS_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut caught_up = Some(caught_up);
    let mut quiet = false;
    loop {
        let step = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Ended::Stopped),
            step = follower.next() => Some(step),
            _ = tick.tick() => None,
        };
        match step {
            Some(LogStep::Opened) => {
                if let Some(lost) = log_lost(&shared, &generation).await? {
                    return Ok(lost);
                }
            }
            Some(LogStep::Batch(entries)) => {
                quiet = false;
                match fold(&shared, &generation, entries).await? {
                    Ok(step) => arrived(&shared, &generation, &step).await,
                    Err(error) => return Ok(Ended::StoreBroken(error)),
                }
            }
            None => {
                if quiet && let Some(lost) = pass(&shared, &generation).await? {
                    return Ok(lost);
                }
                quiet = true;
            }
        }
        let position = *generation.position.borrow();
        if caught_up.is_some() && position >= shared.head.borrow().sequence {
            // The head may be a moment old: what came since is folded next.
            let now = shared.journal.look().await.map_or(u64::MAX, |head| head.sequence);
            if position >= now
                && let Some(caught_up) = caught_up.take()
            {
                caught_up.send(generation.number).await.context("the manager is gone")?;
            }
        }
    }
}

async fn fold(
    shared: &Shared,
    generation: &Generation,
    entries: Vec<Entry>,
) -> anyhow::Result<Result<Step, views::Error>> {
    let store = Arc::clone(&generation.store);
    let (stream, head) = (shared.journal.stream().to_owned(), *shared.head.borrow());
    let timer = shared.metrics.step.start_timer();
    // The disk has a thread of its own; answers go on meanwhile.
    let step = tokio::task::spawn_blocking(move || {
        let recorded: Vec<_> = entries.iter().map(Entry::decode).collect();
        store.fold(&recorded, (&stream, head.created_nanos, head.epoch))
    });
    let step = step.await.context("the fold broke")?;
    timer.observe_duration();
    Ok(step)
}

/// Makes a step known, to readers first.
async fn arrived(shared: &Shared, generation: &Generation, step: &Step) {
    if !shared.serves(generation.number) {
        generation.position.send_replace(step.sequence);
        shared.rebuilding_sequence.store(step.sequence, Ordering::Relaxed);
        return;
    }
    // Whoever sees the position may ask for the outcome.
    shared.ring.remember(&step.outcomes);
    generation.position.send_replace(step.sequence);
    shared.metrics.sequence.set(i64::try_from(step.sequence).unwrap_or(i64::MAX));
    shared.metrics.count(step);
    for recorded in &step.outcomes {
        if matches!(recorded.verdict, views::Verdict::Froze | views::Verdict::Foreign) {
            tracing::error!(
                event.sequence = recorded.sequence,
                "an event cannot be read; its thread stands still"
            );
        }
    }
    announce::announce(shared, step).await;
}

/// Passes gaps and foreign messages up to the log's end (law 9). A passed position is never a checkpoint.
async fn pass(shared: &Shared, generation: &Generation) -> anyhow::Result<Option<Ended>> {
    let head = *shared.head.borrow();
    if let Some(checkpoint) = generation.store.checkpoint()?
        && (head.epoch != checkpoint.epoch || head.created_nanos != checkpoint.created_nanos)
    {
        return log_lost(shared, generation).await;
    }
    let position = *generation.position.borrow();
    if head.sequence > position && shared.journal.is_empty_between(position, head.sequence).await.unwrap_or(false)
    {
        generation.position.send_replace(head.sequence);
    }
    Ok(None)
}

/// Whether the log still is what this generation was folded from. A gap is not a lost log: erasure leaves gaps.
async fn log_lost(shared: &Shared, generation: &Generation) -> anyhow::Result<Option<Ended>> {
    let Some(checkpoint) = checkpoint(&generation.store)? else {
        return Ok(None);
    };
    // The log was opened a moment ago; while it cannot be seen, nothing is known and nothing is folded.
    let (head, at_checkpoint) = loop {
        let seen = async {
            let head = shared.journal.look().await?;
            Ok::<_, journal::Error>((head, shared.journal.read(checkpoint.sequence).await?))
        };
        match seen.await {
            Ok(seen) => break seen,
            Err(error) => tracing::warn!(%error, "the log's end cannot be seen; trying again"),
        }
        tokio::time::sleep(PASS_INTERVAL).await;
    };
    let other_message =
        at_checkpoint.is_some_and(|entry| entry.decode().content.message_id() != checkpoint.message_id);
    let same = head.created_nanos == checkpoint.created_nanos
        && head.epoch == checkpoint.epoch
        && head.sequence >= checkpoint.sequence
        && !other_message;
    if same {
        return Ok(None);
    }
    tracing::error!(
        checkpoint.sequence,
        log.end = head.sequence,
        "the log is not the one that was folded: it lost its tail or is another; rebuilding"
    );
    Ok(Some(Ended::LogLost { epoch: checkpoint.epoch }))
}

fn checkpoint(store: &Store) -> anyhow::Result<Option<Checkpoint>> {
    store.checkpoint().context("the checkpoint cannot be read")
}
