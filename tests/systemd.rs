//! The systemd units without systemd: every start command as a process, with the environment that its unit gives.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Nats, Process, eventually, koe, root, tool};

/// The settings of a unit's service; of one that comes several times, all.
fn service(unit: &str) -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(root().join("deploy/systemd").join(unit)).unwrap();
    let (_, service) = text.split_once("[Service]\n").unwrap();
    let (service, _) = service.split_once("[Install]").unwrap();
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in service.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (name, value) = line.split_once('=').unwrap();
        settings.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    settings
}

/// A unit's process as systemd would start it, but for the directories.
fn started(unit: &str, instance: &str, (state, credentials): (&Path, &Path), more: &[(&str, &str)]) -> Process {
    let settings = service(unit);
    let here = |text: &str| {
        let text = text.replace("%i", instance).replace("%S", state.to_str().unwrap());
        text.replace("%d", credentials.to_str().unwrap()).replace("/var/lib/koe", state.to_str().unwrap())
    };
    let [start] = settings["ExecStart"].as_slice() else { panic!("{unit} starts one process") };
    let start = here(start);
    let (executable, words) = start.split_once(' ').unwrap();
    assert_eq!(executable, "/usr/local/bin/koe");
    let mut command = Command::new(koe());
    command.env_clear().args(words.split(' ')).env("KOE_NATS_SERVER", tool("nats-server"));
    for variable in settings.get("Environment").into_iter().flatten() {
        let (name, value) = variable.split_once('=').unwrap();
        command.env(name, here(value));
    }
    command.envs(more.iter().copied());
    Process::spawn(&mut command, state.join(format!("{unit}-{instance}.log")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_of_one_machine_brings_everything_up() {
    let state = tempfile::tempdir().unwrap();
    let free = [("KOE_HTTP", "127.0.0.1:0"), ("KOE_METRICS", "127.0.0.1:0"), ("KOE_NATS_LISTEN", "127.0.0.1:0")];
    let mut up = started("koe.service", "", (state.path(), state.path()), &free);
    let addresses: serde_json::Value = eventually("koe up says where it is", async || {
        serde_json::from_slice(&std::fs::read(state.path().join("addresses.json")).ok()?).ok()
    })
    .await;
    let ready = format!("http://{}/readyz", addresses["http"].as_str().unwrap());
    eventually("readers are served", async || {
        reqwest::get(&ready).await.ok()?.status().is_success().then_some(())
    })
    .await;
    assert!(up.stop().await.0.success(), "{}", up.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_of_a_role_starts_each_of_them_and_together_they_are_ready() {
    let state = tempfile::tempdir().unwrap();
    let nats = Nats::start(state.path().join("nats")).await;
    let key = state.path().join("session.key");
    std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut roles = Vec::new();
    for role in ["comments", "votes", "projector", "gateway", "exporter"] {
        // As `LoadCredential=nats.nk:/etc/koe/%i.nk` puts it.
        assert_eq!(service("koe@.service")["LoadCredential"], ["nats.nk:/etc/koe/%i.nk"]);
        let credentials = state.path().join("credentials").join(role);
        std::fs::create_dir_all(&credentials).unwrap();
        std::fs::copy(nats.keys().join(role).with_extension("nk"), credentials.join("nats.nk")).unwrap();
        let (url, metrics, http) = (nats.url(), free(), free());
        let file = [
            ("KOE_NATS", url.as_str()),
            ("KOE_METRICS", &metrics),
            ("KOE_HTTP", &http),
            ("KOE_SESSION_KEY_FILE", key.to_str().unwrap()),
        ];
        roles.push((role, metrics.clone(), started("koe@.service", role, (state.path(), &credentials), &file)));
    }
    for (role, metrics, _) in &roles {
        let ready = format!("http://{metrics}/readyz");
        eventually(&format!("{role} is ready"), async || {
            (reqwest::get(&ready).await.ok()?.text().await.ok()? == "ok\n").then_some(())
        })
        .await;
    }
    assert!(state.path().join("koe-projector").is_dir(), "the read models lie in the unit's own directory");
    for (role, _, process) in &mut roles {
        assert!(process.stop().await.0.success(), "{role}: {}", process.log());
    }
}
