//! Orders and trees over the real services: readers who page on through restarts and rebuilds, and from the page.

use std::collections::BTreeSet;

use client::{PageOf, Reading, Viewer, new_command_id};
use domain::text::Text;
use domain::{CommandBody, CommentId, Order, Vote};
use reqwest::StatusCode;
use wire::v1;

use crate::operators::up;
use crate::page::{Reader, THREAD, article, field};
use crate::sandbox::{Sandbox, code, command, eventually, reader, vote};

async fn reply(sandbox: &Sandbox, parent: Option<CommentId>) -> CommentId {
    let (text, quotes) = (Text::parse("words").unwrap(), domain::command::Quotes::default());
    let posted = command(reader("ann"), Some("t"), CommandBody::PostComment { parent, text, quotes });
    sandbox.send(&posted, true).await.unwrap();
    CommentId(posted.id)
}

/// A page of three rows, by a projector that may just be starting.
async fn read(sandbox: &Sandbox, reading: &Reading, after: &str) -> v1::ThreadPageReply {
    let (client, place) = (sandbox.client(), ("s".parse().unwrap(), "t".parse().unwrap()));
    let at_least = sandbox.end().await;
    eventually("the projector answers", async || {
        let page = PageOf { after: after.to_owned(), limit: 3, at_least: at_least.clone() };
        match client.read_thread((&place.0, &place.1), page, reading.clone(), &Viewer::default()).await {
            Err(error) if error.is_transient() => None,
            answer => Some(answer.unwrap()),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_while_votes_move_comments_and_after_a_restart_and_a_rebuild() {
    let mut sandbox = Sandbox::start().await;
    let mut comments = Vec::new();
    for at in 0..12 {
        let parent = comments.get(at / 2).copied().filter(|_| at % 3 != 0);
        comments.push(reply(&sandbox, parent).await);
    }
    for (reading, by) in [(Order::Top, false), (Order::Best, true), (Order::Newest, true), (Order::Hot, false)]
        .map(|(order, tree)| Reading { order, tree, around: None })
        .into_iter()
        .zip(0..)
    {
        let (mut seen, mut cursors) = (BTreeSet::new(), vec![String::new()]);
        let mut pages = 0;
        while let Some(cursor) = cursors.pop() {
            let page = read(&sandbox, &reading, &cursor).await;
            for row in &page.comments {
                assert!(seen.insert(row.id.clone()), "{} twice", row.number);
            }
            let on = page.comments.iter().map(|row| &row.more).chain([&page.next]);
            cursors.extend(on.filter(|cursor| !cursor.is_empty()).cloned());
            pages += 1;
            for (at, comment) in comments.iter().enumerate() {
                let side = if (at + pages) % 3 == 0 { Vote::Up } else { Vote::Down };
                sandbox.send(&vote(&format!("v{by}-{pages}"), *comment, side), false).await.unwrap();
            }
            match (pages, by) {
                (1, 0) => sandbox.kill_and_restart(2),
                (2, 1) => assert!(sandbox.replay(&["rebuild"]).status.success()),
                _ => {}
            }
        }
        assert!(comments.iter().all(|comment| seen.contains(&comment.to_string())), "{reading:?}");
        assert!(pages >= 4);
    }
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_into_every_order_and_to_nobody_elses_comment() {
    let sandbox = Sandbox::start().await;
    let mut comments = Vec::new();
    for at in 0..8 {
        comments.push(reply(&sandbox, comments.last().copied().filter(|_| at % 4 != 0)).await);
    }
    sandbox.send(&vote("ben", comments[6], Vote::Up), true).await.unwrap();
    for order in Order::EVERY {
        for tree in [false, true] {
            let around = Some(comments[6]);
            let page = read(&sandbox, &Reading { order, tree, around }, "").await;
            let row = page.comments.iter().find(|row| row.id == comments[6].to_string()).unwrap();
            assert_eq!((row.number, row.depth), (7, if tree { 2 } else { 0 }), "{order:?} {tree}");
        }
    }
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let around = Some(CommentId(new_command_id()));
    let reading = Reading { order: Order::Top, tree: true, around };
    let client = sandbox.client();
    let nothing = client.read_thread((&site, &thread), PageOf::default(), reading, &Viewer::default()).await;
    assert_eq!(code(&nothing), "comment-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_votes_and_replies_in_another_order_and_is_led_back_there() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let ann = Reader::logged_in(&up.http, &data, &["--author", "ann", "--name", "Ann Onuma"]).await;
    let page = ann.look(&format!("{THREAD}?order=top&tree=1")).await;
    let votes = article(&page, 1).split_once("class=\"votes\" method=\"post\" action=\"").unwrap().1;
    let (votes, _) = votes.split_once('"').unwrap();
    let back = [("order", "top"), ("tree", "1"), ("after", "")];
    for (name, value) in &back[..2] {
        assert_eq!(&field(article(&page, 1), "/vote\"", name), value);
    }
    let voted = ann.submit(votes, &[&back[..], &[("number", "1"), ("vote", "up")]].concat()).await;
    let address = voted.url().to_string();
    assert!(address.contains("order=top&tree=1&around="), "{address}");
    assert!(article(&voted.text().await.unwrap(), 1).contains("-8 ( +8 / -16 )"));

    let form = |name| field(&page, &format!("action=\"{THREAD}/comments\""), name);
    let id = form("id");
    let fields = [&back[..], &[("id", id.as_str()), ("text", "The last word")]].concat();
    let posted = ann.submit(&format!("{THREAD}/comments"), &fields).await;
    assert_eq!(posted.status(), StatusCode::OK);
    let address = posted.url().to_string();
    assert!(address.contains(&format!("order=top&tree=1&around={id}")), "{address}");
    assert!(article(&posted.text().await.unwrap(), 23).contains("The last word"), "one reads one's own write");
    let newest = ann.look(&format!("{THREAD}?order=newest")).await;
    assert!(newest.find("id=\"comment-23\"") < newest.find("id=\"comment-22\""));

    let get = async |path: &str| ann.http.get(format!("{}{path}", ann.site)).send().await.unwrap();
    let json = |marks: &str| format!("/v1{THREAD}?limit=3&{marks}");
    for (expected, marks) in [
        ("order-invalid", "order=worst"),
        ("cursor-invalid", "order=top&after=17"),
        ("comment-invalid", "around=17"),
        ("malformed", &format!("around={id}&after=1")),
    ] {
        let answer: serde_json::Value = get(&json(marks)).await.json().await.unwrap();
        assert_eq!(answer["code"], expected);
    }
    let top: serde_json::Value = get(&json("order=top")).await.json().await.unwrap();
    let next = top["next"].as_str().unwrap();
    let second: serde_json::Value = get(&json(&format!("order=top&after={next}"))).await.json().await.unwrap();
    let nets = |page: &serde_json::Value| -> Vec<i64> {
        let rows = page["comments"].as_array().unwrap();
        rows.iter()
            .map(|row| row["tally"]["up"].as_i64().unwrap() - row["tally"]["down"].as_i64().unwrap())
            .collect()
    };
    assert!([nets(&top), nets(&second)].concat().is_sorted_by(|a, b| a >= b), "{top} {second}");
    let lost = get(&format!("{THREAD}?order=hot&after={next}")).await;
    assert_eq!(lost.status(), StatusCode::BAD_REQUEST);
    assert!(lost.text().await.unwrap().contains("Begin again"), "the discussion goes on");
}
