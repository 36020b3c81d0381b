//! The store: one generation of the read models in a directory of its own.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use domain::{CommentId, Place, SiteId, State, Tally, ThreadId};

use crate::boards::Boards;
use crate::draft::{Draft, Touched, TouchedThread};
use crate::error::Error;
use crate::fold::Outcome;
use crate::inventory::Inventory;
use crate::key_filter::{Lookups, Source};
use crate::keys::{Key, PlaceNo};
use crate::pages::View;
use crate::records::{Checkpoint, Scores};
use crate::steps::Folder;
use crate::value::Value;

/// The layout of keys and values, and the events that are known. Another number is another generation.
pub const SCHEMA: u32 = 6;
/// The only tree.
const TREE: &str = "koe";

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory for sled's cache, in bytes.
    pub cache_bytes: u64,
    /// Memory for what the fold keeps decoded from step to step, in bytes, about.
    pub fold_cache_bytes: usize,
    /// Events in one of the steps that a long batch is cut into while nobody reads: each is prepared while the one before it
    /// is written, and a comment's votes are written once a step.
    pub step_events_max: NonZeroUsize,
    /// What one part of a decision about all threads may cost, in votes that are looked at: how long other events wait for it. A
    /// comment that changes costs as much as 100 of them.
    pub part_cost_max: usize,
    /// How often sled brings what is written to the disk; what a crash takes is folded again.
    pub flush_every_millis: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 256 * 1024 * 1024,
            fold_cache_bytes: 96 * 1024 * 1024,
            step_events_max: const { NonZeroUsize::new(50_000).expect("not zero") },
            part_cost_max: 100_000,
            flush_every_millis: 500,
        }
    }
}

/// One generation of the read models. Share it by `Arc`: one folds, many read.
pub struct Store {
    db: sled::Db,
    pub(crate) tree: sled::Tree,
    source: Source,
    /// Applying a batch and reading a page exclude each other for that moment; readers share.
    pub(crate) gate: RwLock<()>,
    pub(crate) sequence: AtomicU64,
    pub(crate) step_events_max: usize,
    pub(crate) part_cost_max: usize,
    /// What the fold keeps from step to step.
    pub(crate) folder: Mutex<Folder>,
    /// What rankings are read from, kept right by the fold.
    pub(crate) boards: Boards,
    /// Changes only while nobody reads.
    pub(crate) is_whole: AtomicBool,
    /// Of what is stored.
    pub(crate) inventory: Mutex<Inventory>,
    /// Whether some threads have not come to what was decided for their site.
    pub(crate) open: AtomicBool,
    /// Threads that somebody waits for.
    pub(crate) wanted: Mutex<BTreeSet<Place>>,
}

/// What one batch made of the store.
#[derive(Debug)]
pub struct Step {
    /// The last sequence folded now.
    pub sequence: u64,
    /// What came of each message, in log order.
    pub outcomes: Vec<Outcome>,
    /// What readers see otherwise now.
    pub changes: Vec<ThreadChange>,
}

/// A thread that readers see otherwise now.
#[derive(Debug)]
pub struct ThreadChange {
    /// The site.
    pub site: SiteId,
    /// The thread.
    pub thread: ThreadId,
    /// Its rows.
    pub count: u32,
    /// The comments that changed, by number.
    pub comments: Vec<CommentChange>,
}

/// A comment as it is now.
#[derive(Debug)]
pub struct CommentChange {
    /// The comment.
    pub id: CommentId,
    /// Its number.
    pub number: u32,
    /// How it stands.
    pub state: State,
    /// Its votes.
    pub tally: Tally,
}

