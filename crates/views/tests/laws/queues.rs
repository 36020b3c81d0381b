//! The moderators' queues against the naive model.

use domain::{FlagCategory, Role, Timestamp};
use proptest::prelude::*;
use views::{QueueCounts, QueueKind, Store};

use crate::model::{Naive, What, acts, history};
use crate::{site, store_of};

const KINDS: [QueueKind; 3] = [QueueKind::Held, QueueKind::Flagged, QueueKind::Illegal];

/// Since when, which thread, which number.
type Line = (Timestamp, String, u32);

/// Every page of a queue.
fn queue(store: &Store, kind: QueueKind, limit: usize) -> Vec<Line> {
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let (page, more) = store.view().queue(&site(), kind, after.as_ref(), limit).unwrap();
        assert!(page.len() <= limit && (page.len() == limit || !more));
        after = page.last().map(|last| (last.since.unwrap(), last.thread.clone(), last.comment.number));
        lines.extend(page.iter().map(|it| (it.since.unwrap(), it.thread.to_string(), it.comment.number)));
        if !more {
            return lines;
        }
    }
}

/// What waits, the oldest first.
fn naive_queue(naive: &Naive, kind: usize) -> Vec<Line> {
    let of_thread = |(name, thread): (&String, &crate::model::Thread)| {
        let waits = thread.comments.iter().zip(1..).filter_map(|(comment, number)| {
            let since = naive.lists.waits.get(&comment.id)?[kind]?;
            Some((Timestamp(since), name.clone(), number))
        });
        waits.collect::<Vec<_>>()
    };
    let mut lines: Vec<Line> = naive.threads.iter().flat_map(of_thread).collect();
    lines.sort_by_key(|(since, thread, number)| (since.0, thread.clone(), *number));
    lines
}

fn counts(store: &Store) -> [u32; 3] {
    let QueueCounts { held, flagged, illegal } = store.view().queue_counts(&site()).unwrap();
    [held, flagged, illegal]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn queues_and_their_counts_are_what_waits(acts in acts(150), limit in 1..4usize) {
        let log = history(&acts);
        let naive = Naive::of(&log);
        let (_dir, store) = store_of(&log);
        for (at, kind) in KINDS.into_iter().enumerate() {
            let expected = naive_queue(&naive, at);
            prop_assert_eq!(counts(&store)[at] as usize, expected.len());
            prop_assert_eq!(queue(&store, kind, limit), expected, "{:?}", kind);
        }
    }
}

#[test]
fn a_comment_waits_in_every_queue_it_belongs_to_until_that_is_decided() {
    let by_moderator = |what: What| what.by_role(Role::Moderator);
    let resolve = |upheld| What::Resolve { comment: 0, upheld, statement: true };
    let steps = [
        (What::Flag(0, FlagCategory::Spam).by(2), [0, 1, 0]),
        (What::Flag(0, FlagCategory::Illegal).by(3), [0, 1, 1]),
        (by_moderator(What::Hold(0)), [1, 1, 1]),
        (What::Withdraw(0).by(3), [1, 1, 0]),
        (by_moderator(What::Approve(0, None)), [0, 1, 0]),
        (by_moderator(What::Hold(0)), [1, 1, 0]),
        (by_moderator(What::Remove(0)), [0, 1, 0]),
        (by_moderator(resolve(true)), [0, 0, 0]),
        (by_moderator(What::Restore(0)), [0, 0, 0]),
    ];
    let mut acts = vec![What::open(0), What::post().by(1)];
    for (act, expected) in steps {
        acts.push(act);
        let (_dir, store) = store_of(&history(&acts));
        assert_eq!(counts(&store), expected, "{:?}", acts.last());
    }
}

#[test]
fn what_waits_longest_comes_first_and_a_second_flag_makes_it_no_younger() {
    let flag = |comment, reader| What::Flag(comment, FlagCategory::Spam).by(reader);
    let acts = [
        What::open(0),
        What::post().by(1),
        What::post().by(1),
        flag(1, 2),
        What::Wait(60).by(0),
        flag(0, 2),
        flag(1, 3),
    ];
    let (_dir, store) = store_of(&history(&acts));
    let numbers: Vec<u32> = queue(&store, QueueKind::Flagged, 1).into_iter().map(|line| line.2).collect();
    assert_eq!(numbers, [2, 1]);
}
