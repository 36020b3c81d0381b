//! Lists of threads, what happened in them, an author's comments and single comments, against the naive model.

use std::collections::BTreeMap;

use domain::{Event, Mode, Recorded, State, Tally, Timestamp, Vote};
use proptest::prelude::*;
use views::{ActiveHour, CursorFailed, Store, ThreadOrder, Viewer};

use crate::histories::by_somebody;
use crate::model::{Act, Comment, Did, Naive, READERS, Thread, What, acts, history, place};
use crate::{LOG, anybody, fold, open, site, store_of, thread};

const HOUR_MILLIS: i64 = 3_600_000;
const ORDERS: [ThreadOrder; 4] =
    [ThreadOrder::Id, ThreadOrder::Newest, ThreadOrder::Comments, ThreadOrder::Trending];

/// Histories in which hours and days pass.
fn long_acts() -> impl Strategy<Value = Vec<Act>> {
    (acts(150), proptest::collection::vec((any::<prop::sample::Index>(), 0..40i64), 0..12)).prop_map(
        |(mut acts, waits)| {
            for (at, hours) in waits {
                acts.insert(at.index(acts.len()) + 1, What::Wait(hours * 3_600).by(0));
            }
            acts
        },
    )
}

/// Every page of a list.
fn pages(store: &Store, order: ThreadOrder, limit: usize) -> Vec<String> {
    let (mut threads, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.view().threads_in(&site(), order, (&after, limit)).unwrap().unwrap();
        assert!(page.threads.len() <= limit);
        threads.extend(page.threads.into_iter().map(|entry| entry.thread));
        match page.next {
            Some(next) => after = next,
            None => return threads,
        }
    }
}

impl Naive {
    fn of_thread(&self, name: &str, what: Did) -> impl Iterator<Item = i64> {
        let of_it = self.lists.happened.iter().filter(move |(thread, _, did)| thread == name && *did == what);
        of_it.map(|(_, millis, _)| millis.div_euclid(HOUR_MILLIS))
    }

    /// Each vote counts one, in 65,536ths; each hour after it takes its part, rounded down.
    fn heat(&self, name: &str) -> u128 {
        let decayed = |(heat, hour): (u128, i64), now: i64| {
            let cold = now - hour > 168;
            if cold { 0 } else { (hour..now).fold(heat, |heat, _| heat * 58_386 / 65_536) }
        };
        let mut heat = (0, i64::MIN / 2);
        for hour in self.of_thread(name, Did::Vote) {
            let now = if heat.0 == 0 { hour } else { heat.1.max(hour) };
            heat = (decayed(heat, now) + 65_536, now);
        }
        let latest = self.lists.happened.iter().map(|(_, millis, _)| millis.div_euclid(HOUR_MILLIS)).max();
        decayed(heat, latest.unwrap_or_default())
    }

    fn list(&self, order: ThreadOrder) -> Vec<String> {
        let mut threads: Vec<(usize, &String)> = self.lists.opened.iter().enumerate().collect();
        let rows = |name: &str| self.threads[name].comments.iter().filter(|comment| comment.has_row).count();
        match order {
            ThreadOrder::Id => threads.sort_by_key(|(_, name)| (*name).clone()),
            ThreadOrder::Newest => threads.reverse(),
            ThreadOrder::Comments => threads.sort_by_key(|(at, name)| (usize::MAX - rows(name), usize::MAX - at)),
            ThreadOrder::Trending => {
                threads.sort_by_key(|(at, name)| (u128::MAX - self.heat(name), usize::MAX - at));
            }
        }
        threads.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// What happened in the 48 hours up to the last in which something did.
    fn hours(&self, name: &str) -> Vec<ActiveHour> {
        let mut hours: BTreeMap<i64, [u32; 3]> = BTreeMap::new();
        for (at, did) in [Did::Show, Did::Post, Did::Vote].into_iter().enumerate() {
            for hour in self.of_thread(name, did) {
                hours.entry(hour).or_default()[at] += 1;
            }
        }
        let latest = hours.keys().next_back().copied().unwrap_or_default();
        let recent = hours.into_iter().filter(|(hour, _)| *hour > latest - 48);
        let active = |(hour, [rows, comments, votes]): (i64, [u32; 3])| ActiveHour {
            begin: Timestamp(hour * HOUR_MILLIS),
            rows,
            comments,
            votes,
        };
        recent.map(active).collect()
    }
}

fn tally(comment: &Comment) -> Tally {
    let (up, down) = comment.counted();
    Tally { up, down }
}

fn is_hidden(naive: &Naive, thread: &Thread) -> bool {
    naive.site.mode.mode == Mode::Hidden || thread.mode.mode == Mode::Hidden
}

/// The comments of an author that can be read, the newest first.
fn readable<'n>(naive: &'n Naive, author: &str) -> Vec<(&'n str, &'n Comment)> {
    let posts = naive.lists.posts.iter().rev().filter(|(by, ..)| by == author);
    let found = posts.map(|(_, name, id)| {
        let thread = &naive.threads[name];
        (name.as_str(), thread, thread.comments.iter().find(|comment| comment.id == *id).unwrap())
    });
    let readable =
        found.filter(|(_, thread, comment)| comment.state == State::Visible && !is_hidden(naive, thread));
    readable.map(|(name, _, comment)| (name, comment)).collect()
}