impl Store {
    /// Opens the store in a directory of its own, or makes it.
    ///
    /// All of it is read once and compared with what was written: it is what was folded up to its checkpoint, or an error.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Error> {
        let db = sled::Config::new()
            .path(dir)
            .mode(sled::Mode::HighThroughput)
            .cache_capacity(options.cache_bytes)
            .flush_every_ms(Some(options.flush_every_millis))
            .open()
            .map_err(|error| match &error {
                sled::Error::Io(io) if io.kind() == std::io::ErrorKind::WouldBlock => Error::InUse,
                sled::Error::Io(io) if io.to_string().contains("could not acquire lock") => Error::InUse,
                _ => Error::Sled(error),
            })?;
        let tree = db.open_tree(TREE)?;
        let checkpoint = tree.get(Key::Checkpoint.encode())?;
        let checkpoint = checkpoint.map(|stored| Checkpoint::from_stored(&stored)).transpose()?;
        if let Some(checkpoint) = checkpoint.as_ref().filter(|checkpoint| checkpoint.schema != SCHEMA) {
            return Err(Error::OtherSchema { found: checkpoint.schema });
        }
        let sequence = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.sequence);
        let (inventory, keys) = Inventory::taken(&tree, sequence)?;
        let source = Source::new(&tree, keys);
        let draft = Draft::new(&source, options.fold_cache_bytes);
        let folder = Folder::new(draft, checkpoint, inventory, &tree)?;
        let open = folder.is_open();
        Ok(Self {
            db,
            tree,
            source,
            gate: RwLock::new(()),
            sequence: AtomicU64::new(sequence),
            step_events_max: options.step_events_max.get(),
            part_cost_max: options.part_cost_max,
            folder: Mutex::new(folder),
            boards: Boards::default(),
            is_whole: AtomicBool::new(true),
            inventory: Mutex::new(inventory),
            open: AtomicBool::new(open),
            wanted: Mutex::default(),
        })
    }

    /// What is folded; `None` before the first batch.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        let stored = self.tree.get(Key::Checkpoint.encode())?;
        stored.map(|stored| Checkpoint::from_stored(&stored)).transpose()
    }

    /// The last sequence that is folded.
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    /// Everything as of one position, for as long as the view is held; folding waits for that long.
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// What the fold asked for since this was opened.
    pub fn lookups(&self) -> Lookups {
        self.source.lookups()
    }

    /// Brings everything written to the disk.
    pub fn flush(&self) -> Result<(), Error> {
        self.db.flush()?;
        Ok(())
    }
}

impl View<'_> {
    /// Comments of a thread as they are now, by number, none of a hidden one; `None` if it is not open.
    pub fn now(&self, place: &Place, numbers: &BTreeSet<u32>) -> Result<Option<ThreadChange>, Error> {
        let Some(id) = &place.thread else { return Ok(None) };
        let Some(record) = self.thread(&place.site, id)?.filter(|thread| thread.opened.is_some()) else {
            return Ok(None);
        };
        let no = PlaceNo(record.place);
        let site_mode = self.site(&place.site)?.map_or(0, |site| site.mode.code);
        let hidden = crate::codes::mode(record.mode.code.max(site_mode))? == domain::Mode::Hidden;
        let mut comments = Vec::with_capacity(numbers.len());
        for &number in numbers.iter().filter(|_| !hidden) {
            let comment = self.row(no, number)?;
            let (id, state) = (crate::pages::id_of(&comment), comment.state()?);
            comments.push(CommentChange { id, number, state, tally: self.tally(no, number)? });
        }
        let (site, thread) = (place.site.clone(), id.clone());
        Ok(Some(ThreadChange { site, thread, count: record.count, comments }))
    }
}

/// What readers see otherwise, by site and thread and number.
pub(crate) fn changes(draft: &mut Draft, touched: &Touched) -> Result<Vec<ThreadChange>, Error> {
    let mut touched: Vec<_> = touched.iter().collect();
    touched.sort_unstable_by(|(_, one), (_, other)| (&one.site, &one.thread).cmp(&(&other.site, &other.thread)));
    let mut changes = Vec::with_capacity(touched.len());
    for (&place, TouchedThread { site, thread, numbers }) in touched {
        let Some(record) = draft.threads.get(&Key::Thread(site, thread))? else {
            continue;
        };
        let count = record.count;
        let mut numbers: Vec<_> = numbers.iter().copied().collect();
        numbers.sort_unstable();
        let mut comments = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(comment) = draft.comments.get(&Key::Comment(place, number))? else {
                continue;
            };
            // What was never shown is nobody's business yet.
            if !comment.shown {
                continue;
            }
            let (id, state) = (crate::pages::id_of(comment), comment.state()?);
            let (chunk, slot) = Scores::place_of(number);
            let scores = draft.scores.get(&Key::Scores(place, chunk))?;
            let tally = scores.map(|scores| scores.get(slot)).unwrap_or_default();
            comments.push(CommentChange { id, number, state, tally });
        }
        if !comments.is_empty() {
            changes.push(ThreadChange { site: site.clone(), thread: thread.clone(), count, comments });
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store in which a thread froze at an event of a newer release is folded anew by that release.
    #[test]
    fn a_new_event_is_a_new_schema() {
        assert_eq!((SCHEMA, domain::Event::KINDS.len()), (6, 28), "count both up");
    }
}
