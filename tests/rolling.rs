//! Roles are stopped and started again one after another under load, and no command fails.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use domain::Vote;
use futures::future::join_all;

use crate::sandbox::{Sandbox, eventually, post, vote};

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_restarted_one_after_another_under_load_and_no_command_fails() {
    let roles = ["comments", "comments", "votes", "votes", "projector", "projector", "exporter"];
    let mut sandbox = Sandbox::with(&roles, &journal::Options::default()).await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let (client, stop, rounds) = (sandbox.client(), AtomicBool::new(false), AtomicU32::new(0));
    // As any service does: each command is sent under its id until there is an answer, a bounded number of times.
    let load = async {
        let (mut posted, mut voted) = (0_u32, 0_u32);
        while !stop.load(Ordering::Relaxed) {
            let commands: Vec<_> = (0..4)
                .map(|_| post("ann", "t", "x"))
                .chain((0..12).map(|n| vote(&format!("v{}", voted + n), comment, Vote::Up)))
                .collect();
            for answer in join_all(commands.iter().map(|command| client.send(command, false))).await {
                answer.unwrap();
            }
            (posted, voted) = (posted + 4, voted + 12);
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        (posted, voted)
    };
    let restarts = async {
        for index in (0..roles.len()).chain(0..roles.len()) {
            sandbox.stop_and_restart(index).await;
            // The next one only when this one had its part of the load.
            let before = rounds.load(Ordering::Relaxed);
            eventually("the load goes on", async || (rounds.load(Ordering::Relaxed) > before + 3).then_some(()))
                .await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let ((posted, voted), ()) = tokio::join!(load, restarts);
    assert!(posted > 100, "there was load: {posted}");
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.count, page.comments[0].tally.unwrap().up), (posted + 1, voted + 1));
    sandbox.verify();
}
