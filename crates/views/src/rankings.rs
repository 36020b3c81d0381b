//! A thread's comments in an order that votes move: sorted once, and kept sorted where little changes.

use domain::{Order, Rank};

use crate::board::Board;

/// Changes that are moved one by one, each by a search and a shift of what lies between; more are merged in one pass over
/// the ranking, which costs about as much as fifty shifts.
const MOVED_ONE_BY_ONE_MAX: usize = 50;

/// Every comment of a thread, the first of the order first. 16 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ranking(Vec<Rank>);

/// A comment that stands elsewhere now: where it stood, if it was there, and where it stands.
pub(crate) type Moved = (Option<Rank>, Rank);

impl Ranking {
    pub(crate) fn of(board: &Board, order: Order) -> Self {
        let mut ranks: Vec<Rank> = board.ranks(order).collect();
        ranks.sort_unstable();
        Self(ranks)
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Rank>()
    }

    /// The numbers, in order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|rank| rank.number)
    }

    /// Moves comments. `None` if one of them does not stand where it should: the ranking is of no more use.
    pub(crate) fn patch(&mut self, moved: &[Moved]) -> Option<()> {
        if moved.len() > MOVED_ONE_BY_ONE_MAX {
            return self.merge(moved);
        }
        moved.iter().try_for_each(|(from, to)| self.shift(*from, *to))
    }

    fn shift(&mut self, from: Option<Rank>, to: Rank) -> Option<()> {
        let place = self.0.partition_point(|rank| *rank < to);
        let Some(from) = from else {
            self.0.insert(place, to);
            return Some(());
        };
        let old = self.0.binary_search(&from).ok()?;
        if old < place {
            self.0.get_mut(old..place)?.rotate_left(1);
            *self.0.get_mut(place - 1)? = to;
        } else {
            self.0.get_mut(place..=old)?.rotate_right(1);
            *self.0.get_mut(place)? = to;
        }
        Some(())
    }

    fn merge(&mut self, moved: &[Moved]) -> Option<()> {
        let mut out: Vec<Rank> = moved.iter().filter_map(|(from, _)| *from).collect();
        out.sort_unstable();
        let before = self.0.len();
        self.0.retain(|rank| out.binary_search(rank).is_err());
        if before - self.0.len() != out.len() {
            return None;
        }
        let mut came: Vec<Rank> = moved.iter().map(|(_, to)| *to).collect();
        came.sort_unstable();
        self.0.append(&mut came);
        // Two runs that are sorted already: the stable sort merges them in one pass.
        self.0.sort();
        Some(())
    }
}

/// The first comments of an order that are wanted, at most `count`, without a ranking: selected, and only these sorted.
pub(crate) fn select(board: &Board, order: Order, count: usize, wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut ranks: Vec<Rank> = board.ranks(order).filter(|rank| wanted(rank.number)).collect();
    first(&mut ranks, count);
    ranks.into_iter().map(|rank| rank.number).collect()
}

/// Leaves the first of these, at most `count`, in order.
pub(crate) fn first(ranks: &mut Vec<Rank>, count: usize) {
    if ranks.len() > count {
        ranks.select_nth_unstable(count);
        ranks.truncate(count);
    }
    ranks.sort_unstable();
}

#[cfg(test)]
mod tests {
    use domain::{Tally, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::board::tests::board;

    proptest! {
        #[test]
        fn a_patched_ranking_is_that_of_the_board(
            before in proptest::collection::vec((0..4_u32, 0..4_u32), 0..200),
            changes in proptest::collection::vec((0..240_usize, 0..4_u32, 0..4_u32), 0..120),
        ) {
            let entries = |votes: &[(u32, u32)]| -> Vec<_> { votes.iter().map(|(up, down)| (0, *up, *down)).collect() };
            for order in Order::EVERY {
                let was = board(&entries(&before));
                let mut ranking = Ranking::of(&was, order);
                let mut after = before.clone();
                let mut touched = std::collections::BTreeSet::new();
                for (at, up, down) in &changes {
                    let at = (*at).min(after.len());
                    if at == after.len() { after.push((*up, *down)) } else { after[at] = (*up, *down) }
                    touched.insert(u32::try_from(at).unwrap() + 1);
                }
                let now = board(&entries(&after));
                let moved: Vec<Moved> =
                    touched.iter().map(|at| (was.rank(order, *at), now.rank(order, *at).unwrap())).collect();
                ranking.patch(&moved).unwrap();
                prop_assert_eq!(&ranking, &Ranking::of(&now, order));
                let even = |number: u32| number.is_multiple_of(2);
                let first: Vec<u32> = ranking.numbers().filter(|number| even(*number)).take(7).collect();
                prop_assert_eq!(select(&now, order, 7, even), first);
            }
        }
    }

    #[test]
    fn a_ranking_that_is_off_says_so() {
        let rank = |up| Order::Top.rank(1, Tally { up, down: 0 }, Timestamp(0));
        let off = [(Some(rank(5)), rank(6))];
        let mut ranking = Ranking::of(&board(&[(0, 1, 0), (0, 2, 0)]), Order::Top);
        assert_eq!(ranking.clone().patch(&off), None);
        assert_eq!(ranking.patch(&off.repeat(60)), None);
    }
}
