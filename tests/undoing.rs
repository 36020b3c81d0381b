//! Undoing as moderators do it: votes of a brigade, comments of somebody, and both back.

use domain::command::Voters;
use domain::{AuthorId, Command, CommandBody, CommentId, Timestamp, Vote};
use wire::v1;
use wire::v1::CommentState::{Removed, Visible};

use crate::sandbox::{Sandbox, code, command, moderator, post, reader, staff, tally, vote};

fn author(id: &str) -> AuthorId {
    id.parse().unwrap()
}

fn voters(ids: &[&str]) -> Voters {
    Voters::parse(ids.iter().map(|id| author(id)).collect()).unwrap()
}

fn void(ids: &[&str], since: Option<Timestamp>) -> Command {
    command(moderator(), None, CommandBody::VoidVotes { voters: voters(ids), since, reason: "brigade".into() })
}

fn unvoid(ids: &[&str]) -> Command {
    command(moderator(), None, CommandBody::UnvoidVotes { voters: voters(ids), reason: "mistaken".into() })
}

fn remove_comments(of: &str, thread: Option<&str>) -> Command {
    let (author, reason, rule) = (author(of), "spam".into(), "No advertising".into());
    command(moderator(), thread, CommandBody::RemoveComments { author, since: None, reason, rule })
}

fn undo(removal: &Command, thread: Option<&str>) -> Command {
    command(moderator(), thread, CommandBody::UndoRemoval { removal: removal.id, reason: "appeal".into() })
}

async fn applied(sandbox: &Sandbox, command: &Command) {
    let reply = sandbox.send(command, true).await.unwrap();
    assert_eq!((reply.outcome(), reply.code.as_str()), (v1::Outcome::Applied, ""), "{reply:?}");
}

/// Posts in a thread.
async fn said(sandbox: &Sandbox, by: &str, thread: &str) -> CommentId {
    let command = post(by, thread, "words");
    applied(sandbox, &command).await;
    CommentId(command.id)
}

async fn voted(sandbox: &Sandbox, voter: &str, thread: &str, comment: CommentId, vote: Vote) {
    let body = CommandBody::CastVote { comment, vote };
    applied(sandbox, &command(reader(voter), Some(thread), body)).await;
}

async fn tallies(sandbox: &Sandbox, thread: &str) -> Vec<(u32, u32)> {
    sandbox.page(thread, "").await.comments.iter().map(tally).collect()
}

