//! What happened here: a thread as it was, what changed in it, and the log in lines.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use domain::{CommandBody, Vote};

use crate::operators::up;
use crate::sandbox::{Sandbox, TOKEN, command, koe, post, reader, remove, staff, text, vote};

fn said(sandbox: &Sandbox, words: &[&str]) -> String {
    let output = sandbox.replay(words);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Where the last event stands.
async fn end(sandbox: &Sandbox) -> String {
    sandbox.journal().await.look().await.unwrap().sequence.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_shows_its_fourteenth_comment_until_it_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _up = up(&data, &["--demo"]).await;
    let replay = |words: &[&str]| {
        let output = Command::new(koe()).arg("replay").args(words).arg("--data").arg(&data).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let removal: serde_json::Value =
        serde_json::from_str(&replay(&["log", "--type", "comment-removed", "--json"])).unwrap();
    let removed = removal["sequence"].as_u64().unwrap();
    let as_of = |sequence: u64| {
        let page =
            replay(&["as-of", "--thread", "memorial-service", "--json", "--sequence", &sequence.to_string()]);
        serde_json::from_str::<serde_json::Value>(&page).unwrap()
    };
    let (before, after) = (as_of(removed - 1), as_of(removed));
    assert_eq!(
        (&before["comments"][13]["state"], &after["comments"][13]["state"]),
        (&"visible".into(), &"removed".into())
    );
    assert!(before["comments"][13]["html"].is_string() && after["comments"][13]["body"].is_null());
    // And by time.
    let time = removal["event"]["time"].as_str().unwrap();
    let page = replay(&["as-of", "--thread", "memorial-service", "--json", "--time", time]);
    assert!(page.contains("\"removed\""), "an event of that very moment is shown");
    let html =
        replay(&["as-of", "--thread", "memorial-service", "--html", "--sequence", &(removed - 1).to_string()]);
    assert!(html.contains("id=\"comment-14\" class=\"comment\"") && html.contains("<style>"), "{html}");
    assert!(!html.contains("<form") && !html.contains("href=\"/"), "nothing on it leads to a server");
    let diff = replay(&["diff", &(removed - 1).to_string(), &removed.to_string(), "--thread", "memorial-service"]);
    assert!(diff.contains("#14 state: visible → removed") && diff.contains(" editor removed "), "{diff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_is_what_was_served_then_and_never_what_was_erased() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words to be forgotten").await;
    let other = sandbox.post("ben", "others").await;
    sandbox.send(&vote("cy", comment, Vote::Up), true).await.unwrap();
    let (then, served) = (end(&sandbox).await, sandbox.page("t", "").await);
    sandbox.send(&post("dan", "u", "elsewhere"), false).await.unwrap_err();
    sandbox.send(&vote("cy", comment, Vote::Down), true).await.unwrap();
    sandbox.send(&vote("eve", other, Vote::Up), true).await.unwrap();
    sandbox.send(&remove(other), true).await.unwrap();
    let now = end(&sandbox).await;
    let as_of =
        |moment: &str| said(&sandbox, &["as-of", "--thread", "t", "--site", "s", "--sequence", moment, "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&as_of(&then)).unwrap();
    let rows = shown["comments"].as_array().unwrap();
    assert_eq!(rows.len(), served.comments.len());
    for (row, served) in rows.iter().zip(&served.comments) {
        let tally = served.tally.unwrap_or_default();
        assert_eq!((&row["id"], &row["body"]), (&served.id.clone().into(), &served.body.clone().into()));
        assert_eq!((&row["tally"]["up"], &row["tally"]["down"]), (&tally.up.into(), &tally.down.into()));
    }
    let diff = said(&sandbox, &["diff", &then, &now, "--thread", "t", "--json"]);
    let diff: serde_json::Value = serde_json::from_str(&diff).unwrap();
    assert_eq!(diff["changes"][0]["fields"]["score"]["is"], "-1 ( +0 / -1 )");
    assert_eq!(diff["changes"][0]["voters"], serde_json::json!(["cy"]));
    assert_eq!(diff["changes"][1]["fields"]["state"]["is"], "removed");
    assert_eq!(diff["events"].as_array().unwrap().len(), 3);

    let erase = CommandBody::EraseComment { comment, reason: "asked".into() };
    sandbox.send(&command(staff(), Some("t"), erase), true).await.unwrap();
    for moment in [&then, &now] {
        let page = as_of(moment);
        assert!(!page.contains("to be forgotten") && page.contains("\"erased\""), "{page}");
    }
    assert!(!said(&sandbox, &["log", "--thread", "t"]).contains("to be forgotten"));
    let beyond = sandbox.replay(&["as-of", "--thread", "t", "--sequence", "99999"]);
    assert_eq!((beyond.status.code(), text(&beyond.stderr).contains("the log ends at")), (Some(2), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_shown_by_whatever_is_asked_for_and_goes_on_without_a_gap() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words in red").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let name = CommandBody::NameAuthor { author: "ann".parse().unwrap(), name: "Ann".into() };
    sandbox.send(&command(reader("ann"), None, name), true).await.unwrap();
    let lines = |words: &[&str]| said(&sandbox, &[&["log"], words].concat()).lines().count();
    assert_eq!(lines(&[]), 5);
    assert_eq!(lines(&["--thread", "t"]), 3);
    assert_eq!(lines(&["--site", "s", "--thread", "t", "--type", "vote-cast"]), 1);
    assert_eq!(lines(&["--author", "ann"]), 2);
    assert_eq!(lines(&["--since", "4"]), 1);
    assert_eq!(lines(&["--since", "2020-01-01"]), 5);
    assert_eq!(lines(&["--since", "2999-01-01"]), 0);
    assert_eq!(lines(&["--site", "elsewhere"]), 0);
    assert_eq!(sandbox.replay(&["log", "--type", "vote-castt"]).status.code(), Some(2));

    let mut following = Command::new(koe());
    following.args(["replay", "log", "--follow", "--type", "comment-posted", "--nats", &sandbox.nats.url()]);
    let following = following.args(["--nats-token", TOKEN]).stdout(Stdio::piped()).spawn();
    let mut following = following.unwrap();
    let mut read = BufReader::new(following.stdout.take().unwrap()).lines();
    assert!(read.next().unwrap().unwrap().contains("words"));
    for number in 0..20 {
        sandbox.send(&post("ann", "t", &format!("later {number}")), false).await.unwrap();
    }
    for number in 0..20 {
        let line = read.next().unwrap().unwrap();
        assert!(line.contains(&format!("“later {number}”")), "{line}");
    }
    drop(read);
    following.kill().unwrap();
    following.wait().unwrap();
}
