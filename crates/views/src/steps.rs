//! Steps of the fold: a batch of the log becomes one sled batch that includes the checkpoint.
//!
//! A step is prepared out of the tables and then written. While a generation catches up, the next is prepared during the
//! writing: it finds in the tables whatever the one before it has changed, so it never asks the store for that.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread::{self, ScopedJoinHandle};

use domain::{Place, Recorded, SiteId};

use crate::draft::{Draft, Touched};
use crate::error::Error;
use crate::fold::{self, Outcome};
use crate::inventory::Inventory;
use crate::keys::{Key, prefix};
use crate::records::{Checkpoint, Site};
use crate::store::{SCHEMA, Step, Store, changes};
use crate::table::Writes;
use crate::value::Value;

/// A log in a checkpoint: {stream, created, epoch}.
type Log<'l> = (&'l str, i64, u64);

/// Threads that somebody waits for come first in the next part.
const WANTED_MAX: usize = 1_000;

/// So many values' pages go at once. A few would do if nobody read at the time; where nothing is left to free it costs next to
/// nothing.
const WRITES_FREED_AT_ONCE: usize = 8;

/// What is prepared, which may be one step ahead of what is written.
pub(crate) struct Folder {
    draft: Draft,
    sequence: u64,
    /// Of the last step; `None` before the first one.
    checkpoint: Option<Checkpoint>,
    inventory: Inventory,
}

/// A step that waits to be written.
struct Prepared {
    /// With how many values it has; `None` if nothing in it was new.
    batch: Option<(sled::Batch, usize)>,
    sequence: u64,
    inventory: Inventory,
    touched: Touched,
    /// Whether a sweep is open after it.
    open: bool,
}

impl Folder {
    /// Goes on from what is stored.
    pub(crate) fn new(
        mut draft: Draft,
        checkpoint: Option<Checkpoint>,
        inventory: Inventory,
        tree: &sled::Tree,
    ) -> Result<Self, Error> {
        draft.open = open_sites(tree, checkpoint.as_ref())?;
        Ok(Self { draft, sequence: inventory.sequence, checkpoint, inventory })
    }

    /// Whether a sweep is open.
    pub(crate) fn is_open(&self) -> bool {
        !self.draft.open.is_empty()
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
        self.settle_touched()?;
        let (stream, created_nanos, epoch) = log;
        let checkpoint = last.map(|last| Checkpoint {
            stream: stream.to_owned(),
            created_nanos,
            epoch,
            sequence: self.sequence,
            open: 0,
            message_id: last.content.message_id(),
            schema: SCHEMA,
        });
        Ok((self.prepared(checkpoint)?, outcomes))
    }

    /// What a step announces is as of its end: a thread that something happened to comes to what was decided after that, too.
    fn settle_touched(&mut self) -> Result<(), Error> {
        if !self.is_open() {
            return Ok(());
        }
        let touched = self.draft.touched.values();
        let touched = touched.map(|it| Place { site: it.site.clone(), thread: Some(it.thread.clone()) });
        for place in touched.collect::<Vec<_>>() {
            fold::settle(&mut self.draft, &place)?;
        }
        Ok(())
    }

    /// A part of what is decided for all threads of a site: threads that somebody waits for first.
    fn prepare_part(&mut self, store: &Store, wanted: &BTreeSet<Place>) -> Result<Prepared, Error> {
        for place in wanted {
            fold::settle(&mut self.draft, place)?;
        }
        // What the sweep scans must be stored: nothing of the audit is changed by settling threads.
        if let Some(site) = self.draft.open.first().cloned() {
            fold::sweep(&mut self.draft, &store.tree, &site, store.part_cost_max)?;
        }
        self.prepared(self.checkpoint.clone())
    }

    fn prepared(&mut self, checkpoint: Option<Checkpoint>) -> Result<Prepared, Error> {
        let touched = std::mem::take(&mut self.draft.touched);
        let batch = checkpoint.map(|checkpoint| self.write(checkpoint)).transpose()?;
        let (sequence, inventory, open) = (self.sequence, self.inventory, self.is_open());
        Ok(Prepared { batch, sequence, inventory, touched, open })
    }

