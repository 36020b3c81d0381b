//! Steps of the fold: a batch of the log becomes one sled batch that includes the checkpoint.
//!
//! A step is prepared out of the tables and then written. While a generation catches up, the next is prepared during the
//! writing: it finds in the tables whatever the one before it has changed, so it never asks the store for that.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread::{self, ScopedJoinHandle};

use domain::Recorded;

use crate::draft::{Draft, Touched};
use crate::error::Error;
use crate::fold::{self, Outcome};
use crate::inventory::Inventory;
use crate::keys::Key;
use crate::records::Checkpoint;
use crate::store::{SCHEMA, Step, Store, changes};
use crate::table::Writes;
use crate::value::Value;

/// A log in a checkpoint: {stream, created, epoch}.
type Log<'l> = (&'l str, i64, u64);

/// So many values' pages go at once. A few would do if nobody read at the time; where nothing is left to free it costs next to
/// nothing.
const WRITES_FREED_AT_ONCE: usize = 8;

/// What is prepared, which may be one step ahead of what is written.
pub(crate) struct Folder {
    draft: Draft,
    sequence: u64,
    inventory: Inventory,
}

/// A step that waits to be written.
struct Prepared {
    /// With how many values it has; `None` if nothing in it was new.
    batch: Option<(sled::Batch, usize)>,
    sequence: u64,
    inventory: Inventory,
    touched: Touched,
}

impl Folder {
    /// Goes on from what is stored.
    pub(crate) fn new(draft: Draft, inventory: Inventory) -> Self {
        Self { draft, sequence: inventory.sequence, inventory }
    }

    fn prepare(&mut self, batch: &[Recorded], log: Log<'_>) -> Result<(Prepared, Vec<Outcome>), Error> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut last = None;
        for recorded in batch {
            if recorded.sequence <= self.sequence {
                continue;
            }
            outcomes.push(fold::fold(&mut self.draft, recorded)?);
            self.sequence = recorded.sequence;
            last = Some(recorded);
        }
        let touched = std::mem::take(&mut self.draft.touched);
        let batch = last.map(|last| self.write(last, log)).transpose()?;
        Ok((Prepared { batch, sequence: self.sequence, inventory: self.inventory, touched }, outcomes))
    }

    fn write(
        &mut self,
        last: &Recorded,
        (stream, created_nanos, epoch): Log<'_>,
    ) -> Result<(sled::Batch, usize), Error> {
        self.draft.lists.settle()?;
        let mut writes = Writes { batch: sled::Batch::default(), count: 0, inventory: self.inventory };
        self.draft.write(&mut writes)?;
        let Writes { mut batch, count, mut inventory } = writes;
        inventory.sequence = self.sequence;
        self.inventory = inventory;
        let checkpoint = Checkpoint {
            stream: stream.to_owned(),
            created_nanos,
            epoch,
            sequence: self.sequence,
            part: 0,
            message_id: last.content.message_id(),
            schema: SCHEMA,
        };
        batch.insert(Key::Checkpoint.encode().as_slice(), checkpoint.to_stored());
        batch.insert(Key::Inventory.encode().as_slice(), self.inventory.to_stored());
        Ok((batch, count))
    }
}

impl Store {
    /// Folds a batch, whole or not at all. `log` names the log in the checkpoint: {stream, created, epoch}.
    ///
    /// Messages that are folded already are passed over, so that a batch may be given twice.
    pub fn fold(&self, batch: &[Recorded], log: (&str, i64, u64)) -> Result<Step, Error> {
        self.with_folder(|folder| {
            let (prepared, outcomes) = folder.prepare(batch, log)?;
            let changes = changes(&mut folder.draft, &prepared.touched)?;
            let sequence = prepared.sequence;
            self.commit(prepared)?;
            Ok(Step { sequence, outcomes, changes })
        })
    }

    /// The same for a generation that nobody reads yet, in one or several steps: the last sequence folded now, and nothing of
    /// what changed. After an error a beginning of the batch may be folded.
    pub fn catch_up(&self, batch: &[Recorded], log: (&str, i64, u64)) -> Result<u64, Error> {
        self.with_folder(|folder| {
            thread::scope(|scope| {
                let mut writing: Option<ScopedJoinHandle<'_, Result<(), Error>>> = None;
                for part in batch.chunks(self.step_events_max) {
                    let (prepared, _) = folder.prepare(part, log)?;
                    written(writing.take())?;
                    writing = Some(scope.spawn(move || self.commit(prepared)));
                }
                written(writing)
            })?;
            Ok(folder.sequence)
        })
    }

    fn with_folder<R>(&self, work: impl FnOnce(&mut Folder) -> Result<R, Error>) -> Result<R, Error> {
        let mut folder = self.folder.lock().or(Err(Error::Damaged("it broke while a batch was folded")))?;
        let done = work(&mut folder);
        if done.is_err() {
            // What the tables hold now was not written, and nothing is being written any more.
            folder.draft.clear();
            folder.inventory = *self.inventory.lock().unwrap_or_else(PoisonError::into_inner);
            folder.sequence = self.sequence();
        }
        done
    }

