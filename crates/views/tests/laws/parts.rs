//! What was decided for a whole site is carried out in parts: between whatever steps, through stops, and so that a
//! rebuild of the log without what was erased comes to the same.

use std::collections::BTreeSet;

use domain::{Content, Envelope, Erasures, Event, Place, Recorded};
use proptest::prelude::*;
use proptest::sample::Index;
use views::Store;

use crate::model::{Came, Naive, Thread, history, place, undone_acts};
use crate::pages::thread_agrees;
use crate::{LOG, digests, fold, folded, open, sled_of, store_of};

/// A batch of the log, so many parts after it, and what happens then.
#[derive(Clone, Debug)]
struct Turn {
    events: usize,
    parts: usize,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    GoOn,
    /// Every thread that can be read is compared with the naive model.
    Read,
    /// Somebody waits for a thread.
    Want(u8),
    Reopen,
    /// A generation that nobody reads yet carries everything out at once.
    CatchUp,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let then = prop_oneof![
        6 => Just(Then::GoOn),
        6 => Just(Then::Read),
        4 => (0..3u8).prop_map(Then::Want),
        1 => Just(Then::Reopen),
        1 => Just(Then::CatchUp),
    ];
    let turn = (1..9usize, 0..4usize, then).prop_map(|(events, parts, then)| Turn { events, parts, then });
    proptest::collection::vec(turn, 1..60)
}

/// Carries a part out. Whether there was one.
fn part(store: &Store) -> bool {
    store.carry_on().unwrap().is_some()
}

/// Every thread that has come to all that was decided is as the naive model has it.
fn settled_agree(store: &Store, naive: &Naive) -> Result<(), TestCaseError> {
    let view = store.view();
    for name in naive.threads.keys() {
        let place = Place { thread: Some(name.parse().unwrap()), ..place(None) };
        if view.is_settled(&place).unwrap() {
            thread_agrees(&view, naive, name)?;
        }
    }
    Ok(())
}

/// Each message with what is left of it in a log whose eraser is done.
fn without_what_was_erased(log: &[Recorded]) -> (Erasures, Vec<Recorded>) {
    let mut erasures = Erasures::default();
    for (recorded, place, envelope) in events(log) {
        erasures.note(recorded.sequence, place, envelope);
    }
    let mut stripped = log.to_vec();
    for recorded in &mut stripped {
        let Recorded { sequence, place: Some(place), content: Content::Event(envelope) } = recorded else {
            continue;
        };
        if let Some(less) = erasures.strip(*sequence, place, envelope) {
            *envelope = less;
        }
    }
    (erasures, stripped)
}

fn events(log: &[Recorded]) -> impl Iterator<Item = (&Recorded, &Place, &Envelope)> {
    log.iter().filter_map(|recorded| match (&recorded.place, &recorded.content) {
        (Some(place), Content::Event(envelope)) => Some((recorded, place, envelope)),
        _ => None,
    })
}

/// Texts and ids that were erased for good: nothing came after it that says them again.
fn gone_for_good(log: &[Recorded]) -> BTreeSet<String> {
    let mut naive = Naive::default();
    let mut gone = BTreeSet::new();
    for (at, recorded) in log.iter().enumerate() {
        let texts = |thread: &Thread| -> Vec<String> {
            let revisions = thread.comments.iter().flat_map(|comment| &comment.revisions);
            revisions.map(|revision| revision.text.clone()).filter(|text| !text.is_empty()).collect()
        };
        let before: BTreeSet<String> = naive.threads.values().flat_map(texts).collect();
        let came = naive.fold(recorded);
        let after: BTreeSet<String> = naive.threads.values().flat_map(texts).collect();
        gone.extend(before.difference(&after).cloned());
        let Content::Event(envelope) = &recorded.content else { continue };
        if let (Came::Applied, Event::AuthorErased { author, .. }) = (came, &envelope.event) {
            let again = format!("{:?}", &log[at + 1..]);
            if !again.contains(author.as_str()) && envelope.actor.id != *author {
                gone.insert(author.to_string());
            }
        }
    }
    gone
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn parts_between_whatever_steps_come_to_the_same(acts in undone_acts(), turns in turns()) {
        let log = history(&acts);
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir);
        let (mut naive, mut from) = (Naive::default(), 0);
        for turn in turns.iter().cycle() {
            let until = log.len().min(from + turn.events);
            store.fold(&log[from..until], LOG).unwrap();
            for recorded in &log[from..until] {
                naive.fold(recorded);
            }
            from = until;
            for _ in 0..turn.parts {
                part(&store);
            }
            match turn.then {
                Then::GoOn => {}
                Then::Read => settled_agree(&store, &naive)?,
                Then::Want(thread) => {
                    let place = place(Some(thread));
                    store.want(&place);
                    part(&store);
                    prop_assert!(store.view().is_settled(&place).unwrap(), "who waits is not kept waiting");
                    settled_agree(&store, &naive)?;
                }
                Then::Reopen => {
                    drop(store);
                    store = open(&dir);
                }
                Then::CatchUp => {
                    store.catch_up(&log[from..from], LOG).unwrap();
                    prop_assert!(!store.is_open());
                    settled_agree(&store, &naive)?;
                }
            }
            if from == log.len() {
                break;
            }
        }
        while part(&store) {}
        prop_assert_eq!(digests(&store), folded(&log, 16));
        for number in 0..3 {
            prop_assert!(store.view().is_settled(&place(Some(number))).unwrap());
        }
        settled_agree(&store, &naive)?;
    }

    #[test]
    fn a_rebuild_without_what_was_erased_comes_to_the_same(acts in undone_acts(), batch in 1..40usize) {
        let log = history(&acts);
        let mut naive = Naive::default();
        // An erasure that came after its site stood still is carried out in the log and in no view.
        let skipped = log.iter().any(|recorded| {
            let erases = matches!(&recorded.content, Content::Event(envelope)
                if matches!(envelope.event, Event::AuthorErased { .. }));
            naive.fold(recorded) == Came::Skipped && erases
        });
        prop_assume!(!skipped);
        let (erasures, stripped) = without_what_was_erased(&log);
        prop_assert_eq!(folded(&log, 16), folded(&stripped, batch));
        for (recorded, place, envelope) in events(&stripped) {
            prop_assert_eq!(erasures.strip(recorded.sequence, place, envelope), None, "there is nothing left");
        }
    }

    #[test]
    fn what_was_erased_is_nowhere_in_the_store(acts in undone_acts(), batch in 1..40usize, cut in any::<Index>()) {
        let log = history(&acts);
        let gone = gone_for_good(&log);
        let (dir, store) = store_of(&log[..cut.index(log.len())]);
        fold(&store, &log[cut.index(log.len())..], batch);
        drop(store);
        let tree = sled_of(&dir).open_tree("koe").unwrap();
        for entry in &tree {
            let (key, value) = entry.unwrap();
            for text in &gone {
                prop_assert!(!has(&key, text) && !has(&value, text), "{} in {:?}: {:?}", text, key, value);
            }
        }
    }
}

#[test]
fn what_is_erased_is_in_the_generated_histories() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut authors, mut texts) = (0, 0);
    for _ in 0..160 {
        let log = history(&undone_acts().new_tree(&mut runner).unwrap().current());
        let gone = gone_for_good(&log);
        let (ids, words): (Vec<&String>, Vec<&String>) = gone.iter().partition(|text| text.starts_with("reader-"));
        authors += ids.len();
        texts += words.len();
    }
    assert!(authors >= 20 && texts >= 40, "{authors} authors and {texts} texts");
}