    fn write(&mut self, mut checkpoint: Checkpoint) -> Result<(sled::Batch, usize), Error> {
        checkpoint.open = u32::try_from(self.draft.open.len()).unwrap_or(u32::MAX);
        self.draft.lists.settle()?;
        let mut writes = Writes { batch: sled::Batch::default(), count: 0, inventory: self.inventory };
        self.draft.write(&mut writes)?;
        let Writes { mut batch, count, mut inventory } = writes;
        inventory.sequence = self.sequence;
        self.inventory = inventory;
        batch.insert(Key::Checkpoint.encode().as_slice(), checkpoint.to_stored());
        self.checkpoint = Some(checkpoint);
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
            while folder.is_open() {
                self.commit(folder.prepare_part(self, &BTreeSet::new())?)?;
            }
            Ok(folder.sequence)
        })
    }

    /// Carries out a part of what was decided for all threads of a site, if some have not come to it yet: a step like others, at
    /// the same sequence. `None` if there is nothing to do.
    pub fn carry_on(&self) -> Result<Option<Step>, Error> {
        if !self.is_open() {
            return Ok(None);
        }
        self.with_folder(|folder| {
            let wanted = std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
            let prepared = folder.prepare_part(self, &wanted)?;
            let changes = changes(&mut folder.draft, &prepared.touched)?;
            let sequence = prepared.sequence;
            self.commit(prepared)?;
            Ok(Some(Step { sequence, outcomes: Vec::new(), changes }))
        })
    }

    /// Whether some threads have not come to what was decided for their site.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Somebody waits for a thread to come to what was decided for its site: the next part begins with it.
    pub fn want(&self, place: &Place) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < WANTED_MAX {
            wanted.insert(place.clone());
        }
    }

    fn with_folder<R>(&self, work: impl FnOnce(&mut Folder) -> Result<R, Error>) -> Result<R, Error> {
        let mut folder = self.folder.lock().or(Err(Error::Damaged("it broke while a batch was folded")))?;
        let done = work(&mut folder);
        if done.is_err() {
            // What the tables hold now was not written, and nothing is being written any more.
            folder.draft.clear();
            folder.checkpoint = self.checkpoint()?;
            folder.draft.open = open_sites(&self.tree, folder.checkpoint.as_ref())?;
            folder.inventory = *self.inventory.lock().unwrap_or_else(PoisonError::into_inner);
            folder.sequence = self.sequence();
        }
        done
    }

    /// Writes a step, and lets readers see it.
    fn commit(&self, prepared: Prepared) -> Result<(), Error> {
        let Prepared { batch: Some((batch, count)), sequence, inventory, touched, open } = prepared else {
            return Ok(());
        };
        let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        // A batch that breaks halfway may be there in part until the store is opened again.
        self.is_whole.store(false, Ordering::Release);
        self.tree.apply_batch(batch)?;
        self.is_whole.store(true, Ordering::Release);
        self.sequence.store(sequence, Ordering::Release);
        self.open.store(open, Ordering::Release);
        for (thread, touched) in &touched {
            self.boards.patch(&self.tree, *thread, &touched.numbers);
        }
        drop(gate);
        free_pages(count);
        *self.inventory.lock().unwrap_or_else(PoisonError::into_inner) = inventory;
        Ok(())
    }
}

/// The sites whose sweeps are open, as the store has it.
fn open_sites(tree: &sled::Tree, checkpoint: Option<&Checkpoint>) -> Result<BTreeSet<SiteId>, Error> {
    let mut open = BTreeSet::new();
    if checkpoint.is_none_or(|checkpoint| checkpoint.open == 0) {
        return Ok(open);
    }
    let prefix = prefix::sites();
    for entry in tree.scan_prefix(&prefix) {
        let (key, stored) = entry?;
        let site = Site::from_stored(&stored)?;
        if site.swept < site.decisions {
            open.insert(crate::digest::parse(key.get(prefix.len()..).unwrap_or_default())?);
        }
    }
    Ok(open)
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
            recorded(
                3,
                Some("t"),
                Event::CommentPosted { parent: None, text, quotes, length, held: None, original_time: None },
            ),
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
