//! Which keys a store may hold: a Bloom filter (B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors",
//! CACM 13(7), 1970) whose bits of one key share a cache line (F. Putze, P. Sanders, J. Singler, "Cache-, hash- and
//! space-efficient Bloom filters", WEA 2007).
//!
//! Most of what the fold looks for and has not in memory is not there: an author of whom nothing is known casts a first
//! vote, a comment is posted. sled answers after walking down its tree, and not before a batch that is being written.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sled::IVec;

use crate::error::Error;

/// 8 MiB: ten bits for each of six million keys, which is some thirty million events. With more it says "maybe" more often.
const LINES: u32 = 1 << 17;
const LINE_BITS: u64 = 512;
const BITS_OF_A_KEY: u32 = 6;

/// The keys that were ever written, or read when the store was opened.
pub(crate) struct KeyFilter {
    lines: Box<[Line]>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 8]);

impl KeyFilter {
    /// Without any.
    pub(crate) fn new() -> Self {
        let lines = (0..LINES).map(|_| Line::default()).collect();
        Self { lines, hasher: foldhash::fast::RandomState::default() }
    }

    pub(crate) fn add(&self, key: &[u8]) {
        for (word, mask) in self.words_of(key) {
            word.fetch_or(mask, Ordering::Relaxed);
        }
    }

    /// False only for a key that was never added.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        self.words_of(key).all(|(word, mask)| word.load(Ordering::Relaxed) & mask != 0)
    }

    /// The words of a line that the key's bits stand in, one for each bit.
    fn words_of(&self, key: &[u8]) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let hash = self.hasher.hash_one(key);
        let line = usize::try_from(hash % u64::from(LINES)).ok().and_then(|line| self.lines.get(line));
        // What is left of the hash, multiplied out, says which bits of the line.
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let words = line.map_or_else(Default::default, |line| line.0.as_slice());
        (0..BITS_OF_A_KEY).filter_map(move |nth| {
            let bit = (mixed >> (64 - (nth + 1) * LINE_BITS.ilog2())) % LINE_BITS;
            Some((words.get(usize::try_from(bit / 64).ok()?)?, 1 << (bit % 64)))
        })
    }
}

/// The tree of a store, and which keys it may hold.
#[derive(Clone)]
pub(crate) struct Source {
    tree: sled::Tree,
    keys: Arc<KeyFilter>,
    lookups: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    kept: AtomicU64,
    read: AtomicU64,
}

/// What the fold asked for since its store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Found in memory.
    pub kept: u64,
    /// Asked of the store, or known not to be there.
    pub read: u64,
}

impl Source {
    /// `keys` are all those of the tree.
    pub(crate) fn new(tree: &sled::Tree, keys: KeyFilter) -> Self {
        Self { tree: tree.clone(), keys: Arc::new(keys), lookups: Arc::default() }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<IVec>, Error> {
        Ok(if self.keys.may_hold(key) { self.tree.get(key)? } else { None })
    }

    /// Counts what was asked for. Many are counted at once: one by one, tables would wait for each other's cache line.
    pub(crate) fn count(&self, asked: Lookups) {
        self.lookups.kept.fetch_add(asked.kept, Ordering::Relaxed);
        self.lookups.read.fetch_add(asked.read, Ordering::Relaxed);
    }

    /// What was counted.
    pub(crate) fn lookups(&self) -> Lookups {
        let Counts { kept, read } = self.lookups.as_ref();
        Lookups { kept: kept.load(Ordering::Relaxed), read: read.load(Ordering::Relaxed) }
    }

    /// The key is about to be written.
    pub(crate) fn expect(&self, key: &[u8]) {
        self.keys.add(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_may_be_there_and_of_the_rest_little() {
        let (filter, keys) = (KeyFilter::new(), 0..200_000_u32);
        assert!(!filter.may_hold(b"key"));
        // Ten bits for each would be 32 times as many.
        for key in keys.clone() {
            filter.add(&key.to_be_bytes());
        }
        assert!(keys.clone().all(|key| filter.may_hold(&key.to_be_bytes())));
        let wrong = keys.filter(|key| filter.may_hold(&(key + 200_000).to_be_bytes())).count();
        assert!(wrong < 200, "{wrong}");
    }
}
