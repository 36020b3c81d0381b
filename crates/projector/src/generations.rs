//! Generations on the disk: each a store folded from the log's beginning, one of them serving.
//!
//! `DIR/generation-N` is a store, `DIR/serving` names the one that serves, `DIR/lock` keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use views::{SCHEMA, Store};

/// The names of generations. Stored: never change.
const PREFIX: &str = "generation-";
/// What cannot be used is kept under this name. Stored: never change.
const ASIDE: &str = "unusable-";
/// The file that names the serving generation. Stored: never change.
const SERVING: &str = "serving";

/// The file in a generation that names its schema. Stored: never change.
const SCHEMA_FILE: &str = "schema";

/// The file in a generation that is there from its beginning until it serves. Stored: never change.
const UNFINISHED: &str = "unfinished";

/// The file in a generation that somebody went back from: it is above the one that serves, and done. Stored: never change.
const LEFT: &str = "left";

/// The file in a generation that says where the log ended when its fold began. Stored: never change.
const BEGUN_AT: &str = "begun-at";

/// The file that says when what was erased shall be in no store any more, in seconds since the Unix epoch. Stored: never change.
const FORGET_AT: &str = "forget-at";

/// A generation on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lying {
    pub(crate) number: u32,
    /// Whether it was set aside.
    pub(crate) unusable: bool,
    /// Whether its fold began and it never served.
    pub(crate) unfinished: bool,
    pub(crate) bytes: u64,
    /// 0 if nobody wrote it down.
    pub(crate) schema: u32,
    /// The log's end when its fold began, 0 if nobody wrote it down: what was erased up to there never stood in it.
    pub(crate) begun_at: u64,
}

/// What lies in a data directory, by number.
pub(crate) fn lying(dir: &Path) -> io::Result<Vec<Lying>> {
    let mut lying = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some((number, unusable)) = entry.file_name().to_str().and_then(number_in) else { continue };
        let schema = fs::read_to_string(entry.path().join(SCHEMA_FILE)).unwrap_or_default();
        let (bytes, schema) = (bytes_in(&entry.path())?, schema.trim().parse().unwrap_or_default());
        let begun_at = number_on(&entry.path().join(BEGUN_AT)).unwrap_or_default();
        let unfinished = !unusable && entry.path().join(UNFINISHED).exists();
        lying.push(Lying { number, unusable, unfinished, bytes, schema, begun_at });
    }
    lying.sort_by_key(|lying| lying.number);
    Ok(lying)
}

/// The number in the name of a generation, and whether it was set aside.
fn number_in(name: &str) -> Option<(u32, bool)> {
    let usable = name.strip_prefix(PREFIX).map(|number| (number, false));
    let (number, unusable) = usable.or_else(|| name.strip_prefix(ASIDE).map(|number| (number, true)))?;
    Some((number.parse().ok()?, unusable))
}

