//! The examples in other languages, run as their READMEs say: they work, and being killed makes them repeat nothing.

use std::process::Command;

use domain::command::Quotes;
use domain::text::Text;
use domain::{CommandBody, CommentId, Place};
use serde_json::{Value, json};
use wire::subject;

use crate::sandbox::{Process, Sandbox, TOKEN, command, eventually, moderator, reader, root, text};

/// An example beside this sandbox.
fn example(sandbox: &Sandbox, path: &str) -> Command {
    let mut command = Command::new(root().join("examples").join(path));
    command.env("PYTHONPATH", root().join(".tools/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("NATS_URL", sandbox.nats.url().replace("://", &format!("://operator:{TOKEN}@")));
    command.current_dir(sandbox.dir.path());
    command
}

fn spam_check(sandbox: &Sandbox) -> Process {
    let mut command = example(sandbox, "spam-check/spam_check.py");
    command.arg("--position").arg(sandbox.dir.path().join("position"));
    Process::spawn(&mut command, sandbox.dir.path().join("spam-check.log"))
}

async fn ask(sandbox: &Sandbox, query: &str, comment: CommentId) -> Value {
    let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    let asked = json!({"thread": "t", "comment": comment.to_string(), "atLeast": sandbox.end().await});
    let (said, code) = sandbox.raw(&subject::query(Some(&place), query), &asked.to_string()).await;
    assert_eq!(code, None, "{said}");
    said
}

async fn is_held(sandbox: &Sandbox, comment: CommentId) -> bool {
    ask(sandbox, "comment", comment).await["comment"]["state"] == "COMMENT_STATE_HELD"
}

async fn held(sandbox: &Sandbox, comment: CommentId) {
    eventually("the comment is held", async || is_held(sandbox, comment).await.then_some(())).await;
}

/// How often a comment was held, by the audit.
async fn holds(sandbox: &Sandbox, comment: CommentId) -> usize {
    let audit = ask(sandbox, "audit", comment).await;
    audit["entries"].as_array().unwrap().iter().filter(|entry| entry["type"] == "comment-held").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spam_check_holds_what_is_suspicious_and_repeats_nothing_however_it_ends() {
    let sandbox = Sandbox::start().await;
    let innocent = sandbox.post("ann", "What a memorial service.").await;
    let before = sandbox.post("zed", "CASINO! Come in").await;
    let mut check = spam_check(&sandbox);
    held(&sandbox, before).await;
    let live = sandbox.post("zed", "You have won the jackpot, again.").await;
    held(&sandbox, live).await;
    assert!(!is_held(&sandbox, innocent).await);

    // Killed: what came meanwhile is judged at the next start, what was judged is not judged again.
    check.kill();
    let edit = CommandBody::EditComment {
        comment: innocent,
        revision: 0,
        text: Text::parse("What a casino.").unwrap(),
        quotes: Quotes::default(),
    };
    sandbox.send(&command(reader("ann"), Some("t"), edit), true).await.unwrap();
    let mut check = spam_check(&sandbox);
    held(&sandbox, innocent).await;

    // Without its position it reads everything again, and sends the same commands: they have no second effect.
    let (status, _) = check.stop().await;
    assert!(status.success(), "{}", check.log());
    std::fs::remove_file(sandbox.dir.path().join("position")).unwrap();
    let approve = CommandBody::ApproveComment { comment: before, revision: None };
    sandbox.send(&command(moderator(), Some("t"), approve), true).await.unwrap();
    let recorded = sandbox.journal().await.look().await.unwrap().sequence;
    let mut check = spam_check(&sandbox);
    let last = sandbox.post("zed", "viagra").await;
    held(&sandbox, last).await;
    let end = sandbox.journal().await.look().await.unwrap().sequence;
    assert_eq!(end, recorded + 2, "the last comment and its hold");
    assert!(!is_held(&sandbox, before).await, "what a moderator approved stays");
    for comment in [before, live, innocent, last] {
        assert_eq!(holds(&sandbox, comment).await, 1);
    }
    assert!(check.stop().await.0.success(), "{}", check.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spam_check_goes_on_when_the_broker_and_koe_come_back() {
    let mut sandbox = Sandbox::start().await;
    let mut check = spam_check(&sandbox);
    let first = sandbox.post("zed", "casino").await;
    held(&sandbox, first).await;
    sandbox.nats.kill();
    sandbox.nats.restart();
    let second = sandbox.post("zed", "jackpot").await;
    held(&sandbox, second).await;
    // No writer answers for a while.
    let third = domain::CommentId(client::new_command_id());
    let post =
        CommandBody::PostComment { parent: None, text: Text::parse("viagra").unwrap(), quotes: Quotes::default() };
    let post = domain::Command { id: third.0, ..command(reader("zed"), Some("t"), post) };
    sandbox.send(&post, false).await.unwrap();
    sandbox.kill_and_restart(0);
    held(&sandbox, third).await;
    for comment in [first, second, third] {
        assert_eq!(holds(&sandbox, comment).await, 1);
    }
    assert!(check.stop().await.0.success(), "{}", check.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_session_goes_through_a_day_of_a_thread() {
    let sandbox = Sandbox::start().await;
    for round in 0..2 {
        let output = example(&sandbox, "shell-session/session.sh").output().unwrap();
        let (said, complaint) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{said}{complaint}");
        let answers: Vec<Value> = said
            .lines()
            .filter(|line| line.starts_with('{'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let requests = said.lines().filter(|line| line.starts_with("> koe.v1.")).count();
        assert_eq!((answers.len(), requests), (17, 17), "{said}");
        let codes: Vec<_> =
            answers.iter().filter(|it| it["message"].is_string()).map(|it| it["code"].as_str().unwrap()).collect();
        let site_exists = (round > 0).then_some("site-exists");
        assert_eq!(codes, site_exists.into_iter().chain(["banned"]).collect::<Vec<_>>(), "{said}");

        let pages: Vec<_> = answers.iter().filter(|answer| answer["headline"].is_string()).collect();
        let [page, held] = pages[..] else { panic!("two pages: {said}") };
        let (first, second) = (&page["comments"][0], &page["comments"][1]);
        assert_eq!((&first["tally"]["up"], &first["ownVote"]), (&json!(1), &json!("VOTE_UP")));
        assert_eq!((&second["quotes"][0]["body"], &second["parent"]), (&json!("weather"), &first["id"]));
        assert_eq!(held["comments"][1]["state"], "COMMENT_STATE_HELD");
        assert_eq!(held["comments"][1]["body"], Value::Null);
        let queue = answers.iter().find(|answer| answer["entries"][0]["comment"].is_object()).unwrap();
        assert_eq!(queue["entries"][0]["comment"]["id"], second["id"]);
        let done: Vec<_> = answers.last().unwrap()["entries"].as_array().unwrap().iter().take(5).collect();
        let done: Vec<_> = done.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
        assert_eq!(
            done,
            ["author-unbanned", "author-banned", "flags-resolved", "comment-approved", "comment-held"]
        );
    }
    sandbox.verify();
}
