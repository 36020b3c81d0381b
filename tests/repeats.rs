//! Law 4: a command repeated, at once or after the window, on another instance or after a restart, has the same outcome
//! and no second effect.

use std::time::Duration;

use client::new_command_id;
use domain::{Command, CommandBody, CommentId, Vote};
use wire::v1::CommandReply;

use crate::each_command::one_of_each;
use crate::sandbox::{Sandbox, code, command, id_made_before, post, reader, remove, vote};

/// What an answer says of the command, and not of the comment since.
fn said(reply: &CommandReply) -> (&str, &str, i32, &str) {
    (&reply.id, &reply.position, reply.outcome, &reply.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_ten_times_on_two_instances_has_one_event_and_one_outcome() {
    let mut sandbox = Sandbox::start().await;
    sandbox.run("comments");
    sandbox.run("votes");
    let before = sandbox.journal().await.look().await.unwrap().sequence;
    let commands = one_of_each();
    for command in &commands {
        let first = sandbox.send(command, true).await.unwrap();
        for _ in 0..9 {
            assert_eq!(said(&sandbox.send(command, true).await.unwrap()), said(&first), "{command:?}");
        }
    }
    let after = sandbox.journal().await.look().await.unwrap().sequence;
    assert_eq!(after - before, commands.len() as u64);
    let rows = sandbox.page("t", "").await.comments;
    assert_eq!(rows.len(), 2);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_and_a_restart_a_command_is_still_known_and_a_vote_expired() {
    let window = Duration::from_secs(3);
    let options = journal::Options { window, ..journal::Options::default() };
    let mut sandbox = Sandbox::with(&["comments", "votes", "projector"], &options).await;
    let commands = one_of_each();
    let mut first = Vec::new();
    for command in &commands {
        first.push(sandbox.send(command, false).await.unwrap());
    }
    // The one sleep that cannot be a wait: the broker's window has to pass.
    tokio::time::sleep(window + Duration::from_secs(1)).await;
    for index in 0..3 {
        sandbox.kill_and_restart(index);
    }
    let before = sandbox.journal().await.look().await.unwrap().sequence;
    for (command, first) in commands.iter().zip(first) {
        let again = sandbox.send(command, false).await;
        if matches!(command.body, CommandBody::CastVote { .. }) {
            assert_eq!(code(&again), "command-expired");
        } else {
            assert_eq!(said(&again.unwrap()), said(&first), "{command:?}");
        }
    }
    assert_eq!(sandbox.journal().await.look().await.unwrap().sequence, before, "nothing was recorded again");
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_command_under_the_same_id_is_told_so_in_the_window_and_after() {
    let window = Duration::from_secs(2);
    let options = journal::Options { window, ..journal::Options::default() };
    let sandbox = Sandbox::with(&["comments", "votes", "projector"], &options).await;
    let original = post("ann", "t", "one thing");
    sandbox.send(&original, true).await.unwrap();
    let other_words = Command { body: post("ann", "t", "another").body, ..original.clone() };
    let other_author = Command { actor: reader("ben"), ..original.clone() };
    for _ in 0..2 {
        assert_eq!(code(&sandbox.send(&other_words, false).await), "command-id-reused");
        assert_eq!(code(&sandbox.send(&other_author, false).await), "command-id-reused");
        tokio::time::sleep(window + Duration::from_millis(500)).await;
    }
    let target = CommentId(original.id);
    let up = vote("cy", target, Vote::Up);
    let up = Command { id: new_command_id(), ..up };
    sandbox.send(&up, true).await.unwrap();
    let down = Command { body: CommandBody::CastVote { comment: target, vote: Vote::Down }, ..up };
    assert_eq!(code(&sandbox.send(&down, false).await), "command-id-reused");
    assert_eq!(sandbox.page("t", "").await.comments.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_vote_does_not_overturn_a_newer_one() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("cy", comment, Vote::Down), true).await.unwrap();
    let window = sandbox.journal().await.window();
    for id in [id_made_before(window / 2 + Duration::from_secs(2)), id_made_before(Duration::from_hours(1))] {
        let late = Command { id, ..vote("cy", comment, Vote::Up) };
        assert_eq!(code(&sandbox.send(&late, false).await), "command-expired");
    }
    let ahead = new_command_id().as_u128() + ((window / 4 + Duration::from_secs(2)).as_millis() << 80);
    let early = Command { id: domain::CommandId::from_u128(ahead), ..vote("cy", comment, Vote::Up) };
    assert_eq!(code(&sandbox.send(&early, false).await), "command-expired");
    let random = "6fa459ea-ee8a-4ca4-894e-db77e160355e".parse().unwrap();
    let timeless = Command { id: random, ..vote("cy", comment, Vote::Up) };
    assert_eq!(code(&sandbox.send(&timeless, false).await), "command-expired");
    assert_eq!(crate::sandbox::tally(&sandbox.page("t", "").await.comments[0]), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_post_stays_accepted_though_it_would_be_refused_by_now() {
    let sandbox = Sandbox::start().await;
    let parent = sandbox.post("ann", "words").await;
    let text = domain::text::Text::parse("a reply").unwrap();
    let body = CommandBody::PostComment { parent: Some(parent), text, quotes: domain::command::Quotes::default() };
    let reply = command(reader("ben"), Some("t"), body);
    let first = sandbox.send(&reply, true).await.unwrap();
    sandbox.send(&remove(parent), true).await.unwrap();
    assert_eq!(said(&sandbox.send(&reply, true).await.unwrap()), said(&first));
    let late = Command { id: new_command_id(), ..reply };
    assert_eq!(code(&sandbox.send(&late, false).await), "parent-removed");
}
