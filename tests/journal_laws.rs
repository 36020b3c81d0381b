//! The laws of the journal: the same functions over the in-memory twin and a real nats-server.

use std::time::{Duration, Instant};

use domain::Timestamp;
use domain::text::Text;
use domain::{Actor, CommandId, Envelope, Event, Place};
use journal::{Appended, Contents, Entry, GroupCommit, Journal, Options, Step};

use crate::sandbox::{Nats, reader};

const WINDOW: Duration = Duration::from_secs(30);

fn place(thread: &str) -> Place {
    Place { site: "s".parse().unwrap(), thread: Some(thread.parse().unwrap()) }
}

fn posted(id: u128, words: &str) -> Envelope {
    let event = Event::CommentPosted {
        parent: None,
        text: Text::recorded(words),
        quotes: Vec::new(),
        length: Text::recorded(words).length(),
        held: None,
        original_time: None,
    };
    let actor: Actor = reader("ann");
    Envelope { id: CommandId::from_u128(id), time: Timestamp(1_700_000_000_123), actor, event }
}

/// The next `count` entries of a follower, whatever its batches are.
async fn take(follower: &mut journal::Follower, count: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    while entries.len() < count {
        match tokio::time::timeout(crate::sandbox::PATIENCE, follower.next()).await.unwrap() {
            Step::Opened => {}
            Step::Batch(batch) => entries.extend(batch),
        }
    }
    entries
}

async fn an_append_is_acknowledged_once_and_read_back(journal: &Journal) {
    let (here, event) = (place("t"), posted(1, "words"));
    let Appended::New { sequence } = journal.append(&here, &event, None).await.unwrap() else {
        panic!("it is new")
    };
    let read = journal.read(sequence).await.unwrap().unwrap().decode();
    assert_eq!(read.place, Some(here.clone()));
    assert_eq!(read.content, domain::Content::Event(event.clone()));
    let later = Envelope { time: Timestamp(9), ..event };
    assert_eq!(journal.append(&here, &later, None).await.unwrap(), Appended::Repeated { sequence });
    assert_eq!(journal.look().await.unwrap().sequence, sequence);
}

async fn another_command_under_the_same_id_is_noticed(journal: &Journal) {
    journal.append(&place("t"), &posted(2, "one"), None).await.unwrap();
    assert_eq!(journal.append(&place("t"), &posted(2, "two"), None).await.unwrap(), Appended::Reused);
    assert_eq!(journal.append(&place("u"), &posted(2, "one"), None).await.unwrap(), Appended::Reused);
    let other = Envelope { actor: reader("ben"), ..posted(2, "one") };
    assert_eq!(journal.append(&place("t"), &other, None).await.unwrap(), Appended::Reused);
}

async fn nothing_is_published_after_its_time(journal: &Journal) {
    let before = journal.look().await.unwrap().sequence;
    let over = Instant::now().checked_sub(Duration::from_millis(1)).unwrap();
    let late = journal.append(&place("t"), &posted(3, "late"), Some(over)).await;
    assert!(matches!(late, Err(journal::Error::Late)), "{late:?}");
    assert_eq!(journal.look().await.unwrap().sequence, before);
}

async fn a_follower_begins_where_it_is_told_and_goes_on_live(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    for id in 100..150 {
        journal.append(&place("t"), &posted(id, "x"), None).await.unwrap();
    }
    let mut follower = journal.follow(start + 10, Contents::Whole);
    assert!(matches!(follower.next().await, Step::Opened), "who follows checks the log first");
    let entries = take(&mut follower, 40).await;
    assert!(entries.iter().map(|entry| entry.sequence).eq(start + 11..=start + 50));
    journal.append(&place("t"), &posted(150, "live"), None).await.unwrap();
    let live = take(&mut follower, 1).await;
    assert_eq!(
        (live[0].sequence, live[0].message_id.as_str()),
        (start + 51, CommandId::from_u128(150).to_string().as_str())
    );
}

async fn emptiness_is_seen(journal: &Journal) {
    let end = journal.look().await.unwrap().sequence;
    assert!(journal.is_empty_between(end, end + 5).await.unwrap());
    assert!(!journal.is_empty_between(end - 1, end).await.unwrap());
}

async fn an_epoch_begins_once_for_all_who_noticed(journal: &Journal) {
    let lost = journal.look().await.unwrap().epoch;
    let (one, two) = tokio::join!(journal.begin_epoch(lost), journal.begin_epoch(lost));
    let epoch = one.unwrap();
    assert_ne!(epoch, lost);
    assert_eq!(two.unwrap(), epoch);
    assert_eq!(journal.begin_epoch(lost).await.unwrap(), epoch);
}

async fn a_scan_reads_what_is_stored_up_to_the_end(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    journal.append(&place("scanned"), &posted(500, "x"), None).await.unwrap();
    journal.append(&place("t"), &posted(501, "y"), None).await.unwrap();
    let of_thread = wire::subject::event(&place("scanned"), "comment-posted");
    let mut scan = journal.scan(vec![of_thread, "koe.v1.event.*.*.*.vote-cast".to_owned()], 0).await.unwrap();
    let found = scan.next().await.unwrap().unwrap();
    assert_eq!(found.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [start + 1]);
    assert!(scan.next().await.unwrap().is_none());
    let nothing = journal.scan(vec![wire::subject::EVENTS.to_owned()], start + 2).await.unwrap().next().await;
    assert!(nothing.unwrap().is_none());
}

