//! The demonstration: exact to the score, in JSON, in the page, in a browser, and again after a crash.

use std::process::Command;

use crate::operators::{Up, up};
use crate::sandbox::{koe, text, tool};

/// What the model page shows, oldest first; the fourteenth is removed.
const TALLIES: [Option<(u32, u32)>; 22] = [
    Some((7, 16)),
    Some((2, 2)),
    Some((7, 13)),
    Some((14, 0)),
    Some((13, 1)),
    Some((18, 6)),
    Some((9, 0)),
    Some((10, 7)),
    Some((16, 1)),
    Some((4, 4)),
    Some((3, 1)),
    Some((7, 2)),
    Some((9, 7)),
    None,
    Some((6, 0)),
    Some((5, 3)),
    Some((2, 2)),
    Some((5, 1)),
    Some((3, 1)),
    Some((2, 3)),
    Some((2, 4)),
    Some((0, 0)),
];

fn scores() -> Vec<String> {
    let score = |(up, down): (u32, u32)| format!("{} ( +{up} / -{down} )", i64::from(up) - i64::from(down));
    TALLIES.into_iter().flatten().map(score).collect()
}

async fn json(up: &Up, path: &str) -> serde_json::Value {
    reqwest::get(format!("http://{}{path}", up.http)).await.unwrap().json().await.unwrap()
}

async fn is_exact(up: &Up) {
    let page = json(up, "/v1/sites/demo/threads/memorial-service").await;
    assert_eq!(
        (&page["site"], &page["thread"], &page["count"]),
        (&"demo".into(), &"memorial-service".into(), &22.into())
    );
    assert!(page["next"].is_null());
    let rows = page["comments"].as_array().unwrap();
    assert_eq!(rows.len(), 22);
    for (row, (number, tally)) in rows.iter().zip((1..).zip(TALLIES)) {
        assert_eq!(row["number"], number);
        if let Some((up, down)) = tally {
            assert_eq!(row["state"], "visible");
            assert_eq!((&row["tally"]["up"], &row["tally"]["down"]), (&up.into(), &down.into()), "{number}");
            assert!(!row["author"]["name"].as_str().unwrap().is_empty());
        } else {
            assert_eq!(row["state"], "removed");
            assert!(row["body"].is_null() && row["html"].is_null() && row["author"]["name"].is_null());
        }
    }
    let shown: Vec<_> =
        rows.iter().filter(|row| row["state"] == "visible").map(|row| row["score"].as_str().unwrap()).collect();
    assert_eq!(shown, scores());
}