async fn states(sandbox: &Sandbox, thread: &str) -> Vec<v1::CommentState> {
    sandbox.page(thread, "").await.comments.iter().map(v1::Comment::state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brigades_votes_leave_every_tally_at_once_and_come_back() {
    let sandbox = Sandbox::start().await;
    sandbox.open_thread("u").await;
    let (one, two) = (said(&sandbox, "ann", "t").await, said(&sandbox, "ann", "u").await);
    for voter in ["ben", "troll-1", "troll-2"] {
        let side = if voter == "ben" { Vote::Up } else { Vote::Down };
        voted(&sandbox, voter, "t", one, side).await;
        voted(&sandbox, voter, "u", two, side).await;
    }
    assert_eq!(sandbox.refused(void(&["troll-1", "nobody"], None)).await, "voter-unknown");
    assert_eq!(sandbox.refused(unvoid(&["troll-1"])).await, "votes-not-void");
    assert_eq!((tallies(&sandbox, "t").await, tallies(&sandbox, "u").await), (vec![(1, 2)], vec![(1, 2)]));
    applied(&sandbox, &void(&["troll-1", "troll-2"], None)).await;
    assert_eq!((tallies(&sandbox, "t").await, tallies(&sandbox, "u").await), (vec![(1, 0)], vec![(1, 0)]));
    // A vote that comes later is accepted and counts for nothing, and its voter sees it.
    let three = said(&sandbox, "ann", "t").await;
    voted(&sandbox, "troll-1", "t", three, Vote::Up).await;
    assert_eq!(tallies(&sandbox, "t").await, [(1, 0), (0, 0)]);
    let (page, code) = sandbox.raw(&query("thread-page"), r#"{"thread":"t","viewer":"troll-1"}"#).await;
    assert_eq!((code, &page["comments"][1]["ownVote"]), (None, &"VOTE_UP".into()), "{page}");
    sandbox.verify();
    applied(&sandbox, &unvoid(&["troll-1"])).await;
    assert_eq!(tallies(&sandbox, "t").await, [(1, 1), (1, 0)]);
    assert_eq!(sandbox.refused(unvoid(&["troll-1"])).await, "votes-not-void");
    // Only what was cast from a moment on, which lies ahead of everything that they did.
    applied(&sandbox, &void(&["troll-2"], Some(Timestamp(i64::from(u32::MAX) * 1_000)))).await;
    assert_eq!(tallies(&sandbox, "t").await, [(1, 2), (1, 0)]);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_of_many_is_one_decision_and_is_undone_as_one() {
    let sandbox = Sandbox::start().await;
    sandbox.open_thread("u").await;
    for (by, thread) in [("spam", "t"), ("ann", "t"), ("spam", "t"), ("spam", "u")] {
        said(&sandbox, by, thread).await;
    }
    let everywhere = remove_comments("spam", None);
    applied(&sandbox, &everywhere).await;
    assert_eq!(states(&sandbox, "t").await, [Removed, Visible, Removed]);
    assert_eq!(states(&sandbox, "u").await, [Removed]);
    let page = sandbox.page("u", "").await;
    assert_eq!((page.comments[0].rule.as_str(), page.count), ("No advertising", 1));
    let here = remove_comments("spam", Some("t"));
    applied(&sandbox, &here).await;
    applied(&sandbox, &undo(&everywhere, None)).await;
    assert_eq!(states(&sandbox, "t").await, [Removed, Visible, Removed], "another removal covers them");
    assert_eq!(states(&sandbox, "u").await, [Visible]);
    assert_eq!(sandbox.refused(undo(&everywhere, None)).await, "removal-undone");
    assert_eq!(sandbox.refused(undo(&here, None)).await, "removal-unknown");
    assert_eq!(sandbox.refused(remove_comments("nobody", None)).await, "author-unknown");
    // A moderator puts one of them back; the rest waits for the undoing.
    let first: CommentId = sandbox.page("t", "").await.comments[0].id.parse().unwrap();
    let restore = CommandBody::RestoreComment { comment: first, reason: "fine".into() };
    applied(&sandbox, &command(moderator(), Some("t"), restore)).await;
    assert_eq!(states(&sandbox, "t").await, [Visible, Visible, Removed]);
    applied(&sandbox, &undo(&here, Some("t"))).await;
    assert_eq!(states(&sandbox, "t").await, [Visible, Visible, Visible]);
    let (answer, code) = sandbox.raw("koe.v1.query.s.all.audit", r#"{"author":"spam"}"#).await;
    assert_eq!(code, None, "{answer}");
    let kinds: Vec<_> =
        answer["entries"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    let expected =
        ["removal-undone", "comment-restored", "removal-undone", "comments-removed", "comments-removed"];
    assert_eq!(kinds, expected, "no line for each comment");
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_parts_costs_nothing() {
    let mut sandbox = Sandbox::start().await;
    let mut comments = Vec::new();
    for thread in 0..30 {
        let thread = format!("many-{thread}");
        sandbox.open_thread(&thread).await;
        comments.push((thread.clone(), said(&sandbox, "ann", &thread).await));
    }
    for (thread, comment) in &comments {
        voted(&sandbox, "troll", thread, *comment, Vote::Down).await;
        voted(&sandbox, "ben", thread, *comment, Vote::Up).await;
    }
    let projector = sandbox.roles.iter().position(|(role, _)| *role == "projector").unwrap();
    for round in 0..4 {
        let undoing = if round % 2 == 0 { void(&["troll"], None) } else { unvoid(&["troll"]) };
        sandbox.send(&undoing, false).await.unwrap();
        sandbox.kill_and_restart(projector);
        let expected = if round % 2 == 0 { (1, 0) } else { (1, 1) };
        let end = sandbox.end().await;
        for (thread, _) in &comments {
            let page = sandbox.page(thread, &end).await;
            assert_eq!(tally(&page.comments[0]), expected, "{thread} in round {round}");
        }
    }
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_what_was_undone_are_announced_and_can_be_asked_for() {
    let sandbox = Sandbox::start().await;
    let comment = said(&sandbox, "ann", "t").await;
    voted(&sandbox, "troll", "t", comment, Vote::Down).await;
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let before = sandbox.end().await;
    let mut announced = sandbox.client().changes(&site, &thread).await.unwrap();
    sandbox.client().status().await.unwrap();
    applied(&sandbox, &void(&["troll"], None)).await;
    let change = tokio::time::timeout(crate::sandbox::PATIENCE, futures::StreamExt::next(&mut announced)).await;
    let change = change.unwrap().unwrap();
    assert_eq!(change.comments[0].tally, Some(v1::Tally { up: 0, down: 0 }));
    let (answer, code) = sandbox.raw(&query("changes"), &format!(r#"{{"thread":"t","since":"{before}"}}"#)).await;
    assert_eq!(code, None, "{answer}");
    assert_eq!(answer["comments"][0]["id"], comment.to_string(), "{answer}");
}

fn query(name: &str) -> String {
    let place = domain::Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    wire::subject::query(Some(&place), name)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_undo_is_told_so_and_nothing_is_done() {
    let sandbox = Sandbox::start().await;
    let comment = said(&sandbox, "ann", "t").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let erase = |comment| CommandBody::EraseComment { comment, reason: "asked".into() };
    let erase_author = CommandBody::EraseAuthor { author: author("ann"), comments_kept: true, reason: "r".into() };
    for refused in [
        command(reader("ann"), None, void(&["ben"], None).body),
        command(reader("ann"), None, remove_comments("ann", None).body),
        command(moderator(), Some("t"), erase(comment)),
        command(moderator(), None, erase_author),
    ] {
        assert_eq!(sandbox.refused(refused).await, "not-permitted");
    }
    let unknown = CommentId(client::new_command_id());
    assert_eq!(sandbox.refused(command(staff(), Some("t"), erase(unknown))).await, "comment-unknown");
    assert_eq!(tallies(&sandbox, "t").await, [(1, 0)]);
    let nobody = r#"{"id":"019a3c5e-7d00-7000-8000-000000000001","actor":{"id":"mo","roles":["ROLE_MODERATOR"]},"voters":[],"reason":"r"}"#;
    assert_eq!(sandbox.raw("koe.v1.command.s.void-votes", nobody).await.1.as_deref(), Some("voters-invalid"));
    assert_eq!(code(&sandbox.send(&void(&["ben"], None), true).await), "ok");
}
