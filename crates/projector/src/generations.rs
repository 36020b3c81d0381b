//! Generations on the disk: each a store folded from the log's beginning, one of them serving.
//!
//! `DIR/generation-N` is a store, `DIR/serving` names the one that serves, `DIR/lock` keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use views::Store;

/// The names of generations. Stored: never change.
const PREFIX: &str = "generation-";
/// What cannot be used is kept under this name. Stored: never change.
const ASIDE: &str = "unusable-";
/// The file that names the serving generation. Stored: never change.
const SERVING: &str = "serving";

/// The data directory of one projector.
pub(crate) struct Generations {
    dir: PathBuf,
    options: views::Options,
    _lock: File,
}

impl Generations {
    /// Takes the directory for this process alone.
    pub(crate) fn open(dir: &Path, options: views::Options) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).context("it cannot be made: choose one that can be written with --data")?;
        let lock = File::create(dir.join("lock")).context("it cannot be written: choose another with --data")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another projector uses it: stop that or choose another with --data")
            }
            Err(TryLockError::Error(error)) => return Err(error).context("it cannot be locked"),
        }
        Ok(Self { dir: dir.to_owned(), options, _lock: lock })
    }

    fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{PREFIX}{number}"))
    }

    /// The number of the generation that served last, if one did.
    pub(crate) fn serving(&self) -> io::Result<Option<u32>> {
        match fs::read(self.dir.join(SERVING)) {
            // What is no number of a generation that is there names none: the log is folded again.
            Ok(number) => {
                let number = String::from_utf8_lossy(&number).trim().parse().ok();
                Ok(number.filter(|number| *number > 0 && self.path(*number).is_dir()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// From now on this one serves, also after a crash: the file is replaced whole.
    pub(crate) fn set_serving(&self, number: u32) -> io::Result<()> {
        let new = self.dir.join("serving.new");
        fs::write(&new, format!("{number}\n"))?;
        File::open(&new)?.sync_all()?;
        fs::rename(new, self.dir.join(SERVING))
    }

    /// No generation serves: the log is another than the one they were folded from.
    pub(crate) fn clear_serving(&self) -> io::Result<()> {
        match fs::remove_file(self.dir.join(SERVING)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens a generation's store. sled panics over some damage, which is damage like any other here.
    pub(crate) fn store(&self, number: u32) -> Result<Store, views::Error> {
        let opened = catch_unwind(|| Store::open(&self.path(number), self.options));
        opened.unwrap_or(Err(views::Error::Damaged("it cannot be opened")))
    }

    /// The highest number that was ever given out, 0 for none: no number comes twice.
    fn latest(&self) -> io::Result<u32> {
        let mut latest = 0;
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let name = name.to_str().unwrap_or_default();
            let number = name.strip_prefix(PREFIX).or_else(|| name.strip_prefix(ASIDE));
            latest = latest.max(number.and_then(|number| number.parse().ok()).unwrap_or_default());
        }
        Ok(latest)
    }

    /// A generation that began and never served goes on where it was, else a new one begins.
    pub(crate) fn begun(&self) -> io::Result<u32> {
        let latest = self.latest()?;
        let unfinished = latest > self.serving()?.unwrap_or_default() && self.path(latest).exists();
        Ok(if unfinished { latest } else { latest + 1 })
    }

    /// Gives the room of an unfinished generation back.
    pub(crate) fn remove(&self, number: u32) -> io::Result<()> {
        fs::remove_dir_all(self.path(number))
    }

    /// Moves a generation aside that cannot be used, for whoever wants to look at it. Only the latest is kept: a trouble
    /// that comes again shall not fill the disk.
    pub(crate) fn set_aside(&self, number: u32) -> io::Result<()> {
        let from = self.path(number);
        if !from.exists() {
            return Ok(());
        }
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(ASIDE) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let aside = self.dir.join(format!("{ASIDE}{number}"));
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        fs::rename(from, aside)
    }
}
