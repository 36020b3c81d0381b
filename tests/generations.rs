//! Generations as an operator sees them: what lies on the disk, what is dropped, where a thread differs.

use domain::Vote;
use wire::v1::DigestRequest;

use crate::sandbox::{Sandbox, TOKEN, code, koe, post, text, vote};

fn status(sandbox: &Sandbox) -> serde_json::Value {
    let output = sandbox.replay(&["status", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_lies_on_the_disk_and_drops_what_is_not_used() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let first = status(&sandbox);
    assert_eq!(
        (&first["serving"], &first["lag"], &first["store"]),
        (&1.into(), &0.into(), &"ok".into()),
        "{first}"
    );
    let rebuilt = sandbox.replay(&["rebuild"]);
    assert!(rebuilt.status.success(), "{}", text(&rebuilt.stderr));
    let second = status(&sandbox);
    let states: Vec<_> = second["generations"].as_array().unwrap().iter().map(|found| &found["state"]).collect();
    assert_eq!(states, ["kept", "serving"], "{second}");
    assert!(second["generations"][0]["bytes"].as_u64() > Some(0), "{second}");
    let words = text(&sandbox.replay(&["status"]).stdout);
    assert!(words.contains("serving     generation 2") && words.contains("rebuilding  no"), "{words}");
    assert_eq!(code(&sandbox.client().drop_generation(2).await), "generation-in-use");
    assert_eq!(code(&sandbox.client().drop_generation(9).await), "generation-unknown");
    let dropped = sandbox.replay(&["drop-generation", "1"]);
    assert!(dropped.status.success(), "{}", text(&dropped.stderr));
    assert_eq!(status(&sandbox)["generations"].as_array().unwrap().len(), 1);
    let again = sandbox.replay(&["drop-generation", "1"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("no generation of this number"), "{}", text(&again.stderr));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_goes_back_to_a_generation_that_was_kept_and_forward_again() {
    let mut sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    assert!(sandbox.replay(&["rebuild"]).status.success());
    sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    let end = sandbox.end().await;
    for (to, other) in [("1", 2), ("1", 2), ("2", 1), ("1", 2)] {
        let switched = sandbox.replay(&["switch", "--to", to]);
        assert!(switched.status.success(), "{}", text(&switched.stderr));
        let status = status(&sandbox);
        assert_eq!(status["serving"].to_string(), to);
        let kept = &status["generations"].as_array().unwrap()[other - 1];
        assert_eq!((&kept["number"], &kept["state"]), (&other.into(), &"kept".into()), "{status}");
        let page = sandbox.page("t", &end).await;
        assert_eq!(crate::sandbox::tally(&page.comments[0]), (1, 0), "it has what came since");
    }
    sandbox.verify();
    assert_eq!(code(&sandbox.client().switch(9).await), "generation-unknown");
    sandbox.kill_and_restart(2);
    sandbox.page("t", &end).await;
    assert_eq!(status(&sandbox)["serving"], 1, "also after a restart");
    assert!(sandbox.replay(&["rebuild"]).status.success());
    assert_eq!(status(&sandbox)["serving"], 3, "the one above it is not taken for unfinished");
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_come_in_parts_and_each_says_its_position() {
    let sandbox = Sandbox::start().await;
    for number in 0..5 {
        sandbox.post("ann", &format!("comment {number}")).await;
    }
    sandbox.open_thread("u").await;
    let (client, mut places, mut after) = (sandbox.client(), Vec::new(), None);
    loop {
        let question = DigestRequest { after, limit: 1, ..DigestRequest::default() };
        let reply = client.digest(&question).await.unwrap();
        assert!(reply.places.iter().all(|served| served.position == reply.position), "nothing happens meanwhile");
        after = reply.places.last().and_then(|served| served.place.clone());
        places.extend(reply.places.into_iter().filter_map(|served| served.place));
        if reply.done {
            break;
        }
    }
    let threads: Vec<_> = places.iter().map(|place| place.thread.as_str()).collect();
    assert_eq!(threads, ["", "t", "u"]);
    let (mut comments, mut pages) = (Vec::new(), 0);
    loop {
        let question = DigestRequest {
            only: Some(places[1].clone()),
            comments_after: comments.len() as u32,
            limit: 2,
            ..DigestRequest::default()
        };
        let reply = client.digest(&question).await.unwrap();
        assert_eq!(reply.places.len(), usize::from(pages == 0), "the thread's own comes once");
        (comments, pages) = ([comments, reply.comments].concat(), pages + 1);
        if reply.done {
            break;
        }
    }
    assert_eq!((comments.len(), pages), (5, 3));
    assert_eq!(
        code(&client.digest(&DigestRequest { limit: 201, ..DigestRequest::default() }).await),
        "limit-exceeded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_differs_is_named_while_the_log_moves() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let gone = sandbox.send(&vote("ben", comment, Vote::Up), true).await.unwrap();
    sandbox.open_thread("u").await;
    // Readers see a vote that the log does not hold any more.
    let gone: wire::Position = gone.position.parse().unwrap();
    let context = async_nats::jetstream::new(sandbox.connection.clone());
    context.get_stream("KOE_EVENTS").await.unwrap().delete_message(gone.sequence).await.unwrap();
    let client = sandbox.client();
    let posts = async {
        loop {
            client.send(&post("cy", "u", "x"), false).await.ok();
        }
    };
    let mut verify = tokio::process::Command::new(koe());
    verify.args(["replay", "verify", "--nats", &sandbox.nats.url(), "--nats-token", TOKEN]);
    let output = tokio::select! {
        output = verify.output() => output.unwrap(),
        () = posts => unreachable!("it posts until all is compared"),
    };
    let words = text(&output.stdout);
    assert!(words.contains("site s thread t comment 1: its contents differ"), "{words}{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{words}");
}
