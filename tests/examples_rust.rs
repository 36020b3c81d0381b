//! The examples in Rust, as processes that are killed on the way.

use std::collections::BTreeMap;
use std::process::Command;

use domain::command::Quotes;
use domain::text::Text;
use domain::{CommandBody, CommentId, Event, Mode, ModeChange, Vote};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wire::v1;

use crate::sandbox::{
    PATIENCE, Process, Sandbox, TOKEN, command, eventually, koe, moderator, post, reader, remove, vote,
};
use crate::subscriptions::{append, place};

/// An example beside this sandbox, built beside the binary under test.
fn example(sandbox: &Sandbox, name: &str) -> Command {
    let path = koe().with_file_name(name);
    assert!(path.is_file(), "{} is not there: run `cargo build -p {name}` first", path.display());
    let mut command = Command::new(path);
    command.args(["--nats", &sandbox.nats.url(), "--nats-token", TOKEN]).current_dir(sandbox.dir.path());
    command
}

fn notifier(sandbox: &Sandbox) -> Process {
    let mut command = example(sandbox, "koe-example-notifier");
    command.args(["--state", "notifier.json", "--output", "notifications.jsonl"]);
    Process::spawn(&mut command, sandbox.dir.path().join("notifier.log"))
}

/// Whole lines of JSON in a file.
fn lines(sandbox: &Sandbox, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(sandbox.dir.path().join(file)).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.starts_with('{'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn has_lines(sandbox: &Sandbox, file: &str, count: usize) {
    eventually("so many lines", async || (lines(sandbox, file).len() >= count).then_some(())).await;
}

fn reply(author: &str, parent: CommentId) -> domain::Command {
    let (text, quotes) = (Text::parse("a reply").unwrap(), Quotes::default());
    command(reader(author), Some("t"), CommandBody::PostComment { parent: Some(parent), text, quotes })
}

async fn replies(sandbox: &Sandbox, authors: std::ops::Range<u32>, parent: CommentId) -> Vec<String> {
    let mut ids = Vec::new();
    for author in authors {
        let reply = reply(&format!("reader-{author}"), parent);
        ids.push(reply.id.to_string());
        sandbox.send(&reply, false).await.unwrap();
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notifier_tells_of_every_reply_once_however_often_it_is_killed() {
    let sandbox = Sandbox::start().await;
    let parent = sandbox.post("ann", "what do you say?").await;
    let gone = sandbox.post("ben", "nothing good").await;
    let mut process = notifier(&sandbox);
    let mut expected = replies(&sandbox, 0..20, parent).await;
    // Killed while there is more to tell than it has told, three times, and in the end while it is away.
    for round in 1..=3_u32 {
        let sent = async { replies(&sandbox, round * 20..(round + 1) * 20, parent).await };
        let killed = async {
            has_lines(&sandbox, "notifications.jsonl", expected.len() + 3).await;
            process.kill();
        };
        let (sent, ()) = tokio::join!(sent, killed);
        expected.extend(sent);
        process = notifier(&sandbox);
    }
    process.kill();
    expected.extend(replies(&sandbox, 80..90, parent).await);

    // Nobody is told of their own replies, nor of one that the fold found void.
    sandbox.send(&reply("ann", parent), false).await.unwrap();
    sandbox.send(&remove(gone), true).await.unwrap();
    let journal = sandbox.journal().await;
    let (text, quotes) = (Text::parse("too late").unwrap(), Vec::new());
    let void =
        Event::CommentPosted { parent: Some(gone), text, quotes, length: 8, held: None, original_time: None };
    append(&journal, "t", reader("zed"), void).await;
    // A held reply is told of when it is approved.
    set_mode(&sandbox, Mode::Premoderated).await;
    let held = reply("zed", parent);
    eventually("a writer holds it", async || {
        let reply = sandbox.send(&held, true).await.unwrap();
        (reply.state() == v1::CommentState::Held).then_some(())
    })
    .await;
    let never = reply("zed", parent);
    sandbox.send(&never, true).await.unwrap();

    process = notifier(&sandbox);
    has_lines(&sandbox, "notifications.jsonl", expected.len()).await;
    assert_eq!(lines(&sandbox, "notifications.jsonl").len(), expected.len(), "the held ones wait");
    process.kill();
    process = notifier(&sandbox);
    approve(&sandbox, CommentId(held.id)).await;
    expected.push(held.id.to_string());
    has_lines(&sandbox, "notifications.jsonl", expected.len()).await;
    let (status, _) = process.stop().await;
    assert!(status.success(), "{}", process.log());

    let told = lines(&sandbox, "notifications.jsonl");
    let comments: Vec<&str> = told.iter().map(|line| line["comment"].as_str().unwrap()).collect();
    assert_eq!(comments, expected, "each once, in the order of the log");
    assert!(told.iter().all(|line| line["to"] == "ann" && line["parent"] == parent.to_string()));
    // Without its state it reads the log from the beginning, and its output still knows what was told.
    std::fs::remove_file(sandbox.dir.path().join("notifier.json")).unwrap();
    let mut process = notifier(&sandbox);
    set_mode(&sandbox, Mode::Open).await;
    let last = replies(&sandbox, 90..91, parent).await;
    has_lines(&sandbox, "notifications.jsonl", expected.len() + 1).await;
    assert_eq!(lines(&sandbox, "notifications.jsonl").last().unwrap()["comment"], last[0]);
    process.kill();
}

async fn set_mode(sandbox: &Sandbox, mode: Mode) {
    let change = CommandBody::SetThreadMode(ModeChange { mode, reason: "".into(), successor: None });
    sandbox.send(&command(moderator(), Some("t"), change), true).await.unwrap();
}

async fn approve(sandbox: &Sandbox, comment: CommentId) {
    let approve = CommandBody::ApproveComment { comment, revision: None };
    sandbox.send(&command(moderator(), Some("t"), approve), true).await.unwrap();
}

/// A notifier that follows a thread with a comment of ann's, and what it must have told in the end.
struct Following {
    sandbox: Sandbox,
    process: Process,
    parent: CommentId,
    expected: Vec<String>,
}

impl Following {
    /// In a mode, with a copy of the state from `beginning`.
    async fn start(mode: Mode) -> Self {
        let sandbox = Sandbox::start().await;
        let parent = sandbox.post("ann", "what do you say?").await;
        set_mode(&sandbox, mode).await;
        let process = notifier(&sandbox);
        let mut following = Self { sandbox, process, parent, expected: Vec::new() };
        following.keep_state("beginning").await;
        following
    }

    /// A reply that no writer judged, as one whose settings were a moment old would post it.
    async fn slip(&self) -> CommentId {
        let journal = self.sandbox.journal().await;
        let (parent, text, quotes) = (Some(self.parent), Text::parse("a reply").unwrap(), Vec::new());
        let posted = Event::CommentPosted { parent, text, quotes, length: 7, held: None, original_time: None };
        let sequence = append(&journal, "t", reader("ben"), posted).await;
        let domain::Content::Event(envelope) = journal.read(sequence).await.unwrap().unwrap().decode().content
        else {
            panic!("it was appended");
        };
        CommentId(envelope.id)
    }

    /// Waits until everything there is was read: a moderator's reply, which no mode holds, is told of last.
    async fn reads_on(&mut self) {
        let text = Text::parse("a moderator's reply").unwrap();
        let body = CommandBody::PostComment { parent: Some(self.parent), text, quotes: Quotes::default() };
        let reply = command(moderator(), Some("t"), body);
        self.sandbox.send(&reply, true).await.unwrap();
        self.tells(CommentId(reply.id)).await;
    }

    /// Waits until a comment is told of, once, and nothing else is that was not expected.
    async fn tells(&mut self, comment: CommentId) {
        self.expected.push(comment.to_string());
        has_lines(&self.sandbox, "notifications.jsonl", self.expected.len()).await;
        let told = lines(&self.sandbox, "notifications.jsonl");
        let told: Vec<&str> = told.iter().map(|line| line["comment"].as_str().unwrap()).collect();
        assert_eq!(told, self.expected, "{}", self.process.log());
    }

    async fn keep_state(&mut self, copy: &str) {
        let saved = self.sandbox.dir.path().join("notifier.json");
        eventually("it follows", async || saved.exists().then_some(())).await;
        let (status, _) = self.process.stop().await;
        assert!(status.success(), "{}", self.process.log());
        let dir = self.sandbox.dir.path();
        std::fs::copy(dir.join("notifier.json"), dir.join(copy)).unwrap();
        self.process = notifier(&self.sandbox);
    }

    /// Kills it, and lets it find the state that it had then: as if it had been killed before it saved another.
    fn kill(&mut self, copy: &str) {
        self.process.kill();
        let dir = self.sandbox.dir.path();
        std::fs::copy(dir.join(copy), dir.join("notifier.json")).unwrap();
    }

    fn start_again(&mut self) {
        self.process = notifier(&self.sandbox);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_only_its_threads_mode_holds_is_not_told_of_until_it_is_approved() {
    let mut following = Following::start(Mode::Premoderated).await;
    let (held, removed) = (following.slip().await, following.slip().await);
    following.reads_on().await;
    following.sandbox.send(&remove(removed), true).await.unwrap();
    approve(&following.sandbox, held).await;
    following.tells(held).await;
    following.reads_on().await;
    let restore = CommandBody::RestoreComment { comment: removed, reason: "by mistake".into() };
    following.sandbox.send(&command(moderator(), Some("t"), restore), true).await.unwrap();
    following.tells(removed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_told_of_and_held_since_is_not_told_of_again_when_it_is_approved() {
    let mut following = Following::start(Mode::Open).await;
    let told = following.slip().await;
    following.tells(told).await;
    following.kill("beginning");
    let hold = CommandBody::HoldComment { comment: told, reason: "a second look".into() };
    following.sandbox.send(&command(moderator(), Some("t"), hold), true).await.unwrap();
    following.start_again();
    following.reads_on().await;
    approve(&following.sandbox, told).await;
    following.reads_on().await;
    // All of it once more, now that it is seen again.
    following.kill("beginning");
    following.start_again();
    following.reads_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_was_told_of_at_its_approval_is_not_told_of_again_from_before_it() {
    let mut following = Following::start(Mode::Premoderated).await;
    let held = following.slip().await;
    following.reads_on().await;
    following.keep_state("waiting").await;
    approve(&following.sandbox, held).await;
    following.tells(held).await;
    for copy in ["waiting", "beginning"] {
        following.kill(copy);
        following.start_again();
        following.reads_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_found_approved_when_it_is_read_again_is_told_of_once() {
    let mut following = Following::start(Mode::Premoderated).await;
    let held = following.slip().await;
    following.reads_on().await;
    following.kill("beginning");
    approve(&following.sandbox, held).await;
    following.start_again();
    // Behind the moderator's reply, which came later: by their numbers it would count as told.
    following.tells(held).await;
    following.reads_on().await;
    following.kill("beginning");
    following.start_again();
    following.reads_on().await;
}

fn bridge(sandbox: &Sandbox, words: &[&str], log: &str) -> Process {
    let mut command = example(sandbox, "koe-example-cloudevents-bridge");
    Process::spawn(command.args(words), sandbox.dir.path().join(log))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bridge_prints_every_event_as_a_cloud_event_and_goes_on_where_it_stood() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let words = ["--position", "bridge.position"];
    let mut process = bridge(&sandbox, &words, "bridge.log");
    has_lines(&sandbox, "bridge.log", 3).await;
    let (status, _) = process.stop().await;
    assert!(status.success(), "{}", process.log());
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let newer = wire::subject::event(&place("other"), "comment-sung");
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    context.publish(newer, "la".into()).await.unwrap().await.unwrap();
    let mut process = bridge(&sandbox, &words, "bridge.log");
    has_lines(&sandbox, "bridge.log", 5).await;
    let (status, _) = process.stop().await;
    assert!(status.success(), "{}", process.log());

    let events = lines(&sandbox, "bridge.log");
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = ["site-opened", "thread-opened", "comment-posted", "vote-cast", "comment-sung"];
    assert_eq!(kinds, expected.map(|kind| format!("koe.v1.{kind}")), "none twice after a stop");
    assert!(events.iter().all(|event| event["specversion"] == "1.0"));
    let sources: Vec<&str> = events.iter().map(|event| event["source"].as_str().unwrap()).collect();
    assert_eq!(sources[..3], ["/sites/s", "/sites/s/threads/t", "/sites/s/threads/t"]);
    let (posted, voted) = (&events[2], &events[3]);
    assert_eq!((posted["id"].as_str().unwrap(), &posted["actor"]), (&*comment.to_string(), &"ann".into()));
    assert_eq!(posted["data"]["text"], "words");
    assert!(posted["time"].as_str().unwrap().starts_with("20"), "{posted}");
    assert_eq!(voted["data"], serde_json::json!({"comment": comment.to_string(), "vote": "VOTE_UP"}));
    assert_eq!((&events[4]["data_base64"], events[4].get("data")), (&"bGE=".into(), None));
}

/// Takes one POST and answers it; returns its head and its body.
async fn serve_one(listener: &tokio::net::TcpListener, status: &str) -> (String, Value) {
    let (mut connection, _) = tokio::time::timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = connection.read(&mut part).await.unwrap();
        assert_ne!(read, 0, "the whole request comes");
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let Ok(body) = serde_json::from_str(body) else { continue };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        connection.write_all(answer.as_bytes()).await.unwrap();
        return (head.to_ascii_lowercase(), body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bridge_posts_again_until_an_event_is_taken_and_stops_at_one_that_is_refused() {
    let sandbox = Sandbox::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let words = ["--position", "post.position", "--post", &url, "--kind", "comment-posted"];
    sandbox.post("ann", "first").await;
    sandbox.send(&post("ann", "t", "second"), true).await.unwrap();
    let mut process = bridge(&sandbox, &words, "post.log");
    let mut tries = BTreeMap::new();
    for status in ["503 Service Unavailable", "204 No Content", "400 Bad Request"] {
        let (head, event) = serve_one(&listener, status).await;
        assert!(head.contains("content-type: application/cloudevents+json"), "{head}");
        *tries.entry(event["data"]["text"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(tries, BTreeMap::from([("first".to_owned(), 2), ("second".to_owned(), 1)]));
    eventually("it stops", async || process.ended().then_some(())).await;
    assert!(process.log().contains("refuses an event with 400"), "{}", process.log());
    let mut process = bridge(&sandbox, &words, "post.log");
    let (_, event) = serve_one(&listener, "204 No Content").await;
    assert_eq!(event["data"]["text"], "second", "started again, it goes on with the event that was refused");
    process.kill();
}
