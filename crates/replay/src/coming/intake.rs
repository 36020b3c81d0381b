//! Takes in what a format finds: items to be sorted, rows that are bad, and what cannot be carried.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Weak;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::item::{Author, Ballot, Comment, Item, Thread};
use super::sort::{Key, Sorted, Sorter};
use crate::limits::ROW_CHARS_KEPT;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) threads: u64,
    pub(super) comments: u64,
    pub(super) authors: u64,
    pub(super) votes: u64,
    /// Rows that could not be read, by reason.
    pub(super) bad: BTreeMap<String, u64>,
    /// What cannot be carried, by reason.
    pub(super) left: BTreeMap<String, u64>,
}

/// Takes in.
pub(super) struct Intake {
    sorter: Sorter,
    number: u64,
    found: Found,
    authors: HashSet<u64>,
    hasher: RandomState,
    rejected: Rejected,
    /// Gone once nobody waits for this any more.
    wanted: Weak<()>,
}

/// The side file, made with the first bad row.
struct Rejected {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Intake {
    pub(super) fn new(rejected: &Path, wanted: &Weak<()>) -> Self {
        Self {
            sorter: Sorter::default(),
            number: 0,
            found: Found::default(),
            authors: HashSet::new(),
            hasher: RandomState::new(),
            rejected: Rejected { path: rejected.to_owned(), file: None },
            wanted: Weak::clone(wanted),
        }
    }

    fn add(&mut self, key: impl FnOnce(u64) -> Key, item: &Item) -> anyhow::Result<()> {
        if self.wanted.strong_count() == 0 {
            bail!("stopped before it was done");
        }
        self.number += 1;
        self.sorter.add(key(self.number), item)
    }

    pub(super) fn author(&mut self, author: Author) -> anyhow::Result<()> {
        self.authors.insert(self.hasher.hash_one(&author.id));
        let (id, time) = (author.id.clone(), author.time);
        self.add(|number| Key::author(&id, time, number), &Item::Author(author))
    }

    pub(super) fn thread(&mut self, thread: Thread) -> anyhow::Result<()> {
        self.found.threads += u64::from(!thread.deleted);
        let key = thread.key.clone();
        self.add(|number| Key::thread(&key, number), &Item::Thread(thread))
    }

    pub(super) fn comment(&mut self, comment: Comment) -> anyhow::Result<()> {
        self.found.comments += 1;
        let (thread, time) = (comment.thread.clone(), comment.time);
        let index = Item::Index {
            thread: comment.thread.clone(),
            key: comment.key.clone(),
            parent: comment.parent.clone(),
        };
        self.add(|number| Key::index(&thread, number), &index)?;
        self.add(|number| Key::comment(&thread, time, number), &Item::Comment(comment))
    }

    pub(super) fn ballot(&mut self, ballot: Ballot) -> anyhow::Result<()> {
        self.found.votes += 1;
        let Ballot { thread, comment, voter, time, .. } = ballot.clone();
        self.add(|number| Key::vote(&thread, (&comment, &voter), time, number), &Item::Vote(ballot))
    }

    /// A row that is not what it should be.
    pub(super) fn bad(&mut self, line: u64, reason: &str, row: &str) -> anyhow::Result<()> {
        *self.found.bad.entry(reason.to_owned()).or_default() += 1;
        self.rejected.add(line, reason, row)
    }

    /// Something that is well, and has no place in Koe.
    pub(super) fn left(&mut self, reason: &str) {
        *self.found.left.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn done(mut self) -> anyhow::Result<(Sorted, Found, Option<PathBuf>)> {
        self.found.authors = u64::try_from(self.authors.len()).expect("a count fits");
        let path = self.rejected.finish()?;
        Ok((self.sorter.sorted()?, self.found, path))
    }
}

impl Rejected {
    fn add(&mut self, line: u64, reason: &str, row: &str) -> anyhow::Result<()> {
        if self.file.is_none() {
            let file = File::create(&self.path);
            let file = file.with_context(|| {
                format!("{} cannot be written: say another place with --rejected", self.path.display())
            })?;
            self.file = Some(BufWriter::new(file));
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let row: String = row.chars().take(ROW_CHARS_KEPT).collect();
        writeln!(file, "{}", json!({ "line": line, "reason": reason, "row": row }))
            .context("the side file cannot be written")
    }

    fn finish(self) -> anyhow::Result<Option<PathBuf>> {
        let Some(mut file) = self.file else { return Ok(None) };
        file.flush().context("the side file cannot be written")?;
        Ok(Some(self.path))
    }
}
