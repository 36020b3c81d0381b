//! Orders against a naive model that sorts everything for each page: readers who page on while votes and comments arrive.

use std::collections::BTreeSet;

use domain::{Hold, Order, Recorded, Role, Vote};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use views::{CommentPage, Cursor, Reading, Store, Viewer};

use crate::model::{Act, Comment, Naive, READERS, What, history, place};
use crate::{LOG, anybody, moderator, open, site, thread};

/// A thread where readers reply, vote and wait for moderators, and nothing else.
pub(crate) fn busy() -> impl Strategy<Value = Vec<Act>> {
    let comment = || any::<u8>().prop_map(|at| at % 200);
    let held = proptest::option::weighted(0.15, Just(Hold::Link));
    let votes = proptest::sample::select(vec![Vote::Up, Vote::Down, Vote::None]);
    let act = prop_oneof![
        6 => (proptest::option::weighted(0.7, comment()), held, 0..READERS)
            .prop_map(|(parent, held, by)| What::Post { parent, quote: None, held }.by(by)),
        9 => (comment(), votes, 0..READERS).prop_map(|(at, vote, by)| What::Vote(at, vote).by(by)),
        2 => comment().prop_map(|at| What::Approve(at, None).by_role(Role::Moderator)),
        1 => comment().prop_map(|at| What::Remove(at).by_role(Role::Moderator)),
        1 => (0..40_000i64).prop_map(|secs| What::Wait(secs).by(0)),
    ];
    proptest::collection::vec(act, 1..160).prop_map(|mut acts| {
        acts.insert(0, What::open(0));
        acts
    })
}

/// The log of a busy thread, and where in it a reader begins.
pub(crate) fn read_from(acts: &[Act], began: Index) -> (Vec<Recorded>, usize) {
    let log = history(acts);
    let began = 2 + began.index(log.len() - 1);
    let began = began.min(log.len());
    (log, began)
}

/// The comments of the first thread by number, those with a row.
pub(crate) fn rows<'n>(naive: &'n Naive, viewer: &Viewer) -> Vec<(u32, &'n Comment)> {
    let comments = naive.threads.get("t0").into_iter().flat_map(|thread| (1..).zip(&thread.comments));
    comments.filter(|(_, comment)| comment.has_row || viewer.moderator).collect()
}

fn millis(comment: &Comment) -> f64 {
    comment.time.0.to_string().parse().unwrap()
}

fn score(order: Order, comment: &Comment) -> f64 {
    let (up, down) = comment.counted();
    let (up, down) = (f64::from(up), f64::from(down));
    let net = up - down;
    match order {
        Order::Oldest | Order::Newest => 0.0,
        Order::Top => net,
        // The formula with everything multiplied by the number of votes.
        Order::Best if up == 0.0 => 0.0,
        Order::Best => {
            let (n, z) = (up + down, 1.281_551_565_545_f64);
            (up + z * z / 2.0 - z * (up * down / n + z * z / 4.0).sqrt()) / (n + z * z)
        }
        Order::Controversial if up.min(down) == 0.0 => 0.0,
        Order::Controversial => (up + down).powf(up.min(down) / up.max(down)),
        Order::Hot => net.signum() * net.abs().max(1.0).log10() + millis(comment) / 1_000.0 / 45_000.0,
    }
}

/// Comments as an order has them.
pub(crate) fn sorted(order: Order, mut rows: Vec<(u32, &Comment)>) -> Vec<(u32, &Comment)> {
    rows.sort_by(|(a, one), (b, other)| score(order, other).total_cmp(&score(order, one)).then(a.cmp(b)));
    if order == Order::Newest {
        rows.reverse();
    }
    rows
}

pub(crate) fn ask(store: &Store, viewer: &Viewer, reading: Reading, limits: (u32, usize)) -> CommentPage {
    store.view().comments(&site(), &thread(0), viewer, reading, limits).unwrap().unwrap()
}

/// The cursor as it went out to the reader and came back.
pub(crate) fn through_text(cursor: &Cursor, order: Order, tree: bool) -> Cursor {
    let here = place(Some(0));
    let back = Cursor::parse(&cursor.to_text(&here), &here, order, tree).unwrap();
    assert_eq!(&back, cursor);
    back
}

fn numbers(page: &CommentPage) -> Vec<u32> {
    page.comments.iter().map(|row| row.number).collect()
}

/// A reader pages on, and after each page comes more.
fn reads_on(
    (log, began): (&[Recorded], usize),
    order: Order,
    viewer: &Viewer,
    limits: (u32, usize),
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
    let mut seen = BTreeSet::new();
    let mut last = 0;
    let mut reading = Reading::first(order, false);
    loop {
        let page = ask(&store, viewer, reading, limits);
        let page_numbers = numbers(&page);
        let is_next = |number: u32| match order {
            Order::Oldest => number > last,
            Order::Newest => last == 0 || number < last,
            _ => !seen.contains(&number),
        };
        let unseen = sorted(order, rows(&naive, viewer)).into_iter().map(|(number, _)| number);
        let expected: Vec<u32> = unseen.filter(|number| is_next(*number)).collect();
        prop_assert!(expected.starts_with(&page_numbers), "{:?}: {:?} of {:?}", order, page_numbers, expected);
        prop_assert!(!page_numbers.is_empty() || expected.is_empty());
        if limits.1 == usize::MAX {
            prop_assert_eq!(page_numbers.len(), expected.len().min(limits.0 as usize));
        }
        last = page_numbers.last().copied().unwrap_or(last);
        for number in page_numbers {
            prop_assert!(seen.insert(number), "{} twice", number);
        }
        let Some(next) = page.next else { break };
        reading = Reading::From(through_text(&next, order, false));
        fold(pace, &mut naive);
    }
    prop_assert!(seen.is_superset(&at_first), "{:?}: {:?} of {:?}", order, seen, at_first);
    Ok(())
}