fn check_activity(store: &Store, naive: &Naive) -> Result<(), TestCaseError> {
    for number in 0..4 {
        let found = store.view().activity(&site(), &thread(number)).unwrap();
        let name = format!("t{number}");
        prop_assert_eq!(found.is_some(), naive.lists.opened.contains(&name));
        let Some(found) = found else { continue };
        let comments = &naive.threads[&name].comments;
        let rows: Vec<&Comment> = comments.iter().filter(|comment| comment.has_row).collect();
        prop_assert_eq!(found.count as usize, rows.len());
        prop_assert_eq!(found.last_comment, rows.iter().map(|comment| comment.time).max());
        let votes = comments.iter().map(tally);
        let (up, down) = votes.fold((0, 0), |(up, down), tally| (up + tally.up, down + tally.down));
        prop_assert_eq!((found.up, found.down), (u64::from(up), u64::from(down)));
        prop_assert_eq!(found.hours, naive.hours(&name));
    }
    Ok(())
}

fn check_authors(store: &Store, naive: &Naive) -> Result<(), TestCaseError> {
    for number in 0..READERS {
        let (author, view) = (format!("reader-{number}").parse().unwrap(), store.view());
        let expected = readable(naive, &format!("reader-{number}"));
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let limits = (2, usize::MAX);
            let page = view.author_comments(&site(), &author, &anybody(), before, limits).unwrap();
            prop_assert!(page.comments.len() <= 2);
            found.extend(page.comments);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let row = |found: &views::AuthorComment| {
            (found.thread.to_string(), found.comment.id, found.comment.tally, found.comment.said.is_some())
        };
        let found: Vec<_> = found.iter().map(row).collect();
        let row = |(name, comment): &(&str, &Comment)| ((*name).to_owned(), comment.id, tally(comment), true);
        prop_assert_eq!(found, expected.iter().map(row).collect::<Vec<_>>());
        let score = view.author_score(&site(), &author).unwrap();
        let sum = |side: fn(Tally) -> u32| expected.iter().map(|(_, it)| u64::from(side(tally(it)))).sum::<u64>();
        prop_assert_eq!((score.up, score.down), (sum(|tally| tally.up), sum(|tally| tally.down)));
        prop_assert_eq!((score.comments as usize, score.partial), (expected.len(), false));
    }
    Ok(())
}

