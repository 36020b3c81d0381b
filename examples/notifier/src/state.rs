//! What spares reading the log from its beginning, in one small file that is always whole.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::replies::Replies;

/// How far the log was read, and what is remembered of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The last event that was dealt with, or where it began.
    pub(crate) position: Option<String>,
    /// That event's number: lines of the output up to it are settled in here. 0 if none was dealt with yet.
    #[serde(default)]
    pub(crate) sequence: u64,
    pub(crate) replies: Replies,
    /// The position that the file has.
    #[serde(skip)]
    pub(crate) saved: String,
}

impl State {
    /// The state in a file; an empty one if there is no file.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
        };
        let mut state: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is not my state", file.display()))?;
        state.saved = state.position.clone().unwrap_or_default();
        Ok(state)
    }

    /// Replaces the file: whoever is killed meanwhile finds the old one or the new one.
    pub(crate) fn save(&mut self, file: &Path) -> anyhow::Result<()> {
        let beside = beside(file);
        let write = || {
            let mut new = File::create(&beside)?;
            new.write_all(serde_json::to_string(self).map_err(std::io::Error::from)?.as_bytes())?;
            new.sync_all()?;
            std::fs::rename(&beside, file)
        };
        write().with_context(|| format!("{} cannot be written", file.display()))?;
        self.saved = self.position.clone().unwrap_or_default();
        Ok(())
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_found_again_and_a_half_written_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state.json");
        assert_eq!(State::load(&file).unwrap().position, None);
        let mut state = State { position: Some("0-1-7".into()), ..State::default() };
        state.save(&file).unwrap();
        std::fs::write(beside(&file), "{\"posi").unwrap();
        assert_eq!(State::load(&file).unwrap().position.as_deref(), Some("0-1-7"));
    }
}
