//! Lists of threads, activity, single comments, authors' comments and queues, over the real services.

use client::PageOf;
use domain::{Actor, Command, CommandBody, CommentId, FlagCategory, Mode, ModeChange, SiteId, ThreadId, Vote};
use prost::Message as _;
use serde_json::json;
use wire::v1::{self, CommentState, QueueKind, ThreadOrder};

use crate::sandbox::{Sandbox, code, command, moderator, post, reader, remove, vote};

fn site() -> SiteId {
    "s".parse().unwrap()
}

fn thread(id: &str) -> ThreadId {
    id.parse().unwrap()
}

fn in_thread(actor: Actor, body: CommandBody) -> Command {
    command(actor, Some("t"), body)
}

fn flag(reporter: &str, comment: CommentId, category: FlagCategory) -> Command {
    in_thread(reader(reporter), CommandBody::FlagComment { comment, category, words: "look".into() })
}

impl Sandbox {
    async fn everything(&self) -> PageOf {
        PageOf { at_least: self.end().await, ..PageOf::default() }
    }

    async fn listed(&self, order: ThreadOrder) -> Vec<String> {
        let page = self.client().threads_in(&site(), order, self.everything().await).await.unwrap();
        page.threads.into_iter().map(|entry| entry.thread).collect()
    }