    /// Writes a step, and lets readers see it.
    fn commit(&self, prepared: Prepared) -> Result<(), Error> {
        let Prepared { batch: Some((batch, count)), sequence, inventory, touched } = prepared else {
            return Ok(());
        };
        let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        // A batch that breaks halfway may be there in part until the store is opened again.
        self.is_whole.store(false, Ordering::Release);
        self.tree.apply_batch(batch)?;
        self.is_whole.store(true, Ordering::Release);
        self.sequence.store(sequence, Ordering::Release);
        for (thread, touched) in &touched {
            self.boards.patch(&self.tree, *thread, &touched.numbers);
        }
        drop(gate);
        free_pages(count);
        *self.inventory.lock().unwrap_or_else(PoisonError::into_inner) = inventory;
        Ok(())
    }
}

/// Waits until a step is written. sled panics over some damage, which is damage like any other here.
fn written(writing: Option<ScopedJoinHandle<'_, Result<(), Error>>>) -> Result<(), Error> {
    let Some(writing) = writing else { return Ok(()) };
    writing.join().unwrap_or(Err(Error::Damaged("it broke while a batch was written")))
}

/// Frees the pages that a batch replaced. sled keeps each until no reader can see it, frees a few whenever it is asked for
/// something, and none while it writes a batch: after a large one there are hundreds of megabytes.
fn free_pages(written: usize) {
    for _ in 0..written.div_ceil(WRITES_FREED_AT_ONCE) {
        sled::pin().flush();
    }
}

#[cfg(test)]
mod tests {
    use domain::text::Text;
    use domain::{Actor, CommandId, CommentId, Content, Envelope, Event, Place, Role, Timestamp, Vote};

    use super::*;
    use crate::fold::Verdict;
    use crate::keys::PlaceNo;
    use crate::store::Options;

    const LOG: Log<'_> = ("test", 0, 1);

    fn recorded(sequence: u64, thread: Option<&str>, event: Event) -> Recorded {
        let actor = Actor { id: "ann".parse().unwrap(), roles: [Role::Administrator].into_iter().collect() };
        let (id, time) = (CommandId::from_u128(u128::from(sequence)), Timestamp(0));
        let place = Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) };
        let content = Content::Event(Envelope { id, time, actor, event });
        Recorded { sequence, place: Some(place), content }
    }

    fn named(sequence: u64) -> Recorded {
        recorded(
            sequence,
            None,
            Event::AuthorNamed { author: "ann".parse().unwrap(), name: format!("Ann {sequence}").into() },
        )
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind_and_comes_to_the_same_later() {
        let dir = tempfile::tempdir().unwrap();
        // Everything is forgotten at once, so that the store is read.
        let store = Store::open(dir.path(), Options { fold_cache_bytes: 0, ..Options::default() }).unwrap();
        let (headline, text) = ("".into(), Text::recorded("words"));
        let (length, quotes) = (text.length(), Vec::new());
        let opened = Event::ThreadOpened {
            headline,
            address: "".into(),
            category: "".into(),
            published: None,
            closes_at: None,
        };
        let begun = [
            recorded(1, None, Event::SiteOpened { name: "S".into(), zone: "UTC".into() }),
            recorded(2, Some("t"), opened),
            recorded(3, Some("t"), Event::CommentPosted { parent: None, text, quotes, length, held: None }),
            named(4),
            named(5),
            named(6),
        ];
        for one in &begun {
            store.fold(std::slice::from_ref(one), LOG).unwrap();
        }
        let comment = Key::Command(PlaceNo(2), CommandId::from_u128(3)).encode();
        let sound = store.tree.insert(&comment, b"damaged".as_slice()).unwrap().unwrap();
        let vote = Event::VoteCast { comment: CommentId(CommandId::from_u128(3)), vote: Vote::Up };
        let mut vote = recorded(8, Some("t"), vote);
        if let Content::Event(envelope) = &mut vote.content {
            envelope.actor.id = "ben".parse().unwrap();
        }
        let batch = [named(7), vote];
        assert!(matches!(store.fold(&batch, LOG), Err(Error::Damaged(_))));
        assert!(matches!(store.catch_up(&batch, LOG), Err(Error::Damaged(_))));
        assert_eq!(store.sequence(), 6);
        store.tree.insert(&comment, sound).unwrap();
        let step = store.fold(&batch, LOG).unwrap();
        let verdicts: Vec<_> = step.outcomes.iter().map(|outcome| outcome.verdict).collect();
        assert_eq!(verdicts, [Verdict::Applied, Verdict::Applied]);
        assert_eq!(*store.inventory.lock().unwrap(), Inventory::taken(&store.tree, 8).unwrap().0);
    }
}
