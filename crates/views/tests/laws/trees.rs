//! A thread as a tree against a naive model, page by page, following every cursor while more arrives.

use std::collections::{BTreeSet, VecDeque};

use domain::{CommentId, Order, Recorded, Role};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use views::{Cursor, Reading, Viewer};

use crate::model::{Comment, Naive, What, history};
use crate::orders::{ask, busy, read_from, rows, sorted, through_text};
use crate::{LOG, anybody, moderator, open};

/// Levels below the first of a page, and replies to one comment there.
const LEVELS: u32 = 4;
const REPLIES: usize = 5;

/// A row as the model has it: number, depth, replies, and whether some of them are not here.
type Row = (u32, u32, u32, bool);

/// A page as anybody would write it down.
struct Drawing<'n> {
    order: Order,
    rows: Vec<(u32, &'n Comment)>,
    limit: usize,
    drawn: Vec<Row>,
}

impl<'n> Drawing<'n> {
    fn below(&self, parent: Option<CommentId>) -> Vec<(u32, &'n Comment)> {
        let replies = self.rows.iter().filter(|(_, comment)| comment.parent == parent);
        sorted(self.order, replies.copied().collect())
    }

    fn draw(&mut self, (number, comment): (u32, &Comment), depth: u32) -> bool {
        if self.drawn.len() == self.limit {
            return false;
        }
        let at = self.drawn.len();
        let replies = self.below(Some(comment.id));
        self.drawn.push((number, depth, replies.len() as u32, false));
        let room = if depth < LEVELS { REPLIES } else { 0 };
        let drawn = replies.iter().take(room).take_while(|reply| self.draw(**reply, depth + 1)).count();
        self.drawn[at].3 = drawn < replies.len();
        true
    }
}

fn reads_on(
    (log, began): (&[Recorded], usize),
    order: Order,
    viewer: &Viewer,
    limit: u32,
    pace: usize,
) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut naive = Naive::default();
    let mut rest = log;
    let mut fold = |count: usize, naive: &mut Naive| {
        let (now, later) = rest.split_at(count.min(rest.len()));
        now.chunks(16).for_each(|batch| drop(store.fold(batch, LOG).unwrap()));
        crate::carry_out(&store);
        for recorded in now {
            naive.fold(recorded);
        }
        rest = later;
    };
    fold(began, &mut naive);
    let at_first: BTreeSet<u32> = rows(&naive, viewer).iter().map(|(number, _)| *number).collect();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    // Each level that is read: below which comment, where it goes on, and what of it was seen.
    let mut levels = VecDeque::from([(None, Cursor::start(order, true), BTreeSet::<u32>::new())]);
    while let Some((parent, cursor, mut on_level)) = levels.pop_front() {
        let page = ask(&store, viewer, Reading::From(cursor), (limit, usize::MAX));
        let mut model = Drawing { order, rows: rows(&naive, viewer), limit: limit as usize, drawn: Vec::new() };
        let level = model.below(parent);
        let last = on_level.last().copied().filter(|_| order == Order::Oldest);
        let first = on_level.first().copied().filter(|_| order == Order::Newest);
        let is_next = |number: u32| {
            let by_number = last.is_none_or(|last| number > last) && first.is_none_or(|first| number < first);
            by_number && (order.moves() && !on_level.contains(&number) || !order.moves())
        };
        let wanted: Vec<_> = level.into_iter().filter(|(number, _)| is_next(*number)).collect();
        let drawn = wanted.iter().take_while(|row| model.draw(**row, 0)).count();
        let found: Vec<Row> = page
            .comments
            .iter()
            .map(|row| {
                let branch = row.branch.as_ref().unwrap();
                (row.number, branch.depth, branch.replies, branch.more.is_some())
            })
            .collect();
        prop_assert_eq!(&found, &model.drawn, "{:?}", order);
        prop_assert_eq!(page.next.is_some(), drawn < wanted.len());
        for row in &page.comments {
            prop_assert!(seen.insert(row.number), "{} twice", row.number);
            let branch = row.branch.as_ref().unwrap();
            if branch.depth == 0 {
                on_level.insert(row.number);
            }
            if let Some(more) = &branch.more {
                let children = page.comments.iter().filter(|reply| reply.parent == Some(row.id));
                let on_level = children.map(|reply| reply.number).collect();
                levels.push_back((Some(row.id), through_text(more, order, true), on_level));
            }
        }
        if let Some(next) = page.next {
            levels.push_front((parent, through_text(&next, order, true), on_level));
        }
        fold(pace, &mut naive);
    }
    prop_assert!(seen.is_superset(&at_first), "{:?}: {:?} of {:?}", order, seen, at_first);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn who_follows_every_cursor_of_a_tree_sees_everything_once(
        acts in busy(), began in any::<Index>(), limit in 1..30u32, pace in 0..20usize,
    ) {
        let (log, began) = read_from(&acts, began);
        for order in Order::EVERY {
            for viewer in [anybody(), moderator()] {
                reads_on((&log, began), order, &viewer, limit, pace)?;
            }
        }
    }

    #[test]
    fn a_link_into_a_tree_shows_what_it_answers_and_its_answers(acts in busy(), limit in 1..30u32) {
        let log = history(&acts);
        let (_dir, store) = crate::store_of(&log);
        let naive = Naive::of(&log);
        let all = rows(&naive, &anybody());
        let (number, comment) = match all.last() { Some(row) => *row, None => return Ok(()) };
        for order in Order::EVERY {
            let around = Reading::Around { comment: comment.id, order, tree: true };
            let page = ask(&store, &anybody(), around, (limit, usize::MAX));
            let mut above = Vec::new();
            let mut at = comment.parent;
            while let Some(id) = at {
                let (number, parent) = all.iter().find(|(_, comment)| comment.id == id).unwrap();
                above.insert(0, *number);
                at = parent.parent;
            }
            let shown: Vec<u32> = page.comments.iter().map(|row| row.number).take_while(|at| *at != number).collect();
            prop_assert!(above.ends_with(&shown));
            prop_assert_eq!(shown.len(), above.len().min(8).min(limit as usize - 1));
            prop_assert!(page.comments.iter().any(|row| row.number == number));
            let (mut seen, mut cursors) = (BTreeSet::new(), VecDeque::new());
            let mut page = Some(page);
            while let Some(read) = page.take() {
                cursors.extend(read.next);
                for row in &read.comments {
                    prop_assert!(seen.insert(row.number), "{} twice", row.number);
                    cursors.extend(row.branch.as_ref().unwrap().more.clone());
                }
                let cursor = cursors.pop_front().map(|cursor| through_text(&cursor, order, true));
                page = cursor.map(|cursor| ask(&store, &anybody(), Reading::From(cursor), (limit, usize::MAX)));
            }
            // What stands above the page is what its link leaves out.
            let left_out = above.len() - shown.len();
            if left_out == 0 {
                prop_assert_eq!(seen.len(), all.len());
            }
        }
    }
}

