//! What may happen to the log itself: messages that nobody can read, gaps, and a tail that is lost.

use bytes::Bytes;
use domain::Vote;

use wire::Position;
use wire::v1::Outcome;

use crate::sandbox::{Sandbox, code, eventually, post, reader, staff, tally, text, vote};

async fn publish(sandbox: &Sandbox, subject: &str, payload: &'static [u8]) {
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", "poison-1");
    context
        .publish_with_headers(subject.to_owned(), headers, Bytes::from_static(payload))
        .await
        .unwrap()
        .await
        .unwrap();
}

fn subject(thread: &str, kind: &str) -> String {
    let place = domain::Place { site: "s".parse().unwrap(), thread: Some(thread.parse().unwrap()) };
    wire::subject::event(&place, kind)
}

/// Places and digests, whatever the position they were read at.
fn digests(reply: &wire::v1::DigestReply) -> Vec<(Option<wire::v1::Place>, Bytes)> {
    reply.places.iter().map(|served| (served.place.clone(), served.digest.clone())).collect()
}

/// What is served is the fold of the log, and so many messages in that cannot be read.
fn is_equal_but_for_what_cannot_be_read(sandbox: &Sandbox, count: u64) {
    let output = sandbox.replay(&["verify", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["equal"], &report["unreadable_count"]), (&true.into(), &count.into()), "{report}");
    assert_eq!((output.status.code(), &report["broken_count"]), (Some(1), &0.into()));
}

/// What `koe replay frozen` says of a thread; `refold` does what it can, and `discard` what is left to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_stands_still_is_looked_at_and_goes_on_without_its_message() {
    let dir = tempfile::tempdir().unwrap();
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "before").await;
    assert!(sandbox.replay(&["frozen", "list"]).status.success());
    publish(&sandbox, &subject("t", "comment-sung"), b"\xff\xffla").await;
    let journal = sandbox.journal().await;
    let late = domain::Event::VoteCast { comment, vote: Vote::Up };
    append(&journal, reader("ben"), "t", late).await;
    let list = eventually("the thread is frozen", async || {
        let list = sandbox.replay(&["frozen", "list"]);
        (list.status.code() == Some(1)).then(|| text(&list.stdout))
    })
    .await;
    assert!(list.starts_with("site s thread t, at "), "{list}");
    let place = ["--site", "s", "--thread", "t"];
    let frozen = |words: &[&str]| sandbox.replay(&[&["frozen"], words, &place].concat());
    let shown = text(&frozen(&["show"]).stdout);
    assert!(shown.contains("comment-sung") && shown.contains("behind it   1 events wait"), "{shown}");
    let refold = frozen(&["refold"]);
    assert_eq!(refold.status.code(), Some(1));
    assert!(text(&refold.stdout).contains("this release cannot read it either"));
    let kept = dir.path().join("message.json");
    let discarded = frozen(&["discard", "--keep", kept.to_str().unwrap()]);
    assert!(discarded.status.success(), "{}", text(&discarded.stderr));
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!((&kept["message_id"], &kept["payload"]), (&"poison-1".into(), &"//9sYQ==".into()));
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.frozen, tally(&page.comments[0])), (false, (1, 0)), "what waited is folded");
    sandbox.verify();
    assert_eq!(frozen(&["show"]).status.code(), Some(2));
    sandbox.kill_and_restart(2);
    assert!(!sandbox.page("t", &sandbox.end().await).await.frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_freezes_its_thread_alone_live_and_in_a_rebuild() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "before").await;
    sandbox.open_thread("other").await;
    publish(&sandbox, &subject("t", "comment-posted"), b"\xff\xffnot protobuf").await;
    publish(&sandbox, &subject("t", "comment-sung"), b"").await;
    let status = eventually("the thread is frozen", async || {
        sandbox.client().status().await.ok().filter(|status| !status.frozen.is_empty())
    })
    .await;
    let frozen = &status.frozen[0];
    assert_eq!((frozen.site.as_str(), frozen.thread.as_str(), frozen.message_id.as_str()), ("s", "t", "poison-1"));
    // A fact may be a moment old; what slips through is counted and not folded.
    eventually("comments are refused", async || {
        (code(&sandbox.send(&post("ann", "t", "after"), false).await) == "thread-frozen").then_some(())
    })
    .await;
    eventually("votes are refused", async || {
        (code(&sandbox.send(&vote("ben", comment, Vote::Up), false).await) == "thread-frozen").then_some(())
    })
    .await;
    let page = sandbox.page("t", "").await;
    assert!(page.frozen);
    assert_eq!(page.comments[0].body, "before", "what was there stays readable");
    sandbox.send(&post("ann", "other", "the rest goes on"), true).await.unwrap();
    // The broker takes the second for the first again.
    is_equal_but_for_what_cannot_be_read(&sandbox, 1);
    sandbox.kill_and_restart(2);
    assert!(sandbox.page("t", &sandbox.end().await).await.frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_without_an_end_freezes_its_thread_and_leaves_the_store_sound() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.open_thread("other").await;
    let reason = "x".repeat(70_000).into();
    let removal = domain::Event::CommentRemoved { comment, reason, rule: "".into() };
    let journal = sandbox.journal().await;
    append(&journal, staff(), "t", removal).await;
    eventually("the thread is frozen", async || {
        sandbox.client().status().await.ok().filter(|status| !status.frozen.is_empty())
    })
    .await;
    // An id of any length stands in the checkpoint, if it is the last one.
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", "i".repeat(60_000).as_str());
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    let sent = context.publish_with_headers(subject("other", "vote-cast"), headers, Bytes::new()).await;
    sent.unwrap().await.unwrap();
    let end = sandbox.end().await;
    assert!(sandbox.page("other", &end).await.frozen);
    sandbox.kill_and_restart(2);
    sandbox.page("t", &end).await;
    let status = sandbox.client().status().await.unwrap();
    assert_eq!((status.generation, status.log_regressions), (1, 0), "the store is the same one");
    is_equal_but_for_what_cannot_be_read(&sandbox, 2);
}

