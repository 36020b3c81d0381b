//! What a batch has read and changed: everything the fold touches, loaded once, written once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{AuthorId, Place, SiteId, ThreadId};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::records::{
    Address, Audit, Author, Command, Comment, Flag, FormerName, Frozen, Outline, Resolution, Scores, Settings,
    Site, Thread, VoterIds, Words,
};
use crate::value::Value;

/// Values of one type, by their keys.
pub(crate) struct Table<V> {
    slots: HashMap<Vec<u8>, Slot<V>, foldhash::fast::RandomState>,
}

struct Slot<V> {
    value: Option<V>,
    changed: bool,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { slots: HashMap::default() }
    }
}

impl<V: Value> Table<V> {
    fn slot(&mut self, tree: &sled::Tree, key: &Key<'_>) -> Result<&mut Slot<V>, Error> {
        match self.slots.entry(key.encode()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let value = tree.get(vacant.key())?.map(|stored| V::from_stored(&stored)).transpose()?;
                Ok(vacant.insert(Slot { value, changed: false }))
            }
        }
    }

    pub(crate) fn get(&mut self, tree: &sled::Tree, key: &Key<'_>) -> Result<Option<&V>, Error> {
        Ok(self.slot(tree, key)?.value.as_ref())
    }

    /// The value, for a change.
    pub(crate) fn change(&mut self, tree: &sled::Tree, key: &Key<'_>) -> Result<&mut Option<V>, Error> {
        let slot = self.slot(tree, key)?;
        slot.changed = true;
        Ok(&mut slot.value)
    }

    /// Puts a value there without looking at what was.
    pub(crate) fn put(&mut self, key: &Key<'_>, value: V) {
        self.slots.insert(key.encode(), Slot { value: Some(value), changed: true });
    }

    /// Sees to it that nothing is there.
    pub(crate) fn remove(&mut self, key: &Key<'_>) {
        self.slots.insert(key.encode(), Slot { value: None, changed: true });
    }

    fn write(self, batch: &mut sled::Batch) {
        for (key, slot) in self.slots {
            match slot.value {
                Some(value) if slot.changed => batch.insert(key, value.to_stored()),
                None if slot.changed => batch.remove(key),
                _ => {}
            }
        }
    }
}

/// Everything that a batch touches.
pub(crate) struct Draft<'s> {
    pub(crate) tree: &'s sled::Tree,
    pub(crate) counts: Table<u32>,
    pub(crate) sites: Table<Site>,
    pub(crate) threads: Table<Thread>,
    pub(crate) settings: Table<Settings>,
    pub(crate) texts: Table<String>,
    pub(crate) voter_ids: Table<VoterIds>,
    pub(crate) authors: Table<Author>,
    pub(crate) former_names: Table<FormerName>,
    pub(crate) addresses: Table<Address>,
    pub(crate) comments: Table<Comment>,
    pub(crate) words: Table<Words>,
    pub(crate) flags: Table<Flag>,
    pub(crate) resolutions: Table<Resolution>,
    pub(crate) audits: Table<Audit>,
    pub(crate) scores: Table<Scores>,
    pub(crate) outlines: Table<Outline>,
    pub(crate) voters: Table<RoaringBitmap>,
    pub(crate) commands: Table<Command>,
    pub(crate) frozen: Table<Frozen>,
    pub(crate) void: Table<u64>,
    /// The comments that readers see otherwise now.
    pub(crate) touched: BTreeMap<(SiteId, ThreadId), BTreeSet<u32>>,
}

impl<'s> Draft<'s> {
    pub(crate) fn new(tree: &'s sled::Tree) -> Self {
        Self {
            tree,
            counts: Table::default(),
            sites: Table::default(),
            threads: Table::default(),
            settings: Table::default(),
            texts: Table::default(),
            voter_ids: Table::default(),
            authors: Table::default(),
            former_names: Table::default(),
            addresses: Table::default(),
            comments: Table::default(),
            words: Table::default(),
            flags: Table::default(),
            resolutions: Table::default(),
            audits: Table::default(),
            scores: Table::default(),
            outlines: Table::default(),
            voters: Table::default(),
            commands: Table::default(),
            frozen: Table::default(),
            void: Table::default(),
            touched: BTreeMap::new(),
        }
    }

    /// All changes.
    pub(crate) fn write(self, batch: &mut sled::Batch) {
        self.counts.write(batch);
        self.sites.write(batch);
        self.threads.write(batch);
        self.settings.write(batch);
        self.texts.write(batch);
        self.voter_ids.write(batch);
        self.authors.write(batch);
        self.former_names.write(batch);
        self.addresses.write(batch);
        self.comments.write(batch);
        self.words.write(batch);
        self.flags.write(batch);
        self.resolutions.write(batch);
        self.audits.write(batch);
        self.scores.write(batch);
        self.outlines.write(batch);
        self.voters.write(batch);
        self.commands.write(batch);
        self.frozen.write(batch);
        self.void.write(batch);
    }

    /// The next number of a place.
    fn next_place(&mut self) -> Result<u32, Error> {
        let places = self.counts.change(&Key::Places)?;
        let next = places.unwrap_or_default() + 1;
        *places = Some(next);
        Ok(next)
    }

    /// The site, known from now on, for a change.
    pub(crate) fn site(&mut self, id: &SiteId) -> Result<&mut Site, Error> {
        let key = Key::Site(id);
        if self.sites.get(&key)?.is_none() {
            let place = self.next_place()?;
            self.sites.put(&key, Site { place, ..Site::default() });
        }
        Ok(self.sites.change(&key)?.as_mut().expect("it was just put there"))
    }

    /// The thread, known from now on, for a change.
    pub(crate) fn thread(&mut self, site: &SiteId, id: &ThreadId) -> Result<&mut Thread, Error> {
        let key = Key::Thread(site, id);
        if self.threads.get(&key)?.is_none() {
            let place = self.next_place()?;
            self.threads.put(&key, Thread::new(place));
        }
        Ok(self.threads.change(&key)?.as_mut().expect("it was just put there"))
    }

    /// The author, known from now on, for a change.
    pub(crate) fn author(&mut self, site: PlaceNo, id: &AuthorId) -> Result<&mut Author, Error> {
        Ok(self.authors.change(&Key::Author(site, id))?.get_or_insert_default())
    }

    /// The number of a place that is known.
    pub(crate) fn place(&mut self, place: &Place) -> Result<Option<PlaceNo>, Error> {
        let number = match &place.thread {
            Some(thread) => {
                self.threads.get(&Key::Thread(&place.site, thread))?.map(|thread| thread.place)
            }
            None => self.sites.get(&Key::Site(&place.site))?.map(|site| site.place),
        };
        Ok(number.map(PlaceNo))
    }

    /// Counts a void event.
    pub(crate) fn count_void(&mut self, code: &str) -> Result<(), Error> {
        let count = self.void.change(&Key::Void(code))?;
        *count = Some(count.unwrap_or_default() + 1);
        Ok(())
    }
}
