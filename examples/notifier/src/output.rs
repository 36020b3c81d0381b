//! Where notifications go: one line of JSON each, appended, and never two of one reply.
//!
//! The state is saved after the output, so it may be older than the output and never newer. Lines for events that the
//! state has not seen say which replies were told of nevertheless; when their events are read again, nothing is told. A
//! line that a kill cut off is taken away, and told again whole.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::replies::Notification;

/// How much is read at once from the output's end. Also the longest line: a notification has a few hundred bytes.
const PART_BYTES: u64 = 64 * 1024;

pub(crate) struct Output {
    /// `None` for standard output.
    file: Option<File>,
    /// Replies that were told of and that the state does not know as told, by [`Notification::key`]. After a kill they are
    /// those of a second; without the state, all that the output has.
    told: HashSet<String>,
}

impl Output {
    /// Opens it for a state that has seen events up to a number.
    pub(crate) fn open(path: Option<&Path>, seen: u64) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, told: HashSet::new() }) };
        let open = || {
            let mut file = File::options().create(true).read(true).append(true).open(path)?;
            let whole = whole_lines(&mut file)?;
            let told = told_after(&mut file, whole, seen)?;
            file.set_len(whole)?;
            Ok::<_, anyhow::Error>((file, told))
        };
        let (file, told) = open().with_context(|| format!("{} cannot be my output", path.display()))?;
        Ok(Self { file: Some(file), told })
    }

    /// Whether a reply was told of before the last start. Says so once: the caller then settles it.
    pub(crate) fn was_told(&mut self, notification: &Notification) -> bool {
        self.told.remove(&notification.key())
    }

    pub(crate) fn tell(&mut self, notification: &Notification) -> anyhow::Result<()> {
        let mut line = serde_json::to_string(notification)?;
        line.push('\n');
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes())?;
        } else {
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    /// Makes sure that what was told survives a loss of power, before the state says that it was told.
    pub(crate) fn sync(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.file {
            file.sync_data()?;
        }
        Ok(())
    }
}

/// The bytes of the file up to the end of its last whole line.
fn whole_lines(file: &mut File) -> anyhow::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(PART_BYTES);
    let tail = part(file, from, length)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    anyhow::ensure!(whole > 0 || from == 0, "it has no line end in its last {PART_BYTES} bytes");
    Ok(from + u64::try_from(whole)?)
}

/// The replies in lines for events after a number. It reads from the end of the whole lines, until a line is for an event
/// up to that number. Before that one are only such: they were written before a state with that number was saved.
fn told_after(file: &mut File, whole: u64, seen: u64) -> anyhow::Result<HashSet<String>> {
    let mut told = HashSet::new();
    let mut from = whole;
    // The end of the line that begins before `from`.
    let mut rest = Vec::new();
    while from > 0 {
        let end = from;
        from = end.saturating_sub(PART_BYTES);
        let mut read = part(file, from, end)?;
        read.append(&mut rest);
        let first =
            if from == 0 { 0 } else { read.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1) };
        let lines = read.split_off(first);
        rest = read;
        anyhow::ensure!(u64::try_from(rest.len())? <= PART_BYTES, "it has a line of more than {PART_BYTES} bytes");
        for line in lines.rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Notification = serde_json::from_slice(line).context("a line of it is not mine")?;
            if line.sequence <= seen {
                return Ok(told);
            }
            told.insert(line.key());
        }
    }
    Ok(told)
}

fn part(file: &mut File, from: u64, end: u64) -> anyhow::Result<Vec<u8>> {
    let mut part = vec![0; usize::try_from(end - from)?];
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(&mut part)?;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(sequence: u64) -> Notification {
        let text = |text: &str| text.to_owned();
        Notification {
            to: text("ann"),
            from: text("ben"),
            site: text("s"),
            thread: text("t"),
            comment: sequence.to_string(),
            parent: text("1"),
            position: format!("0-1-{sequence}"),
            sequence,
        }
    }

    fn lines(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Notification>(line).unwrap().sequence).collect()
    }

    #[test]
    fn what_was_told_is_known_once_and_half_a_line_is_told_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut output = Output::open(Some(&path), 0).unwrap();
        // Not in the order of the log: what was held in one life and is visible in the next is told of late.
        for sequence in [3, 8, 5, 9] {
            output.tell(&notification(sequence)).unwrap();
        }
        drop(output);
        // A kill in the middle of the last line.
        let length = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length - 7).unwrap();
        let mut output = Output::open(Some(&path), 4).unwrap();
        for sequence in [5, 8, 9] {
            if !output.was_told(&notification(sequence)) {
                output.tell(&notification(sequence)).unwrap();
            }
        }
        assert_eq!(lines(&path), [3, 8, 5, 9]);
        assert!(!output.was_told(&notification(8)));
    }

    #[test]
    fn lines_are_read_from_the_end_across_parts_and_only_as_far_as_the_state_is_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut output = Output::open(Some(&path), 0).unwrap();
        for sequence in 1..=2_000 {
            output.tell(&notification(sequence)).unwrap();
        }
        assert!(std::fs::metadata(&path).unwrap().len() > 3 * PART_BYTES);
        for seen in [0, 1, 700, 1_999, 2_000] {
            let told = Output::open(Some(&path), seen).unwrap().told;
            let expected: HashSet<String> =
                (seen + 1..=2_000).map(|sequence| notification(sequence).key()).collect();
            assert_eq!(told, expected, "{seen}");
        }
    }

    #[test]
    fn a_file_of_another_program_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        std::fs::write(&path, "hello\nyou").unwrap();
        assert!(Output::open(Some(&path), 0).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\nyou");
    }
}
