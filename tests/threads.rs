//! What happens to threads, sites and votes, over the real services.

use client::{PageOf, Viewer, new_command_id};
use domain::settings::{Closing, SettingsPatch, ThreadPatch};
use domain::{CommandBody, CommentId, Mode, ModeChange, Timestamp, Vote};
use serde_json::json;
use wire::v1::{Outcome, Vote as WireVote};

use crate::sandbox::{Sandbox, code, command, post, reader, staff, tally, vote};

#[tokio::test(flavor = "multi_thread")]
async fn a_vote_that_waits_is_told_the_tally_and_the_voters_own_vote() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("ben", comment, Vote::Down), true).await.unwrap();
    let reply = sandbox.send(&vote("cy", comment, Vote::Up), true).await.unwrap();
    let tally_of = reply.tally.as_ref().unwrap();
    assert_eq!((tally_of.up, tally_of.down, reply.vote()), (1, 1, WireVote::Up));
    let reply = sandbox.send(&vote("cy", comment, Vote::None), true).await.unwrap();
    assert_eq!((reply.tally.as_ref().unwrap().up, reply.vote()), (0, WireVote::None));
    assert!(!reply.as_of.is_empty());
    let plain = sandbox.send(&vote("cy", comment, Vote::Up), false).await.unwrap();
    assert_eq!((plain.tally.as_ref(), plain.vote(), plain.as_of.as_str()), (None, WireVote::Unspecified, ""));
    let viewer = Viewer { id: Some("ben".parse().unwrap()), moderator: false };
    let page = PageOf { at_least: sandbox.end().await, ..PageOf::default() };
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let page = sandbox.client().thread_page_for(&site, &thread, page, &viewer).await.unwrap();
    assert_eq!(page.comments[0].own_vote(), WireVote::Down);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_votes_in_one_request_are_five_hundred_commands() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await.to_string();
    let ballot = |voter: &str, id: String| json!({"id": id, "voter": voter, "thread": "t", "comment": comment, "vote": "VOTE_UP"});
    let mut ballots: Vec<_> = (0..497).map(|n| ballot(&format!("v{n}"), new_command_id().to_string())).collect();
    ballots.push(ballots[0].clone());
    ballots.push(ballot("ann", new_command_id().to_string()));
    ballots.push(ballot("cy", "17".to_owned()));
    let robot = json!({"id": "robot", "roles": ["ROLE_SERVICE"]});
    let body = json!({"actor": robot, "wait": true, "ballots": ballots}).to_string();
    let (reply, error) = sandbox.raw("koe.v1.command.s.cast-votes", &body).await;
    assert_eq!(error, None, "{reply}");
    let replies = reply["replies"].as_array().unwrap();
    assert_eq!(replies.len(), 500);
    assert!(replies[..497].iter().all(|reply| reply["accepted"]["outcome"] == "OUTCOME_APPLIED"), "{reply}");
    assert_eq!(replies[497]["accepted"]["position"], replies[0]["accepted"]["position"], "the same command again");
    assert_eq!(replies[498]["refused"]["code"], "own-comment");
    assert_eq!(replies[499]["refused"]["code"], "command-id-invalid");
    let row = sandbox.page("t", &sandbox.end().await).await.comments.remove(0);
    assert_eq!(tally(&row), (497, 0));
    let too_many = json!({"actor": robot, "ballots": vec![ballots[0].clone(); 501]}).to_string();
    assert_eq!(sandbox.raw("koe.v1.command.s.cast-votes", &too_many).await.1.unwrap(), "limit-exceeded");
    let by_reader = json!({"actor": {"id": "robot"}, "ballots": [ballots[0]]}).to_string();
    assert_eq!(sandbox.raw("koe.v1.command.s.cast-votes", &by_reader).await.1.unwrap(), "not-permitted");
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_thread_keeps_its_comments_and_is_found_by_its_old_address() {
    let sandbox = Sandbox::start().await;
    sandbox.post("ann", "words").await;
    for address in ["https://a.example/one", "https://a.example/two"] {
        let body = CommandBody::MoveThread { address: address.into() };
        sandbox.send(&command(staff(), Some("t"), body), true).await.unwrap();
    }
    let at_least = sandbox.end().await;
    for address in ["https://a.example/one", "https://a.example/two"] {
        let found = sandbox.client().resolve(&"s".parse().unwrap(), address, &at_least).await.unwrap();
        assert_eq!((found.thread.as_str(), found.address.as_str()), ("t", "https://a.example/two"));
    }
    let nobody = sandbox.client().resolve(&"s".parse().unwrap(), "https://a.example/3", "").await.unwrap();
    assert_eq!(nobody.thread, "");
    let page = sandbox.page("t", "").await;
    assert_eq!((page.count, page.address.as_str()), (1, "https://a.example/two"));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_closed_in_favour_of_another_leads_its_readers_there() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let close = |successor: &str| {
        let successor = Some(successor.parse().unwrap());
        let change = ModeChange { mode: Mode::ReadOnly, reason: "It goes on there.".into(), successor };
        command(staff(), Some("t"), CommandBody::SetThreadMode(change))
    };
    assert_eq!(code(&sandbox.send(&close("u"), true).await), "successor-unknown");
    sandbox.open_thread("u").await;
    sandbox.send(&close("u"), true).await.unwrap();
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.successor.as_str(), page.mode_reason.as_str()), ("u", "It goes on there."));
    assert_eq!(page.comments.len(), 1, "what was said stays");
    assert_eq!(sandbox.refused(vote("ben", comment, Vote::Up)).await, "thread-read-only");
    assert_eq!(sandbox.refused(post("ben", "t", "no")).await, "thread-read-only");
    sandbox.send(&post("ben", "u", "yes"), true).await.unwrap();
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_site_shows_moderators_alone_what_was_said() {
    let sandbox = Sandbox::start().await;
    sandbox.post("ann", "words").await;
    let hide = ModeChange { mode: Mode::Hidden, reason: "Night".into(), successor: None };
    sandbox.send(&command(staff(), None, CommandBody::SetThreadMode(hide)), true).await.unwrap();
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.count, page.comments.len(), page.mode_reason.as_str()), (1, 0, "Night"));
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let moderator = Viewer { id: None, moderator: true };
    let page = sandbox.client().thread_page_for(&site, &thread, PageOf::default(), &moderator).await.unwrap();
    assert_eq!(page.comments[0].body, "words");
    let counts = sandbox.client().threads(&site, PageOf::default()).await.unwrap();
    assert_eq!(counts.threads[0].mode(), wire::v1::Mode::Hidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_closing_time_a_thread_takes_nothing_and_may_be_opened_again() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let close = |closing| {
        let patch = ThreadPatch { closing: Some(closing), ..ThreadPatch::default() };
        command(staff(), Some("t"), CommandBody::UpdateThread(patch))
    };
    sandbox.send(&close(Closing::At(Timestamp(1_000))), true).await.unwrap();
    assert_eq!(sandbox.refused(vote("ben", comment, Vote::Up)).await, "thread-closed");
    assert_eq!(sandbox.refused(post("ben", "t", "no")).await, "thread-closed");
    sandbox.send(&close(Closing::Never), true).await.unwrap();
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_races_a_closing_thread_is_judged_by_its_place_in_the_log() {
    let mut sandbox = Sandbox::start().await;
    sandbox.run("comments");
    let close = ModeChange { mode: Mode::ReadOnly, ..ModeChange::default() };
    let close = command(staff(), Some("t"), CommandBody::SetThreadMode(close));
    let posts: Vec<_> = (0..40).map(|n| post("ann", "t", &format!("comment {n}"))).collect();
    let posting = futures::future::join_all(posts.iter().map(|post| sandbox.send(post, true)));
    let (answers, closed) = tokio::join!(posting, sandbox.send(&close, true));
    closed.unwrap();
    let mut applied = 0;
    for answer in &answers {
        match answer {
            Ok(reply) if reply.outcome() == Outcome::Applied => applied += 1,
            Ok(reply) => assert_eq!(reply.code, "thread-read-only"),
            Err(_) => assert_eq!(code(answer), "thread-read-only"),
        }
    }
    assert_eq!(sandbox.page("t", &sandbox.end().await).await.count, applied);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sites_own_rates_hold_back_one_author_and_no_other() {
    let sandbox = Sandbox::start().await;
    let slow = SettingsPatch { comments_per_minute: Some(2), ..SettingsPatch::default() };
    sandbox.send(&command(staff(), None, CommandBody::SetSite(Box::new(slow))), true).await.unwrap();
    crate::sandbox::eventually("the rate is known", async || {
        (code(&sandbox.send(&post("ann", "t", "again"), true).await) == "rate-limited").then_some(())
    })
    .await;
    sandbox.send(&post("ben", "t", "another"), true).await.unwrap();
    let comment = CommentId(post("x", "t", "x").id);
    assert_eq!(
        code(&sandbox.send(&vote("ann", comment, Vote::Up), true).await),
        "comment-unknown",
        "votes have their own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_a_position_can_be_asked_for() {
    let sandbox = Sandbox::start().await;
    let (one, two) = (sandbox.post("ann", "one").await, sandbox.post("ann", "two").await);
    let since = sandbox.end().await;
    sandbox.send(&vote("ben", two, Vote::Up), true).await.unwrap();
    sandbox.send(&vote("cy", two, Vote::Up), true).await.unwrap();
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let at_least = sandbox.end().await;
    let changes = sandbox.client().changes_since(&site, &thread, &since).await.unwrap();
    assert!(changes.complete);
    let changed: Vec<_> = changes.comments.iter().map(|c| (c.id.clone(), c.tally.as_ref().unwrap().up)).collect();
    assert_eq!(changed, [(two.to_string(), 2)], "{one} did not change");
    assert_eq!(sandbox.client().changes_since(&site, &thread, &at_least).await.unwrap().comments, []);
    let name = CommandBody::NameAuthor { author: "ann".parse().unwrap(), name: "Ann".into() };
    sandbox.send(&command(reader("ann"), None, name), true).await.unwrap();
    let changes = sandbox.client().changes_since(&site, &thread, &at_least).await.unwrap();
    assert_eq!(changes.comments, [], "what authors are called is not of the thread");
}
