//! What a batch has read and changed: everything the fold touches, loaded once, written once.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{AuthorId, Place, SiteId, ThreadId};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::inventory::{Inventory, Stamp};
use crate::keys::{Key, PlaceNo};
use crate::records::{
    Address, Audit, Author, Command, Comment, Flag, FormerName, Frozen, Resolution, Scores, Settings, Site,
    Thread, VoterIds, Words,
};
use crate::value::Value;

/// Values of one type, by their keys.
pub(crate) struct Table<V> {
    slots: HashMap<Vec<u8>, Slot<V>, foldhash::fast::RandomState>,
}

struct Slot<V> {
    value: Option<V>,
    changed: bool,
    was: Was,
}

/// What is stored under a key while the batch is not.
enum Was {
    /// Nobody looked.
    Unknown,
    Nothing,
    Stored(Stamp),
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
                let stored = tree.get(vacant.key())?;
                let was = Was::of(vacant.key(), stored.as_deref())?;
                let value = stored.map(|stored| V::from_stored(&stored)).transpose()?;
                Ok(vacant.insert(Slot { value, changed: false, was }))
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
        self.set(key, Some(value));
    }

    /// Sees to it that nothing is there.
    pub(crate) fn remove(&mut self, key: &Key<'_>) {
        self.set(key, None);
    }

    fn set(&mut self, key: &Key<'_>, value: Option<V>) {
        match self.slots.entry(key.encode()) {
            Entry::Occupied(mut known) => {
                let slot = known.get_mut();
                (slot.value, slot.changed) = (value, true);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Slot { value, changed: true, was: Was::Unknown });
            }
        }
    }

    fn write(self, writes: &mut Writes<'_>) -> Result<(), Error> {
        for (key, slot) in self.slots {
            if slot.changed {
                writes.write(key, slot.was, slot.value.map(|value| value.to_stored()))?;
            }
        }
        Ok(())
    }
}

impl Was {
    fn of(key: &[u8], stored: Option<&[u8]>) -> Result<Self, Error> {
        stored.map_or(Ok(Self::Nothing), |stored| Ok(Self::Stored(Stamp::of(key, stored)?)))
    }
}

/// A batch in the making, and the inventory as it is after it.
pub(crate) struct Writes<'s> {
    pub(crate) tree: &'s sled::Tree,
    pub(crate) batch: sled::Batch,
    pub(crate) inventory: Inventory,
}

impl Writes<'_> {
    fn write(&mut self, key: Vec<u8>, was: Was, stored: Option<Vec<u8>>) -> Result<(), Error> {
        let was = match was {
            Was::Unknown => Was::of(&key, self.tree.get(&key)?.as_deref())?,
            known => known,
        };
        if let Was::Stored(stamp) = was {
            self.inventory.take(stamp);
        }
        match stored {
            Some(stored) => {
                self.inventory.add(Stamp::of(&key, &stored)?);
                self.batch.insert(key, stored);
            }
            None => self.batch.remove(key),
        }
        Ok(())
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
            voters: Table::default(),
            commands: Table::default(),
            frozen: Table::default(),
            void: Table::default(),
            touched: BTreeMap::new(),
        }
    }

    /// All changes.
    pub(crate) fn write(self, writes: &mut Writes<'_>) -> Result<(), Error> {
        self.counts.write(writes)?;
        self.sites.write(writes)?;
        self.threads.write(writes)?;
        self.settings.write(writes)?;
        self.texts.write(writes)?;
        self.voter_ids.write(writes)?;
        self.authors.write(writes)?;
        self.former_names.write(writes)?;
        self.addresses.write(writes)?;
        self.comments.write(writes)?;
        self.words.write(writes)?;
        self.flags.write(writes)?;
        self.resolutions.write(writes)?;
        self.audits.write(writes)?;
        self.scores.write(writes)?;
        self.voters.write(writes)?;
        self.commands.write(writes)?;
        self.frozen.write(writes)?;
        self.void.write(writes)
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