/// Publishes an event past the writers, as a writer whose facts were too old would.
async fn append(journal: &journal::Journal, actor: domain::Actor, thread: &str, event: domain::Event) -> Position {
    let place = domain::Place { site: "s".parse().unwrap(), thread: Some(thread.parse().unwrap()) };
    let time = domain::Timestamp(1_800_000_000_000);
    let envelope = domain::Envelope { id: client::new_command_id(), time, actor, event };
    let appended = journal.append(&place, &envelope, None).await.unwrap();
    let journal::Appended::New { sequence } = appended else { panic!("{appended:?}") };
    Position { epoch: journal.head().borrow().epoch, sequence }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_breaks_a_rule_by_its_place_is_void_and_told_so() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let journal = sandbox.journal().await;
    let place = domain::Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    let before = sandbox.client().digest(&wire::v1::DigestRequest::default()).await.unwrap();
    let own = domain::Event::VoteCast { comment, vote: Vote::Up };
    let at = append(&journal, reader("ann"), "t", own).await.to_string();
    let status =
        sandbox.client().command_status(&place, (client::new_command_id(), &at), (None, None), &at).await.unwrap();
    assert_eq!((status.outcome, status.code.as_str()), (i32::from(Outcome::Void), "own-comment"));
    let after = sandbox.client().digest(&wire::v1::DigestRequest::default()).await.unwrap();
    assert_eq!(digests(&after), digests(&before));
    let removal = domain::Event::CommentRemoved { comment, reason: "not theirs to say".into(), rule: "".into() };
    let at = append(&journal, reader("ben"), "t", removal).await.to_string();
    assert_eq!(sandbox.page("t", &at).await.comments[0].state, i32::from(wire::v1::CommentState::Visible));
    let void = sandbox.client().status().await.unwrap().void_events;
    let codes: Vec<_> = void.iter().map(|count| (count.name.as_str(), count.count)).collect();
    assert_eq!(codes, [("not-permitted", 1), ("own-comment", 1)]);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_under_the_same_name_is_folded_from_its_beginning() {
    let mut sandbox = Sandbox::start().await;
    sandbox.post("ann", "of the first log").await;
    sandbox.nats.kill();
    std::fs::remove_dir_all(sandbox.nats.store()).unwrap();
    sandbox.nats.restart();
    // The writers and the projector go on; somebody provisions the log anew.
    eventually("the log is made", async || {
        journal::Journal::open(sandbox.connection.clone(), &journal::Options::default()).await.ok()
    })
    .await;
    eventually("the projector notices", async || {
        sandbox.client().status().await.ok().filter(|status| status.log_regressions == 1 && status.generation == 2)
    })
    .await;
    sandbox.open_thread("t").await;
    assert_eq!(sandbox.page("t", &sandbox.end().await).await.count, 0);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_under_another_partition_is_void_and_freezes_nothing() {
    let sandbox = Sandbox::start().await;
    sandbox.post("ann", "words").await;
    publish(&sandbox, "koe.v1.event.s.77.t.comment-posted", b"").await;
    publish(&sandbox, "koe.v1.event.s%.0.t.comment-posted", b"").await;
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.count, page.frozen), (1, false));
    let void = sandbox.client().status().await.unwrap().void_events;
    assert_eq!((void[0].name.as_str(), void[0].count), ("partition-wrong", 1));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_at_the_end_is_passed_and_is_not_a_lost_log() {
    let mut sandbox = Sandbox::start().await;
    sandbox.post("ann", "stays").await;
    let gone = sandbox.send(&post("ann", "t", "goes"), false).await.unwrap();
    let position: Position = gone.position.parse().unwrap();
    sandbox.roles[2].1.kill();
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    context.get_stream("KOE_EVENTS").await.unwrap().delete_message(position.sequence).await.unwrap();
    sandbox.kill_and_restart(2);
    // The position of the message that is gone is reached all the same.
    sandbox.page("t", &gone.position).await;
    assert_eq!(sandbox.client().status().await.unwrap().log_regressions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_tail_begins_a_new_epoch_and_is_folded_again() {
    let mut sandbox = Sandbox::start().await;
    let kept = sandbox.post("ann", "kept").await;
    // The state that a power cut falls back to.
    sandbox.nats.kill();
    let (store, copy) = (sandbox.nats.store(), sandbox.dir.path().join("copy"));
    copy_tree(&store, &copy);
    sandbox.nats.restart();
    let lost = sandbox.send(&post("ann", "t", "lost with the tail"), true).await.unwrap();
    sandbox.send(&vote("ben", kept, Vote::Up), true).await.unwrap();
    sandbox.nats.kill();
    std::fs::remove_dir_all(&store).unwrap();
    copy_tree(&copy, &store);
    sandbox.nats.restart();
    let status = eventually("the projector notices", async || {
        sandbox.client().status().await.ok().filter(|status| status.log_regressions == 1 && status.generation > 1)
    })
    .await;
    assert_eq!(status.generation, 2);
    let page = sandbox.page("t", "").await;
    assert_eq!((page.count, tally(&page.comments[0])), (1, (0, 0)), "what the log does not hold is not shown");
    let asked = client::PageOf { at_least: lost.position, ..client::PageOf::default() };
    let stale = sandbox.client().thread_page(&"s".parse().unwrap(), &"t".parse().unwrap(), asked).await;
    assert_eq!(code(&stale), "position-lost");
    sandbox.send(&post("ann", "t", "new life"), true).await.unwrap();
    sandbox.verify();
}

fn copy_tree(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_is_told_and_nothing_is_lost() {
    let options = journal::Options { bytes_max: Some(20_000), ..journal::Options::default() };
    let sandbox = Sandbox::with(&["comments", "votes", "projector"], &options).await;
    let mut accepted = 0;
    let refused = loop {
        let answer = sandbox.client().send(&post("ann", "t", &"x".repeat(1_000)), false).await;
        if answer.is_err() {
            break answer;
        }
        accepted += 1;
    };
    assert_eq!(code(&refused), "log-full");
    assert_eq!(sandbox.page("t", &sandbox.end().await).await.count, accepted);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_beside_the_living_view_serves_under_load_and_no_reader_sees_time_run_back() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let stopped = || stop.load(std::sync::atomic::Ordering::Relaxed);
    let (client, token) = (sandbox.client(), crate::sandbox::TOKEN);
    let posts = async {
        let mut posted = 0;
        while !stopped() {
            let sent: Vec<_> = (0..8).map(|_| post("ann", "t", "x")).collect();
            let sent = sent.iter().map(|command| client.send(command, false));
            posted += futures::future::join_all(sent).await.iter().filter(|answer| answer.is_ok()).count();
        }
        posted
    };
    let reads = async {
        let mut latest = (0, 0);
        while !stopped() {
            let page = sandbox.page("t", "").await;
            let position: Position = page.position.parse().unwrap();
            assert!((position.sequence, page.count) >= latest, "{position} {} after {latest:?}", page.count);
            latest = (position.sequence, page.count);
        }
    };
    let rebuild = async {
        let mut command = tokio::process::Command::new(crate::sandbox::koe());
        command.args(["replay", "rebuild", "--nats", &sandbox.nats.url(), "--nats-token", token]);
        let output = command.output().await.unwrap();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        output
    };
    let (posted, (), output) = tokio::join!(posts, reads, rebuild);
    assert!(output.status.success(), "{}", crate::sandbox::text(&output.stderr));
    assert_eq!(sandbox.client().status().await.unwrap().generation, 2);
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.count as usize, tally(&page.comments[0])), (posted + 1, (1, 0)));
    sandbox.send(&vote("cy", comment, Vote::Up), true).await.unwrap();
    sandbox.verify();
    sandbox.kill_and_restart(2);
    assert_eq!(tally(&sandbox.page("t", "").await.comments[0]), (2, 0));
    assert_eq!(sandbox.client().status().await.unwrap().generation, 2, "it still serves after a crash");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_store_is_folded_again_to_the_same_digest() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("ben", comment, Vote::Down), true).await.unwrap();
    let question = wire::v1::DigestRequest::default();
    let before = sandbox.client().digest(&question).await.unwrap();
    sandbox.roles[2].1.kill();
    std::fs::remove_dir_all(sandbox.dir.path().join("projector-2")).unwrap();
    sandbox.kill_and_restart(2);
    let after = eventually("it is folded again", async || sandbox.client().digest(&question).await.ok()).await;
    assert_eq!(digests(&after), digests(&before));
    assert!(!after.places.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_fields_that_the_log_may_have_are_folded_and_read() {
    use domain::limits::{RECORDED_LINE_BYTES_MAX, RECORDED_TEXT_BYTES_MAX, RECORDED_WORDS_BYTES_MAX};
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let journal = sandbox.journal().await;
    let line = || "l".repeat(RECORDED_LINE_BYTES_MAX);
    let words: Vec<Box<str>> = vec![line().into(); RECORDED_WORDS_BYTES_MAX / RECORDED_LINE_BYTES_MAX];
    let settings = domain::settings::SettingsPatch {
        name: Some(line().into()),
        premoderate_words: Some(words.clone()),
        reserved_names: Some(words),
        ..Default::default()
    };
    let of_site = domain::Event::SiteSet(Box::new(settings));
    let place = domain::Place { site: "s".parse().unwrap(), thread: None };
    for _ in 0..2 {
        // The second takes the place of the first, and reads it for that.
        let (id, time) = (client::new_command_id(), domain::Timestamp(1_800_000_000_000));
        let envelope = domain::Envelope { id, time, actor: staff(), event: of_site.clone() };
        journal.append(&place, &envelope, None).await.unwrap();
    }
    let statement = "s".repeat(RECORDED_TEXT_BYTES_MAX).into();
    let words = line().into();
    let flag = domain::Event::CommentFlagged { comment, category: domain::FlagCategory::Illegal, words };
    append(&journal, reader("ben"), "t", flag).await;
    let resolved = domain::Event::FlagsResolved { comment, upheld: true, statement };
    append(&journal, staff(), "t", resolved).await;
    let removed = domain::Event::CommentRemoved { comment, reason: line().into(), rule: line().into() };
    let at = append(&journal, staff(), "t", removed).await.to_string();
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    assert_eq!(sandbox.page("t", &at).await.comments[0].rule.len(), RECORDED_LINE_BYTES_MAX);
    let client = sandbox.client();
    let settings = client.site(&site, "", &at).await.unwrap().settings.unwrap();
    assert_eq!(settings.reserved_names.unwrap().words.len(), RECORDED_WORDS_BYTES_MAX / RECORDED_LINE_BYTES_MAX);
    assert_eq!(client.comment(&site, &thread, comment, &at).await.unwrap().flags.len(), 1);
    let audit = client.audit(&site, &wire::v1::AuditRequest::default()).await.unwrap();
    assert_eq!(audit.entries[0].reason.len(), RECORDED_LINE_BYTES_MAX);
    let status = client.status().await.unwrap();
    assert_eq!((status.frozen.len(), status.generation), (0, 1));
    sandbox.verify();
}
