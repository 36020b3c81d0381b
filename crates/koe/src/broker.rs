//! The nats-server beside `koe up`: found, checked, started, watched, stopped.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// The same file that docker-compose.yml gives to its nats-server.
const CONFIG: &str = include_str!("../../../deploy/nats/nats.conf");
/// What it includes.
const USERS: &str = include_str!("../../../deploy/nats/users.conf");
/// Older ones lack what Koe relies on: `sync_interval` that holds after deletes too.
const VERSION_MIN: (u32, u32, u32) = (2, 15, 1);
/// A server with a large log reads it before it listens.
const START_MAX: Duration = Duration::from_mins(1);
/// How long a server may take to stop before it is killed; nothing is lost by it.
const STOP_MAX: Duration = Duration::from_millis(1_500);
/// A server that ends more often than this within a minute has a trouble that starting again does not cure.
const RESTARTS_MAX: usize = 5;
/// The time in which restarts are counted.
const RESTARTS_WITHIN: Duration = Duration::from_mins(1);
/// How often a start or a stop is looked at.
const POLL: Duration = Duration::from_millis(25);

/// What the server must know of its users, as variables of its environment.
pub(crate) type Secrets = Vec<(String, String)>;

/// A nats-server of this process.
pub(crate) struct Broker {
    executable: PathBuf,
    dir: PathBuf,
    secrets: Secrets,
    address: SocketAddr,
    child: Child,
}

/// The nats-server to run: the one named, or the first suitable one that is found.
pub(crate) async fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        check(path).await?;
        return Ok(path.to_owned());
    }
    let mut unsuitable = None;
    for candidate in candidates().into_iter().filter(|candidate| candidate.is_file()) {
        match check(&candidate).await {
            Ok(()) => return Ok(candidate),
            Err(error) => unsuitable = unsuitable.or(Some(error)),
        }
    }
    let (major, minor, patch) = VERSION_MIN;
    Err(unsuitable.unwrap_or_else(|| {
        anyhow!("no nats-server was found: `make up` fetches one, or install {major}.{minor}.{patch} or later and name it with --nats-server")
    }))
}

/// On the path, beside our own executable, and in the `.tools` of this directory or of one above the executable.
fn candidates() -> Vec<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let ours = std::env::current_exe().ok();
    let above = ours.iter().flat_map(|ours| ours.ancestors().skip(1)).map(Path::to_owned);
    let mut dirs = on_path.unwrap_or_default();
    dirs.push(PathBuf::from(".tools"));
    for dir in above {
        dirs.push(dir.join(".tools"));
        dirs.push(dir);
    }
    dirs.into_iter().map(|dir| dir.join("nats-server")).collect()
}