/// The number that stands in a file, if one does.
fn number_on(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn bytes_in(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        // sled removes files as it goes.
        let Ok(metadata) = entry?.metadata() else { continue };
        bytes += metadata.len();
    }
    Ok(bytes)
}

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
        fs::rename(new, self.dir.join(SERVING))?;
        match fs::remove_file(self.path(number).join(UNFINISHED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes down that somebody goes back from a generation to one below it.
    pub(crate) fn set_left(&self, number: u32) -> io::Result<()> {
        fs::write(self.path(number).join(LEFT), "")
    }

    /// Writes down that a generation's fold begins.
    pub(crate) fn set_unfinished(&self, number: u32) -> io::Result<()> {
        fs::write(self.path(number).join(UNFINISHED), "")
    }

    /// Whether a rebuild of this release lies above the serving generation. One that served once is none: somebody went
    /// back from it.
    pub(crate) fn is_unfinished(&self) -> io::Result<bool> {
        let serving = self.serving()?.unwrap_or_default();
        let above = |lying: &Lying| lying.number > serving && lying.unfinished && lying.schema == SCHEMA;
        Ok(lying(&self.dir)?.iter().any(above))
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
        let dir = self.path(number);
        let opened = catch_unwind(|| Store::open(&dir, self.options));
        let store = opened.unwrap_or(Err(views::Error::Damaged("it cannot be opened")))?;
        // For people alone, who ask what lies there: the store itself knows its schema.
        if let Err(error) = fs::write(dir.join(SCHEMA_FILE), format!("{SCHEMA}\n")) {
            tracing::warn!(generation = number, %error, "its schema cannot be written beside it");
        }
        Ok(store)
    }

    /// Where the log ended when a generation's fold began; 0 if nobody wrote it down.
    pub(crate) fn begun_at(&self, number: u32) -> u64 {
        number_on(&self.path(number).join(BEGUN_AT)).unwrap_or_default()
    }

    /// Writes down that nothing is folded into a generation yet, and where the log ends now.
    pub(crate) fn set_begun_at(&self, number: u32, sequence: u64) -> io::Result<()> {
        fs::write(self.path(number).join(BEGUN_AT), format!("{sequence}\n"))
    }

    /// When what was erased shall be in no store any more, in seconds since the Unix epoch; the moment given unless one is
    /// written down.
    pub(crate) fn forget_at(&self, unless_known: u64) -> io::Result<u64> {
        let file = self.dir.join(FORGET_AT);
        if let Some(known) = number_on(&file) {
            return Ok(known);
        }
        fs::write(file, format!("{unless_known}\n"))?;
        Ok(unless_known)
    }

    /// Nothing that was erased is in any store.
    pub(crate) fn has_forgotten(&self) -> io::Result<()> {
        match fs::remove_file(self.dir.join(FORGET_AT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what was folded before something was erased, but for the generations that are used; the numbers removed.
    pub(crate) fn forget(&self, erased: u64, used: &[u32]) -> io::Result<Vec<u32>> {
        let mut forgotten = Vec::new();
        for Lying { number, unusable, .. } in lying(&self.dir)?.into_iter().filter(|lying| lying.begun_at < erased)
        {
            if unusable || !used.contains(&number) {
                let name = if unusable { ASIDE } else { PREFIX };
                fs::remove_dir_all(self.dir.join(format!("{name}{number}")))?;
                forgotten.push(number);
            }
        }
        Ok(forgotten)
    }

    /// The highest number that was ever given out, 0 for none: no number comes twice.
    fn latest(&self) -> io::Result<u32> {
        let mut latest = 0;
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            latest = latest.max(name.to_str().and_then(number_in).map_or(0, |(number, _)| number));
        }
        Ok(latest)
    }

    /// A generation that began and never served goes on where it was, else a new one begins.
    pub(crate) fn begun(&self) -> io::Result<u32> {
        let latest = self.latest()?;
        let above = latest > self.serving()?.unwrap_or_default() && self.path(latest).exists();
        let unfinished = above && !self.path(latest).join(LEFT).exists();
        Ok(if unfinished { latest } else { latest + 1 })
    }

    /// Whether a generation lies there that served once, has this release's schema, and never held what was erased up to a place.
    pub(crate) fn is_kept(&self, number: u32, erased: u64) -> io::Result<bool> {
        let fits = |lying: &Lying| lying.number == number && !lying.unusable && !lying.unfinished;
        let fits = |lying: &Lying| fits(lying) && lying.schema == SCHEMA && lying.begun_at >= erased;
        Ok(lying(&self.dir)?.iter().any(fits))
    }

    /// Gives the room of an unfinished generation back.
    pub(crate) fn remove(&self, number: u32) -> io::Result<()> {
        fs::remove_dir_all(self.path(number))
    }

    /// Gives the room of a generation back that is not used; its bytes, or `None` if there is none.
    pub(crate) fn drop_kept(&self, number: u32) -> io::Result<Option<u64>> {
        let mut dropped = None;
        for dir in [self.path(number), self.dir.join(format!("{ASIDE}{number}"))] {
            if dir.is_dir() {
                *dropped.get_or_insert(0) += bytes_in(&dir)?;
                fs::remove_dir_all(dir)?;
            }
        }
        Ok(dropped)
    }

    /// Keeps the latest so many of the generations before the one that serves.
    pub(crate) fn keep(&self, serving: u32, max: usize) -> io::Result<()> {
        let before = lying(&self.dir)?.into_iter().filter(|lying| !lying.unusable && lying.number < serving);
        for old in before.rev().skip(max) {
            tracing::info!(generation = old.number, "an old generation makes room");
            self.remove(old.number)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use domain::{Actor, CommandId, Content, Envelope, Event, Place, Recorded, Role, Timestamp};

    use super::*;

    fn generations(dir: &Path) -> Generations {
        Generations::open(dir, views::Options { cache_bytes: 8 << 20, ..views::Options::default() }).unwrap()
    }

    fn opened(sequence: u64) -> Recorded {
        let actor = Actor { id: "staff".parse().unwrap(), roles: [Role::Administrator].into_iter().collect() };
        let event = Event::SiteOpened { name: "Site".into(), zone: "Asia/Tokyo".into() };
        let id = CommandId::from_u128(u128::from(sequence));
        let content = Content::Event(Envelope { id, time: Timestamp(1), actor, event });
        Recorded { sequence, place: Some(Place { site: "s".parse().unwrap(), thread: None }), content }
    }

    #[test]
    fn a_rebuild_that_was_interrupted_goes_on_where_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let first = generations(dir.path());
        drop(first.store(1).unwrap());
        first.set_serving(1).unwrap();
        let building = first.begun().unwrap();
        assert!(!first.is_unfinished().unwrap());
        let store = first.store(building).unwrap();
        assert!(!first.is_unfinished().unwrap(), "somebody may have gone back from it");
        first.set_unfinished(building).unwrap();
        store.fold(&[opened(1), opened(2), opened(3)], ("test", 0, 1)).unwrap();
        store.flush().unwrap();
        drop((store, first));
        let second = generations(dir.path());
        assert_eq!((second.serving().unwrap(), second.begun().unwrap()), (Some(1), building));
        // sled lets go of its files a moment after it was dropped.
        let store = loop {
            match second.store(building) {
                Err(views::Error::InUse) => std::thread::yield_now(),
                opened => break opened.unwrap(),
            }
        };
        assert_eq!(store.sequence(), 3, "and not from the log's beginning");
        assert!(second.is_unfinished().unwrap());
        second.set_serving(building).unwrap();
        second.set_serving(1).unwrap();
        assert!(!second.is_unfinished().unwrap(), "it served once");
    }

    #[test]
    fn one_generation_before_is_kept_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let generations = generations(dir.path());
        for number in 1..=4 {
            drop(generations.store(number).unwrap());
        }
        generations.set_aside(1).unwrap();
        generations.keep(4, 1).unwrap();
        let found = lying(dir.path()).unwrap();
        let found: Vec<_> = found.iter().map(|lying| (lying.number, lying.unusable, lying.schema)).collect();
        assert_eq!(found, [(1, true, SCHEMA), (3, false, SCHEMA), (4, false, SCHEMA)]);
        assert!(generations.drop_kept(3).unwrap().is_some_and(|bytes| bytes > 0));
        assert!(generations.drop_kept(1).unwrap().is_some());
        assert_eq!(generations.drop_kept(3).unwrap(), None);
        assert_eq!(generations.begun().unwrap(), 4, "one that never served goes on");
    }
}
