//! The log as a file: out, and in again elsewhere.

use std::path::{Path, PathBuf};

use domain::Vote;

use crate::erasure::{PLANTED, WHO, conversation, erase_author, forgotten};
use crate::operators::up;
use crate::sandbox::{Sandbox, eventually, files_with, koe, post, remove, text, vote};

fn run(words: &[&str], data: &Path) -> std::process::Output {
    std::process::Command::new(koe()).args(words).arg("--data").arg(data).output().unwrap()
}

fn digest(output: &std::process::Output) -> String {
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    status["digest"].as_str().unwrap().to_owned()
}

fn file(dir: &Path, name: &str) -> (PathBuf, String) {
    let path = dir.join(name);
    (path.clone(), path.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_comes_back_in_an_empty_system() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let one = up(&first, &["--demo"]).await;
    let (path, out) = file(dir.path(), "demo.koe");
    let exported = run(&["replay", "export", &out], &first);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(path.exists() && text(&exported.stdout).starts_with("exported: "), "{}", text(&exported.stdout));
    let again = run(&["replay", "export", &out], &first);
    assert_eq!(again.status.code(), Some(2), "a file that is there is not written over");

    let two = up(&second, &[]).await;
    let dry = run(&["replay", "import", &out, "--dry-run"], &second);
    assert!(text(&dry.stdout).contains("nothing was written"), "{}", text(&dry.stdout));
    let imported = run(&["replay", "import", &out, "--json"], &second);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let report: serde_json::Value = serde_json::from_slice(&imported.stdout).unwrap();
    assert_eq!((&report["standing"], &report["imported"]), (&0.into(), &report["events"]));
    let page = async |http: &str| {
        let page = reqwest::get(format!("http://{http}/v1/sites/demo/threads/memorial-service")).await.ok()?;
        let mut page: serde_json::Value = page.error_for_status().ok()?.json().await.ok()?;
        page.as_object_mut()?.remove("position");
        Some(page)
    };
    let expected = page(&one.http).await.unwrap();
    eventually("the second system shows the same", async || (page(&two.http).await? == expected).then_some(()))
        .await;
    let status = |data| run(&["replay", "status", "--digest", "--json"], data);
    assert_eq!(digest(&status(&first)), digest(&status(&second)));
    let verified = run(&["replay", "verify"], &second);
    assert!(verified.status.success(), "{}", text(&verified.stdout));

    let again = run(&["replay", "import", &out], &second);
    assert!(text(&again.stdout).contains("all of it is in the log already"), "{}", text(&again.stdout));
}

impl Sandbox {
    async fn digest(&self) -> String {
        let end = self.end().await;
        eventually("the projector has all", async || {
            let question = wire::v1::DigestRequest { limit: 1, at_least: end.clone(), ..Default::default() };
            self.client().digest(&question).await.ok()
        })
        .await;
        digest(&self.replay(&["status", "--digest", "--json"]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_chain_and_an_import_that_was_interrupted_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "first words").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let ((_, base), (_, next)) = (file(dir.path(), "base.koe"), file(dir.path(), "next.koe"));
    assert!(sandbox.replay(&["export", &base]).status.success());
    for number in 0..40 {
        sandbox.send(&post("cy", "t", &format!("comment {number}")), true).await.unwrap();
    }
    sandbox.send(&remove(comment), true).await.unwrap();
    assert!(sandbox.replay(&["export", &next, "--since", &base]).status.success());

    let mut other = Sandbox::empty(&journal::Options::default()).await;
    let early = other.replay(&["import", &next]);
    assert!(text(&early.stderr).contains("follows another one"), "{}", text(&early.stderr));
    let turned = other.replay(&["import", &next, &base]);
    assert!(text(&turned.stderr).contains("does not follow"), "{}", text(&turned.stderr));
    assert!(other.replay(&["import", &base]).status.success());
    // As one that was ended after a few events.
    let journal = sandbox.journal().await;
    let head = journal.look().await.unwrap();
    let mut scan = journal.scan(vec![wire::subject::EVENTS.to_owned()], 0).await.unwrap();
    let all = scan.next().await.unwrap().unwrap();
    let there = usize::try_from(other.journal().await.look().await.unwrap().sequence).unwrap();
    other.journal().await.copy(&all[there..there + 7]).await.unwrap();
    let rest = other.replay(&["import", &next, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&rest.stdout).unwrap();
    assert_eq!((&report["standing"], &report["imported"]), (&7.into(), &34.into()), "{}", text(&rest.stderr));
    assert_eq!(other.journal().await.look().await.unwrap().sequence, head.sequence);
    for role in ["comments", "votes", "projector"] {
        other.run(role);
    }
    assert_eq!(other.digest().await, sandbox.digest().await);
    assert!(other.replay(&["import", &base, &next]).status.success(), "both at once, again");
    assert_eq!(other.journal().await.look().await.unwrap().sequence, head.sequence);
    assert_eq!(other.page("t", "").await.comments, sandbox.page("t", "").await.comments);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_archive_brings_back_what_was_erased() {
    let roles = ["comments", "votes", "projector"];
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::forgetting(&roles, &journal::Options::default()).await;
    conversation(&sandbox).await;
    let (before, after, whole) =
        (file(dir.path(), "before.koe").1, file(dir.path(), "after.koe").1, file(dir.path(), "whole.koe").1);
    assert!(sandbox.replay(&["export", &before]).status.success());
    sandbox.send(&erase_author(false), true).await.unwrap();
    // Not deleted yet, or deleted already: it is in no archive either way.
    assert!(sandbox.replay(&["export", &whole]).status.success());
    forgotten(&sandbox).await;
    assert!(sandbox.replay(&["export", &after, "--since", &before]).status.success());
    let unpacked = |path: &str| text(&zstd::stream::decode_all(std::fs::File::open(path).unwrap()).unwrap());
    assert!(unpacked(&before).contains(PLANTED) && unpacked(&before).contains(WHO), "or nothing is shown here");
    for path in [&whole, &after] {
        assert!(!unpacked(path).contains(PLANTED) && !unpacked(path).contains(WHO), "{path}");
    }
    let same = sandbox.replay(&["import", &before]);
    assert!(text(&same.stdout).contains("already"), "{}", text(&same.stderr));
    assert_eq!(files_with(sandbox.dir.path(), PLANTED), [""; 0]);

    let expected = sandbox.digest().await;
    for archives in [vec![vec!["import", &before, &after]], vec![vec!["import", &before], vec!["import", &after]]]
    {
        let mut other = Sandbox { forgets_at_once: true, ..Sandbox::empty(&journal::Options::default()).await };
        for role in roles {
            other.run(role);
        }
        for words in archives {
            let imported = other.replay(&words);
            assert!(imported.status.success(), "{}", text(&imported.stderr));
        }
        forgotten(&other).await;
        assert!(other.replay(&["rebuild"]).status.success());
        assert_eq!(files_with(&other.dir.path().join("nats"), PLANTED), [""; 0]);
        assert_eq!(files_with(other.dir.path(), WHO), [""; 0]);
        assert_eq!(other.digest().await, expected);
        other.verify();
        // The older one once more, where the erasure is known.
        assert!(text(&other.replay(&["import", &before]).stdout).contains("already"));
        assert_eq!(files_with(&other.dir.path().join("nats"), PLANTED), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_is_found_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await;
    for number in 0..300 {
        sandbox.send(&post("ann", "t", &format!("words {number}")), false).await.unwrap();
    }
    let (path, archive) = file(dir.path(), "whole.koe");
    assert!(sandbox.replay(&["export", &archive]).status.success());
    let whole = std::fs::read(&path).unwrap();
    let other = Sandbox::empty(&journal::Options::default()).await;
    let damaged = |bytes: &[u8]| {
        let (path, name) = file(dir.path(), "damaged.koe");
        std::fs::write(path, bytes).unwrap();
        other.replay(&["import", &name])
    };
    for (place, said) in
        [(3, "is no archive of Koe"), (whole.len() / 2, "damaged in its chunk 1, after 0 whole events")]
    {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        let refused = damaged(&bytes);
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(said), "{}", text(&refused.stderr));
    }
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        assert_eq!(damaged(&whole[..cut]).status.code(), Some(2), "cut at {cut}");
    }
    assert_eq!(damaged(&[&whole[..], b"x"].concat()).status.code(), Some(2));
    assert_eq!(other.journal().await.look().await.unwrap().sequence, 0, "nothing was written");

    assert!(sandbox.replay(&["import", &archive]).status.success(), "what is there is there");
    other.journal().await.copy(&[sandbox.journal().await.read(2).await.unwrap().unwrap()]).await.unwrap();
    let refused = other.replay(&["import", &archive]);
    assert!(text(&refused.stderr).contains("has events of its own about s"), "{}", text(&refused.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_verified_against_what_is_served_and_the_first_difference_has_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let (_, archive) = file(dir.path(), "a.koe");
    let (_, of_site) = file(dir.path(), "s.koe");
    assert!(sandbox.replay(&["export", &archive]).status.success());
    assert!(sandbox.replay(&["export", &of_site, "--site", "s"]).status.success());
    // The log goes on behind the archive, and the fold with it.
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let metrics = dir.path().join("verify.prom");
    for archive in [&archive, &of_site] {
        let words = ["verify", "--from-archive", archive, "--metrics-file", metrics.to_str().unwrap()];
        let verified = sandbox.replay(&words);
        assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    }
    let metrics = std::fs::read_to_string(metrics).unwrap();
    assert!(
        metrics.contains("koe_replay_verify_well 1\n") && metrics.contains("koe_replay_verify_events 4\n"),
        "{metrics}"
    );

    // Another system has one more vote than the archive that it came from.
    let mut other = Sandbox::empty(&journal::Options::default()).await;
    for role in ["comments", "votes", "projector"] {
        other.run(role);
    }
    assert!(other.replay(&["import", &archive]).status.success());
    other.digest().await;
    assert!(other.replay(&["verify", "--from-archive", &archive]).status.success());
    other.send(&vote("cy", comment, Vote::Down), true).await.unwrap();
    let differs = other.replay(&["verify", "--from-archive", &archive]);
    assert_eq!(differs.status.code(), Some(1));
    let said = text(&differs.stdout);
    assert!(
        said.contains("thread t comment 1: its contents differ, first in its down: 0 in the log, 1 served"),
        "{said}"
    );
    assert!(other.replay(&["verify"]).status.success(), "the log itself has that vote");
}
