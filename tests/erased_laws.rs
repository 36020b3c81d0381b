//! The laws of a log from which something was erased: over the in-memory twin and a real nats-server.

use std::time::Duration;

use domain::text::Text;
use domain::{Actor, CommandId, Content, Envelope, ErasedMessage, Event, Place, Role, Timestamp};
use futures::FutureExt as _;
use journal::{Appended, Contents, Follower, Journal, Options, Step};

use crate::sandbox::{Nats, PATIENCE, Sandbox, eventually, files_with, reader};

const WINDOW: Duration = Duration::from_millis(100);

fn place(thread: Option<&str>) -> Place {
    Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) }
}

fn posted(id: u128, words: &str) -> Envelope {
    let event = Event::CommentPosted {
        parent: None,
        text: Text::recorded(words),
        quotes: Vec::new(),
        length: 5,
        held: None,
        original_time: None,
    };
    Envelope { id: CommandId::from_u128(id), time: Timestamp(1_700_000_000_123), actor: reader("ann"), event }
}

async fn append(journal: &Journal, thread: Option<&str>, envelope: &Envelope) -> u64 {
    match journal.append(&place(thread), envelope, None).await.unwrap() {
        Appended::New { sequence } => sequence,
        appended => panic!("{appended:?}"),
    }
}

fn erased(sequence: u64, thread: Option<&str>, envelope: Envelope) -> ErasedMessage {
    ErasedMessage { sequence, thread: thread.map(|thread| thread.parse().unwrap()), envelope }
}

fn saying(id: u128, role: Role, messages: Vec<ErasedMessage>) -> Envelope {
    let actor = Actor { id: "koe-eraser".parse().unwrap(), roles: [role].into_iter().collect() };
    let (id, event) = (CommandId::from_u128(id), Event::MessagesErased { messages });
    Envelope { id, time: Timestamp(1_700_000_000_123), actor, event }
}

/// What a follower reads up to a sequence.
async fn read(follower: &mut Follower, up_to: u64) -> Vec<(u64, Envelope)> {
    let mut read: Vec<(u64, Envelope)> = Vec::new();
    while read.last().is_none_or(|(sequence, _)| *sequence < up_to) {
        let step = tokio::time::timeout(PATIENCE, follower.next()).await.unwrap();
        let Step::Batch(batch) = step else { continue };
        for entry in batch {
            let Content::Event(envelope) = entry.decode().content else { panic!("{entry:?}") };
            assert_eq!(entry.message_id, envelope.id.to_string());
            read.push((entry.sequence, envelope));
        }
    }
    read
}

async fn what_was_erased_is_read_without_it_in_its_place(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    let mut running = journal.follow(start, Contents::Whole);
    for id in 1..=5 {
        append(journal, Some("t"), &posted(id, "words")).await;
    }
    assert_eq!(read(&mut running, start + 5).await.len(), 5, "while nothing was erased");
    let mut slow = journal.follow(start, Contents::Whole);
    assert!(matches!(slow.next().await, Step::Opened));
    let messages = [1, 2, 4].map(|n| erased(start + n, Some("t"), posted(u128::from(n), "")));
    append(journal, None, &saying(10, Role::Service, messages.to_vec())).await;
    let say = |n: u64| posted(u128::from(n), if [1, 2, 4].contains(&n) { "" } else { "words" });
    // The fourth is said to be erased and is not deleted yet.
    assert!(journal.delete(start + 1).await.unwrap() && journal.delete(start + 2).await.unwrap());
    assert!(!journal.delete(start + 1).await.unwrap(), "it is gone");
    assert!(!journal.is_empty_between(start, start + 2).await.unwrap(), "they are not passed over");
    for after in [0, 1, 2] {
        let mut follower = journal.follow(start + after, Contents::Whole);
        let read = read(&mut follower, start + 6).await;
        let expected = (after + 1..=5).map(|n| (start + n, say(n)));
        assert!(read.iter().take(5 - usize::try_from(after).unwrap()).cloned().eq(expected), "{read:?}");
    }
    let late = read(&mut slow, start + 6).await;
    assert!(late.iter().map(|(sequence, _)| *sequence).eq(start + 1..=start + 6), "{late:?}");
    // A copy that somebody put in again, past a follower that runs.
    tokio::time::sleep(2 * WINDOW).await;
    let copy = append(journal, Some("t"), &posted(1, "words")).await;
    let live = read(&mut running, copy).await;
    assert_eq!(live.last(), Some(&(copy, posted(1, ""))));
}