async fn progress_is_kept(journal: &Journal) {
    assert_eq!(journal.progress("of-a-test").await.unwrap(), 0);
    journal.set_progress("of-a-test", 7).await.unwrap();
    assert_eq!(journal.progress("of-a-test").await.unwrap(), 7);
    assert!(!journal.keeps_everything().await.unwrap());
}

async fn all_laws(journal: &Journal) {
    assert_eq!(journal.window(), WINDOW);
    an_append_is_acknowledged_once_and_read_back(journal).await;
    another_command_under_the_same_id_is_noticed(journal).await;
    nothing_is_published_after_its_time(journal).await;
    a_follower_begins_where_it_is_told_and_goes_on_live(journal).await;
    emptiness_is_seen(journal).await;
    a_scan_reads_what_is_stored_up_to_the_end(journal).await;
    progress_is_kept(journal).await;
    an_epoch_begins_once_for_all_who_noticed(journal).await;
}

#[tokio::test]
async fn the_twin_in_memory_keeps_the_laws() {
    all_laws(&Journal::in_memory(WINDOW)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_keeps_the_laws() {
    for group_commit in [GroupCommit::WhenSooner, GroupCommit::Always, GroupCommit::Never] {
        let dir = tempfile::tempdir().unwrap();
        let nats = Nats::start(dir.path().to_owned()).await;
        let options = Options { window: WINDOW, group_commit, ..Options::default() };
        all_laws(&Journal::open(nats.connect().await, &options).await.unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_an_erased_message_counts_as_equal() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let connection = nats.connect().await;
    let journal = Journal::open(connection.clone(), &Options::default()).await.unwrap();
    let event = posted(1, "words");
    let Appended::New { sequence } = journal.append(&place("t"), &event, None).await.unwrap() else {
        panic!("it is new")
    };
    journal.append(&place("t"), &posted(2, "the last one stays"), None).await.unwrap();
    let stream = async_nats::jetstream::new(connection).get_stream(journal.stream()).await.unwrap();
    stream.delete_message(sequence).await.unwrap();
    assert!(journal.read(sequence).await.unwrap().is_none());
    assert_eq!(journal.append(&place("t"), &event, None).await.unwrap(), Appended::Repeated { sequence });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_outlives_its_broker_and_its_consumer() {
    let dir = tempfile::tempdir().unwrap();
    let mut nats = Nats::start(dir.path().to_owned()).await;
    let connection = nats.connect().await;
    let journal = Journal::open(connection.clone(), &Options::default()).await.unwrap();
    let mut follower = journal.follow(0, Contents::Whole);
    let mut expected = 0;
    for round in 0..3 {
        for id in 0..20 {
            let event = posted(1_000 * (round + 1) + id, "x");
            crate::sandbox::eventually("an append", async || journal.append(&place("t"), &event, None).await.ok())
                .await;
        }
        let entries = take(&mut follower, 20).await;
        assert!(
            entries.iter().map(|entry| entry.sequence).eq(expected + 1..=expected + 20),
            "neither gap nor repeat"
        );
        expected += 20;
        if round == 0 {
            nats.kill();
            nats.restart();
        } else {
            let stream =
                async_nats::jetstream::new(connection.clone()).get_stream(journal.stream()).await.unwrap();
            let names: Vec<_> = futures::TryStreamExt::try_collect(stream.consumer_names()).await.unwrap();
            for name in names {
                let name: String = name;
                stream.delete_consumer(&name).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_broker_says_so_and_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let options = Options { bytes_max: Some(20_000), ..Options::default() };
    let journal = Journal::open(nats.connect().await, &options).await.unwrap();
    let mut accepted = 0;
    let full = loop {
        match journal.append(&place("t"), &posted(accepted + 1, &"x".repeat(1_000)), None).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, journal::Error::Full(_)), "{full:?}");
    assert!(accepted > 10);
    let mut follower = journal.follow(0, Contents::Whole);
    assert_eq!(take(&mut follower, accepted as usize).await.len(), accepted as usize, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_partition_is_the_servers() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("mapped.conf");
    let mapping = "authorization { user: operator, password: koe_scenario_token }\n\
                   mappings = { \"in.*.*\": \"out.{{partition(64,1,2)}}.{{wildcard(1)}}.{{wildcard(2)}}\" }\n";
    std::fs::write(&config, mapping).unwrap();
    let nats = Nats::start_with(dir.path().join("nats"), config).await;
    let connection = nats.connect().await;
    let mut mapped = connection.subscribe("out.>").await.unwrap();
    for number in 0..200 {
        let (site, thread) = (format!("site-{}", number % 7), format!("Thread_{number}"));
        connection.publish(format!("in.{site}.{thread}"), "".into()).await.unwrap();
        let message = futures::StreamExt::next(&mut mapped).await.unwrap();
        let ours = wire::subject::partition(&site.parse().unwrap(), &thread.parse().unwrap());
        assert_eq!(message.subject.as_str(), format!("out.{ours}.{site}.{thread}"));
    }
}
