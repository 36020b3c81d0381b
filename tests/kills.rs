//! Law 8 and law 6 under kill -9: what was acknowledged is there, once, and the store is a fold of the log.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Vote;
use futures::future::join_all;

use crate::sandbox::{Sandbox, eventually, post, tally, vote};

/// What a load had acknowledged: the posts, and the voters of the comment that all vote on.
struct Acknowledged {
    posts: Vec<String>,
    voters: HashSet<String>,
}

/// Posts and votes from several sides until it is told to stop, retrying each with its id until it is acknowledged.
async fn load(client: client::Client, target: domain::CommentId, stop: &AtomicBool) -> Acknowledged {
    let client = &client;
    let side = |number: usize| async move {
        let (mut posts, mut voters) = (Vec::new(), HashSet::new());
        for round in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let comment = post("ann", "t", &format!("side {number} round {round}"));
            let voter = format!("v{number}-{round}");
            let cast = vote(&voter, target, Vote::Up);
            eventually("a post is acknowledged", async || client.send(&comment, false).await.ok()).await;
            posts.push(comment.id.to_string());
            // A vote that was held up for too long is asked for anew, as a browser would.
            eventually("a vote is acknowledged", async || match client.send(&cast, false).await {
                Ok(_) => Some(()),
                Err(_) => client.send(&vote(&voter, target, Vote::Up), false).await.ok().map(|_| ()),
            })
            .await;
            voters.insert(voter);
        }
        (posts, voters)
    };
    let (posts, voters): (Vec<_>, Vec<_>) = join_all((0..8).map(side)).await.into_iter().unzip();
    Acknowledged { posts: posts.concat(), voters: voters.into_iter().flatten().collect() }
}

async fn everything_is_there_once(sandbox: &Sandbox, acknowledged: &Acknowledged) {
    let (site, thread) = ("s".parse().unwrap(), "t".parse().unwrap());
    let at_least = sandbox.end().await;
    let (mut after, mut seen, mut numbers) = (String::new(), Vec::new(), Vec::new());
    let first = sandbox.page("t", &at_least).await;
    assert_eq!(tally(&first.comments[0]).0 as usize, acknowledged.voters.len(), "one vote for one voter");
    loop {
        let page = client::PageOf { after, limit: 200, at_least: at_least.clone() };
        let page = sandbox.client().thread_page(&site, &thread, page).await.unwrap();
        numbers.extend(page.comments.iter().map(|row| row.number));
        seen.extend(page.comments.into_iter().map(|row| row.id));
        after = page.next;
        if after.is_empty() {
            assert_eq!(page.count as usize, seen.len(), "the count is the rows");
            break;
        }
    }
    assert!(numbers.iter().copied().eq(1..=seen.len() as u32), "numbers without gaps");
    let unique: HashSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len(), "every comment once");
    assert_eq!(seen.len(), acknowledged.posts.len() + 1);
    assert!(acknowledged.posts.iter().all(|id| unique.contains(id)), "every acknowledged comment");
    sandbox.verify();
}

/// Waits until so many more events are in the log, so that the load is known to go on.
async fn progress(sandbox: &Sandbox, events: u64) {
    let journal = sandbox.journal().await;
    let from = eventually("the log is seen", async || journal.look().await.ok()).await.sequence;
    eventually("the load goes on", async || {
        journal.look().await.ok().filter(|head| head.sequence >= from + events).map(|_| ())
    })
    .await;
}

/// Posts over HTTP until it is told to stop, each comment with an id of its own until it is acknowledged.
async fn load_over_http(api: &str, token: &str, stop: &AtomicBool) -> Vec<String> {
    let (http, mut posts) = (reqwest::Client::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let id = client::new_command_id().to_string();
        let body = serde_json::json!({"id": id, "text": "over HTTP"});
        eventually("a post over HTTP is acknowledged", async || {
            let answer = http.post(format!("{api}/comments")).bearer_auth(token).json(&body).send().await.ok()?;
            assert!(answer.status() == 201 || answer.status().is_server_error(), "{}", answer.status());
            answer.status().is_success().then_some(())
        })
        .await;
        posts.push(id);
    }
    posts
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_killed_in_turn_under_load_loses_nothing_and_doubles_nothing() {
    let mut sandbox = Sandbox::start().await;
    sandbox.run("gateway");
    sandbox.run("exporter");
    let target = sandbox.post("zoe", "vote on this").await;
    let stop = AtomicBool::new(false);
    let (client, token) = (sandbox.client(), sandbox.token("http"));
    let api = format!("http://{}/v1/sites/s/threads/t", sandbox.http());
    let kills = async {
        for _ in 0..2 {
            for index in 0..5 {
                progress(&sandbox, 60).await;
                sandbox.kill_and_restart(index);
            }
            progress(&sandbox, 60).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (mut acknowledged, over_http, ()) =
        tokio::join!(load(client, target, &stop), load_over_http(&api, &token, &stop), kills);
    assert!(acknowledged.posts.len() > 50, "a load of {}", acknowledged.posts.len());
    assert!(!over_http.is_empty());
    acknowledged.posts.extend(over_http);
    everything_is_there_once(&sandbox, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_server_killed_and_restarted_under_load_loses_nothing_and_doubles_nothing() {
    let mut sandbox = Sandbox::start().await;
    let target = sandbox.post("zoe", "vote on this").await;
    let stop = AtomicBool::new(false);
    let client = sandbox.client();
    let kills = async {
        for _ in 0..3 {
            progress(&sandbox, 60).await;
            sandbox.nats.kill();
            sandbox.nats.restart();
        }
        progress(&sandbox, 60).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (acknowledged, ()) = tokio::join!(load(client, target, &stop), kills);
    everything_is_there_once(&sandbox, &acknowledged).await;
    assert!(sandbox.roles.iter_mut().all(|(_, role)| !role.ended()), "no role gave up");
}
