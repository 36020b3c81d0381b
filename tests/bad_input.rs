//! Bad input: a stable code over NATS, nothing stored, and a counter.

use client::new_command_id;
use serde_json::json;

use crate::sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn bad_commands_have_stable_codes_and_leave_nothing_behind() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await.to_string();
    let before = sandbox.journal().await.look().await.unwrap().sequence;
    let id = || new_command_id().to_string();
    let post = |change: serde_json::Value| {
        let mut body = json!({"id": id(), "actor": {"id": "ben"}, "thread": "t", "text": "words"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ("koe.v1.command.s.post-comment", body.to_string())
    };
    let vote = |change: serde_json::Value| {
        let mut body =
            json!({"id": id(), "actor": {"id": "ben"}, "thread": "t", "comment": comment, "vote": "VOTE_UP"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ("koe.v1.command.s.cast-vote", body.to_string())
    };
    let elsewhere =
        |site: &str, (subject, body): (&str, String)| (subject.replace(".s.", &format!(".{site}.")), body);
    let stranger = id();
    let cases = [
        ("malformed", post(json!({"txt": "typo"}))),
        ("malformed", ("koe.v1.command.s.post-comment", "{".to_owned())),
        ("malformed", ("koe.v1.command.s.post-comment", "[]".to_owned())),
        ("malformed", vote(json!({"vote": "sideways"}))),
        ("request-too-large", post(json!({"text": "x".repeat(600_000)}))),
        ("text-empty", post(json!({"text": " \n "}))),
        ("text-too-long", post(json!({"text": "x".repeat(10_001)}))),
        ("text-control-characters", post(json!({"text": "a\u{0}b"}))),
        ("command-id-invalid", post(json!({"id": "17"}))),
        ("actor-invalid", post(json!({"actor": {"id": "a b"}}))),
        ("actor-invalid", post(json!({"actor": null}))),
        ("role-invalid", post(json!({"actor": {"id": "ben", "roles": ["ROLE_UNSPECIFIED"]}}))),
        ("thread-invalid", post(json!({"thread": "a.b"}))),
        ("thread-unknown", post(json!({"thread": "nowhere"}))),
        ("parent-unknown", post(json!({"parent": stranger}))),
        ("comment-invalid", post(json!({"parent": "17"}))),
        ("quote-unknown", post(json!({"quotes": [{"comment": stranger, "start": 0, "end": 1}]}))),
        ("quote-invalid", post(json!({"quotes": [{"comment": comment, "start": 0, "end": 99}]}))),
        ("quote-invalid", post(json!({"quotes": [{"comment": comment, "start": 1, "end": 1}]}))),
        ("comment-unknown", vote(json!({"comment": stranger}))),
        ("vote-invalid", vote(json!({"vote": "VOTE_UNSPECIFIED"}))),
        ("own-comment", vote(json!({"actor": {"id": "ann"}}))),
        ("command-expired", vote(json!({"id": "019a3c5e-7d00-7000-8000-000000000001"}))),
        ("not-permitted", ("koe.v1.command.s.remove-comment",
            json!({"id": id(), "actor": {"id": "ben"}, "thread": "t", "comment": comment, "reason": "no"}).to_string())),
        ("not-permitted", ("koe.v1.command.s.open-thread",
            json!({"id": id(), "actor": {"id": "ben"}, "thread": "u", "headline": "H"}).to_string())),
        ("zone-unknown", ("koe.v1.command.u.open-site",
            json!({"id": id(), "actor": {"id": "root", "roles": ["ROLE_ADMINISTRATOR"]}, "name": "U", "zone": "Asia/Atlantis"}).to_string())),
        ("name-invalid", ("koe.v1.command.s.name-author",
            json!({"id": id(), "actor": {"id": "ben"}, "author": "ben", "name": "a\u{202e}b"}).to_string())),
    ];
    for (expected, (subject, body)) in cases {
        let (answer, header) = sandbox.raw(subject, &body).await;
        assert_eq!(answer["code"], expected, "{subject} {} {answer}", body.get(..200).unwrap_or(&body));
        assert_eq!(header.as_deref(), Some(expected));
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    for (expected, (subject, body)) in [
        ("site-unknown", elsewhere("nowhere", post(json!({})))),
        ("site-invalid", elsewhere("all", post(json!({})))),
    ] {
        assert_eq!(sandbox.raw(&subject, &body).await.0["code"], expected);
    }
    assert_eq!(sandbox.journal().await.look().await.unwrap().sequence, before, "nothing was recorded");
    let (stats, _) = sandbox.raw("$SRV.STATS.koe-comments", "").await;
    let errors: u64 =
        stats["endpoints"].as_array().unwrap().iter().map(|e| e["num_errors"].as_u64().unwrap()).sum();
    assert!(errors >= 20, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_queries_have_stable_codes() {
    let sandbox = Sandbox::start().await;
    let right = wire::subject::partition(&"s".parse().unwrap(), &"t".parse().unwrap());
    let page = |partition: u32| format!("koe.v1.query.s.{partition}.thread-page");
    let wrong = (right + 1) % 64;
    let cases = [
        ("partition-wrong", page(wrong), json!({"thread": "t"})),
        ("limit-exceeded", page(right), json!({"thread": "t", "limit": 201})),
        ("cursor-invalid", page(right), json!({"thread": "t", "after": "x"})),
        ("cursor-invalid", page(right), json!({"thread": "t", "after": "7", "order": "ORDER_TOP"})),
        ("cursor-invalid", page(right), json!({"thread": "t", "after": "7", "tree": true})),
        ("cursor-invalid", page(right), json!({"thread": "t", "after": "A".repeat(30_000), "order": "ORDER_HOT"})),
        ("malformed", page(right), json!({"thread": "t", "order": "ORDER_WORST"})),
        ("comment-invalid", page(right), json!({"thread": "t", "around": "x"})),
        ("malformed", page(right), json!({"thread": "t", "around": new_command_id().to_string(), "after": "7"})),
        ("comment-unknown", page(right), json!({"thread": "t", "around": new_command_id().to_string()})),
        ("position-invalid", page(right), json!({"thread": "t", "atLeast": "x"})),
        ("malformed", page(right), json!({"thread": "t", "limits": 2})),
        ("site-unknown", "koe.v1.query.nowhere.all.threads".to_owned(), json!({})),
        ("limit-exceeded", "koe.v1.query.s.all.counts".to_owned(), json!({"threads": vec!["t"; 101]})),
        ("thread-invalid", "koe.v1.query.s.all.counts".to_owned(), json!({"threads": ["a b"]})),
    ];
    for (expected, subject, body) in cases {
        let (answer, header) = sandbox.raw(&subject, &body.to_string()).await;
        assert_eq!(answer["code"], expected, "{subject} {body} {answer}");
        assert_eq!(header.as_deref(), Some(expected));
    }
    let (counts, none) = sandbox.raw("koe.v1.query.s.all.counts", r#"{"threads":["t","nowhere"]}"#).await;
    assert_eq!((counts["counts"].as_array().unwrap().len(), none), (1, None), "what is unknown has no entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_actor_is_held_back_in_the_writer_and_others_are_not() {
    let mut strict = Sandbox::empty(&journal::Options::default()).await;
    strict.run("projector");
    let comment = domain::CommentId(new_command_id());
    let mut command = std::process::Command::new(crate::sandbox::koe());
    command.args(["votes", "--nats", &strict.nats.url(), "--nats-token", "koe_scenario_token"]);
    command.args(["--actor-rate", "1", "--actor-burst", "2"]);
    let process = crate::sandbox::Process::spawn(&mut command, strict.dir.path().join("strict.log"));
    strict.roles.push(("votes", process));
    let codes = async |voter: &str| {
        let answer = strict.send(&crate::sandbox::vote(voter, comment, domain::Vote::Up), false).await;
        crate::sandbox::code(&answer)
    };
    assert_eq!(codes("ben").await, "site-unknown");
    assert_eq!(codes("ben").await, "site-unknown");
    assert_eq!(codes("ben").await, "rate-limited");
    assert_eq!(codes("cy").await, "site-unknown");
}
