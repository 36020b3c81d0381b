//! docker-compose.yml without a container engine: every role as a process, with exactly its command and environment.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::process::Command;

use domain::Vote;

use crate::sandbox::{Nats, Process, Sandbox, eventually, koe, root};

/// The roles of the file: name, words of the command, environment. The file is kept to plain lists and maps.
fn roles() -> Vec<(String, Vec<String>, BTreeMap<String, String>)> {
    let file = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let compose: serde_json::Value = serde_saphyr::from_str(&file).unwrap();
    let services = compose["services"].as_object().unwrap();
    let ours = services
        .iter()
        .filter(|(_, service)| service["image"].as_str().is_some_and(|image| image.starts_with("koe:")));
    ours.map(|(name, service)| {
        let words = |key: &str| {
            let list = service[key].as_array().unwrap();
            list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let environment = service["environment"].as_object().unwrap();
        let environment = environment.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
        (name.clone(), words("command"), environment.collect())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_of_the_compose_file_starts_and_together_they_serve() {
    let dir = tempfile::tempdir().unwrap();
    let nats = Nats::start(dir.path().join("nats")).await;
    let key = dir.path().join("session_key");
    std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
    let data = dir.path().join("koe");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // What differs between containers and processes: names of hosts, ports, and paths of mounts.
    let here = |value: &str| {
        value
            .replace("nats://nats:4222", &nats.url())
            .replace("0.0.0.0:9464", "127.0.0.1:0")
            .replace("0.0.0.0:8080", &port.to_string())
            .replace("/var/lib/koe", data.to_str().unwrap())
            .replace("/run/secrets/session_key", key.to_str().unwrap())
    };
    let mut started = Vec::new();
    for (name, words, environment) in roles() {
        let mut command = Command::new(koe());
        command.env_clear().args(&words);
        for (variable, value) in environment {
            assert!(variable.starts_with("KOE_"), "{variable}");
            let seed = nats.keys().join(&name).with_extension("nk");
            command.env(variable, here(&value).replace("/run/secrets/nats_seed", seed.to_str().unwrap()));
        }
        started.push((name.clone(), Process::spawn(&mut command, dir.path().join(format!("{name}.log")))));
    }
    let names: Vec<_> = started.iter().map(|(name, _)| name.as_str()).collect();
    for role in ["comments", "votes", "projector", "gateway", "exporter"] {
        assert!(names.contains(&role), "{names:?}");
    }
    let connection = nats.connect().await;
    let mut sandbox =
        Sandbox { dir, nats, roles: Vec::new(), connection, http: OnceCell::new(), forgets_at_once: false };
    sandbox.open_thread("t").await;
    let comment = sandbox.post("ann", "words").await;
    let cast = sandbox.send(&crate::sandbox::vote("ben", comment, Vote::Up), true).await.unwrap();
    let url = format!("http://{port}/v1/sites/s/threads/t?at_least={}", cast.position);
    let page: serde_json::Value = eventually("the gateway answers", async || {
        reqwest::get(&url).await.ok()?.json().await.ok().filter(|page: &serde_json::Value| page["count"] == 1)
    })
    .await;
    assert_eq!(page["comments"][0]["score"], "1 ( +1 / -0 )");
    for (name, process) in &mut started {
        assert!(!process.ended(), "{name} ended: {}", process.log());
        assert!(process.stop().await.0.success(), "{name}: {}", process.log());
    }
    sandbox.roles.clear();
}
