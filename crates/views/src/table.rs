//! Values of one type as the fold sees them: read once, changed in memory, written once a step, and kept for the next.
//!
//! Nobody but the fold writes the store, so what it keeps is never stale. A table keeps what was asked for since it was
//! last full, and what was asked for in the time before that: what is in neither was not needed for long and is let go.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::Error;
use crate::inventory::{Inventory, Stamp};
use crate::key_filter::{Lookups, Source};
use crate::keys::{Key, KeyBytes};
use crate::value::{Value, checksum_of};

type Slots<V> = HashMap<KeyBytes, Slot<V>, foldhash::fast::RandomState>;

/// Values of one type, by their keys.
pub(crate) struct Table<V> {
    source: Source,
    recent: Slots<V>,
    /// What was recent until the table was full.
    former: Slots<V>,
    /// The keys of what the step has changed.
    changed: Vec<KeyBytes>,
    /// What `recent` takes, about.
    bytes: usize,
    bytes_max: usize,
    /// What the step asked for.
    asked: Lookups,
}

struct Slot<V> {
    value: Option<V>,
    changed: bool,
    was: Was,
    /// What the entry takes, about.
    bytes: usize,
}

/// What is stored under a key while the step is not.
#[derive(Clone, Copy)]
enum Was {
    /// Nobody looked.
    Unknown,
    Nothing,
    /// A value with this checksum.
    Stored(u32),
}

/// A batch in the making, and the inventory as it is after it.
pub(crate) struct Writes {
    pub(crate) batch: sled::Batch,
    /// Values in the batch, and keys that go.
    pub(crate) count: usize,
    pub(crate) inventory: Inventory,
}

/// What an entry of a table takes, about: key, slot and the map's own share, and for a decoded value twice what it is stored
/// as.
fn bytes_of<V>(stored: usize) -> usize {
    size_of::<(KeyBytes, Slot<V>)>() * 8 / 7 + 1 + 2 * stored
}

impl<V: Value> Table<V> {
    /// A table that keeps about so many bytes, and as many that were asked for before.
    pub(crate) fn keeping(source: &Source, bytes_max: usize) -> Self {
        Self {
            source: source.clone(),
            recent: Slots::default(),
            former: Slots::default(),
            changed: Vec::new(),
            bytes: 0,
            bytes_max,
            asked: Lookups::default(),
        }
    }

    pub(crate) fn get(&mut self, key: &Key<'_>) -> Result<Option<&V>, Error> {
        let Self { source, recent, former, bytes, asked, .. } = self;
        let slot = match recent.entry(key.encode()) {
            Entry::Occupied(known) => {
                asked.kept += 1;
                known.into_mut()
            }
            Entry::Vacant(vacant) => {
                let found = find(former, (bytes, asked), source, vacant.key())?;
                vacant.insert(found)
            }
        };
        Ok(slot.value.as_ref())
    }

    /// The value, for a change.
    pub(crate) fn change(&mut self, key: &Key<'_>) -> Result<&mut Option<V>, Error> {
        let Self { source, recent, former, bytes, changed, asked, .. } = self;
        let key = key.encode();
        let slot = match recent.entry(key.clone()) {
            Entry::Occupied(known) => {
                asked.kept += 1;
                known.into_mut()
            }
            Entry::Vacant(vacant) => vacant.insert(find(former, (bytes, asked), source, &key)?),
        };
        if !std::mem::replace(&mut slot.changed, true) {
            changed.push(key);
        }
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
        let key = key.encode();
        let slot = match self.recent.entry(key.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                let was = self.former.remove(&key).map_or(Was::Unknown, |former| former.was);
                let bytes = bytes_of::<V>(0);
                self.bytes += bytes;
                vacant.insert(Slot { value: None, changed: false, was, bytes })
            }
        };
        slot.value = value;
        if !std::mem::replace(&mut slot.changed, true) {
            self.changed.push(key);
        }
    }

    /// Everything that the step has changed, into the batch and the inventory.
    pub(crate) fn write(&mut self, writes: &mut Writes) -> Result<(), Error> {
        for key in self.changed.drain(..) {
            let Some(slot) = self.recent.get_mut(&key) else { continue };
            let was = match slot.was {
                Was::Unknown => Was::of(self.source.get(&key)?.as_deref())?,
                known => known,
            };
            if let Was::Stored(checksum) = was {
                writes.inventory.take(Stamp::of(&key, checksum));
            }
            self.bytes -= slot.bytes;
            (slot.changed, slot.was, slot.bytes) = (false, Was::Nothing, bytes_of::<V>(0));
            if let Some(value) = &slot.value {
                let stored = value.to_stored();
                let checksum = checksum_of(&stored)?;
                writes.inventory.add(Stamp::of(&key, checksum));
                slot.was = Was::Stored(checksum);
                slot.bytes = bytes_of::<V>(stored.len());
                self.source.expect(&key);
                writes.batch.insert(key.as_slice(), stored);
                writes.count += 1;
            } else if matches!(was, Was::Stored(_)) {
                writes.batch.remove(key.as_slice());
                writes.count += 1;
            }
            self.bytes += slot.bytes;
        }
        self.source.count(std::mem::take(&mut self.asked));
        if self.bytes > self.bytes_max {
            self.former = std::mem::take(&mut self.recent);
            self.bytes = 0;
        }
        Ok(())
    }

    /// Forgets everything, as after a step that came to nothing.
    pub(crate) fn clear(&mut self) {
        *self = Self::keeping(&self.source, self.bytes_max);
    }
}

impl Was {
    fn of(stored: Option<&[u8]>) -> Result<Self, Error> {
        stored.map_or(Ok(Self::Nothing), |stored| checksum_of(stored).map(Self::Stored))
    }
}

fn read(asked: &mut Lookups, source: &Source, key: &KeyBytes) -> Result<Option<sled::IVec>, Error> {
    asked.read += 1;
    source.get(key)
}

/// What was asked for before, or what stands in the store.
fn find<V: Value>(
    former: &mut Slots<V>,
    (bytes, asked): (&mut usize, &mut Lookups),
    source: &Source,
    key: &KeyBytes,
) -> Result<Slot<V>, Error> {
    let slot = match former.remove(key) {
        Some(slot) => {
            asked.kept += 1;
            slot
        }
        None => match read(asked, source, key)? {
            Some(stored) => {
                let bytes = bytes_of::<V>(stored.len());
                let was = Was::of(Some(&stored))?;
                Slot { value: Some(V::from_stored(&stored)?), changed: false, was, bytes }
            }
            None => Slot { value: None, changed: false, was: Was::Nothing, bytes: bytes_of::<V>(0) },
        },
    };
    *bytes += slot.bytes;
    Ok(slot)
}
