//! Several writers without locks between them, and what they decide on.

use std::collections::HashMap;

use domain::Vote;
use futures::{StreamExt, stream};
use wire::v1::Outcome;

use crate::sandbox::{Sandbox, code, eventually, post, remove, tally, vote};

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_writer_under_votes_of_the_same_voters_count_each_voter_once() {
    let mut sandbox = Sandbox::start().await;
    sandbox.run("comments");
    sandbox.run("votes");
    let comments = [sandbox.post("ann", "one").await, sandbox.post("ben", "two").await];
    let client = sandbox.client();
    // Each of 60 voters votes ten times on each comment, most at once; the last one of each is sent after the others.
    let casts =
        (0..9).flat_map(|round| (0..60).flat_map(move |voter| comments.map(|comment| (round, voter, comment))));
    let side = |round: usize, voter: usize| [Vote::Up, Vote::Down, Vote::None][(round + voter) % 3];
    stream::iter(casts)
        .map(|(round, voter, comment)| {
            let vote = vote(&format!("v{voter}"), comment, side(round, voter));
            let client = client.clone();
            async move { client.send(&vote, false).await.unwrap() }
        })
        .buffer_unordered(128)
        .count()
        .await;
    let mut last = HashMap::new();
    for voter in 0..60 {
        for comment in comments {
            let side = side(voter / 7, voter);
            let reply = client.send(&vote(&format!("v{voter}"), comment, side), true).await.unwrap();
            assert_eq!(reply.outcome, i32::from(Outcome::Applied));
            last.insert((comment, voter), side);
        }
    }
    let page = sandbox.page("t", &sandbox.end().await).await;
    for (row, comment) in page.comments.iter().zip(comments) {
        let count = |side| last.iter().filter(|((of, _), vote)| *of == comment && **vote == side).count();
        assert_eq!(tally(row), (count(Vote::Up) as u32, count(Vote::Down) as u32));
    }
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_never_stale() {
    // What was just accepted through one writer is a fact for the other, however far the projector was behind.
    let mut sandbox = Sandbox::start().await;
    sandbox.run("comments");
    let client = &sandbox.client();
    // Many at once, so that looks are shared: nobody may be given one that began before they asked.
    let side = |side: usize| async move {
        for round in 0..10 {
            let comment = post("ann", "t", &format!("words {side} {round}"));
            client.send(&comment, false).await.unwrap();
            let id = domain::CommentId(comment.id);
            client.send(&vote("ben", id, Vote::Up), false).await.unwrap();
            client.send(&remove(id), false).await.unwrap();
        }
    };
    futures::future::join_all((0..40).map(side)).await;
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_is_decided_by_the_fold_and_told_to_who_waits() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let comment = sandbox.post("ann", "words").await;
    // Two moderators at once: both are recorded or one is refused; one at most is applied.
    let (one, two) = (remove(comment), remove(comment));
    let (one, two) = tokio::join!(client.send(&one, true), client.send(&two, true));
    let applied = |answer: &Result<wire::v1::CommandReply, _>| {
        answer.as_ref().is_ok_and(|reply| reply.outcome == i32::from(Outcome::Applied))
    };
    assert!(applied(&one) ^ applied(&two), "{one:?} {two:?}");
    for answer in [one, two] {
        match answer {
            Ok(reply) if reply.outcome == i32::from(Outcome::Void) => {
                assert_eq!(reply.code, "comment-removed");
            }
            Ok(reply) => assert_eq!(reply.outcome, i32::from(Outcome::Applied)),
            refused => assert_eq!(code(&refused), "comment-removed"),
        }
    }
    // A vote that was on its way while the comment was removed is void, if the writer's fact was a moment old.
    let late = client.send(&vote("cy", comment, Vote::Up), true).await;
    let void = late.as_ref().is_ok_and(|reply| reply.code == "comment-removed");
    assert!(void || code(&late) == "comment-removed", "{late:?}");
    assert_eq!(tally(&sandbox.page("t", &sandbox.end().await).await.comments[0]), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_projector_nothing_is_refused_wrongly() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.roles[2].1.kill();
    let client = sandbox.client();
    let unknown = domain::CommentId(client::new_command_id());
    let answer = client.send(&vote("ben", unknown, Vote::Up), false).await;
    assert!(["behind", "unavailable"].contains(&code(&answer)), "{answer:?}");
    sandbox.kill_and_restart(2);
    assert_eq!(code(&sandbox.send(&vote("ben", unknown, Vote::Up), false).await), "comment-unknown");
    assert_eq!(code(&sandbox.send(&vote("ann", comment, Vote::Up), false).await), "own-comment");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_found_and_keep_statistics() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let refused = sandbox.send(&vote("ann", comment, Vote::Up), false).await;
    assert_eq!(code(&refused), "own-comment");
    for service in ["koe-comments", "koe-votes", "koe-queries"] {
        let (info, _) = sandbox.raw(&format!("$SRV.INFO.{service}"), "").await;
        assert_eq!(info["name"], service);
    }
    let stats = eventually("the refusal is counted", async || {
        let (stats, _) = sandbox.raw("$SRV.STATS.koe-votes", "").await;
        let endpoint = stats["endpoints"].as_array()?.iter().find(|endpoint| endpoint["name"] == "cast-vote")?;
        (endpoint["num_errors"] == 1).then(|| endpoint.clone())
    })
    .await;
    assert_eq!(stats["num_requests"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_sees_at_least_its_position_and_says_when_it_cannot() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    for round in 1..=20_u32 {
        let reply = client.send(&post("ann", "t", "words"), false).await.unwrap();
        let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
        let page = client::PageOf { at_least: reply.position, ..client::PageOf::default() };
        assert_eq!(
            client.thread_page(&site, &thread, page).await.unwrap().count,
            round,
            "one reads one's own write"
        );
    }
    let ask = async |at_least: String| {
        let page = client::PageOf { at_least, ..client::PageOf::default() };
        client.thread_page(&"s".parse().unwrap(), &"t".parse().unwrap(), page).await
    };
    let end: wire::Position = sandbox.end().await.parse().unwrap();
    let future = wire::Position { sequence: end.sequence + 1, ..end };
    assert_eq!(code(&ask(future.to_string()).await), "behind");
    let lost = wire::Position { epoch: end.epoch ^ 1, ..end };
    assert_eq!(code(&ask(lost.to_string()).await), "position-lost");
    assert_eq!(code(&ask("yesterday".into()).await), "position-invalid");
}
