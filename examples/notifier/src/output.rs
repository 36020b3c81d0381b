//! Where notifications go: one line of JSON each, appended, and never one twice.
//!
//! What is told is a function of the log, and each line has the number of the event that it is told for. So the last
//! line says how far was told, whatever the state says: events up to there are read again and not told again. A line
//! that a kill cut off is taken away, and told again whole.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::replies::Notification;

/// The end of the file in which the last line stands: a notification has a few hundred bytes.
const TAIL_BYTES: u64 = 64 * 1024;

pub(crate) struct Output {
    /// `None` for standard output.
    file: Option<File>,
    /// The number of the last event that was told of.
    told: u64,
}

impl Output {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { file: None, told: 0 }) };
        let open = || {
            let mut file = File::options().create(true).read(true).append(true).open(path)?;
            let last = last_line(&mut file)?;
            Ok::<_, anyhow::Error>((file, last))
        };
        let (file, last) = open().with_context(|| format!("{} cannot be opened", path.display()))?;
        let told = match last {
            Some(line) => {
                let told: Notification = serde_json::from_str(&line)
                    .with_context(|| format!("the last line of {} is not mine", path.display()))?;
                told.sequence
            }
            None => 0,
        };
        Ok(Self { file: Some(file), told })
    }

    /// Tells, unless that was told already.
    pub(crate) fn tell(&mut self, notification: &Notification) -> anyhow::Result<()> {
        if notification.sequence <= self.told {
            return Ok(());
        }
        let mut line = serde_json::to_string(notification)?;
        line.push('\n');
        if let Some(file) = &mut self.file {
            file.write_all(line.as_bytes())?;
        } else {
            let mut out = std::io::stdout().lock();
            out.write_all(line.as_bytes())?;
            out.flush()?;
        }
        self.told = notification.sequence;
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

/// The last whole line, without the beginning of another after it, which is cut off.
fn last_line(file: &mut File) -> anyhow::Result<Option<String>> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    anyhow::ensure!(whole > 0 || from == 0, "it has no line end in its last {TAIL_BYTES} bytes");
    file.set_len(from + u64::try_from(whole)?)?;
    tail.truncate(whole);
    let last = tail.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
    Ok(last.map(|line| String::from_utf8_lossy(line).into_owned()))
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

    fn told(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str::<Notification>(line).unwrap().sequence).collect()
    }

    #[test]
    fn what_was_told_is_not_told_again_and_half_a_line_is_told_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut output = Output::open(Some(&path)).unwrap();
        for sequence in [3, 5, 8] {
            output.tell(&notification(sequence)).unwrap();
        }
        drop(output);
        // A kill in the middle of the last line.
        let length = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(length - 7).unwrap();
        let mut output = Output::open(Some(&path)).unwrap();
        for sequence in [3, 5, 8, 9] {
            output.tell(&notification(sequence)).unwrap();
        }
        assert_eq!(told(&path), [3, 5, 8, 9]);
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        std::fs::write(&path, "hello\n").unwrap();
        assert!(Output::open(Some(&path)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\n");
    }
}
