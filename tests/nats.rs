//! A nats-server of a test's own, with the users that deploy/ gives it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Process, TOKEN, eventually, koe, root, text, tool};

/// A nats-server with a store of its own.
pub(crate) struct Nats {
    dir: PathBuf,
    port: u16,
    process: Process,
}

impl Nats {
    pub(crate) async fn start(dir: PathBuf) -> Self {
        Self::start_with(dir, root().join("deploy/nats/nats.conf")).await
    }

    pub(crate) async fn start_with(dir: PathBuf, config: PathBuf) -> Self {
        std::fs::create_dir_all(&dir).unwrap();
        let process = Self::spawn(&dir, &config, "-1");
        let ports = dir.join("ports").join(format!("nats-server_{}.ports", process.pid().as_raw_nonzero()));
        let port = eventually("nats-server listens", async || {
            let ports: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&ports).ok()?).ok()?;
            ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
        })
        .await;
        Self { dir, port, process }
    }

    /// Where the seeds of the roles' keys lie.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    fn spawn(dir: &Path, config: &Path, port: &str) -> Process {
        std::fs::create_dir_all(dir.join("ports")).unwrap();
        let mut command = Command::new(tool("nats-server"));
        command.arg("-c").arg(config).args(["-a", "127.0.0.1", "-p", port]);
        command.arg("-sd").arg(dir.join("store")).arg("--ports_file_dir").arg(dir.join("ports"));
        let keys = Command::new(koe()).arg("nats-keys").arg(dir.join("keys")).output().unwrap();
        assert!(keys.status.success(), "{}", text(&keys.stderr));
        command.envs(text(&keys.stdout).lines().map(|line| line.split_once('=').unwrap()).map(owned));
        Process::spawn(command.env("KOE_NATS_TOKEN", TOKEN), dir.join("nats.log"))
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts again on the same port and store.
    pub(crate) fn restart(&mut self) {
        let config = root().join("deploy/nats/nats.conf");
        self.process = Self::spawn(&self.dir, &config, &self.port.to_string());
    }

    pub(crate) async fn connect(&self) -> async_nats::Client {
        eventually("nats-server takes a connection", async || operator().connect(self.url()).await.ok()).await
    }
}

/// Connects as the operator, who may do everything.
pub(crate) fn operator() -> async_nats::ConnectOptions {
    operator_with(TOKEN)
}

/// The same, with another password.
pub(crate) fn operator_with(password: &str) -> async_nats::ConnectOptions {
    async_nats::ConnectOptions::with_user_and_password("operator".to_owned(), password.to_owned())
}

fn owned((variable, value): (&str, &str)) -> (String, String) {
    (variable.to_owned(), value.to_owned())
}
