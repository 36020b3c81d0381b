//! What a store holds, in two numbers that every batch carries on: how many entries, and the sum of their stamps.
//!
//! Every value has a checksum of its own, but that does not tell a value that is gone from one that never was, nor an old
//! one from the latest. After damage sled may lead to both: at a start it passes over what it cannot read of its own log.
//! So a store is counted when it is opened, and one that is not what was written is `Damaged`.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::key_filter::KeyFilter;
use crate::keys::Key;
use crate::value::{Plain, Value, sound_checksum};

/// Of all entries but the checkpoint and this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inventory {
    /// The checkpoint that it belongs to.
    pub(crate) sequence: u64,
    entries: u64,
    sum: u64,
}

impl Plain for Inventory {}

/// What an entry adds to the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    /// Of a key and the checksum of its value.
    pub(crate) fn of(key: &[u8], checksum: u32) -> Self {
        let mixed = u64::from(crc32fast::hash(key)) << 32 | u64::from(checksum);
        // The finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): without
        // it, two entries that swapped their values would sum up to the same. Stored: never change.
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(mixed ^ (mixed >> 31))
    }
}

impl Inventory {
    /// An entry is there from now on.
    pub(crate) fn add(&mut self, stamp: Stamp) {
        self.entries = self.entries.wrapping_add(1);
        self.sum = self.sum.wrapping_add(stamp.0);
    }

    /// An entry that was there is gone, or about to be replaced.
    pub(crate) fn take(&mut self, stamp: Stamp) {
        self.entries = self.entries.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(stamp.0);
    }

    /// The inventory of a tree, if it is the one that was written down there, and its keys.
    pub(crate) fn taken(tree: &sled::Tree, sequence: u64) -> Result<(Self, KeyFilter), Error> {
        let [checkpoint, inventory] = [Key::Checkpoint, Key::Inventory].map(|key| key.encode());
        let keys = KeyFilter::new();
        let (mut expected, mut found) = (Self::default(), Self { sequence, ..Self::default() });
        for entry in tree {
            let (key, stored) = entry?;
            if key == inventory.as_slice() {
                expected = Self::from_stored(&stored)?;
            } else if key != checkpoint.as_slice() {
                found.add(Stamp::of(&key, sound_checksum(&stored)?));
                keys.add(&key);
            }
        }
        if found == expected {
            Ok((found, keys))
        } else {
            Err(Error::Damaged("it does not hold what was written"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(key: &[u8], value: u32) -> Stamp {
        Stamp::of(key, sound_checksum(&value.to_stored()).unwrap())
    }

    #[test]
    fn an_entry_that_is_lost_old_or_under_another_key_is_noticed() {
        let of = |entries: &[(&[u8], u32)]| {
            let mut inventory = Inventory::default();
            for (key, value) in entries {
                inventory.add(stamp(key, *value));
            }
            inventory
        };
        let written = of(&[(b"a", 1), (b"b", 2)]);
        assert_ne!(written, of(&[(b"a", 1)]));
        assert_ne!(written, of(&[(b"a", 1), (b"b", 1)]));
        assert_ne!(written, of(&[(b"a", 2), (b"b", 1)]));
        let mut changed = of(&[(b"a", 7), (b"b", 2), (b"c", 3)]);
        changed.take(stamp(b"a", 7));
        changed.take(stamp(b"c", 3));
        changed.add(stamp(b"a", 1));
        assert_eq!(written, changed, "whatever the way");
    }

    #[test]
    fn a_value_whose_checksum_is_wrong_is_not_counted() {
        let mut stored = 5_u32.to_stored();
        stored[4] ^= 1;
        assert!(sound_checksum(&stored).is_err());
    }

    #[test]
    fn stored_stamps_stay_as_they_are() {
        assert_eq!(stamp(b"voice", 300), Stamp(578_887_830_834_578_897));
    }
}
