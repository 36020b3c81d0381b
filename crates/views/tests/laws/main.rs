//! The fold against a naive model, and the laws that the store keeps whatever the history: equal digests for any
//! batches, for every event twice, and after a cut anywhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a law that meets what it does not expect fails on the spot"
)]

mod asked;
mod histories;
mod lists;
mod model;
mod moderating;
mod orders;
mod pages;
mod parts;
mod queues;
mod reading;
mod trees;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use domain::{Content, Event, Place, Recorded, Rejection, SiteId, Tally, ThreadId, Vote};
use model::{Act, What, acts, history, place};
use proptest::prelude::*;
use views::Verdict::{self, Applied, Froze, Skipped};
use views::{CommentPage, Cursor, Options, Reading, Step, Store, Viewer};

const PATIENCE: Duration = Duration::from_secs(30);
const LOG: (&str, i64, u64) = ("test", 0, 1);
/// The fold keeps next to nothing, so that what it forgets is read again.
const SMALL: Options = Options {
    cache_bytes: 8 * 1024 * 1024,
    fold_cache_bytes: 16 * 1024,
    step_events_max: NonZeroUsize::new(3).unwrap(),
    part_cost_max: 150,
    flush_every_millis: 500,
};

fn open(dir: &tempfile::TempDir) -> Store {
    // sled's own thread lets the directory go a moment after its store was dropped.
    let began = Instant::now();
    loop {
        match Store::open(dir.path(), SMALL) {
            Err(views::Error::InUse) if began.elapsed() < PATIENCE => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// What lies in the directory of a store that was dropped.
fn sled_of(dir: &tempfile::TempDir) -> sled::Db {
    let began = Instant::now();
    loop {
        match sled::open(dir.path()) {
            Err(sled::Error::Io(_)) if began.elapsed() < PATIENCE => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// Folds, and carries out what was decided for all threads.
fn fold(store: &Store, log: &[Recorded], batch: usize) -> Vec<Step> {
    let steps = log.chunks(batch).map(|chunk| store.fold(chunk, LOG).unwrap()).collect();
    carry_out(store);
    steps
}

/// Carries out whatever was decided for all threads.
fn carry_out(store: &Store) -> Vec<Step> {
    std::iter::from_fn(|| store.carry_on().unwrap()).collect()
}

/// A store of its own with this history.
fn store_of(log: &[Recorded]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fold(&store, log, 16);
    (dir, store)
}

fn site() -> SiteId {
    "s".parse().unwrap()
}

fn thread(number: u8) -> ThreadId {
    format!("t{number}").parse().unwrap()
}

/// Oldest first after a number.
fn after_number(number: u32) -> Reading {
    Reading::From(Cursor::after(number))
}

/// The number after which the next page begins, oldest first.
fn next_number(page: &CommentPage) -> Option<u32> {
    page.next.as_ref().map(|next| next.to_text(&place(Some(0))).parse().unwrap())
}

/// A page of the first thread.
fn page(store: &Store, viewer: &Viewer, after: u32, limits: (u32, usize)) -> CommentPage {
    store.view().comments(&site(), &thread(0), viewer, after_number(after), limits).unwrap().unwrap()
}

fn anybody() -> Viewer {
    Viewer::default()
}

fn moderator() -> Viewer {
    Viewer { id: None, moderator: true }
}

fn digests(store: &Store) -> Vec<(Place, views::Digest)> {
    let view = store.view();
    let places = view.places(None, 1_000).unwrap();
    let mut voters = views::Voters::default();
    places.into_iter().map(|place| (place.clone(), view.digest(&place, &mut voters).unwrap())).collect()
}

fn folded(log: &[Recorded], batch: usize) -> Vec<(Place, views::Digest)> {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fold(&store, log, batch);
    digests(&store)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_digest_is_the_same_whatever_the_batches(acts in acts(120), batch in 2..40usize) {
        let log = history(&acts);
        prop_assert_eq!(folded(&log, 1), folded(&log, batch));
    }

    #[test]
    fn catching_up_in_many_steps_comes_to_the_same(acts in acts(120), cut in any::<prop::sample::Index>()) {
        let log = history(&acts);
        let cut = cut.index(log.len());
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        // Steps of three, each prepared while the one before it is written; and then live.
        prop_assert_eq!(store.catch_up(&log[..cut], LOG).unwrap(), cut as u64);
        prop_assert_eq!(store.catch_up(&log[..cut], LOG).unwrap(), cut as u64);
        fold(&store, &log[cut..], 7);
        prop_assert_eq!(digests(&store), folded(&log, 16));
        // It is counted when it is opened again.
        drop(store);
        prop_assert_eq!(open(&dir).sequence(), log.len() as u64);
    }

    #[test]
    fn every_event_twice_changes_nothing(acts in acts(120)) {
        let log = history(&acts);
        let twice: Vec<Recorded> = log.iter().flat_map(|recorded| [recorded.clone(), recorded.clone()])
            .zip(1..).map(|(recorded, sequence)| Recorded { sequence, ..recorded }).collect();
        prop_assert_eq!(folded(&log, 16), folded(&twice, 16));
    }

    #[test]
    fn cut_anywhere_and_reopened_the_digest_is_the_same(acts in acts(120), cut in any::<prop::sample::Index>()) {
        let log = history(&acts);
        let cut = cut.index(log.len());
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        fold(&store, &log[..cut], 7);
        drop(store);
        let store = open(&dir);
        prop_assert_eq!(store.sequence(), cut as u64);
        // What was folded already may come again.
        fold(&store, &log[cut.saturating_sub(5)..], 7);
        prop_assert_eq!(digests(&store), folded(&log, 16));
        prop_assert_eq!(store.checkpoint().unwrap().unwrap().sequence, log.len() as u64);
    }
}

#[test]
fn a_digest_tells_one_vote_and_its_voter() {
    let vote = |voter, vote| What::Vote(0, vote).by(voter);
    let of = |last: &[Act]| {
        let mut acts = vec![What::open(0), What::post().by(1)];
        acts.extend_from_slice(last);
        folded(&history(&acts), 16)
    };
    let with_one = of(&[vote(2, Vote::Up)]);
    assert_ne!(with_one, of(&[]), "a vote");
    assert_ne!(with_one, of(&[vote(2, Vote::Down)]), "its side");
    assert_ne!(with_one, of(&[vote(3, Vote::Up)]), "its voter");
    let (up, down) = (vote(2, Vote::Up), vote(3, Vote::Down));
    assert_eq!(of(&[up.clone(), down.clone()]), of(&[down, up]), "voters' numbers do not count");
    assert_eq!(with_one, of(&[vote(2, Vote::Down), vote(2, Vote::Up)]), "the last counts");
}

#[test]
fn a_poison_message_freezes_its_thread_and_the_rest_goes_on() {
    let in_t2 = |what: What| Act { thread: 2, ..what.by(1) };
    let poison = in_t2(What::Poison { whole_site: false });
    let log = history(&[
        What::open(0),
        What::open(2),
        What::post().by(1),
        poison,
        What::post().by(1),
        in_t2(What::post()),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let verdicts: Vec<Verdict> = store.fold(&log, LOG).unwrap().outcomes.iter().map(|o| o.verdict).collect();
    assert_eq!(verdicts, [Applied, Applied, Applied, Applied, Froze, Applied, Skipped]);
    let frozen = store.view().frozen(10).unwrap();
    assert_eq!(
        (frozen[0].thread.as_str(), frozen[0].sequence, frozen[0].message_id.as_str()),
        ("t2", 5, "poison")
    );
    assert_eq!(store.view().count(&site(), &thread(0)).unwrap(), Some(2));
}

#[test]
fn a_void_event_keeps_the_record_of_its_command_and_a_counter() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let log = history(&[What::post().by(1)]);
    let step = store.fold(&log, LOG).unwrap();
    assert_eq!(step.outcomes[1].verdict, Verdict::Void(Rejection::ThreadUnknown));
    assert!(step.changes.is_empty());
    let Content::Event(envelope) = &log[1].content else { unreachable!() };
    let known = store.view().command(log[1].place.as_ref().unwrap(), envelope.id).unwrap().unwrap();
    assert_eq!((known.sequence, known.void), (2, Some(Rejection::ThreadUnknown)));
    assert_eq!(store.view().void().unwrap(), [("thread-unknown".to_owned(), 1)]);
}

#[test]
fn a_step_names_what_readers_see_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let vote = What::Vote(0, Vote::Up).by(2);
    let log = history(&[What::open(0), What::post().by(1), vote.clone(), vote]);
    fold(&store, &log[..3], 16);
    let step = store.fold(&log[3..4], LOG).unwrap();
    assert_eq!(step.changes.len(), 1);
    assert_eq!(step.changes[0].comments[0].tally, Tally { up: 1, down: 0 });
    assert_eq!(step.changes[0].count, 1);
    assert!(store.fold(&log, LOG).unwrap().changes.is_empty(), "the same vote again");
    let now = store.view().now(&place(Some(0)), &BTreeSet::from([1])).unwrap().unwrap();
    assert_eq!(now.comments[0].id, step.changes[0].comments[0].id);
    assert_eq!((now.count, now.comments[0].tally), (1, step.changes[0].comments[0].tally));
}

#[test]
fn every_kind_of_event_is_in_the_generated_histories() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut applied, mut void) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..160 {
        let log = history(&acts(150).new_tree(&mut runner).unwrap().current());
        let mut naive = model::Naive::default();
        for recorded in &log {
            let came = naive.fold(recorded);
            let Content::Event(envelope) = &recorded.content else { continue };
            match came {
                model::Came::Applied => applied.insert(envelope.event.kind()),
                model::Came::Void => void.insert(envelope.event.kind()),
                _ => false,
            };
        }
    }
    let every: BTreeSet<&str> = Event::KINDS.iter().copied().collect();
    assert_eq!(applied, every, "each happens");
    assert_eq!(void, every, "each breaks a rule");
}

#[test]
fn a_store_is_opened_by_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(&dir);
    assert!(matches!(Store::open(dir.path(), SMALL), Err(views::Error::InUse)));
}

#[test]
fn a_store_that_does_not_hold_what_was_written_is_not_opened() {
    type Harm = fn(&sled::Tree, sled::IVec, sled::IVec);
    let harms: [Harm; 3] = [
        |tree, key, value| {
            let mut damaged = value.to_vec();
            *damaged.last_mut().unwrap() ^= 1;
            tree.insert(key, damaged).unwrap();
        },
        |tree, key, _| assert!(tree.remove(key).unwrap().is_some()),
        // Sound in itself, and not what was written there.
        |tree, key, _| {
            let (_, other) = tree.scan_prefix([8]).next_back().unwrap().unwrap();
            tree.insert(key, other).unwrap();
        },
    ];
    for harm in harms {
        let (dir, store) = store_of(&history(&[What::open(0), What::post().by(1), What::post().by(2)]));
        drop(store);
        let db = sled_of(&dir);
        let tree = db.open_tree("koe").unwrap();
        let (key, value) = tree.scan_prefix([8]).next().unwrap().unwrap();
        harm(&tree, key, value);
        drop((tree, db));
        let began = Instant::now();
        let opened = loop {
            match Store::open(dir.path(), SMALL) {
                Err(views::Error::InUse) if began.elapsed() < PATIENCE => std::thread::yield_now(),
                opened => break opened.map(drop),
            }
        };
        assert!(matches!(opened, Err(views::Error::Damaged(_))), "{opened:?}");
    }
}