async fn what_was_said_of_it_is_replaced_in_turn(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    append(journal, Some("u"), &posted(21, "words")).await;
    let kept = saying(30, Role::Service, vec![erased(start + 1, Some("u"), posted(21, "some"))]);
    append(journal, None, &kept).await;
    let without = saying(30, Role::Service, vec![erased(start + 1, Some("u"), posted(21, ""))]);
    append(journal, None, &saying(31, Role::Service, vec![erased(start + 2, None, without.clone())])).await;
    assert!(journal.delete(start + 1).await.unwrap() && journal.delete(start + 2).await.unwrap());
    let read = read(&mut journal.follow(start, Contents::Whole), start + 3).await;
    assert_eq!(read[..2], [(start + 1, posted(21, "")), (start + 2, without)]);
}

async fn a_gap_that_nobody_explains_stays_one(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    for id in 41..=44 {
        append(journal, Some("t"), &posted(id, "words")).await;
    }
    // A reader's word on it counts for nothing.
    let actor = reader("ann");
    let by_a_reader = saying(50, Role::Service, vec![erased(start + 2, Some("t"), posted(42, "lies"))]);
    append(journal, None, &Envelope { actor, ..by_a_reader }).await;
    assert!(journal.delete(start + 2).await.unwrap());
    assert!(journal.is_empty_between(start + 1, start + 2).await.unwrap());
    let read = read(&mut journal.follow(start, Contents::Whole), start + 5).await;
    assert!(read.iter().map(|(sequence, _)| sequence - start).eq([1, 3, 4, 5]), "{read:?}");
}