    async fn queue_of(&self, kind: QueueKind) -> (Vec<u32>, [u32; 3]) {
        let reply = self.client().queue_of(&site(), kind, self.everything().await).await.unwrap();
        let v1::QueueCounts { held, flagged, illegal } = reply.counts.unwrap();
        assert!(reply.entries.iter().all(|entry| entry.since.is_some() == (kind != QueueKind::Unspecified)));
        let numbers = reply.entries.iter().map(|entry| entry.comment.as_ref().unwrap().number);
        (numbers.collect(), [held, flagged, illegal])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_come_newest_most_discussed_or_most_voted_first() {
    let sandbox = Sandbox::start().await;
    for id in ["b", "a"] {
        sandbox.open_thread(id).await;
    }
    let voted = sandbox.post("ann", "one").await;
    for (author, words) in [("ann", "one"), ("ben", "two")] {
        sandbox.send(&post(author, "b", words), true).await.unwrap();
    }
    for (voter, way) in [("ben", Vote::Up), ("cy", Vote::Down), ("cy", Vote::Down)] {
        sandbox.send(&vote(voter, voted, way), true).await.unwrap();
    }
    assert_eq!(sandbox.listed(ThreadOrder::Id).await, ["a", "b", "t"]);
    assert_eq!(sandbox.listed(ThreadOrder::Newest).await, ["a", "b", "t"]);
    assert_eq!(sandbox.listed(ThreadOrder::Comments).await, ["b", "t", "a"]);
    assert_eq!(sandbox.listed(ThreadOrder::Trending).await, ["t", "a", "b"]);
    let client = sandbox.client();
    let one = PageOf { limit: 1, ..PageOf::default() };
    let first = client.threads_in(&site(), ThreadOrder::Comments, one.clone()).await.unwrap();
    assert!(first.threads[0].last_comment.is_some());
    sandbox.send(&post("cy", "a", "a late one"), true).await.unwrap();
    let after = PageOf { after: first.next, ..sandbox.everything().await };
    let rest = client.threads_in(&site(), ThreadOrder::Comments, after).await.unwrap();
    let rest: Vec<_> = rest.threads.iter().map(|entry| entry.thread.as_str()).collect();
    assert_eq!(rest, ["a", "t"], "each once, as of now");

    let activity = client.activity(&site(), &thread("t"), &sandbox.end().await).await.unwrap();
    assert_eq!((activity.count, activity.up, activity.down), (1, 1, 1));
    let votes: u32 = activity.hours.iter().map(|hour| hour.votes).sum();
    assert_eq!(votes, 2, "the same vote again counts for nothing");
    assert!(activity.last_comment.is_some() && activity.hours[0].begin.as_ref().unwrap().seconds % 3_600 == 0);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_comment_and_an_authors_comments_are_as_readers_see_them() {
    let sandbox = Sandbox::start().await;
    let (first, second) = (sandbox.post("ann", "one").await, sandbox.post("ann", "two").await);
    sandbox.send(&vote("ben", first, Vote::Up), true).await.unwrap();
    sandbox.send(&vote("cy", second, Vote::Down), true).await.unwrap();
    let (client, ben, ann) = (sandbox.client(), "ben".parse().unwrap(), "ann".parse().unwrap());
    let view = async |comment, at_least: &str| {
        client.comment_view(&site(), &thread("t"), comment, (Some(&ben), at_least)).await
    };
    let seen = view(first, &sandbox.end().await).await.unwrap();
    let row = seen.comment.unwrap();
    assert_eq!((row.own_vote(), row.body.as_str(), seen.revisions.len()), (v1::Vote::Up, "one", 1));
    let page = client.author_comments(&site(), &ann, None, sandbox.everything().await).await.unwrap();
    let score = page.score.unwrap();
    assert_eq!((score.comments, score.up, score.down, score.partial), (2, 1, 1, false));
    let bodies: Vec<_> = page.comments.iter().map(|it| it.comment.as_ref().unwrap().body.as_str()).collect();
    assert_eq!(bodies, ["two", "one"]);
    let one = PageOf { limit: 1, ..PageOf::default() };
    let newest = client.author_comments(&site(), &ann, None, one).await.unwrap();
    let rest = PageOf { after: newest.next, ..PageOf::default() };
    let rest = client.author_comments(&site(), &ann, None, rest).await.unwrap();
    assert_eq!((rest.comments.len(), rest.score, rest.next.as_str()), (1, None, ""));
    assert_eq!((page.comments[0].thread.as_str(), page.comments[0].headline.as_str()), ("t", "Headline"));

    sandbox.send(&remove(second), true).await.unwrap();
    let removed = view(second, &sandbox.end().await).await.unwrap();
    let row = removed.comment.unwrap();
    assert_eq!((row.state(), row.author, removed.revisions.len()), (CommentState::Removed, None, 0));
    let page = client.author_comments(&site(), &ann, Some(&ben), sandbox.everything().await).await.unwrap();
    assert_eq!(
        (page.comments.len(), page.score.unwrap().down),
        (1, 0),
        "who wrote what was removed is told nowhere"
    );
    assert_eq!(page.comments[0].comment.as_ref().unwrap().own_vote(), v1::Vote::Up);

    let never = CommentId(client::new_command_id());
    assert_eq!(code(&view(never, "").await), "comment-unknown");
    let hide = ModeChange { mode: Mode::Hidden, reason: "Night".into(), successor: None };
    sandbox.send(&in_thread(moderator(), CommandBody::SetThreadMode(hide)), true).await.unwrap();
    for comment in [first, never] {
        let hidden = view(comment, &sandbox.end().await).await.unwrap();
        assert_eq!((hidden.mode(), hidden.comment), (v1::Mode::Hidden, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn moderators_have_a_queue_of_each_kind_with_its_count() {
    let sandbox = Sandbox::start().await;
    let mut comments = Vec::new();
    for words in ["one", "two", "three"] {
        comments.push(sandbox.post("ann", words).await);
    }
    for command in [
        flag("ben", comments[1], FlagCategory::Spam),
        flag("cy", comments[0], FlagCategory::Illegal),
        in_thread(moderator(), CommandBody::HoldComment { comment: comments[0], reason: "to read".into() }),
    ] {
        sandbox.send(&command, true).await.unwrap();
    }
    let counts = [1, 2, 1];
    assert_eq!(sandbox.queue_of(QueueKind::Held).await, (vec![1], counts));
    assert_eq!(sandbox.queue_of(QueueKind::Flagged).await, (vec![2, 1], counts), "the oldest first");
    assert_eq!(sandbox.queue_of(QueueKind::Illegal).await, (vec![1], counts));
    assert_eq!(sandbox.queue_of(QueueKind::Unspecified).await, (vec![1, 2], counts), "by number");
    let one = PageOf { limit: 1, ..PageOf::default() };
    let first = sandbox.client().queue_of(&site(), QueueKind::Flagged, one).await.unwrap();
    let rest = PageOf { after: first.next, ..PageOf::default() };
    let rest = sandbox.client().queue_of(&site(), QueueKind::Flagged, rest).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next.as_str()), (1, ""));
    let resolve = CommandBody::ResolveFlags { comment: comments[0], upheld: true, statement: "It is.".into() };
    sandbox.send(&in_thread(moderator(), resolve), true).await.unwrap();
    sandbox.send(&remove(comments[0]), true).await.unwrap();
    assert_eq!(sandbox.queue_of(QueueKind::Flagged).await, (vec![2], [0, 1, 0]));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_for_lists_have_stable_codes() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "one").await.to_string();
    let ahead = {
        let end: wire::Position = sandbox.end().await.parse().unwrap();
        wire::Position { sequence: end.sequence + 1_000, ..end }.to_string()
    };
    let of_thread = |name: &str| {
        let partition = wire::subject::partition(&site(), &thread("t"));
        format!("koe.v1.query.s.{partition}.{name}")
    };
    let of_site = |name: &str| format!("koe.v1.query.s.all.{name}");
    let (threads, queue, author) = (of_site("threads"), of_site("queue"), of_site("author-comments"));
    let (activity, view) = (of_thread("activity"), of_thread("comment-view"));
    let trending = |after: &str| json!({"order": "THREAD_ORDER_TRENDING", "after": after});
    let held = |after: &str| json!({"kind": "QUEUE_KIND_HELD", "after": after});
    // A cursor that says that more was seen than one can hold.
    let expired = "Af9s1w6i";
    let cases = [
        ("malformed", &threads, json!({"order": "THREAD_ORDER_BEST"})),
        ("limit-exceeded", &threads, json!({"limit": 201})),
        ("cursor-invalid", &threads, json!({"after": "a b"})),
        ("cursor-invalid", &threads, json!({"order": "THREAD_ORDER_NEWEST", "after": "t"})),
        ("cursor-invalid", &threads, trending("t")),
        ("cursor-invalid", &threads, trending(&"A".repeat(20_000))),
        ("cursor-expired", &threads, trending(expired)),
        ("behind", &threads, json!({"atLeast": ahead})),
        ("malformed", &queue, json!({"kind": "QUEUE_KIND_OLD"})),
        ("limit-exceeded", &queue, json!({"limit": 201, "kind": "QUEUE_KIND_HELD"})),
        ("cursor-invalid", &queue, held("1-t")),
        ("cursor-invalid", &queue, held("1.1.a b")),
        ("cursor-invalid", &queue, json!({"after": "1.1.t"})),
        ("behind", &queue, json!({"atLeast": ahead})),
        ("actor-invalid", &author, json!({})),
        ("limit-exceeded", &author, json!({"author": "ann", "limit": 201})),
        ("cursor-invalid", &author, json!({"author": "ann", "after": "-1"})),
        ("behind", &author, json!({"author": "ann", "atLeast": ahead})),
        ("partition-wrong", &of_site("activity"), json!({"thread": "t"})),
        ("thread-invalid", &of_site("activity"), json!({})),
        ("behind", &activity, json!({"thread": "t", "atLeast": ahead})),
        ("comment-invalid", &view, json!({"thread": "t", "comment": "1"})),
        ("behind", &view, json!({"thread": "t", "comment": comment, "atLeast": ahead})),
    ];
    for (expected, subject, body) in cases {
        let (answer, header) = sandbox.raw(subject, &body.to_string()).await;
        assert_eq!(answer["code"], expected, "{subject} {answer}");
        assert_eq!(header.as_deref(), Some(expected));
    }
    // A newer peer may know orders and kinds that this release does not.
    let newer = [
        ("order-invalid", &threads, v1::ThreadsRequest { order: 99, ..Default::default() }.encode_to_vec()),
        ("kind-invalid", &queue, v1::QueueRequest { kind: 99, ..Default::default() }.encode_to_vec()),
    ];
    for (expected, subject, body) in newer {
        let answer = sandbox.connection.request(subject.clone(), body.into()).await.unwrap();
        assert_eq!(answer.headers.unwrap().get("Nats-Service-Error").unwrap().as_str(), expected);
    }
    let nobody = sandbox.client().author_comments(&site(), &"zed".parse().unwrap(), None, PageOf::default()).await;
    let nobody = nobody.unwrap();
    assert_eq!(
        (nobody.name.as_str(), nobody.comments.len(), nobody.score),
        ("", 0, Some(v1::AuthorScore::default()))
    );
}