fn verify(data: &std::path::Path) {
    let output = Command::new(koe()).args(["replay", "verify", "--data"]).arg(data).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_is_exact_to_the_score_and_posted_once_whatever_happens() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut first = up(&data, &["--demo"]).await;
    is_exact(&first).await;
    let before = json(&first, "/v1/sites/demo/threads/memorial-service").await["position"].clone();
    verify(&data);
    // Kill -9 of the process group, and a new start.
    first.process.kill_group();
    let second = up(&data, &["--demo"]).await;
    assert_eq!(
        (&second.http, &second.metrics),
        (&first.http, &first.metrics),
        "whoever knew where it was finds it"
    );
    is_exact(&second).await;
    let after = json(&second, "/v1/sites/demo/threads/memorial-service").await["position"].clone();
    assert_eq!(before, after, "a second start adds nothing");
    verify(&data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_every_score_and_the_removed_one_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir.path().join("data"), &["--demo"]).await;
    let profile = dir.path().join("profile");
    let output = Command::new(tool("chromium"))
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        // The front page leads to the only thread.
        .arg(format!("http://{}/", up.http))
        .output()
        .unwrap();
    let page = text(&output.stdout);
    assert!(page.contains("22 Comments"), "{page}{}", text(&output.stderr));
    let mut rest = page.as_str();
    for score in scores() {
        let at = rest.find(&score).unwrap_or_else(|| panic!("{score} is missing, or out of order"));
        rest = &rest[at + score.len()..];
    }
    assert_eq!(page.matches("<article").count(), 22);
    assert!(page.contains("This comment was removed by a moderator."));
    assert!(page.contains("The quoted comment was removed by a moderator."));
    assert!(!page.contains("I have a list of their names"), "removed words are nowhere, in quotes neither");
    assert!(!page.contains("<script") && !page.contains(" style="), "nothing inline");
    assert!(page.contains("JST"), "the site's own time zone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_logs_in_posts_and_votes_and_reads_their_own_write() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let up = up(&data, &["--demo"]).await;
    let token = Command::new(koe())
        .args(["token", "--site", "demo", "--author", "ann", "--name", "Ann Onuma", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(token.status.success(), "{}", text(&token.stderr));
    let token = text(&token.stdout).trim().to_owned();
    let http = reqwest::Client::new();
    let api = format!("http://{}/v1/sites/demo/threads/memorial-service", up.http);
    let posted = http.post(format!("{api}/comments")).bearer_auth(&token);
    let posted = posted.json(&serde_json::json!({"text": "A <b>new</b> *voice*"})).send().await.unwrap();
    assert_eq!(posted.status(), 201);
    let posted: serde_json::Value = posted.json().await.unwrap();
    let (id, position) = (posted["id"].as_str().unwrap(), posted["position"].as_str().unwrap());
    let page: serde_json::Value =
        http.get(format!("{api}?at_least={position}")).send().await.unwrap().json().await.unwrap();
    let row = &page["comments"][22];
    assert_eq!((row["id"].as_str(), row["number"].as_u64()), (Some(id), Some(23)));
    assert!(!row["html"].as_str().unwrap().contains("<b>"), "{row}");
    assert!(row["html"].as_str().unwrap().contains("<em>voice</em>"), "{row}");

    let own = http.put(format!("{api}/comments/{id}/vote")).bearer_auth(&token);
    let own = own.json(&serde_json::json!({"vote": "up"})).send().await.unwrap();
    assert_eq!(own.status(), 403);
    assert_eq!(own.json::<serde_json::Value>().await.unwrap()["code"], "own-comment");
    let other = page["comments"][0]["id"].as_str().unwrap();
    let vote = http.put(format!("{api}/comments/{other}/vote")).bearer_auth(&token);
    let vote = vote.json(&serde_json::json!({"vote": "up", "wait": true})).send().await.unwrap();
    assert_eq!(vote.status(), 200);
    let vote: serde_json::Value = vote.json().await.unwrap();
    assert_eq!(vote["outcome"], "applied");
    let page: serde_json::Value = http
        .get(format!("{api}?at_least={}", vote["position"].as_str().unwrap()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(page["comments"][0]["score"], "-8 ( +8 / -16 )");
    let nobody =
        http.post(format!("{api}/comments")).json(&serde_json::json!({"text": "x"})).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_what_promtool_accepts_and_tell_what_happened() {
    let dir = tempfile::tempdir().unwrap();
    let up = up(&dir.path().join("data"), &["--demo"]).await;
    let url = format!("http://{}/metrics", up.metrics);
    let metrics = crate::sandbox::eventually("the exporter has looked everywhere", async || {
        let metrics = reqwest::get(&url).await.unwrap().text().await.unwrap();
        let seen =
            ["koe_exporter_service_requests_total", "koe_exporter_lag_events 0", "koe_exporter_log_end_sequence"];
        seen.iter().all(|name| metrics.contains(name)).then_some(metrics)
    })
    .await;
    let file = dir.path().join("metrics");
    std::fs::write(&file, &metrics).unwrap();
    let check = Command::new(tool("promtool"))
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(file).unwrap())
        .output()
        .unwrap();
    assert!(check.status.success(), "{}{}", text(&check.stdout), text(&check.stderr));
    assert_eq!((text(&check.stdout), text(&check.stderr)), (String::new(), String::new()));
    let history: serde_json::Value =
        reqwest::get(format!("http://{}/history.json", up.metrics)).await.unwrap().json().await.unwrap();
    assert_eq!(history["samples"].as_array().unwrap().len(), history["next"], "{history}");
    for part in ["", "page.js", "page.css"] {
        let answer = reqwest::get(format!("http://{}/{part}", up.metrics)).await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(answer.status().is_success() && policy.starts_with("default-src 'none'"), "{part}: {policy}");
    }
    let ready = reqwest::get(format!("http://{}/readyz", up.metrics)).await.unwrap();
    assert_eq!(ready.text().await.unwrap(), "ok\n");
    let documented = std::fs::read_to_string(crate::sandbox::root().join("docs/metrics.md")).unwrap();
    for line in metrics.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        let role = name.split('_').nth(1).unwrap();
        let alike = name.replacen(role, "<role>", 1);
        let written = [name, &alike].iter().any(|name| documented.contains(&format!("`{name}`")));
        assert!(written, "docs/metrics.md lacks {name}");
    }
    // And nothing is documented that is not there. What nobody has seen yet is told by no line.
    let unseen = [
        "koe_exporter_jetstream_max_bytes",
        "koe_exporter_log_max_bytes",
        "koe_exporter_void_events",
        "koe_projector_events_void_total",
        "koe_gateway_requests_total",
        "koe_gateway_request_duration_seconds",
    ];
    let (_, tables) = documented.split_once("## The whole").unwrap();
    let (tables, _) = tables.split_once("## A scheduled verify").unwrap();
    let names = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    for name in names.filter(|name| !unseen.contains(name)) {
        let served = metrics.contains(&format!("# TYPE {} ", name.replacen("<role>", "votes", 1)));
        assert!(served, "docs/metrics.md speaks of {name}");
    }
    for line in [
        "koe_projector_events_folded_total{type=\"comment-posted\"} 22",
        "koe_projector_events_folded_total{type=\"comment-removed\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
}