async fn check(executable: &Path) -> anyhow::Result<()> {
    let output = Command::new(executable).arg("--version").kill_on_drop(true).output().await;
    let output = output.with_context(|| {
        format!("{} cannot be run: name a nats-server with --nats-server", executable.display())
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = version_of(&text).ok_or_else(|| anyhow!("{} is not a nats-server", executable.display()))?;
    if version < VERSION_MIN {
        let (major, minor, patch) = VERSION_MIN;
        bail!(
            "{} is nats-server {}, too old: Koe needs {major}.{minor}.{patch} or later; `tools/fetch nats-server` fetches it",
            executable.display(),
            text.trim().rsplit('v').next().unwrap_or_default()
        );
    }
    Ok(())
}

fn version_of(text: &str) -> Option<(u32, u32, u32)> {
    let version = text.trim().strip_prefix("nats-server: v")?;
    let number = version.split(['-', '+']).next()?;
    let mut parts = number.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

impl Broker {
    /// Starts a server whose data lies in `dir`.
    pub(crate) async fn start(
        executable: PathBuf,
        dir: PathBuf,
        asked: SocketAddr,
        secrets: Secrets,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        for (file, text) in [("nats.conf", CONFIG), ("users.conf", USERS)] {
            fs::write(dir.join(file), text).context("the broker's configuration cannot be written")?;
        }
        let child = spawn(&executable, &dir, asked, &secrets)?;
        let mut broker = Self { executable, dir, secrets, address: asked, child };
        broker.address = broker.listening(asked).await?;
        Ok(broker)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Watches the server until the stop, and starts it again when it ends.
    pub(crate) async fn watch(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut restarts: VecDeque<Instant> = VecDeque::new();
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                ended = self.child.wait() => ended.context("the broker cannot be watched")?,
            };
            restarts.retain(|at| at.elapsed() < RESTARTS_WITHIN);
            if restarts.len() == RESTARTS_MAX {
                bail!("nats-server ends again and again ({ended}): {}", self.last_words());
            }
            restarts.push_back(Instant::now());
            tracing::error!(%ended, "nats-server ended; starting it again");
            self.child = spawn(&self.executable, &self.dir, self.address, &self.secrets)?;
            self.listening(self.address).await?;
        }
    }

    /// Stops the server. Everything that was acknowledged is on its disk already.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.child.id().and_then(pid_of) {
            kill_process(pid, Signal::TERM).or_else(gone).context("nats-server cannot be stopped")?;
        }
        if tokio::time::timeout(STOP_MAX, self.child.wait()).await.is_err() {
            self.child.kill().await.context("nats-server cannot be killed")?;
        }
        Ok(())
    }

    /// Waits until the server says where it listens.
    async fn listening(&mut self, asked: SocketAddr) -> anyhow::Result<SocketAddr> {
        let began = Instant::now();
        let id = self.child.id().unwrap_or_default();
        loop {
            if let Some(ended) = self.child.try_wait().context("the broker cannot be watched")? {
                let words = self.last_words();
                if words.contains("address already in use") {
                    bail!(
                        "{asked} is taken by another process: stop it or choose another with --nats (port 0 takes any free one)"
                    );
                }
                bail!("nats-server did not start ({ended}): {words}");
            }
            if let Some(address) = self.announced(id) {
                return Ok(address);
            }
            if began.elapsed() > START_MAX {
                bail!("nats-server does not listen after {} s; see {}", START_MAX.as_secs(), self.log().display());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The address in the file that the server writes once it listens, named after its pid.
    fn announced(&self, id: u32) -> Option<SocketAddr> {
        let file = self.executable.file_name()?.to_str()?;
        let ports = self.dir.join("ports").join(format!("{file}_{id}.ports"));
        let ports: serde_json::Value = serde_json::from_str(&fs::read_to_string(ports).ok()?).ok()?;
        ports.get("nats")?.get(0)?.as_str()?.strip_prefix("nats://")?.parse().ok()
    }

    fn log(&self) -> PathBuf {
        self.dir.join("nats-server.log")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let fatal = log.lines().rev().find(|line| line.contains("[FTL]")).or(log.lines().next_back());
        fatal.unwrap_or("it said nothing").to_owned()
    }
}

fn spawn(executable: &Path, dir: &Path, address: SocketAddr, secrets: &Secrets) -> anyhow::Result<Child> {
    let ports = dir.join("ports");
    if ports.exists() {
        fs::remove_dir_all(&ports).context("old port files cannot be removed")?;
    }
    fs::create_dir_all(&ports).context("the port files' directory cannot be made")?;
    let log = File::create(dir.join("nats-server.log")).context("the broker's log cannot be written")?;
    // For the server, -1 is any free port.
    let port = if address.port() == 0 { "-1".to_owned() } else { address.port().to_string() };
    let child = Command::new(executable)
        .arg("-c")
        .arg(dir.join("nats.conf"))
        .args(["-a", &address.ip().to_string(), "-p", &port])
        .arg("-sd")
        .arg(store(dir))
        .arg("--ports_file_dir")
        .arg(ports)
        .envs(secrets.iter().map(|(variable, value)| (variable, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("the broker's log cannot be written")?)
        .stderr(log)
        // Ctrl-C is for us: the broker stops last.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", executable.display()))?;
    let id = child.id().context("nats-server ended at once")?;
    fs::write(pid_file(dir), format!("{id}\n")).context("the broker's pid cannot be written down")?;
    Ok(child)
}

fn store(dir: &Path) -> PathBuf {
    dir.join("log")
}

fn pid_file(dir: &Path) -> PathBuf {
    dir.join("nats-server.pid")
}

fn pid_of(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

fn gone(error: rustix::io::Errno) -> rustix::io::Result<()> {
    if error == rustix::io::Errno::SRCH { Ok(()) } else { Err(error) }
}

/// Stops the server that a killed process left behind: known by its pid, its executable and its store, so that nobody
/// else's is touched.
pub(crate) async fn stop_orphan(dir: &Path) -> anyhow::Result<()> {
    let Ok(text) = fs::read_to_string(pid_file(dir)) else {
        return Ok(());
    };
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    if !is_ours(pid, dir) {
        return Ok(());
    }
    tracing::info!(pid = text.trim(), "stopping the nats-server that an earlier process left behind");
    kill_process(pid, Signal::TERM).or_else(gone).context("the orphaned nats-server cannot be stopped")?;
    let began = Instant::now();
    while test_kill_process(pid).is_ok() && is_ours(pid, dir) {
        if began.elapsed() > STOP_MAX {
            kill_process(pid, Signal::KILL).or_else(gone).context("the orphaned nats-server cannot be killed")?;
        }
        if began.elapsed() > START_MAX {
            bail!("the orphaned nats-server {} does not end: end it by hand", text.trim());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Whether the process runs a nats-server on our store.
fn is_ours(pid: Pid, dir: &Path) -> bool {
    let Ok(command) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else {
        return false;
    };
    let words: Vec<_> = command.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let server = words.first().is_some_and(|word| Path::new(word.as_ref()).ends_with("nats-server"));
    let ours = store(dir);
    server && words.iter().any(|word| Path::new(word.as_ref()) == ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version_of("nats-server: v2.15.1\n"), Some((2, 15, 1)));
        assert_eq!(version_of("nats-server: v2.16.0-RC.1"), Some((2, 16, 0)));
        assert!(version_of("nats-server: v2.9.10").unwrap() < VERSION_MIN);
        assert_eq!(version_of("hello"), None);
    }
}
