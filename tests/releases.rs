//! From release to release: what the first release wrote, and what it asks, is understood for ever.
//!
//! `golden/first-release.tar.gz` is the data directory of that release as its own binary left it: a site, two threads,
//! comments, votes and a removal, and at the end an event of a newer type in the thread `t`, which froze it.

use std::process::Command;

use client::{Client, PageOf};
use serde_json::json;
use wire::v1::CommentState;

use crate::operators::{Up, up};
use crate::sandbox::{Sandbox, eventually, root, tally};

fn first_release() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(root().join("tests/golden/first-release.tar.gz")).arg("-C").arg(dir.path());
    assert!(tar.status().unwrap().success());
    dir
}

async fn client(up: &Up, data: &std::path::Path) -> Client {
    let addresses = std::fs::read_to_string(data.join("addresses.json")).unwrap();
    let addresses: serde_json::Value = serde_json::from_str(&addresses).unwrap();
    let options = crate::sandbox::operator_with(addresses["nats_token"].as_str().unwrap());
    let nats = options.connect(addresses["nats"].as_str().unwrap()).await.unwrap();
    assert!(!up.http.is_empty());
    Client::new(nats)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgraded_projector_folds_what_froze_a_thread_of_the_release_before() {
    let data = first_release();
    let up = up(data.path(), &[]).await;
    let client = client(&up, data.path()).await;
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let page = eventually("the projector answers", async || {
        client.thread_page(&site, &thread, PageOf::default()).await.ok()
    })
    .await;
    assert!(!page.frozen, "the event is not newer any more");
    assert_eq!((page.site_name.as_str(), page.count), ("The Harbour Courier", 3));
    let [first, second, third] = page.comments.as_slice() else { panic!("{page:?}") };
    assert_eq!((first.body.as_str(), first.revision), ("The words, edited by a newer release", 1));
    assert_eq!((first.author.as_ref().unwrap().name.as_str(), tally(first)), ("Ann", (2, 1)));
    assert_eq!(tally(second), (0, 1), "a vote that was taken back");
    assert_eq!(second.quotes[0].body, "first words", "of the revision that was quoted");
    assert!(second.quotes[0].edited_since);
    assert_eq!((third.state(), third.body.as_str()), (CommentState::Removed, ""));
    let status = client.status().await.unwrap();
    assert_eq!((status.frozen.as_slice(), status.log_regressions), (&[][..], 0));
    assert!(status.generation > 1, "folded beside the old generation, which is kept");
    assert!(data.path().join("projector/generation-1").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_the_first_release_have_answers_that_it_understands() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await.to_string();
    let at = sandbox.end().await;
    let partition = wire::subject::partition(&"s".parse().unwrap(), &"t".parse().unwrap());
    let query = |name: &str| format!("koe.v1.query.s.{partition}.{name}");
    // What a writer of the first release asks before it lets somebody vote.
    let facts = json!({"thread": "t", "comments": [comment], "id": comment, "atLeast": at}).to_string();
    let (facts, error) = sandbox.raw(&query("facts"), &facts).await;
    assert_eq!(error, None);
    for field in ["siteKnown", "threadKnown"] {
        assert_eq!(facts[field], true, "{facts}");
    }
    let fact = &facts["comments"][0];
    assert_eq!((&fact["author"], &fact["length"]), (&"ann".into(), &5.into()));
    assert_eq!(facts["command"]["outcome"], "OUTCOME_APPLIED");
    // It knows of removals only: whatever else keeps readers from voting must look like one.
    let id = || client::new_command_id().to_string();
    let hold = json!({"id": id(), "wait": true, "thread": "t", "comment": comment, "reason": "r",
        "actor": {"id": "mo", "roles": ["ROLE_MODERATOR"]}});
    assert_eq!(sandbox.raw("koe.v1.command.s.hold-comment", &hold.to_string()).await.1, None);
    let asked = json!({"thread": "t", "comments": [comment]}).to_string();
    assert_eq!(sandbox.raw(&query("facts"), &asked).await.0["comments"][0]["removed"], true);
    let page = json!({"thread": "t", "limit": 10, "after": ""}).to_string();
    let (page, _) = sandbox.raw(&query("thread-page"), &page).await;
    assert_eq!((&page["headline"], &page["count"]), (&"Headline".into(), &1.into()));
    let status = json!({"id": comment, "thread": "t", "atPosition": at}).to_string();
    assert_eq!(sandbox.raw(&query("command"), &status).await.0["outcome"], "OUTCOME_APPLIED");
    for (verb, body) in [
        ("post-comment", json!({"id": id(), "actor": {"id": "ben"}, "thread": "t", "text": "as before"})),
        ("name-author", json!({"id": id(), "actor": {"id": "ben"}, "author": "ben", "name": "Ben"})),
    ] {
        let (answer, error) = sandbox.raw(&format!("koe.v1.command.s.{verb}"), &body.to_string()).await;
        assert_eq!((answer["outcome"].as_str(), error), (Some("OUTCOME_ACCEPTED"), None), "{verb}");
    }
}
