//! Group commit on a real nats-server that syncs for each publish: whatever happens to a batch, each event is recorded
//! once and answered with its own place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use domain::text::Text;
use domain::{CommandId, Envelope, Event, Place, Timestamp};
use futures::{StreamExt as _, stream as streams};
use journal::{Appended, Contents, GroupCommit, Journal, Options, Provision, Step};

use crate::sandbox::{Nats, PATIENCE, eventually, reader};

/// Batches whenever two events wait, however fast the disk of a test is.
fn always() -> Options {
    Options { group_commit: GroupCommit::Always, ..Options::default() }
}

fn place() -> Place {
    Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) }
}

/// The event of a number: there is no id 0.
fn posted(number: u128, words: &str) -> Envelope {
    let text = Text::recorded(words);
    let length = text.length();
    let event =
        Event::CommentPosted { parent: None, text, quotes: Vec::new(), length, held: None, original_time: None };
    Envelope {
        id: CommandId::from_u128(number + 1),
        time: Timestamp(1_700_000_000_123),
        actor: reader("ann"),
        event,
    }
}

type Answers = Vec<(u128, Result<Appended, journal::Error>)>;

/// Appends the event of each id, on all threads, with so many in flight.
async fn append_all(journal: &Journal, ids: impl IntoIterator<Item = u128>, in_flight: usize) -> Answers {
    let mut appends = tokio::task::JoinSet::new();
    let mut answers = Vec::new();
    for id in ids {
        if appends.len() == in_flight {
            answers.push(appends.join_next().await.unwrap().unwrap());
        }
        let journal = journal.clone();
        appends.spawn(async move { (id, journal.append(&place(), &posted(id, "words"), None).await) });
    }
    answers.extend(appends.join_all().await);
    answers
}

