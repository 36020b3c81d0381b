//! What other teams live on: the Rust client's subscriptions, through all that may happen to broker, log and connection.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use client::{Ballot, Change, Client, EventStream, Events, Record, Start};
use domain::{Actor, CommentId, Event, Place, Role, Vote};
use journal::Journal;
use wire::v1;

use crate::sandbox::{PATIENCE, Sandbox, code, eventually, moderator, reader, vote};

pub(crate) fn place(thread: &str) -> Place {
    Place { site: "s".parse().unwrap(), thread: Some(thread.parse().unwrap()) }
}

/// Appends an event past the writers; returns its sequence.
pub(crate) async fn append(journal: &Journal, thread: &str, actor: Actor, event: Event) -> u64 {
    let time = domain::Timestamp(1_800_000_000_000);
    let envelope = domain::Envelope { id: client::new_command_id(), time, actor, event };
    let appended =
        eventually("the broker acknowledges", async || journal.append(&place(thread), &envelope, None).await.ok());
    match appended.await {
        journal::Appended::New { sequence } | journal::Appended::Repeated { sequence } => sequence,
        journal::Appended::Reused => panic!("a new id is used"),
    }
}

async fn append_vote(journal: &Journal, thread: &str) -> u64 {
    let comment = CommentId(client::new_command_id());
    append(journal, thread, reader("ann"), Event::VoteCast { comment, vote: Vote::Up }).await
}

async fn next(events: &mut EventStream) -> Result<Record, client::Error> {
    tokio::time::timeout(PATIENCE, events.next()).await.expect("an event comes")
}

async fn sequences(events: &mut EventStream, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(next(events).await.unwrap().sequence());
    }
    seen
}

async fn all_events(sandbox: &Sandbox, after: Start) -> Result<EventStream, client::Error> {
    sandbox.client().events(Events { after, ..Events::default() }).await
}

