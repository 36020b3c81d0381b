//! The fold against a naive model, and the laws that the store keeps whatever the history: equal digests for any
//! batches, for every event twice, and after a cut anywhere.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::too_many_lines,
    reason = "a law that meets what it does not expect fails on the spot"
)]

mod model;

use std::time::{Duration, Instant};

use domain::event::Timestamp;
use domain::text::Text;
use domain::{
    Actor, CommandId, CommentId, Content, Envelope, Event, Place, Quote, Recorded, Rejection, Tally, Vote,
};
use model::{Act, Naive, act, history};
use proptest::prelude::*;
use views::Verdict::{self, Applied, Froze, Skipped};
use views::{Drawn, Options, Step, Store};

const PATIENCE: Duration = Duration::from_secs(30);
const LOG: (&str, i64, u64) = ("test", 0, 1);
const SMALL: Options = Options { cache_bytes: 8 * 1024 * 1024, flush_every_millis: 500 };

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

fn fold(store: &Store, log: &[Recorded], batch: usize) -> Vec<Step> {
    log.chunks(batch).map(|chunk| store.fold(chunk, LOG).unwrap()).collect()
}

fn digests(store: &Store) -> Vec<(Place, views::Digest)> {
    let view = store.view();
    let places = view.places(None, 1_000).unwrap();
    places.into_iter().map(|place| (place.clone(), view.digest(&place).unwrap())).collect()
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
    fn pages_are_those_of_a_naive_model(acts in proptest::collection::vec(act(), 1..150)) {
        let log = history(&acts);
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        fold(&store, &log, 16);
        let mut naive = Naive::default();
        for recorded in &log {
            naive.fold(recorded);
        }
        for (name, thread) in naive.threads.iter().filter(|(name, thread)| !name.is_empty() && thread.opened) {
            let view = store.view();
            let (site, id) = ("s".parse().unwrap(), name.parse().unwrap());
            let mut rows = Vec::new();
            loop {
                // Pages of three neither repeat nor skip.
                let page = view.comments(&site, &id, rows.len() as u32, (3, usize::MAX)).unwrap().unwrap();
                prop_assert_eq!(page.count as usize, thread.rows.len());
                prop_assert_eq!(page.frozen, thread.frozen);
                rows.extend(page.comments);
                if !page.more { break }
            }
            prop_assert_eq!(rows.len(), thread.rows.len());
            for (index, (row, expected)) in rows.iter().zip(&thread.rows).enumerate() {
                let count = |side| expected.votes.values().filter(|vote| **vote == side).count() as u32;
                prop_assert_eq!(row.number as usize, index + 1);
                prop_assert_eq!(row.id, expected.id);
                prop_assert_eq!(row.words.is_none(), expected.removed);
                prop_assert_eq!(row.tally, Tally { up: count(Vote::Up), down: count(Vote::Down) });
                if let Some((author, _, _)) = &row.words {
                    prop_assert_eq!(&author.id, &expected.author);
                    prop_assert_eq!(author.name.as_str(), naive.names.get(&author.id).map_or("", String::as_str));
                }
            }
        }
    }

    #[test]
    fn the_digest_is_the_same_whatever_the_batches(acts in proptest::collection::vec(act(), 1..80), batch in 1..40usize) {
        let log = history(&acts);
        prop_assert_eq!(folded(&log, 1), folded(&log, batch));
    }

    #[test]
    fn every_event_twice_changes_nothing(acts in proptest::collection::vec(act(), 1..80)) {
        let log = history(&acts);
        let twice: Vec<Recorded> = log.iter().flat_map(|recorded| [recorded.clone(), recorded.clone()])
            .zip(1..).map(|(recorded, sequence)| Recorded { sequence, ..recorded }).collect();
        prop_assert_eq!(folded(&log, 16), folded(&twice, 16));
    }

    #[test]
    fn cut_anywhere_and_reopened_the_digest_is_the_same(acts in proptest::collection::vec(act(), 1..80), cut in any::<prop::sample::Index>()) {
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

const POST: Act = Act::Post { thread: 0, author: 1, parent: None, quote: None };

#[test]
fn a_digest_tells_one_vote_and_its_voter() {
    let vote = |voter, vote| Act::Vote { thread: 0, comment: 0, voter, vote };
    let of = |last: &[Act]| {
        let mut acts = vec![Act::OpenThread(0), POST];
        acts.extend_from_slice(last);
        folded(&history(&acts), 16)
    };
    let with_one = of(&[vote(2, 0)]);
    assert_ne!(with_one, of(&[]), "a vote");
    assert_ne!(with_one, of(&[vote(2, 1)]), "its side");
    assert_ne!(with_one, of(&[vote(3, 0)]), "its voter");
    assert_eq!(of(&[vote(2, 0), vote(3, 1)]), of(&[vote(3, 1), vote(2, 0)]), "voters' numbers do not count");
    assert_eq!(with_one, of(&[vote(2, 1), vote(2, 0)]), "the last counts");
}

#[test]
fn a_quote_is_drawn_from_the_comment_as_it_is_now() {
    let quoting = Act::Post { thread: 0, author: 2, parent: None, quote: Some(0) };
    let nested = Act::Post { thread: 0, author: 3, parent: None, quote: Some(1) };
    let remove = Act::Remove { thread: 0, comment: 0, moderator: true };
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let log = history(&[Act::OpenThread(0), POST, quoting, nested, remove]);
    let page = |store: &Store| {
        store
            .view()
            .comments(&"s".parse().unwrap(), &"t0".parse().unwrap(), 0, (50, usize::MAX))
            .unwrap()
            .unwrap()
            .comments
    };
    fold(&store, &log[..5], 16);
    let rows = page(&store);
    let (_, _, quotes) = rows[2].words.as_ref().unwrap();
    let (author, body, inside) = quotes[0].words.as_ref().unwrap();
    assert_eq!((author.id.as_str(), body.as_str(), quotes[0].number), ("a2", "word", 2));
    assert_eq!(inside[0].words.as_ref().unwrap().0.id, "a1", "a quote inside the quote");
    fold(&store, &log, 16);
    let rows = page(&store);
    assert!(rows[0].words.is_none());
    assert!(rows[1].words.as_ref().unwrap().2[0].words.is_none(), "the quote of a removed comment holds no words");
    assert!(rows[2].words.as_ref().unwrap().2[0].words.as_ref().unwrap().2[0].words.is_none());
}

/// A post of ann's with these words and quotes, by the log's order.
fn posted(sequence: u64, time: i64, words: &str, quoted: &[u64]) -> Recorded {
    let id = |sequence: u64| CommandId::from_u128(u128::from(sequence) << 64 | 1);
    let quotes = quoted
        .iter()
        .map(|quoted| Quote { comment: CommentId(id(*quoted)), revision: 0, start: 0, end: 10_000, at: 0 })
        .collect();
    // The fold asks the length field and not the words.
    let event = Event::CommentPosted { parent: None, text: Text::recorded(words), quotes, length: 10_000 };
    let actor = Actor { id: "ann".parse().unwrap(), roles: domain::Roles::default() };
    let content = Content::Event(Envelope { id: id(sequence), time: Timestamp(time), actor, event });
    let place = Place { site: "s".parse().unwrap(), thread: Some("t0".parse().unwrap()) };
    Recorded { sequence, place: Some(place), content }
}

#[test]
fn what_quotes_of_quotes_draw_is_bounded_and_a_page_ends_early() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut log = history(&[Act::OpenThread(0)]);
    let longest = "声".repeat(10_000);
    log.push(posted(3, 1, &longest, &[]));
    log.push(posted(4, 1, &longest, &[3; 20]));
    log.push(posted(5, 1, &longest, &[4; 20]));
    log.push(posted(6, 1, &longest, &[5; 20]));
    fold(&store, &log, 16);
    let bytes_of = |drawn: &[Drawn]| -> usize {
        let mut waiting: Vec<&Drawn> = drawn.iter().collect();
        let mut bytes = 0;
        while let Some(quote) = waiting.pop() {
            if let Some((_, body, inside)) = &quote.words {
                bytes += body.len();
                waiting.extend(inside);
            }
        }
        bytes
    };
    let page = |after, bytes_max| {
        store
            .view()
            .comments(&"s".parse().unwrap(), &"t0".parse().unwrap(), after, (50, bytes_max))
            .unwrap()
            .unwrap()
    };
    let whole = page(0, usize::MAX);
    assert_eq!((whole.comments.len(), whole.more), (4, false));
    let (_, body, quotes) = whole.comments[3].words.as_ref().unwrap();
    assert_eq!(body, &longest, "one's own words are never cut");
    assert!((30_000..90_000).contains(&bytes_of(quotes)), "{}", bytes_of(quotes));
    let short = page(0, 100_000);
    assert_eq!((short.comments.len(), short.more), (1, true));
    assert_eq!(page(1, 1).comments[0].number, 2, "a page holds one comment at least");
}

#[test]
fn a_comment_is_no_earlier_than_its_threads_last_event() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut log = history(&[Act::OpenThread(0)]);
    let late = 2_000_000_000_000;
    log.push(posted(3, late, "first", &[]));
    log.push(posted(4, late - 5_000, "by a writer whose clock is behind", &[]));
    fold(&store, &log, 1);
    let page =
        store.view().comments(&"s".parse().unwrap(), &"t0".parse().unwrap(), 0, (50, 1_000)).unwrap().unwrap();
    assert!(page.comments.iter().all(|comment| comment.time == Timestamp(late)));
}

