//! A nats-server of the benchmark's own with an empty log, in a directory that goes with it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, bail};
use journal::Journal;
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
    address: String,
    // First the server goes, then what it writes to.
    _child: Child,
    dir: TempDir,
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
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C is for us, who stop it.
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{} cannot be run", executable.display()))?;
        let id = child.id().context("the nats-server ended at once")?;
        let address = address(&ports.join(format!("nats-server_{id}.ports"))).await?;
        let server = Self { address, _child: child, dir };
        // The log is there before anything is put into it.
        Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn options(&self) -> NatsOptions {
        NatsOptions { nats: self.address.clone(), ..NatsOptions::default() }
    }

    /// A connection that, other than a role's, has nothing to say when the server goes.
    pub(crate) async fn connect(&self, name: &str) -> anyhow::Result<async_nats::Client> {
        let connected = async_nats::ConnectOptions::new().name(name).connect(self.address()).await;
        connected.context("no connection to the benchmark's nats-server")
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