/// As a client does: the same again until there is an answer.
async fn append_until_answered(journal: &Journal, id: u128) -> Appended {
    let began = Instant::now();
    loop {
        match journal.append(&place(), &posted(id, "words"), None).await {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < PATIENCE, "waited in vain: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The log as it is: the id at each sequence.
async fn log(journal: &Journal) -> BTreeMap<u64, u128> {
    let end = eventually("the log is there", async || journal.look().await.ok()).await;
    let mut follower = journal.follow(0, Contents::Whole);
    let mut log = BTreeMap::new();
    while u64::try_from(log.len()).unwrap() < end.messages {
        match tokio::time::timeout(PATIENCE, follower.next()).await.unwrap() {
            Step::Opened => {}
            Step::Batch(entries) => log.extend(entries.iter().map(|entry| {
                let domain::Content::Event(event) = entry.decode().content else { panic!("{entry:?}") };
                assert_eq!(event.id.to_string(), entry.message_id, "each has its own id");
                (entry.sequence, event.id.as_u128() - 1)
            })),
        }
    }
    log
}

/// Every answer names the place of its own event, and no event stands twice. Returns how many were answered by a place.
fn assert_answered_by(log: &BTreeMap<u64, u128>, answers: &Answers) -> usize {
    let mut places = HashMap::new();
    for (sequence, id) in log {
        assert_eq!(places.insert(*id, *sequence), None, "{id} is in the log twice");
    }
    let mut recorded = 0;
    for (id, answer) in answers {
        if let Ok(Appended::New { sequence } | Appended::Repeated { sequence }) = answer {
            assert_eq!(places.get(id), Some(sequence), "the answer to {id} names its place");
            recorded += 1;
        }
    }
    recorded
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_batch_is_recorded_once_and_answered_with_its_own_place() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    for (round, group_commit) in
        [GroupCommit::Always, GroupCommit::WhenSooner, GroupCommit::Never].into_iter().enumerate()
    {
        let options = Options { group_commit, ..Options::default() };
        let journal = Journal::open(nats.connect().await, &options).await.unwrap();
        let first = u128::try_from(round).unwrap() * 10_000;
        let answers = append_all(&journal, first..first + 2_000, 500).await;
        assert!(answers.iter().all(|(_, answer)| matches!(answer, Ok(Appended::New { .. }))), "{answers:?}");
        assert_eq!(assert_answered_by(&log(&journal).await, &answers), 2_000);
        let grouped = journal.grouped();
        match group_commit {
            GroupCommit::Always => assert!(grouped.events > grouped.batches * 2, "{grouped:?}"),
            GroupCommit::WhenSooner => {}
            GroupCommit::Never => assert_eq!(grouped.batches, 0),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_inside_and_across_batches_and_of_another_process_have_one_event_and_one_place() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let journal = Journal::open(nats.connect().await, &always()).await.unwrap();
    let other = Journal::open(nats.connect().await, &always()).await.unwrap();
    // Each id three times at once, and again later; another process has published every tenth of them before.
    let theirs = append_all(&other, (0..1_000).step_by(10), 50).await;
    let ours = (0..3_000).map(|number| (number * 7_919) % 1_000);
    let mut answers = append_all(&journal, ours, 300).await;
    answers.extend(append_all(&journal, 0..1_000, 300).await);
    let (again, against) =
        tokio::join!(append_all(&journal, 1_000..1_500, 200), append_all(&other, 1_000..1_500, 200));
    answers.extend(theirs.into_iter().chain(again).chain(against));

    let log = log(&journal).await;
    assert_eq!(assert_answered_by(&log, &answers), answers.len(), "{answers:?}");
    assert_eq!(log.len(), 1_500, "nothing else is in the log");
    let new = answers.iter().filter(|(_, answer)| matches!(answer, Ok(Appended::New { .. }))).count();
    assert_eq!(new, 1_500, "one command of each id is the first");
    assert!(journal.grouped().refused > 0, "ids of another process were in a batch");
    let reused = journal.append(&place(), &posted(3, "other words"), None).await.unwrap();
    assert_eq!(reused, Appended::Reused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_killed_among_batches_loses_nothing_that_was_answered_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut nats = Nats::start(dir.path().to_owned()).await;
    let journal = Journal::open(nats.connect().await, &always()).await.unwrap();
    let answered = Arc::new(AtomicUsize::new(0));
    let mut load = tokio::task::JoinSet::new();
    for caller in 0..200_u128 {
        let (journal, answered) = (journal.clone(), Arc::clone(&answered));
        load.spawn(async move {
            let mut answers = Vec::new();
            for number in 0..40 {
                let id = caller * 1_000 + number;
                answers.push((id, Ok(append_until_answered(&journal, id).await)));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            answers
        });
    }
    for kills in 1..=3 {
        eventually("some are answered", async || {
            (answered.load(Ordering::Relaxed) >= 1_500 * kills).then_some(())
        })
        .await;
        nats.kill();
        nats.restart();
    }
    let answers: Answers = load.join_all().await.into_iter().flatten().collect();
    let log = log(&journal).await;
    assert_eq!(assert_answered_by(&log, &answers), 8_000);
    assert_eq!(log.len(), 8_000, "nothing else is in the log");
    assert!(journal.grouped().batches > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_is_told_to_each_event_of_a_batch_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let options = Options { bytes_max: Some(100_000), ..always() };
    let journal = Journal::open(nats.connect().await, &options).await.unwrap();
    let answers = append_all(&journal, 0..2_000, 100).await;
    let log = log(&journal).await;
    assert_eq!(assert_answered_by(&log, &answers), log.len(), "what is in the log was answered so");
    let full = answers.iter().filter(|(_, answer)| matches!(answer, Err(journal::Error::Full(_)))).count();
    assert_eq!(full, 2_000 - log.len(), "and everybody else learns that it is full");
    assert!(!log.is_empty() && full > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_after_its_time_however_it_waited() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let journal = Journal::open(nats.connect().await, &always()).await.unwrap();
    let began = Instant::now();
    let appends = streams::iter(0..600_u128).map(|id| {
        let journal = &journal;
        // Over, nearly over, or far off.
        let until = match id % 3 {
            0 => began.checked_sub(Duration::from_millis(1)).unwrap(),
            1 => began + Duration::from_secs(1),
            _ => began + PATIENCE * 10,
        };
        async move { (id, journal.append(&place(), &posted(id, "words"), Some(until)).await) }
    });
    let answers: Answers = appends.buffer_unordered(300).collect().await;
    let log = log(&journal).await;
    assert_eq!(assert_answered_by(&log, &answers), log.len());
    for (id, answer) in &answers {
        match id % 3 {
            0 => assert!(matches!(answer, Err(journal::Error::Late)), "{id}: {answer:?}"),
            1 => assert!(matches!(answer, Ok(_) | Err(journal::Error::Late)), "{id}: {answer:?}"),
            _ => assert!(matches!(answer, Ok(Appended::New { .. })), "{id}: {answer:?}"),
        }
    }
}

/// A log as an earlier release, or somebody else, made it.
async fn made_without_batches(context: &jetstream::Context) {
    let config = stream::Config {
        name: "KOE_EVENTS".into(),
        description: Some("made by hand".into()),
        subjects: vec![wire::subject::EVENTS.into()],
        discard: stream::DiscardPolicy::New,
        duplicate_window: Duration::from_secs(33),
        allow_direct: true,
        ..stream::Config::default()
    };
    context.create_stream(config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_an_earlier_release_learns_to_take_batches_and_stays_as_it_was_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let context = jetstream::new(nats.connect().await);
    made_without_batches(&context).await;
    let before = context.get_stream("KOE_EVENTS").await.unwrap().cached_info().config.clone();
    assert!(!before.allow_atomic_publish);

    Journal::open(nats.connect().await, &always()).await.unwrap();
    let after = context.get_stream("KOE_EVENTS").await.unwrap().cached_info().config.clone();
    let metadata = after.metadata.clone();
    assert_eq!(after, stream::Config { allow_atomic_publish: true, metadata, ..before });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_takes_no_batches_serves_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let context = jetstream::new(nats.connect().await);
    made_without_batches(&context).await;
    let config = || async { context.get_stream("KOE_EVENTS").await.unwrap().cached_info().config.clone() };

    // Only who writes may change it; a state bucket is there for who only reads.
    let writer = Journal::open(nats.connect().await, &always()).await.unwrap();
    context.update_stream(stream::Config { allow_atomic_publish: false, ..config().await }).await.unwrap();
    let reader = Options { provision: Provision::Never, ..always() };
    let reader = Journal::open(nats.connect().await, &reader).await.unwrap();
    assert!(!config().await.allow_atomic_publish, "who reads leaves it alone");

    // The writer finds out by the first batch, and by no other.
    let answers = append_all(&writer, 0..1_000, 100).await;
    assert_eq!(assert_answered_by(&log(&reader).await, &answers), 1_000, "{answers:?}");
    assert_eq!(writer.grouped(), journal::Grouped::default());
}
