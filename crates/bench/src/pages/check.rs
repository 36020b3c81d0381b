//! Whether a page holds what it must: rows in the order's order, each with its votes, none missing and none twice.

use std::collections::HashSet;

use anyhow::{Context as _, bail, ensure};
use domain::{Order, Rank};
use wire::v1::{Comment, ThreadPageReply};

use super::threads::Thread;
use crate::limits::PAGE_ROWS;

/// A thread read from its first page on.
pub(super) struct Check<'t> {
    thread: &'t Thread,
    order: Order,
    tree: bool,
    /// What still comes, of a tree the comments that reply to none; the last first.
    coming: Vec<u32>,
    seen: HashSet<u32>,
}

impl<'t> Check<'t> {
    pub(super) fn new(thread: &'t Thread, order: Order, tree: bool) -> Self {
        let mut coming = thread.ranked(order, tree);
        coming.reverse();
        Self { thread, order, tree, coming, seen: HashSet::new() }
    }

    /// The next page.
    pub(super) fn page(&mut self, page: &ThreadPageReply) -> anyhow::Result<()> {
        self.rows(page).with_context(|| format!("{} is read by {}", self.thread.id, self.order.as_str()))
    }

    fn rows(&mut self, page: &ThreadPageReply) -> anyhow::Result<()> {
        let (count, rows, left) = (self.thread.len(), page.comments.len(), self.coming.len());
        ensure!(usize::try_from(page.count)? == count, "there are {} comments and not {count}", page.count);
        // The comment of each level that the next row may reply to, and the row that stands before it there.
        let mut above: Vec<Rank> = Vec::new();
        for comment in &page.comments {
            let rank = self.row(comment)?;
            let depth = usize::try_from(comment.depth)?;
            ensure!(depth <= above.len(), "comment {} stands below nothing", comment.number);
            if depth == 0 {
                let next = self.coming.pop().context("more rows than comments")?;
                ensure!(next == comment.number, "comment {} stands where {next} should", comment.number);
            } else {
                let parent = self.thread.comment(comment.number).and_then(|posted| posted.parent);
                let stands = above.get(depth - 1).map(|rank| rank.number);
                ensure!(parent == stands, "comment {} does not stand below its parent", comment.number);
                let sorted = above.get(depth).is_none_or(|before| *before < rank);
                ensure!(sorted, "comment {} stands after a lesser one", comment.number);
            }
            above.truncate(depth);
            above.push(rank);
        }
        ensure!(page.next.is_empty() == self.coming.is_empty(), "the pages end too early or too late");
        let expected = if self.tree { PAGE_ROWS } else { PAGE_ROWS.min(left) };
        let short = self.tree && self.coming.is_empty();
        ensure!(rows == expected || short && rows < expected, "{rows} rows and not {expected}");
        Ok(())
    }

    /// One row: what was posted, with its votes, for the first time.
    fn row(&mut self, comment: &Comment) -> anyhow::Result<Rank> {
        let number = comment.number;
        let Some(posted) = self.thread.comment(number) else { bail!("comment {number} was posted by nobody") };
        let served = comment.tally.as_ref().map_or((0, 0), |tally| (tally.up, tally.down));
        let right = (posted.tally.up, posted.tally.down);
        ensure!(served == right, "comment {number} has {served:?} votes and not {right:?}");
        ensure!(self.seen.insert(number), "comment {number} comes twice");
        ensure!(comment.id == posted.id.to_string(), "comment {number} is another one");
        let time = comment.time.as_ref().and_then(wire::values::time_in);
        ensure!(time == Some(posted.time), "comment {number} has another time");
        ensure!(!self.tree || comment.replies == posted.replies, "comment {number} has other replies");
        self.thread.rank(self.order, number).context("it is there")
    }
}