/// Every page of a thread, in each order and shape, from its beginning and around each row.
fn every_page(store: &Store, viewer: &Viewer) -> Vec<String> {
    let mut pages = Vec::new();
    for order in Order::EVERY {
        for tree in [false, true] {
            let mut readings = vec![Reading::first(order, tree)];
            let rows = ask(store, viewer, Reading::first(Order::Oldest, false), (200, usize::MAX)).comments;
            readings.extend(rows.iter().map(|row| Reading::Around { comment: row.id, order, tree }));
            for reading in readings {
                let page = ask(store, viewer, reading, (4, usize::MAX));
                pages.push(format!("{order:?} {tree} {:?}", (page.comments, page.next)));
            }
        }
    }
    pages
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn who_pages_on_sees_everything_once_in_every_order(
        acts in busy(), began in any::<Index>(), limit in 1..9u32, few_bytes in any::<bool>(), pace in 0..20usize,
    ) {
        let (log, began) = read_from(&acts, began);
        let limits = (limit, if few_bytes { 600 } else { usize::MAX });
        for order in Order::EVERY {
            for viewer in [anybody(), moderator()] {
                reads_on((&log, began), order, &viewer, limits, pace)?;
            }
        }
    }

    #[test]
    fn what_is_kept_and_patched_is_what_would_be_read(acts in busy(), batch in 1..90usize) {
        let log = history(&acts);
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        for batch in log.chunks(batch) {
            store.fold(batch, LOG).unwrap();
            crate::carry_out(&store);
            // From here on every ranking is kept, and patched by the next step.
            if store.sequence() >= 2 {
                every_page(&store, &anybody());
            }
        }
        let viewers = [anybody(), moderator()];
        let kept = viewers.clone().map(|viewer| every_page(&store, &viewer));
        drop(store);
        let store = open(&dir);
        prop_assert_eq!(kept, viewers.map(|viewer| every_page(&store, &viewer)));
    }

    #[test]
    fn a_link_leads_to_the_page_where_its_comment_stands(acts in busy(), limit in 1..9u32, few_bytes in any::<bool>()) {
        let log = history(&acts);
        let (_dir, store) = crate::store_of(&log);
        let naive = Naive::of(&log);
        let limits = (limit, if few_bytes { 600 } else { usize::MAX });
        for order in Order::EVERY {
            let in_order = sorted(order, rows(&naive, &anybody()));
            let all: Vec<u32> = in_order.iter().map(|(number, _)| *number).collect();
            for (index, (number, comment)) in in_order.iter().enumerate() {
                let around = Reading::Around { comment: comment.id, order, tree: false };
                let page = ask(&store, &anybody(), around, limits);
                let mut read = numbers(&page);
                prop_assert!(read.contains(number));
                let limit = limit as usize;
                let start = all.iter().position(|number| *number == read[0]).unwrap();
                prop_assert!(start == index || start == index / limit * limit, "{} for {}", start, index);
                let mut next = page.next;
                while let Some(cursor) = next {
                    let page = ask(&store, &anybody(), Reading::From(through_text(&cursor, order, false)), limits);
                    read.extend(numbers(&page));
                    next = page.next;
                }
                prop_assert_eq!(&read, &all[start..], "it goes on from there");
            }
        }
    }

    #[test]
    fn no_text_is_more_than_a_cursor_that_is_refused(text in "[A-Za-z0-9_-]{0,90}", tree in any::<bool>()) {
        for order in Order::EVERY {
            let read = Cursor::parse(&text, &place(Some(0)), order, tree);
            prop_assert!(read.is_err() || (order == Order::Oldest && !tree));
        }
    }

    #[test]
    fn a_projector_that_is_behind_goes_on_too(acts in busy(), behind in any::<Index>(), tree in any::<bool>()) {
        let (log, behind) = read_from(&acts, behind);
        let ((_dir, ahead), (_other, store)) = (crate::store_of(&log), crate::store_of(&log[..behind]));
        for order in Order::EVERY {
            let mut next = Some(Cursor::start(order, tree));
            while let Some(cursor) = next {
                let there = ask(&store, &anybody(), Reading::From(cursor.clone()), (3, usize::MAX));
                let page = ask(&ahead, &anybody(), Reading::From(cursor), (3, usize::MAX));
                for row in &there.comments {
                    prop_assert!(row.number as usize <= behind);
                }
                next = page.comments.iter().rev().find_map(|row| row.branch.as_ref()?.more.clone()).or(page.next);
            }
        }
    }
}

#[test]
fn a_comment_that_is_unknown_or_has_no_row_is_not_read_around() {
    let held = What::Post { parent: None, quote: None, held: Some(Hold::Link) };
    let log = history(&[What::open(0), What::post().by(1), held.by(2)]);
    let (_dir, store) = crate::store_of(&log);
    let around = |store: &Store, viewer: &Viewer, sequence: u64, tree| {
        let comment = domain::CommentId(crate::histories::id(sequence));
        let reading = Reading::Around { comment, order: Order::Best, tree };
        let page = store.view().comments(&site(), &thread(0), viewer, reading, (5, usize::MAX)).unwrap();
        page.map(|page| numbers(&page))
    };
    for tree in [false, true] {
        assert_eq!(around(&store, &anybody(), 3, tree), Ok(vec![1]));
        assert_eq!(around(&store, &anybody(), 4, tree), Err(domain::Rejection::CommentUnknown));
        assert_eq!(around(&store, &anybody(), 9, tree), Err(domain::Rejection::CommentUnknown));
        assert!(around(&store, &moderator(), 4, tree).unwrap().contains(&2));
    }
}
