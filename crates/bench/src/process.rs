//! Roles in processes of their own, from this very executable: so that they can be killed, and their memory be told from
//! ours.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::limits::STOP_MAX;
use crate::server::Server;

/// The cache that the figures are for, in MiB: the default of the role.
pub(crate) const CACHE_MIB: u64 = 256;

/// A running role; it is killed when this is dropped.
pub(crate) struct Process {
    role: &'static str,
    child: Child,
}

impl Process {
    pub(crate) fn projector(server: &Server, data: &Path) -> anyhow::Result<Self> {
        let cache_mib = CACHE_MIB.to_string();
        Self::start("projector", server, |command| {
            command.arg("--data").arg(data).args(["--cache-mib", &cache_mib]);
        })
    }

    /// A writer that holds nobody back: the commands of a moment come from few actors.
    pub(crate) fn writer(role: &'static str, server: &Server) -> anyhow::Result<Self> {
        Self::start(role, server, |command| {
            command.args(["--actor-rate", "1000000", "--actor-burst", "1000000"]);
        })
    }

    fn start(role: &'static str, server: &Server, more: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        let koe = std::env::current_exe().context("this executable cannot be found again")?;
        let mut command = Command::new(koe);
        command.args(["--log", "error", role, "--nats", server.address()]);
        more(&mut command);
        // What the environment sets for a Koe of somebody's is not for this one; Ctrl-C is for us, who stop it.
        command.env_clear().process_group(0).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("{role} cannot be started"))?;
        Ok(Self { role, child })
    }

    /// An error if it has ended by itself.
    pub(crate) fn need_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(ended) => bail!("{} ended by itself: {ended}", self.role),
        }
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.with_context(|| format!("{} ended by itself", self.role))?, Signal::TERM)?;
        let ended = tokio::time::timeout(STOP_MAX, self.child.wait()).await;
        let ended = ended.with_context(|| format!("{} does not stop", self.role))??;
        ensure!(ended.success(), "{} stopped with {ended}", self.role);
        Ok(())
    }

    /// Ends it with `kill -9`.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("{} cannot be killed", self.role))
    }

    /// The most memory that it ever had, in bytes: `VmHWM` of proc(5).
    pub(crate) fn memory_max_bytes(&self) -> anyhow::Result<u64> {
        let id = self.child.id().with_context(|| format!("{} ended by itself", self.role))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 =
            peak.and_then(|peak| peak.trim().strip_suffix("kB")?.trim().parse().ok()).context("VmHWM")?;
        Ok(kib * 1024)
    }
}