#[test]
fn a_poison_message_freezes_its_thread_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut log = history(&[Act::OpenThread(0), Act::OpenThread(3), POST, Act::Poison(3), POST]);
    let late = Act::Post { thread: 3, author: 1, parent: None, quote: None };
    log.extend(history(&[Act::OpenThread(0), Act::OpenThread(3), POST, Act::Poison(3), POST, late]).pop());
    let verdicts: Vec<Verdict> = store.fold(&log, LOG).unwrap().outcomes.iter().map(|o| o.verdict).collect();
    assert_eq!(verdicts, [Applied, Applied, Applied, Applied, Froze, Applied, Skipped]);
    let frozen = store.view().frozen(10).unwrap();
    assert_eq!(
        (frozen[0].thread.as_str(), frozen[0].sequence, frozen[0].message_id.as_str()),
        ("t3", 5, "poison")
    );
    assert_eq!(store.view().count(&"s".parse().unwrap(), &"t0".parse().unwrap()).unwrap(), Some(2));
}

#[test]
fn a_void_event_keeps_the_record_of_its_command_and_a_counter() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let log = history(&[POST]);
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
    let vote = Act::Vote { thread: 0, comment: 0, voter: 2, vote: 0 };
    let log = history(&[Act::OpenThread(0), POST, vote.clone(), vote]);
    fold(&store, &log[..3], 16);
    let step = store.fold(&log[3..], LOG).unwrap();
    assert_eq!(step.changes.len(), 1);
    assert_eq!(step.changes[0].comments[0].tally, Tally { up: 1, down: 0 });
    assert_eq!(step.changes[0].count, 1);
}

#[test]
fn a_store_is_opened_by_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(&dir);
    assert!(matches!(Store::open(dir.path(), SMALL), Err(views::Error::InUse)));
}

#[test]
fn a_damaged_value_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fold(&store, &history(&[Act::OpenThread(0), POST]), 16);
    drop(store);
    let db = sled::open(dir.path()).unwrap();
    let tree = db.open_tree("koe").unwrap();
    let (key, value) = tree.scan_prefix([8]).next().unwrap().unwrap();
    let mut damaged = value.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    tree.insert(key, damaged).unwrap();
    drop((tree, db));
    let store = open(&dir);
    let page = store.view().comments(&"s".parse().unwrap(), &"t0".parse().unwrap(), 0, (50, usize::MAX));
    assert!(matches!(page, Err(views::Error::Damaged(_))));
}
