//! A nats-server of the benchmark's own, in a directory that goes with it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, bail};
use service::NatsOptions;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::limits::{LOOK_PAUSE, START_MAX};

/// How the server brings what it takes in to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// The broker's default: every two minutes.
    Default,
    /// Before each acknowledgement, as Koe's own files set it.
    Always,
}

impl Sync {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Always => "always",
        }
    }
}

/// A running nats-server; it is killed when this is dropped.
pub(crate) struct Server {
    pub(crate) dir: TempDir,
    address: String,
    _child: Child,
}

impl Server {
    pub(crate) async fn start(executable: &Path, sync: Sync) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()
            .context("no directory for the benchmark: set TMPDIR to one that can be written")?;
        let (config, ports) = (dir.path().join("nats.conf"), dir.path().join("ports"));
        std::fs::create_dir(&ports)?;
        let sync = match sync {
            Sync::Default => String::new(),
            Sync::Always => "sync_interval: always".to_owned(),
        };
        let store = dir.path().join("log");
        std::fs::write(
            &config,
            format!("jetstream {{ store_dir: {:?}\n{sync} }}\n", store.display().to_string()),
        )?;
        let mut command = Command::new(executable);
        command.arg("-c").arg(&config).args(["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir"]).arg(&ports);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{} cannot be run", executable.display()))?;
        let id = child.id().context("the nats-server ended at once")?;
        let address = address(&ports.join(format!("nats-server_{id}.ports"))).await?;
        Ok(Self { dir, address, _child: child })
    }

    pub(crate) fn options(&self) -> NatsOptions {
        NatsOptions { nats: self.address.clone(), nats_token: None }
    }

    pub(crate) async fn connect(&self, name: &str) -> anyhow::Result<async_nats::Client> {
        service::connect(&self.options(), name).await
    }

    /// A directory beside the log.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// The address out of the file that the server writes when it listens.
async fn address(file: &Path) -> anyhow::Result<String> {
    let began = Instant::now();
    while began.elapsed() < START_MAX {
        let listening = std::fs::read_to_string(file).ok();
        let ports: Option<serde_json::Value> = listening.and_then(|text| serde_json::from_str(&text).ok());
        let address = ports.as_ref().and_then(|ports| ports.get("nats")?.get(0)?.as_str().map(str::to_owned));
        if let Some(address) = address {
            return Ok(address);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    bail!("the nats-server does not listen after {} s", START_MAX.as_secs())
}
