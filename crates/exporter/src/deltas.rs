//! Counters out of other processes' counts, which begin again at nothing when those processes do.

use std::collections::HashMap;
use std::hash::Hash;

/// The last counts of each source, by a key. A source whose counts fall has begun again.
#[derive(Debug)]
pub(crate) struct Deltas<K> {
    last: HashMap<K, Seen>,
    sources_max: usize,
    clock: u64,
}

#[derive(Debug)]
struct Seen {
    counts: Vec<u64>,
    at: u64,
}

impl<K: Clone + Eq + Hash> Deltas<K> {
    /// Remembers this many sources, then forgets the one that was silent for the longest.
    pub(crate) fn new(sources_max: usize) -> Self {
        Self { last: HashMap::new(), sources_max, clock: 0 }
    }

    /// By how much each of a source's counts grew since it was last seen. A source that is new, or whose counts fell
    /// because it began again, grew by all that it has.
    pub(crate) fn advance(&mut self, source: K, counts: Vec<u64>) -> Vec<u64> {
        self.clock += 1;
        let known = self.last.get(&source).filter(|seen| is_later(&seen.counts, &counts));
        let base = known.map(|seen| seen.counts.clone()).unwrap_or_default();
        let before = base.into_iter().chain(std::iter::repeat(0));
        let grown = counts.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect();
        self.last.insert(source, Seen { counts, at: self.clock });
        if self.last.len() > self.sources_max {
            let silent = self.last.iter().min_by_key(|(_, seen)| seen.at).map(|(source, _)| source.clone());
            silent.map(|source| self.last.remove(&source));
        }
        grown
    }
}

/// One process counts in all of them: if one fell, all began again.
fn is_later(before: &[u64], now: &[u64]) -> bool {
    before.len() == now.len() && before.iter().zip(now).all(|(before, now)| now >= before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_grows_by_what_it_counted_since() {
        let mut deltas = Deltas::new(8);
        assert_eq!(deltas.advance("a", vec![5, 1]), [5, 1]);
        assert_eq!(deltas.advance("a", vec![7, 1]), [2, 0]);
        assert_eq!(deltas.advance("a", vec![7, 1]), [0, 0]);
    }

    #[test]
    fn a_source_that_began_again_grows_by_all_that_it_has() {
        let mut deltas = Deltas::new(8);
        deltas.advance("a", vec![100, 3]);
        assert_eq!(deltas.advance("a", vec![4, 3]), [4, 3], "the whole process began again");
        assert_eq!(deltas.advance("a", vec![6, 3]), [2, 0]);
    }

    #[test]
    fn a_source_that_was_away_does_not_count_twice() {
        let mut deltas = Deltas::new(8);
        deltas.advance("a", vec![10]);
        deltas.advance("b", vec![10]);
        assert_eq!(deltas.advance("a", vec![11]), [1]);
    }

    #[test]
    fn the_most_silent_source_is_forgotten_first() {
        let mut deltas = Deltas::new(2);
        deltas.advance("a", vec![1]);
        deltas.advance("b", vec![1]);
        deltas.advance("a", vec![2]);
        deltas.advance("c", vec![1]);
        assert_eq!(deltas.last.len(), 2);
        assert_eq!(deltas.advance("a", vec![3]), [1], "it spoke after the other");
    }
}