#[test]
fn a_removed_parent_still_holds_its_replies() {
    let reply = |parent| What::Post { parent: Some(parent), quote: None, held: None };
    let log = history(&[
        What::open(0),
        What::post().by(1),
        What::post().by(2),
        reply(0).by(3),
        reply(2).by(4),
        What::Remove(0).by_role(Role::Moderator),
    ]);
    let (_dir, store) = crate::store_of(&log);
    let page = ask(&store, &anybody(), Reading::first(Order::Newest, true), (9, usize::MAX));
    let branch = |row: &views::CommentView| row.branch.as_ref().map(|branch| (branch.depth, branch.replies));
    let rows: Vec<_> = page.comments.iter().map(|row| (row.number, branch(row).unwrap())).collect();
    assert_eq!(rows, [(2, (0, 0)), (1, (0, 1)), (3, (1, 1)), (4, (2, 0))]);
    assert!(page.comments.iter().all(|row| row.branch.as_ref().unwrap().more.is_none()));
}

#[test]
fn deep_and_broad_replies_hang_at_a_cursor() {
    let reply = |parent| What::Post { parent: Some(parent), quote: None, held: None }.by(1);
    let mut acts = vec![What::open(0), What::post().by(1)];
    // A chain of seven, and then nine replies to the first.
    acts.extend((0..6).map(reply));
    acts.extend((0..9).map(|_| reply(0)));
    let (_dir, store) = crate::store_of(&history(&acts));
    let page = ask(&store, &anybody(), Reading::first(Order::Oldest, true), (50, usize::MAX));
    let numbers = |page: &views::CommentPage| page.comments.iter().map(|row| row.number).collect::<Vec<_>>();
    assert_eq!(numbers(&page), [1, 2, 3, 4, 5, 8, 9, 10, 11]);
    let more =
        |page: &views::CommentPage, at: usize| page.comments[at].branch.as_ref().unwrap().more.clone().unwrap();
    let deeper = ask(&store, &anybody(), Reading::From(more(&page, 4)), (50, usize::MAX));
    assert_eq!(numbers(&deeper), [6, 7]);
    assert_eq!(deeper.comments[0].branch.as_ref().unwrap().depth, 0, "a page of its own");
    let broader = ask(&store, &anybody(), Reading::From(more(&page, 0)), (50, usize::MAX));
    assert_eq!(numbers(&broader), [12, 13, 14, 15, 16]);
    assert!(broader.next.is_none() && page.next.is_none());
}