async fn stream(sandbox: &Sandbox) -> async_nats::jetstream::stream::Stream {
    async_nats::jetstream::new(sandbox.connection.clone()).get_stream("KOE_EVENTS").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_on_through_gaps_deleted_consumers_and_a_broker_that_starts_again() {
    use futures::StreamExt as _;
    let mut sandbox = Sandbox::empty(&journal::Options::default()).await;
    let journal = sandbox.journal().await;
    let mut written = Vec::new();
    for _ in 0..8 {
        written.push(append_vote(&journal, "t").await);
    }
    let stream = stream(&sandbox).await;
    stream.delete_message(written.remove(2)).await.unwrap();
    let mut events = all_events(&sandbox, Start::Beginning).await.unwrap();
    let mut seen = sequences(&mut events, 5).await;
    let kept = events.position();

    let mut names = stream.consumer_names();
    let mut deleted = 0;
    while let Some(name) = names.next().await {
        stream.delete_consumer(&name.unwrap()).await.unwrap();
        deleted += 1;
    }
    assert_eq!(deleted, 1);
    for _ in 0..4 {
        written.push(append_vote(&journal, "t").await);
    }
    seen.extend(sequences(&mut events, 4).await);
    sandbox.nats.kill();
    sandbox.nats.restart();
    for _ in 0..4 {
        written.push(append_vote(&journal, "t").await);
    }
    seen.extend(sequences(&mut events, written.len() - seen.len()).await);
    assert_eq!(seen, written, "each once and in order");

    let mut again = all_events(&sandbox, Start::After(kept)).await.unwrap();
    assert_eq!(sequences(&mut again, written.len() - 5).await, written[5..], "another goes on from a position");
    let mut now = all_events(&sandbox, Start::Now).await.unwrap();
    assert_eq!(now.position(), again.position());
    let last = append_vote(&journal, "t").await;
    assert_eq!(sequences(&mut now, 1).await, [last]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_of_another_epoch_is_refused_and_a_new_epoch_ends_a_subscription() {
    let sandbox = Sandbox::empty(&journal::Options::default()).await;
    let journal = sandbox.journal().await;
    append_vote(&journal, "t").await;
    let mut events = all_events(&sandbox, Start::Beginning).await.unwrap();
    let position = next(&mut events).await.unwrap().position().to_owned();
    let epoch = journal.look().await.unwrap().epoch;
    let beyond = wire::Position { epoch, sequence: 2 }.to_string();
    assert_eq!(code(&all_events(&sandbox, Start::After(beyond)).await), "position-lost");
    assert_eq!(code(&all_events(&sandbox, Start::After("42".into())).await), "position-invalid");

    journal.begin_epoch(epoch).await.unwrap();
    assert_eq!(code(&next(&mut events).await), "position-lost");
    append_vote(&journal, "t").await;
    assert_eq!(code(&next(&mut events).await), "position-lost", "and it stays so");
    let refused = all_events(&sandbox, Start::After(position)).await;
    assert!(refused.as_ref().is_err_and(client::Error::is_position_lost), "{refused:?}");
    let mut anew = all_events(&sandbox, Start::Beginning).await.unwrap();
    assert_eq!(sequences(&mut anew, 2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_given_out_twice_are_noticed_before_the_epoch_is_another() {
    let mut sandbox = Sandbox::empty(&journal::Options::default()).await;
    let journal = sandbox.journal().await;
    append_vote(&journal, "t").await;
    sandbox.nats.kill();
    let (store, copy) = (sandbox.nats.store(), sandbox.dir.path().join("copy"));
    let copy_tree = |from: &PathBuf, to: &PathBuf| {
        assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
    };
    copy_tree(&store, &copy);
    sandbox.nats.restart();
    append_vote(&journal, "t").await;
    let mut events = all_events(&sandbox, Start::Beginning).await.unwrap();
    assert_eq!(sequences(&mut events, 2).await, [1, 2]);
    sandbox.nats.kill();
    std::fs::remove_dir_all(&store).unwrap();
    copy_tree(&copy, &store);
    sandbox.nats.restart();
    // Nobody who would begin a new epoch is there, and the log is as long as before, and longer.
    assert_eq!(append_vote(&journal, "t").await, 2);
    append_vote(&journal, "t").await;
    assert_eq!(code(&next(&mut events).await), "position-lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_gives_what_it_names_and_tells_what_it_cannot_read() {
    let sandbox = Sandbox::empty(&journal::Options::default()).await;
    let journal = sandbox.journal().await;
    append_vote(&journal, "t").await;
    let other = append_vote(&journal, "other").await;
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    let newer = wire::subject::event(&place("t"), "comment-sung");
    for subject in [newer.clone(), "koe.v1.event.s.77.t.comment-sung".to_owned()] {
        context.publish(subject, "la".into()).await.unwrap().await.unwrap();
    }
    let removal = Event::CommentRemoved {
        comment: CommentId(client::new_command_id()),
        reason: "rule 1".into(),
        rule: "".into(),
    };
    let removed = append(&journal, "t", moderator(), removal).await;

    let site = Some("s".parse().unwrap());
    let thread = Some("other".parse().unwrap());
    let of_thread = Events { site: site.clone(), thread, after: Start::Beginning, ..Events::default() };
    let mut of_thread = sandbox.client().events(of_thread).await.unwrap();
    let Record::Event(event) = next(&mut of_thread).await.unwrap() else { panic!("an event") };
    assert_eq!((event.sequence, event.place), (other, place("other")));

    let kinds = &["comment-removed", "comment-sung"];
    let of_kinds = Events { site, kinds, after: Start::Beginning, ..Events::default() };
    let mut of_kinds = sandbox.client().events(of_kinds).await.unwrap();
    let Record::Unreadable(sung) = next(&mut of_kinds).await.unwrap() else { panic!("it cannot be read") };
    assert_eq!((sung.subject, &*sung.payload, sung.void), (newer, &b"la"[..], false));
    let Record::Unreadable(elsewhere) = next(&mut of_kinds).await.unwrap() else { panic!("it is void") };
    assert!(elsewhere.void);
    assert_eq!(next(&mut of_kinds).await.unwrap().sequence(), removed);
    let refused = sandbox.client().events(Events { kinds: &["*"], ..Events::default() }).await;
    assert_eq!(code(&refused), "limit-exceeded");
}

/// The next change of a comment.
async fn change_of(changes: &mut client::Changes, comment: CommentId) -> v1::CommentChanged {
    loop {
        match tokio::time::timeout(PATIENCE, changes.next()).await.expect("a change comes").unwrap() {
            Change::Changed(changed) => {
                let found = changed.comments.into_iter().find(|changed| changed.id == comment.to_string());
                if let Some(found) = found {
                    return found;
                }
            }
            Change::Gap { position } => panic!("nothing is too long ago, at {position}"),
        }
    }
}

/// A way to the broker that can be cut, while the broker and everybody else's way stay.
struct Relay {
    port: u16,
    broker: String,
    ways: tokio::task::JoinSet<()>,
}

impl Relay {
    async fn open(&mut self) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let broker = self.broker.clone();
        self.ways.spawn(async move {
            let mut ways = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = tokio::net::TcpStream::connect(&broker).await.unwrap();
                ways.spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
    }

    async fn cut(&mut self) {
        self.ways.shutdown().await;
    }
}

fn up(changed: &v1::CommentChanged) -> u32 {
    changed.tally.as_ref().map_or(0, |tally| tally.up)
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_missed_while_away_are_told_after_a_resume_and_a_reconnect() {
    let mut sandbox = Sandbox::start().await;
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let comment = sandbox.post("ann", "words").await;
    let seen = sandbox.page("t", &sandbox.end().await).await.position;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();

    let broker = sandbox.nats.url().replace("nats://", "");
    let mut relay = Relay { port: 0, broker, ways: tokio::task::JoinSet::new() };
    relay.open().await;
    let way = crate::sandbox::operator().connect(format!("127.0.0.1:{}", relay.port));
    let client = Client::new(way.await.unwrap());
    let mut changes = client.follow_changes(&site, &thread, Some(&seen)).await.unwrap();
    assert_eq!(up(&change_of(&mut changes, comment).await), 1, "from while nobody listened");
    sandbox.send(&vote("cy", comment, Vote::Up), true).await.unwrap();
    assert_eq!(up(&change_of(&mut changes, comment).await), 2, "live");
    relay.cut().await;
    sandbox.send(&vote("dee", comment, Vote::Up), true).await.unwrap();
    relay.open().await;
    assert_eq!(up(&change_of(&mut changes, comment).await), 3, "from while the connection was cut");

    // What a projector remembers begins with it: whoever asks for more is told to ask the page again.
    sandbox.kill_and_restart(2);
    sandbox.page("t", &sandbox.end().await).await;
    let mut late = client.follow_changes(&site, &thread, Some(&seen)).await.unwrap();
    let told = tokio::time::timeout(PATIENCE, late.next()).await.unwrap().unwrap();
    assert!(matches!(&told, Change::Gap { .. }), "{told:?}");
    sandbox.send(&vote("eve", comment, Vote::Up), true).await.unwrap();
    assert_eq!(up(&change_of(&mut late, comment).await), 4, "complete again");
    let strange = wire::Position { epoch: 1, sequence: 1 }.to_string();
    let mut strange = client.follow_changes(&site, &thread, Some(&strange)).await.unwrap();
    let told = tokio::time::timeout(PATIENCE, strange.next()).await.unwrap().unwrap();
    assert!(matches!(&told, Change::Gap { .. }), "{told:?}");
    assert_eq!(code(&client.follow_changes(&site, &thread, Some("42")).await), "position-invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_votes_in_one_request_have_an_answer_each() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let ballot = |voter: &str| Ballot {
        id: client::new_command_id(),
        voter: voter.parse().unwrap(),
        thread: "t".parse().unwrap(),
        comment,
        vote: Vote::Up,
    };
    let service = Actor { id: "poll".parse().unwrap(), roles: [Role::Service].into_iter().collect() };
    let ballots = [ballot("ben"), ballot("ann"), ballot("cy")];
    let client = sandbox.client().with_timeout(Duration::from_secs(20));
    let site = "s".parse().unwrap();
    let answers = client.cast_votes(&site, &service, &ballots, true).await.unwrap();
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), ["ok", "own-comment", "ok"]);
    assert_eq!(answers[0].as_ref().unwrap().id, ballots[0].id.to_string());
    assert_eq!(code(&client.cast_votes(&site, &reader("ben"), &ballots, false).await), "not-permitted");
    assert_eq!(code(&client.cast_votes(&site, &service, &[], false).await), "limit-exceeded");
}
