//! Which comments a page holds, in each order: from a cursor on, or around one of them.

use std::sync::Arc;

use domain::{CommentId, Order, Rejection};

use crate::board::Board;
use crate::boards::Asked;
use crate::cursor::{Cursor, Seen};
use crate::error::Error;
use crate::keys::PlaceNo;
use crate::pages::{CommentView, View, Viewer};
use crate::rankings::{Ranking, select};
use crate::sheet::Sheet;
use crate::tree::Tree;

/// Comments that one page by number looks at to find those with a row; a page of a thread where many wait may be shorter.
const LOOKED_AT_MAX: usize = 2_000;

/// Which part of a thread a page holds.
#[derive(Clone, Debug)]
pub enum Reading {
    /// What comes at a cursor.
    From(Cursor),
    /// What stands around a comment: the page of the order that it is on, or the branch of the tree.
    Around {
        /// The comment.
        comment: CommentId,
        /// The order.
        order: Order,
        /// Whether replies stand below what they reply to.
        tree: bool,
    },
}

impl Reading {
    /// A thread from its beginning.
    pub fn first(order: Order, tree: bool) -> Self {
        Self::From(Cursor::start(order, tree))
    }
}

/// Rows of a page, and where the next begins.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) comments: Vec<CommentView>,
    pub(crate) next: Option<Cursor>,
}

/// Whom a page is for, where, and how large it may be.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'v> {
    /// The site and the thread.
    pub(crate) places: (PlaceNo, PlaceNo),
    /// The thread's highest number.
    pub(crate) posted: u32,
    pub(crate) viewer: &'v Viewer,
    /// The viewer's number as a voter.
    pub(crate) voter: Option<u32>,
    /// Rows and bytes.
    pub(crate) limits: (u32, usize),
}

