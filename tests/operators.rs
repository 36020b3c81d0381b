//! `koe up` as an operator meets it: clear errors, clean stops, what is there at the next start.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Process, Sandbox, eventually, koe, text, tool};

/// A running `koe up`, and what its addresses.json says.
pub(crate) struct Up {
    pub(crate) process: Process,
    data: PathBuf,
    pub(crate) http: String,
    pub(crate) metrics: String,
}

/// A scenario ends its nats-server too, which a killed `koe up` leaves behind in a process group of its own.
impl Drop for Up {
    fn drop(&mut self) {
        self.process.kill();
        let pid = std::fs::read_to_string(self.data.join("nats/nats-server.pid")).unwrap_or_default();
        let pid = pid.trim();
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let ours = command.contains(self.data.to_str().unwrap_or("no path"));
        if let Some(pid) = pid.parse().ok().and_then(Pid::from_raw).filter(|_| ours) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

pub(crate) fn up_command(data: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(koe());
    command.arg("up").arg("--data").arg(data).arg("--nats-server").arg(tool("nats-server"));
    command.args([
        "--http",
        "127.0.0.1:0",
        "--metrics",
        "127.0.0.1:0",
        "--nats",
        "127.0.0.1:0",
        "--cache-mib",
        "32",
    ]);
    command.args(words);
    command
}

pub(crate) async fn up(data: &Path, words: &[&str]) -> Up {
    let log = data.with_extension("log");
    let file = data.join("addresses.json");
    // What a killed process left behind is not the next one's.
    let written = || std::fs::metadata(&file).and_then(|metadata| metadata.modified()).ok();
    let before = written();
    let mut process = Process::spawn(&mut up_command(data, words), log);
    let json: serde_json::Value = eventually("koe up is up", async || {
        assert!(!process.ended(), "{}", process.log());
        if written() == before {
            return None;
        }
        serde_json::from_str(&std::fs::read_to_string(&file).ok()?).ok()
    })
    .await;
    let of = |name: &str| json[name].as_str().unwrap().to_owned();
    Up { process, data: data.to_owned(), http: of("http"), metrics: of("metrics") }
}

fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let error = text(&output.stderr);
    let lines: Vec<_> = error.lines().filter(|line| line.starts_with("koe: ")).collect();
    assert_eq!(lines.len(), 1, "one line that says what to do: {error}");
    lines[0].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_clean_and_quick_and_the_data_is_there_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for start in 0..2 {
        let mut up = up(&data, &["--demo"]).await;
        let mode = std::fs::metadata(data.join("addresses.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the token is the owner's alone");
        let url = format!("http://{}/v1/sites/demo/threads/memorial-service", up.http);
        let page: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(page["count"], 22, "start {start}");
        let (status, took) = up.process.stop().await;
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(!data.join("addresses.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for flag in ["--http", "--metrics", "--nats"] {
        let mut command = Command::new(koe());
        command.arg("up").arg("--data").arg(&data).arg("--nats-server").arg(tool("nats-server"));
        for other in ["--http", "--metrics", "--nats"] {
            command.args([other, if other == flag { &taken } else { "127.0.0.1:0" }]);
        }
        let error = fails(&command.output().unwrap());
        assert!(error.contains(&taken) && error.contains("taken") && error.contains(flag), "{error}");
    }
    let error = fails(&up_command(Path::new("/proc/nowhere"), &[]).output().unwrap());
    assert!(error.contains("/proc/nowhere") && error.contains("--data"), "{error}");

    let fake = dir.path().join("nats-server");
    let run_fake = |says: &str| {
        std::fs::write(&fake, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(koe());
        fails(&command.arg("up").arg("--data").arg(&data).arg("--nats-server").arg(&fake).output().unwrap())
    };
    let error = run_fake("nats-server: v2.9.10");
    assert!(error.contains("2.9.10") && error.contains("too old") && error.contains("2.15.1"), "{error}");
    assert!(run_fake("something else").contains("not a nats-server"));
    let mut command = Command::new(koe());
    command.arg("up").arg("--data").arg(&data).args(["--nats-server", "/nowhere/nats-server"]);
    let error = fails(&command.output().unwrap());
    assert!(error.contains("/nowhere/nats-server") && error.contains("--nats-server"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_koe_up_on_the_same_data_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let first = up(&data, &[]).await;
    let error = fails(&up_command(&data, &[]).output().unwrap());
    assert!(error.contains("another `koe up`") && error.contains("--data"), "{error}");
    assert!(data.join("addresses.json").exists(), "the first one's addresses stay");
    assert!(reqwest::get(format!("http://{}/livez", first.http)).await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_ends_is_started_again_and_an_orphan_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut up = up(&data, &["--demo"]).await;
    let pid_file = data.join("nats/nats-server.pid");
    let pid = || std::fs::read_to_string(&pid_file).unwrap().trim().parse::<i32>().unwrap();
    let first = pid();
    let kill = |pid| kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    kill(first).unwrap();
    eventually("another nats-server runs", async || (pid() != first).then_some(())).await;
    let url = format!("http://{}/v1/sites/demo/threads/memorial-service", up.http);
    eventually("readers are answered again", async || {
        reqwest::get(&url).await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
    })
    .await;
    // Killed without a chance to tidy up, it leaves its nats-server behind.
    let orphan = pid();
    up.process.kill();
    let mut again = crate::operators::up(&data, &["--demo"]).await;
    assert_ne!(pid(), orphan);
    let gone = rustix::process::test_kill_process(Pid::from_raw(orphan).unwrap());
    assert!(gone.is_err() || !Path::new(&format!("/proc/{orphan}/exe")).exists(), "the orphan is gone");
    let verified = Command::new(koe()).args(["replay", "verify", "--data"]).arg(&data).output().unwrap();
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    assert!(again.process.stop().await.0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_waits_for_nats_stops_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new(koe());
    command.args(["votes", "--nats", &format!("nats://{free}")]);
    let mut waiting = Process::spawn(&mut command, dir.path().join("votes.log"));
    eventually("it waits", async || waiting.log().contains("waiting for NATS").then_some(())).await;
    let (status, took) = waiting.stop().await;
    assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_read_model_is_kept_aside_and_folded_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let page = async |up: &Up| -> serde_json::Value {
        let url = format!("http://{}/v1/sites/demo/threads/memorial-service", up.http);
        reqwest::get(url).await.unwrap().json().await.unwrap()
    };
    let mut first = up(&data, &["--demo"]).await;
    let before = page(&first).await;
    first.process.stop().await;
    let damages: [fn(&Path); 4] = [
        |projector| {
            let file = std::fs::File::options().write(true).open(projector.join("generation-1/db")).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length / 3).unwrap();
        },
        |projector| std::fs::write(projector.join("serving"), b"\xff\xfe").unwrap(),
        |projector| std::fs::write(projector.join("serving"), "0").unwrap(),
        |projector| std::fs::write(projector.join("serving"), "999").unwrap(),
    ];
    for damage in damages {
        damage(&data.join("projector"));
        let mut again = up(&data, &[]).await;
        assert_eq!(page(&again).await["comments"], before["comments"]);
        again.process.stop().await;
    }
}

#[test]
fn help_reads_like_a_manual() {
    for words in
        [vec!["--help"], vec!["up", "--help"], vec!["replay", "verify", "--help"], vec!["votes", "--help"]]
    {
        let output = Command::new(koe()).args(&words).output().unwrap();
        let help = text(&output.stdout);
        assert!(output.status.success() && help.contains("Usage:"), "{words:?}");
        assert!(!help.contains('\u{1b}'), "colours only on a terminal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rebuild_too_many_is_told_so() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let asked = futures::future::join_all((0..50).map(|_| client.rebuild())).await;
    let codes: Vec<_> = asked.iter().map(crate::sandbox::code).collect();
    assert!(codes.contains(&"ok") && codes.iter().all(|code| ["ok", "overloaded"].contains(code)), "{codes:?}");
    assert!(codes.contains(&"overloaded"), "{codes:?}");
    sandbox.page("t", "").await;
}
