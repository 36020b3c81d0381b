//! A thread's scoreboard, decoded: of each comment what its place in any order and any tree depends on.

use domain::{Order, Rank, Tally, Timestamp};

use crate::error::Error;
use crate::keys::{Key, PlaceNo, SCORES_IN_CHUNK, number_tail, prefix};
use crate::pages::View;
use crate::records::{Line, Outline, Scores};
use crate::value::Value;

/// A thread's comments by number. 32 bytes each: 3 MB for 100,000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Board(Vec<Entry>);

/// A comment on the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    time_millis: i64,
    tally: Tally,
    /// The number of the comment that it stands below; 0 for none.
    below: u32,
    shown: bool,
    /// The number of the latest comment that stands below it, and of the one before it below the same; 0 for none.
    last_reply: u32,
    reply_before: u32,
}

impl Entry {
    /// A comment by what is stored of it.
    pub(crate) fn new(line: Line, tally: Tally) -> Self {
        let Line { time_millis, below, shown } = line;
        Self { time_millis, tally, below, shown, last_reply: 0, reply_before: 0 }
    }
}

fn index(number: u32) -> usize {
    // 0 is no comment, and beyond the end of every board.
    number.checked_sub(1).and_then(|index| usize::try_from(index).ok()).unwrap_or(usize::MAX)
}

impl Board {
    /// What is stored of a thread of so many comments, by one scan of each kind of chunk.
    pub(crate) fn load(view: &View<'_>, thread: PlaceNo, posted: u32) -> Result<Self, Error> {
        let mut board = Self(Vec::with_capacity(usize::try_from(posted).unwrap_or_default()));
        let mut scores = view.scan::<Scores>(prefix::scores(thread)).peekable();
        for entry in view.scan::<Outline>(prefix::outlines(thread)) {
            let (key, outline) = entry?;
            let chunk = number_tail(&key);
            // Comments without votes have no scores, so that chunks of them may be missing.
            let next = scores.next_if(|next| match next {
                Ok((key, _)) => number_tail(key) == chunk,
                Err(_) => true,
            });
            let scores = next.transpose()?.map(|(_, scores)| scores).unwrap_or_default();
            if chunk.map(|chunk| u64::from(chunk) * u64::from(SCORES_IN_CHUNK)) != Some(u64::from(board.len())) {
                return Err(Error::Damaged("outlines do not follow one another"));
            }
            for (slot, line) in outline.0.into_iter().enumerate() {
                board.set(board.len() + 1, Entry::new(line, scores.get(slot)))?;
            }
        }
        Ok(board)
    }

    /// The highest number.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).expect("comments have 32-bit numbers")
    }

    /// Memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Entry>()
    }

    fn get(&self, number: u32) -> Option<&Entry> {
        self.0.get(index(number))
    }

    /// Whether a comment has a row: for moderators every one has.
    pub(crate) fn has_row(&self, number: u32, moderator: bool) -> bool {
        self.get(number).is_some_and(|entry| entry.shown || moderator)
    }

    /// The number of the comment that one stands below in a tree; 0 for none.
    pub(crate) fn below(&self, number: u32) -> u32 {
        self.get(number).map_or(0, |entry| entry.below)
    }

    /// Where a comment stands in an order.
    pub(crate) fn rank(&self, order: Order, number: u32) -> Option<Rank> {
        let entry = self.get(number)?;
        Some(order.rank(number, entry.tally, Timestamp(entry.time_millis)))
    }

    /// Where every comment stands in an order, by number.
    pub(crate) fn ranks(&self, order: Order) -> impl Iterator<Item = Rank> {
        let rank =
            move |(number, entry): (u32, &Entry)| order.rank(number, entry.tally, Timestamp(entry.time_millis));
        (1..).zip(&self.0).map(rank)
    }

    /// The comments that stand directly below one, the latest first.
    pub(crate) fn replies(&self, number: u32) -> impl Iterator<Item = u32> {
        let reply = |number: u32| (number != 0).then_some(number);
        let last = self.get(number).and_then(|entry| reply(entry.last_reply));
        std::iter::successors(last, move |at| self.get(*at).and_then(|entry| reply(entry.reply_before)))
    }

    /// Puts a comment as it is now into its place, which is at most the next one.
    pub(crate) fn set(&mut self, number: u32, entry: Entry) -> Result<(), Error> {
        if let Some(known) = self.0.get_mut(index(number)) {
            let (last_reply, reply_before) = (known.last_reply, known.reply_before);
            *known = Entry { last_reply, reply_before, ..entry };
            return Ok(());
        }
        if number != self.len() + 1 || entry.below >= number {
            return Err(Error::Damaged("a comment comes before those before it"));
        }
        let mut reply_before = 0;
        if let Some(parent) = self.0.get_mut(index(entry.below)) {
            reply_before = std::mem::replace(&mut parent.last_reply, number);
        }
        self.0.push(Entry { reply_before, ..entry });
        Ok(())
    }
}

/// What is stored of single comments; those of one chunk are read together if they are asked for one after another.
pub(crate) struct Stored<'t> {
    tree: &'t sled::Tree,
    thread: PlaceNo,
    chunk: Option<u32>,
    outline: Outline,
    scores: Scores,
}

impl<'t> Stored<'t> {
    pub(crate) fn of(tree: &'t sled::Tree, thread: PlaceNo) -> Self {
        Self { tree, thread, chunk: None, outline: Outline::default(), scores: Scores::default() }
    }

    fn value<V: Value + Default>(&self, key: &Key<'_>) -> Result<V, Error> {
        let stored = self.tree.get(key.encode())?.map(|stored| V::from_stored(&stored)).transpose()?;
        Ok(stored.unwrap_or_default())
    }

    /// A comment as it is stored now.
    pub(crate) fn entry(&mut self, number: u32) -> Result<Entry, Error> {
        let (chunk, slot) = Outline::place_of(number);
        if self.chunk != Some(chunk) {
            self.outline = self.value(&Key::Outline(self.thread, chunk))?;
            self.scores = self.value(&Key::Scores(self.thread, chunk))?;
            self.chunk = Some(chunk);
        }
        let line = self.outline.0.get(slot).ok_or(Error::Damaged("a comment has no outline"))?;
        Ok(Entry::new(*line, self.scores.get(slot)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A board of shown comments: each below which other, its votes, and posted at its number in seconds.
    pub(crate) fn board(comments: &[(u32, u32, u32)]) -> Board {
        let mut board = Board::default();
        for (number, &(below, up, down)) in (1..).zip(comments) {
            let line = Line { time_millis: i64::from(number) * 1_000, below, shown: true };
            board.set(number, Entry::new(line, Tally { up, down })).unwrap();
        }
        board
    }

    #[test]
    fn replies_hang_below_their_parents_whatever_changes() {
        let mut board = board(&[(0, 0, 0), (1, 0, 0), (0, 0, 0), (1, 0, 0), (2, 0, 0)]);
        let line = Line { time_millis: 1, below: 0, shown: true };
        board.set(1, Entry::new(line, Tally { up: 9, down: 0 })).unwrap();
        assert_eq!(board.replies(1).collect::<Vec<_>>(), [4, 2]);
        assert_eq!(board.replies(2).collect::<Vec<_>>(), [5]);
        assert_eq!(board.replies(0).count(), 0, "comments below none are not listed");
        assert_eq!(board.replies(99).count(), 0);
        assert!(board.set(7, Entry::default()).is_err(), "no comment is left out");
    }
}
