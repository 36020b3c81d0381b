//! The boards and rankings that are kept in memory, bounded, and kept right by the fold.
//!
//! They are read and made while the gate is held for reading, and patched while it is held for folding, so that what is kept
//! is always as of the store's position.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::Order;

use crate::board::{Board, Stored};
use crate::keys::PlaceNo;
use crate::rankings::{Moved, Ranking};

/// Bytes of boards and rankings: ten threads of 100,000 comments in two orders each, or some hundreds of a thousand comments in
/// every order. A thread beyond it is read and selected from for each page.
const BOARDS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Threads whose boards are kept: the search for the one that was asked for longest ago stays short.
const BOARDS_MAX: usize = 1_024;
/// Changes of one thread in a step beyond which its board is read anew when somebody asks for it: readers wait while a board
/// is patched.
const PATCHED_MAX: usize = 2_000;

/// What is known of an order of a thread.
pub(crate) enum Asked {
    /// It is kept.
    Kept(Arc<Ranking>),
    /// It was asked for before: it is worth sorting.
    Again,
    /// It was not asked for, or its thread is too large to be kept: selecting what one page needs costs less than sorting.
    Once,
}

/// What is kept.
#[derive(Default)]
pub(crate) struct Boards(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    threads: HashMap<PlaceNo, Thread, foldhash::fast::RandomState>,
    bytes: usize,
    asked: u64,
}

struct Thread {
    board: Arc<Board>,
    rankings: Vec<(Order, Arc<Ranking>)>,
    /// The orders that were asked for and have no ranking yet.
    once: Vec<Order>,
    bytes: usize,
    /// When it was asked for last, counted in questions.
    asked: u64,
}

impl Boards {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(|poisoned| {
            // sled panics over some damage, and what is kept may be patched in part: it is read anew.
            let mut kept = poisoned.into_inner();
            *kept = Kept::default();
            self.0.clear_poison();
            kept
        })
    }

    /// The board of a thread, if it is kept.
    pub(crate) fn board(&self, thread: PlaceNo) -> Option<Arc<Board>> {
        let mut kept = self.kept();
        kept.asked += 1;
        let asked = kept.asked;
        let found = kept.threads.get_mut(&thread)?;
        found.asked = asked;
        Some(Arc::clone(&found.board))
    }

    /// The ranking of a thread, if it is kept, and whether it should be.
    pub(crate) fn ranking(&self, thread: PlaceNo, order: Order) -> Asked {
        let mut kept = self.kept();
        let Some(found) = kept.threads.get_mut(&thread) else { return Asked::Once };
        if let Some((_, ranking)) = found.rankings.iter().find(|(of, _)| *of == order) {
            return Asked::Kept(Arc::clone(ranking));
        }
        if found.once.contains(&order) {
            return Asked::Again;
        }
        found.once.push(order);
        Asked::Once
    }

    /// Keeps a board that was just read, if there is room for it and four rankings of half its size.
    pub(crate) fn keep_board(&self, thread: PlaceNo, board: &Arc<Board>) {
        if board.bytes().saturating_mul(3) > BOARDS_BYTES_MAX {
            return;
        }
        let mut kept = self.kept();
        kept.forget(thread);
        let (board, asked) = (Arc::clone(board), kept.asked);
        kept.bytes += board.bytes();
        let bytes = board.bytes();
        kept.threads.insert(thread, Thread { board, rankings: Vec::new(), once: Vec::new(), bytes, asked });
        kept.make_room();
    }

    /// Keeps a ranking that was just made of the board that is kept.
    pub(crate) fn keep_ranking(&self, thread: PlaceNo, order: Order, ranking: &Arc<Ranking>) {
        let mut kept = self.kept();
        let Some(found) = kept.threads.get_mut(&thread) else { return };
        if found.rankings.iter().all(|(of, _)| *of != order) {
            found.rankings.push((order, Arc::clone(ranking)));
            found.bytes += ranking.bytes();
            kept.bytes += ranking.bytes();
            kept.make_room();
        }
    }

    /// A step has changed these comments of a thread. Called while nobody reads.
    pub(crate) fn patch<'n>(
        &self,
        tree: &sled::Tree,
        thread: PlaceNo,
        numbers: impl IntoIterator<Item = &'n u32>,
    ) {
        let mut kept = self.kept();
        let Some(mut found) = kept.threads.remove(&thread) else { return };
        let numbers: BTreeSet<u32> = numbers.into_iter().copied().collect();
        kept.bytes = kept.bytes.saturating_sub(found.bytes);
        // What cannot be patched is read anew by who asks for it, and its error, if it has one, is theirs.
        if numbers.len() <= PATCHED_MAX && found.patch(Stored::of(tree, thread), &numbers).is_some() {
            kept.bytes += found.bytes;
            kept.threads.insert(thread, found);
            kept.make_room();
        }
    }
}

impl Kept {
    fn forget(&mut self, thread: PlaceNo) {
        if let Some(forgotten) = self.threads.remove(&thread) {
            self.bytes = self.bytes.saturating_sub(forgotten.bytes);
        }
    }

    fn make_room(&mut self) {
        while self.bytes > BOARDS_BYTES_MAX || self.threads.len() > BOARDS_MAX {
            let longest_ago = self.threads.iter().min_by_key(|(_, thread)| thread.asked).map(|(no, _)| *no);
            let Some(thread) = longest_ago else { return };
            self.forget(thread);
        }
    }
}

impl Thread {
    /// `None` if it cannot be patched.
    fn patch(&mut self, mut stored: Stored<'_>, numbers: &BTreeSet<u32>) -> Option<()> {
        let board = Arc::get_mut(&mut self.board)?;
        let mut moved: Vec<Vec<Moved>> = vec![Vec::new(); self.rankings.len()];
        for &number in numbers {
            let before: Vec<_> = self.rankings.iter().map(|(order, _)| board.rank(*order, number)).collect();
            board.set(number, stored.entry(number).ok()?).ok()?;
            for (((order, _), before), moved) in self.rankings.iter().zip(before).zip(&mut moved) {
                let now = board.rank(*order, number)?;
                if before != Some(now) {
                    moved.push((before, now));
                }
            }
        }
        for ((_, ranking), moved) in self.rankings.iter_mut().zip(moved) {
            Arc::get_mut(ranking)?.patch(&moved)?;
        }
        self.bytes = board.bytes() + self.rankings.iter().map(|(_, ranking)| ranking.bytes()).sum::<usize>();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_broke_while_it_was_patched_is_forgotten_and_no_later_reader_breaks() {
        let boards = Boards::default();
        let broke = std::thread::scope(|scope| {
            let patching = scope.spawn(|| {
                let mut kept = boards.kept();
                kept.bytes = 7;
                panic!("sled does");
            });
            patching.join()
        });
        assert!(broke.is_err());
        assert!(boards.board(PlaceNo(1)).is_none());
        assert_eq!((boards.kept().bytes, boards.0.is_poisoned()), (0, false));
    }
}