/// Who follows may stop waiting at any moment and ask again: nothing is lost, and nothing comes twice.
async fn an_impatient_follower_loses_nothing(journal: &Journal) {
    let start = journal.look().await.unwrap().sequence;
    for id in 100..140 {
        let sequence = append(journal, Some("t"), &posted(id, "words")).await;
        let message = erased(sequence, Some("t"), posted(id, ""));
        append(journal, None, &saying(1_000 + id, Role::Service, vec![message])).await;
        assert!(journal.delete(sequence).await.unwrap());
    }
    let mut follower = journal.follow(start, Contents::Whole);
    let mut read = Vec::new();
    while read.len() < 80 {
        // It is asked and left at its first wait, until it has something and looks at what that lacks.
        for _ in 0..20 {
            if let Some(Step::Batch(batch)) = follower.next().now_or_never() {
                read.extend(batch.iter().map(|entry| entry.sequence));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if read.len() < 80
            && let Step::Batch(batch) = tokio::time::timeout(PATIENCE, follower.next()).await.unwrap()
        {
            read.extend(batch.iter().map(|entry| entry.sequence));
        }
    }
    assert!(read.iter().copied().eq(start + 1..=start + 80), "{read:?}");
}

async fn all_laws(journal: &Journal) {
    what_was_erased_is_read_without_it_in_its_place(journal).await;
    what_was_said_of_it_is_replaced_in_turn(journal).await;
    a_gap_that_nobody_explains_stays_one(journal).await;
    an_impatient_follower_loses_nothing(journal).await;
}

#[tokio::test]
async fn the_twin_in_memory_keeps_the_laws_of_what_was_erased() {
    all_laws(&Journal::in_memory(WINDOW)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstream_keeps_the_laws_of_what_was_erased() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let options = Options { window: WINDOW, ..Options::default() };
    all_laws(&Journal::open(nats.connect().await, &options).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_deleted_message_leave_the_brokers_disk() {
    const WORDS: &str = "a secret that nobody else says";
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let journal = Journal::open(nats.connect().await, &Options::default()).await.unwrap();
    let sequence = append(&journal, Some("t"), &posted(1, WORDS)).await;
    append(&journal, Some("t"), &posted(2, "words")).await;
    let holds = || files_with(&nats.store(), WORDS);
    eventually("the words are on the disk", async || (!holds().is_empty()).then_some(())).await;
    let message = erased(sequence, Some("t"), posted(1, ""));
    append(&journal, None, &saying(10, Role::Service, vec![message])).await;
    assert!(journal.delete(sequence).await.unwrap());
    eventually("the words leave the disk", async || holds().is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_denies_deletes_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().to_owned()).await;
    let connection = nats.connect().await;
    let config = async_nats::jetstream::stream::Config {
        name: wire::subject::STREAM.to_owned(),
        subjects: vec![wire::subject::EVENTS.to_owned()],
        deny_delete: true,
        ..Default::default()
    };
    async_nats::jetstream::new(connection.clone()).create_stream(config).await.unwrap();
    let journal = Journal::open(connection, &Options::default()).await.unwrap();
    assert!(journal.keeps_everything().await.unwrap());
    let sequence = append(&journal, Some("t"), &posted(1, "words")).await;
    let refused = journal.delete(sequence).await;
    assert!(matches!(refused, Err(journal::Error::Undeletable(_))), "{refused:?}");
    assert!(journal.read(sequence).await.unwrap().is_some());
}

/// The eraser in the role `comments`, which is killed wherever it is: no projector is asked.
#[tokio::test(flavor = "multi_thread")]
async fn an_author_leaves_the_brokers_disk_and_their_votes_keep_their_places() {
    const WORDS: &str = "a secret that nobody else says";
    const AUTHOR: &str = "ann-whom-nobody-remembers";
    let mut sandbox = Sandbox::empty(&Options::default()).await;
    let journal = Journal::open(sandbox.connection.clone(), &Options::default()).await.unwrap();
    let author: domain::AuthorId = AUTHOR.parse().unwrap();
    let by_author = |envelope: Envelope| Envelope { actor: reader(AUTHOR), ..envelope };
    let vote = |id: u128| {
        let event =
            Event::VoteCast { comment: domain::CommentId(CommandId::from_u128(1)), vote: domain::Vote::Up };
        by_author(Envelope { event, ..posted(id, "") })
    };
    for id in 1..=20 {
        append(&journal, Some("t"), &by_author(posted(id, WORDS))).await;
        append(&journal, Some("t"), &vote(100 + id)).await;
    }
    let event = Event::AuthorErased { author, comments_kept: false, reason: "asked".into() };
    let asked = Envelope { event, ..saying(500, Role::Service, Vec::new()) };
    let last = append(&journal, None, &asked).await;
    let comments = sandbox.run("comments");
    eventually("the first deletes", async || journal.read(1).await.unwrap().is_none().then_some(())).await;
    sandbox.kill_and_restart(comments);
    eventually("the last delete", async || journal.read(last).await.unwrap().is_none().then_some(())).await;
    let gone = async || {
        let is_gone = |words| files_with(&sandbox.nats.store(), words).is_empty();
        (is_gone(WORDS) && is_gone(AUTHOR)).then_some(())
    };
    eventually("words and author leave the disk", gone).await;
    let read = read(&mut journal.follow(0, Contents::Whole), last).await;
    let actor = Actor { id: domain::AuthorId::pseudonym(CommandId::from_u128(500)), ..reader(AUTHOR) };
    let expected = (1..=20).flat_map(|id| [posted(id, ""), vote(100 + id)]);
    let expected = (1..).zip(expected.map(|envelope| Envelope { actor: actor.clone(), ..envelope }));
    assert!(read.iter().take(40).cloned().eq(expected), "{read:?}");
}
