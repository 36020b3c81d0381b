//! Other services on the subjects: a reader in another language, and the change announcements.

use std::process::Command;

use domain::Vote;
use futures::StreamExt as _;
use wire::v1::CommentState;

use crate::operators::up;
use crate::sandbox::{Sandbox, remove, root, text, vote};

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_readme_listens_with_nats_py() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert!(example.lines().count() <= 15, "fifteen lines");
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _up = up(&data, &["--demo"]).await;
    let script = dir.path().join("listen.py");
    std::fs::write(&script, example).unwrap();
    let mut python = Command::new("python3");
    let python = python.arg(&script).env("PYTHONPATH", root().join(".tools/python")).current_dir(dir.path());
    let output = python.output().unwrap();
    let heard = text(&output.stdout);
    assert!(output.status.success(), "{heard}{}", text(&output.stderr));
    assert_eq!(heard.lines().filter(|line| line.contains("comment-posted")).count(), 22, "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_announced_after_they_can_be_read() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let client = sandbox.client();
    let mut changes = client.changes(&"s".parse().unwrap(), &"t".parse().unwrap()).await.unwrap();
    sandbox.connection.flush().await.unwrap();
    let cast = sandbox.send(&vote("ben", comment, Vote::Down), true).await.unwrap();
    let change = tokio::time::timeout(crate::sandbox::PATIENCE, changes.next()).await.unwrap().unwrap();
    assert_eq!(change.position, cast.position);
    assert_eq!((change.count, change.comments[0].id.clone()), (1, comment.to_string()));
    assert_eq!(change.comments[0].tally.as_ref().unwrap().down, 1);
    sandbox.send(&remove(comment), false).await.unwrap();
    let change = tokio::time::timeout(crate::sandbox::PATIENCE, changes.next()).await.unwrap().unwrap();
    assert_eq!(change.comments[0].state, i32::from(CommentState::Removed));
    let page = sandbox.page("t", &change.position).await;
    assert_eq!(page.comments[0].state, i32::from(CommentState::Removed), "what is announced can be read");
}
