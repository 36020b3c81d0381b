//! The data directory of `koe up`: what lies where, and that nobody else uses it.
//!
//! `lock` keeps a second `koe up` out, `nats-token`, `nats-keys/` and `session.key` are secrets made on first start, `addresses.json`
//! is there while Koe runs, `nats/` is the broker's and holds the log: the only thing that cannot be made again.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The data directory, held by this process.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Where everything was, if the process before was killed.
    left_behind: Option<Addresses>,
    _lock: File,
}

/// Says where everything is. Scripts read it: never change.
const ADDRESSES: &str = "addresses.json";

/// Where everything is, for people and scripts.
#[derive(Deserialize, Serialize)]
pub(crate) struct Addresses {
    pub(crate) http: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) nats: SocketAddr,
    /// Who to be there: this user, with the token as its password.
    #[serde(default)]
    pub(crate) nats_user: String,
    pub(crate) nats_token: String,
}

impl DataDir {
    /// Takes the directory, or makes it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable =
            || format!("the data directory {} cannot be written: choose another with --data", path.display());
        fs::create_dir_all(path).with_context(unusable)?;
        let lock = File::create(path.join("lock")).with_context(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another `koe up` uses {}: stop it or choose another directory with --data", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        let path = path.canonicalize().with_context(unusable)?;
        let left_behind = fs::read(path.join(ADDRESSES)).ok();
        let left_behind = left_behind.and_then(|json| serde_json::from_slice(&json).ok());
        let dir = Self { path, left_behind, _lock: lock };
        dir.forget_addresses().with_context(unusable)?;
        Ok(dir)
    }

    pub(crate) fn nats(&self) -> PathBuf {
        self.path.join("nats")
    }

    pub(crate) fn projector(&self) -> PathBuf {
        self.path.join("projector")
    }

    pub(crate) fn addresses(&self) -> PathBuf {
        self.path.join(ADDRESSES)
    }

    /// The address to ask for. Where any free port will do, and a killed process had one, that one is asked for again, so
    /// that whoever knew where Koe was finds it there.
    pub(crate) fn again(&self, asked: SocketAddr, of: impl Fn(&Addresses) -> SocketAddr) -> SocketAddr {
        let before = self.left_behind.as_ref().map(of).filter(|before| before.ip() == asked.ip());
        match before {
            Some(before) if asked.port() == 0 && TcpListener::bind(before).is_ok() => before,
            _ => asked,
        }
    }

    /// Where the keys of the roles lie.
    pub(crate) fn nats_keys(&self) -> PathBuf {
        self.path.join("nats-keys")
    }

    /// The operator's password at the broker, made on first start.
    pub(crate) fn nats_token(&self) -> anyhow::Result<String> {
        let path = self.path.join("nats-token");
        match fs::read_to_string(&path) {
            Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} cannot be read", path.display()))
            }
            _ => {
                // The broker reads it as configuration: mere digits would be a number.
                let token = format!("koe_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
                write_secret(&path, &token)?;
                Ok(token)
            }
        }
    }

    /// The key that signs sessions, made on first start.
    pub(crate) fn session_key(&self) -> anyhow::Result<PathBuf> {
        session_key(&self.path)
    }

    /// Says where everything is: whole or not at all, and to the owner alone.
    pub(crate) fn write_addresses(&self, addresses: &Addresses) -> anyhow::Result<()> {
        let mut json = serde_json::to_string_pretty(addresses).context("addresses are plain text")?;
        json.push('\n');
        let new = self.path.join("addresses.json.new");
        if new.exists() {
            fs::remove_file(&new)?;
        }
        write_secret(&new, &json)?;
        fs::rename(&new, self.addresses()).context("addresses.json cannot be written")
    }

    /// Nothing is there any more, or not yet.
    pub(crate) fn forget_addresses(&self) -> io::Result<()> {
        match fs::remove_file(self.addresses()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The session key in a data directory, made if it is not there.
pub(crate) fn session_key(dir: &Path) -> anyhow::Result<PathBuf> {
    let path = dir.join("session.key");
    if !path.exists() {
        gateway::session::Key::create_new(&path)?;
    }
    Ok(path)
}

/// Writes a file that its owner alone may read.
pub(crate) fn write_secret(path: &Path, secret: &str) -> anyhow::Result<()> {
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(secret.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", path.display()))
}