impl View<'_> {
    /// The rows of a page; a rejection if there is no such comment to read around.
    pub(crate) fn rows(&self, frame: &Frame<'_>, reading: Reading) -> Result<Result<Rows, Rejection>, Error> {
        match reading {
            Reading::From(cursor) => self.from(frame, cursor).map(Ok),
            Reading::Around { comment, order, tree } => {
                let number = self.number_of(frame.places.1, comment)?;
                let board = self.board(frame.places.1, frame.posted)?;
                let Some(number) = number.filter(|number| board.has_row(*number, frame.viewer.moderator)) else {
                    return Ok(Err(Rejection::CommentUnknown));
                };
                let page = if tree {
                    self.branch(frame, &board, order, number)?
                } else {
                    self.around(frame, &board, order, number)?
                };
                Ok(Ok(page))
            }
        }
    }

    fn sheet<'v>(&'v self, frame: &Frame<'v>) -> Sheet<'v, 'v> {
        Sheet::new(self, frame.places, (frame.viewer, frame.voter), frame.limits)
    }

    fn from(&self, frame: &Frame<'_>, cursor: Cursor) -> Result<Rows, Error> {
        let mut sheet = self.sheet(frame);
        let next = self.fill(frame, &mut sheet, cursor)?;
        Ok(Rows { comments: sheet.into_rows(), next })
    }

    fn fill(&self, frame: &Frame<'_>, sheet: &mut Sheet<'_, '_>, cursor: Cursor) -> Result<Option<Cursor>, Error> {
        let thread = frame.places.1;
        match cursor.seen {
            Seen::UpTo(last) if !cursor.tree => {
                let next = self.by_number(sheet, thread, cursor.order, (last, frame.posted))?;
                Ok(next.map(|last| Cursor { seen: Seen::UpTo(last), ..cursor }))
            }
            _ if cursor.tree => {
                let board = self.board(thread, frame.posted)?;
                Tree { view: self, thread, board: &board, order: cursor.order }.page(sheet, cursor)
            }
            _ => self.by_rank(sheet, (thread, frame.posted), cursor),
        }
    }

    /// Draws comments after one in an order by number, and says after which the next page begins.
    fn by_number(
        &self,
        sheet: &mut Sheet<'_, '_>,
        thread: PlaceNo,
        order: Order,
        (mut last, posted): (u32, u32),
    ) -> Result<Option<u32>, Error> {
        let next = |last: u32| match (order, last) {
            (Order::Newest, 0) => Some(posted),
            (Order::Newest, last) => Some(last.saturating_sub(1).min(posted)),
            (_, last) => last.checked_add(1).filter(|next| *next <= posted),
        };
        // What was passed over may have its row by the next page.
        let mut drawn = last;
        for looked_at in 0.. {
            let Some(number) = next(last).filter(|number| *number != 0) else { break };
            if sheet.is_full() || looked_at >= LOOKED_AT_MAX {
                return Ok(Some(last));
            }
            let record = self.row(thread, number)?;
            if record.shown || sheet.moderator() {
                if !sheet.put(number, &record)? {
                    return Ok(Some(drawn));
                }
                drawn = number;
            }
            last = number;
        }
        Ok(None)
    }

    /// Draws the first comments of an order that the reader has not seen.
    fn by_rank(
        &self,
        sheet: &mut Sheet<'_, '_>,
        (thread, posted): (PlaceNo, u32),
        mut cursor: Cursor,
    ) -> Result<Option<Cursor>, Error> {
        let (board, order) = (self.board(thread, posted)?, cursor.order);
        let unseen = |number| board.has_row(number, sheet.moderator()) && !cursor.seen.holds(order, number);
        let numbers = self.first(thread, &board, order, sheet.limit() + 1, unseen);
        for number in numbers {
            if !sheet.draw(number)? {
                return Ok(Some(cursor));
            }
            cursor.seen.add(number);
        }
        Ok(None)
    }

    /// The page that a comment stands on if all pages before it are full.
    fn around(&self, frame: &Frame<'_>, board: &Board, order: Order, number: u32) -> Result<Rows, Error> {
        let is_before = |other| {
            board.has_row(other, frame.viewer.moderator) && board.rank(order, other) < board.rank(order, number)
        };
        let before = self.first(frame.places.1, board, order, usize::MAX, is_before);
        let limit = self.sheet(frame).limit();
        let on_page = before.len() % limit;
        let start = Cursor::start(order, false);
        // Where long comments would end that page before this one, the page begins with it.
        for left_out in [on_page, 0] {
            let mut cursor = start.clone();
            for seen in before.iter().take(before.len() - left_out) {
                cursor.seen.add(*seen);
            }
            if let (0, Seen::UpTo(last)) = (left_out, &mut cursor.seen) {
                // Thousands without a row may stand between it and the last that has one.
                *last = if order == Order::Newest { number.saturating_add(1) } else { number.saturating_sub(1) };
            }
            let mut sheet = self.sheet(frame);
            let next = self.fill(frame, &mut sheet, cursor)?;
            if sheet.has(number) {
                return Ok(Rows { comments: sheet.into_rows(), next });
            }
        }
        Ok(Rows::default())
    }

    fn branch(&self, frame: &Frame<'_>, board: &Board, order: Order, number: u32) -> Result<Rows, Error> {
        let tree = Tree { view: self, thread: frame.places.1, board, order };
        let (sheet, next) = tree.around(|| self.sheet(frame), number)?;
        Ok(Rows { comments: sheet.into_rows(), next })
    }

    /// A thread's board, out of memory or read.
    pub(crate) fn board(&self, thread: PlaceNo, posted: u32) -> Result<Arc<Board>, Error> {
        if let Some(board) = self.boards.board(thread) {
            return Ok(board);
        }
        let board = Arc::new(Board::load(self, thread, posted)?);
        self.boards.keep_board(thread, &board);
        Ok(board)
    }

    /// The first comments of an order that are wanted, at most `count`.
    pub(crate) fn first(
        &self,
        thread: PlaceNo,
        board: &Board,
        order: Order,
        count: usize,
        wanted: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let wanted = |number: &u32| wanted(*number);
        if !order.moves() {
            let numbers = 1..=board.len();
            return match order {
                Order::Newest => numbers.rev().filter(wanted).take(count).collect(),
                _ => numbers.filter(wanted).take(count).collect(),
            };
        }
        let ranking = match self.boards.ranking(thread, order) {
            Asked::Once => return select(board, order, count, |number| wanted(&number)),
            Asked::Kept(ranking) => ranking,
            Asked::Again => {
                let ranking = Arc::new(Ranking::of(board, order));
                self.boards.keep_ranking(thread, order, &ranking);
                ranking
            }
        };
        ranking.numbers().filter(wanted).take(count).collect()
    }
}
