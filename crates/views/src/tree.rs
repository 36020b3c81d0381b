//! A thread as a tree: each row followed by the rows that reply to it, in the same order, a few of them and a few levels deep.
//!
//! Where a comment stands never changes (see `fold/outlines.rs`), so that whoever follows every cursor sees each once.

use domain::Order;

use crate::board::Board;
use crate::cursor::{Cursor, Seen};
use crate::error::Error;
use crate::keys::PlaceNo;
use crate::pages::View;
use crate::rankings::first;
use crate::sheet::{Branch, Sheet};

/// Levels below the first of a page: beyond five in all, a phone shows more of the margin than of the words.
const LEVELS_MAX: u32 = 4;
/// Replies to one comment on its page: more would push the next out of sight.
const REPLIES_MAX: usize = 5;
/// Comments above one that is linked to: enough to know what it answers.
const ANCESTORS_MAX: usize = 8;

/// A thread in an order.
pub(crate) struct Tree<'a, 's> {
    pub(crate) view: &'a View<'s>,
    pub(crate) thread: PlaceNo,
    pub(crate) board: &'a Board,
    pub(crate) order: Order,
}

impl Tree<'_, '_> {
    /// Draws what comes at a cursor, and says where the rest of the same level begins.
    pub(crate) fn page(&self, sheet: &mut Sheet<'_, '_>, mut cursor: Cursor) -> Result<Option<Cursor>, Error> {
        let next = match cursor.below {
            0 => self.roots(sheet.limit().saturating_add(1), sheet.moderator(), &cursor.seen),
            parent => self.replies(parent, sheet.moderator(), (sheet.limit().saturating_add(1), &cursor.seen)).0,
        };
        for number in next {
            if !self.branch(sheet, number, 0, LEVELS_MAX)? {
                return Ok(Some(cursor));
            }
            cursor.seen.add(number);
        }
        Ok(None)
    }

    /// Draws a comment with those above and below it on a new page, and says where the other roots begin.
    pub(crate) fn around<'v, 's>(
        &self,
        sheet: impl Fn() -> Sheet<'v, 's>,
        number: u32,
    ) -> Result<(Sheet<'v, 's>, Option<Cursor>), Error> {
        let above = |at: &u32| Some(self.board.below(*at)).filter(|below| *below != 0);
        let chain: Vec<u32> = std::iter::successors(Some(number), above).collect();
        let mut page = sheet();
        // Where long comments above would leave no room for it, it stands alone.
        for ancestors in [ANCESTORS_MAX.min(page.limit() - 1), 0] {
            page = sheet();
            let mut depth = 0;
            for (child, ancestor) in
                chain.iter().zip(chain.iter().skip(1)).take(ancestors).collect::<Vec<_>>().into_iter().rev()
            {
                let at = page.len();
                if page.draw(*ancestor)? {
                    let nothing = Seen::nothing(self.order);
                    let (_, replies) = self.replies(*ancestor, page.moderator(), (0, &nothing));
                    let seen = Seen::Numbers([*child].into_iter().collect());
                    page.set_branch(at, self.stand(*ancestor, depth, replies, (1, seen)));
                    depth += 1;
                }
            }
            if self.branch(&mut page, number, depth, depth + LEVELS_MAX)? {
                break;
            }
        }
        let seen = Seen::Numbers(chain.last().copied().into_iter().collect());
        let others = self.roots(1, page.moderator(), &seen);
        let next = Cursor { seen, ..Cursor::start(self.order, true) };
        Ok((page, (!others.is_empty()).then_some(next)))
    }

    /// The first comments that stand below none and were not seen.
    fn roots(&self, count: usize, moderator: bool, seen: &Seen) -> Vec<u32> {
        let wanted = |number| {
            self.board.below(number) == 0
                && self.board.has_row(number, moderator)
                && !seen.holds(self.order, number)
        };
        self.view.first(self.thread, self.board, self.order, count, wanted)
    }

    /// The first rows that reply to a comment and were not seen, in order, and how many there are of them in all.
    fn replies(&self, number: u32, moderator: bool, (count, seen): (usize, &Seen)) -> (Vec<u32>, usize) {
        let wanted = |reply: &u32| self.board.has_row(*reply, moderator) && !seen.holds(self.order, *reply);
        let rows = self.board.replies(number).filter(wanted);
        let mut ranks: Vec<_> = rows.filter_map(|reply| self.board.rank(self.order, reply)).collect();
        let all = ranks.len();
        first(&mut ranks, count);
        (ranks.into_iter().map(|rank| rank.number).collect(), all)
    }

    /// Draws a comment and what replies to it. `false` if the comment itself had no room.
    fn branch(&self, sheet: &mut Sheet<'_, '_>, number: u32, depth: u32, deepest: u32) -> Result<bool, Error> {
        let at = sheet.len();
        if !sheet.draw(number)? {
            return Ok(false);
        }
        let (mut shown, mut seen) = (0, Seen::nothing(self.order));
        let room = if depth < deepest { REPLIES_MAX } else { 0 };
        let (next, replies) = self.replies(number, sheet.moderator(), (room, &seen));
        for reply in next {
            if !self.branch(sheet, reply, depth + 1, deepest)? {
                break;
            }
            seen.add(reply);
            shown += 1;
        }
        sheet.set_branch(at, self.stand(number, depth, replies, (shown, seen)));
        Ok(true)
    }

    /// How a row stands that has so many replies, and so many of them on its page.
    fn stand(&self, number: u32, depth: u32, replies: usize, (shown, seen): (usize, Seen)) -> Branch {
        let rest = Cursor { below: number, seen, ..Cursor::start(self.order, true) };
        let more = (shown < replies).then_some(rest);
        Branch { depth, replies: u32::try_from(replies).expect("comments have 32-bit numbers"), more }
    }
}