/// Every comment as somebody sees it.
fn check_comments(store: &Store, naive: &Naive, viewer: &Viewer) -> Result<(), TestCaseError> {
    for (name, in_it) in naive.threads.iter().filter(|(_, thread)| thread.opened) {
        for comment in &in_it.comments {
            let found = store.view().readers_comment(&site(), &name.parse().unwrap(), comment.id, viewer).unwrap();
            if is_hidden(naive, in_it) {
                prop_assert!(found.unwrap().comment.is_none(), "nothing of it");
                continue;
            }
            prop_assert_eq!(found.is_ok(), comment.has_row);
            let Ok(found) = found else { continue };
            let row = found.comment.unwrap();
            prop_assert_eq!((row.id, row.state, row.tally), (comment.id, comment.state, tally(comment)));
            let own = viewer.id.as_ref().is_some_and(|id| id.as_str() == comment.author);
            let readable = comment.state == State::Visible || (own && comment.state == State::Held);
            prop_assert_eq!(row.said.is_some(), readable);
            let seen = comment.revisions.iter().zip(0..).filter(|(revision, _)| readable && revision.seen);
            let seen = seen.map(|(revision, number)| (number, revision.since, revision.text.clone()));
            prop_assert_eq!(found.revisions, seen.collect::<Vec<_>>());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn lists_and_activity_are_what_the_log_says(acts in long_acts(), limit in 1..4usize) {
        let log = history(&acts);
        let naive = Naive::of(&log);
        let (_dir, store) = store_of(&log);
        for order in ORDERS {
            prop_assert_eq!(pages(&store, order, limit), naive.list(order), "{:?}", order);
        }
        check_activity(&store, &naive)?;
        let dir = tempfile::tempdir().unwrap();
        let one_by_one = open(&dir);
        fold(&one_by_one, &log, 1);
        for order in ORDERS {
            prop_assert_eq!(pages(&one_by_one, order, limit), naive.list(order), "{:?} one by one", order);
        }
        check_activity(&one_by_one, &naive)?;
    }

    #[test]
    fn an_authors_comments_and_single_ones_are_as_readers_see_them(acts in acts(150)) {
        let log = history(&acts);
        let naive = Naive::of(&log);
        let (_dir, store) = store_of(&log);
        check_authors(&store, &naive)?;
        check_comments(&store, &naive, &anybody())?;
        check_comments(&store, &naive, &Viewer { id: Some("reader-1".parse().unwrap()), moderator: false })?;
    }
}

/// A log of many threads, which have 1 to 7 comments with 0 to 4 votes each.
fn many(threads: u64) -> Vec<Recorded> {
    let mut log = history(&[]);
    let mut push = |thread: u64, by: &str, event: Event| {
        let sequence = log.len() as u64 + 1;
        let at = 1_700_000_000_000 + sequence as i64 * 60_000;
        let mut recorded = by_somebody(sequence, by, at, true, &[domain::Role::Administrator], event);
        recorded.place.as_mut().unwrap().thread = Some(format!("t{thread}").parse().unwrap());
        log.push(recorded);
        domain::CommentId(crate::histories::id(sequence))
    };
    for thread in 0..threads {
        push(thread, "ed", opened());
        for _ in 0..=thread % 7 {
            let comment = push(thread, "ann", posted());
            for voter in 0..thread % 5 {
                let vote = Event::VoteCast { comment, vote: Vote::Up };
                push(thread, &format!("v{voter}"), vote);
            }
        }
    }
    log
}

fn opened() -> Event {
    let headline = "H".into();
    Event::ThreadOpened { headline, address: "".into(), category: "".into(), published: None, closes_at: None }
}

fn posted() -> Event {
    let text = domain::text::Text::recorded("word");
    Event::CommentPosted { parent: None, text, quotes: Vec::new(), length: 4, held: None, original_time: None }
}

#[test]
fn who_pages_on_through_a_list_that_moves_sees_every_thread_once() {
    let log = many(300);
    let naive = Naive::of(&log);
    let half = log.iter().position(|recorded| recorded.place == Some(place_of(200))).unwrap();
    for order in [ThreadOrder::Comments, ThreadOrder::Trending, ThreadOrder::Newest] {
        let (_dir, store) = store_of(&log[..half]);
        let (mut seen, mut after) = (Vec::new(), String::new());
        for step in log[half..].chunks(40).chain(std::iter::repeat(&[][..])) {
            let page = store.view().threads_in(&site(), order, (&after, 9)).unwrap().unwrap();
            seen.extend(page.threads.into_iter().map(|entry| entry.thread));
            let Some(next) = page.next else { break };
            after = next;
            if !step.is_empty() {
                store.fold(step, LOG).unwrap();
                crate::carry_out(&store);
            }
        }
        let once: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{order:?}: none twice");
        assert!((0..200).all(|thread| once.contains(&format!("t{thread}"))), "{order:?}: none missed");
        let (_dir, whole) = store_of(&log);
        assert_eq!(pages(&whole, order, 50), naive.list(order), "{order:?}");
    }
}

fn place_of(thread: u64) -> domain::Place {
    domain::Place { thread: Some(format!("t{thread}").parse().unwrap()), ..place(None) }
}

#[test]
fn a_cursor_of_another_order_and_a_crafted_one_are_refused() {
    let (_dir, store) = store_of(&many(20));
    let list = |order, after: &str| store.view().threads_in(&site(), order, (after, 2)).unwrap();
    let fault = |order, after: &str| list(order, after).err();
    let next = |order| list(order, "").unwrap().next.unwrap();
    assert_eq!(fault(ThreadOrder::Trending, &next(ThreadOrder::Comments)), Some(CursorFailed::Invalid));
    assert_eq!(fault(ThreadOrder::Comments, &next(ThreadOrder::Newest)), Some(CursorFailed::Invalid));
    assert_eq!(fault(ThreadOrder::Newest, &next(ThreadOrder::Comments)), Some(CursorFailed::Invalid));
    for bad in ["-1", "+", "99999999999", "a b", "AAAAAAAAAAAA"] {
        for order in [ThreadOrder::Newest, ThreadOrder::Comments, ThreadOrder::Trending] {
            assert_eq!(fault(order, bad), Some(CursorFailed::Invalid), "{order:?} {bad}");
        }
    }
    assert_eq!(fault(ThreadOrder::Id, "a b"), Some(CursorFailed::Invalid));
    assert!(list(ThreadOrder::Newest, "4000000000").unwrap().next.is_some(), "as if it were the first page");
}

#[test]
fn a_score_is_summed_over_the_newest_thousand_and_says_so() {
    let mut log = history(&[What::open(0)]);
    for number in 0..1_001 {
        let sequence = log.len() as u64 + 1;
        log.push(by_somebody(sequence, "ann", 1_800_000_000_000, true, &[], posted()));
        if number == 0 || number == 1 {
            let vote =
                Event::VoteCast { comment: domain::CommentId(crate::histories::id(sequence)), vote: Vote::Up };
            log.push(by_somebody(sequence + 1, "ben", 1_800_000_000_000, true, &[], vote));
        }
    }
    let (_dir, store) = store_of(&log);
    let score = store.view().author_score(&site(), &"ann".parse().unwrap()).unwrap();
    assert_eq!((score.comments, score.up, score.partial), (1_000, 1, true), "the first one's vote is left out");
    let nobody = store.view().author_score(&site(), &"an".parse().unwrap()).unwrap();
    assert_eq!(nobody, views::AuthorScore::default());
}
