//! Figures in a document, between two marker lines; what stands around them is somebody's words and stays.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::report::{Columns, Figure};

const BEGIN: &str = "<!-- figures: `koe bench --write` writes what stands from here to the next such line -->";
const END: &str = "<!-- end of the figures -->";

/// A document that has the marker lines.
pub(crate) struct Document {
    path: PathBuf,
    before: String,
    after: String,
}

impl Document {
    /// Reads it, so that one without marker lines is refused before anything is measured.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let Some((before, after)) = parts else {
            bail!("{} has not both lines between which figures are written: {BEGIN} and {END}", path.display());
        };
        let (before, after) = (before.to_owned(), after.to_owned());
        Ok(Self { path: path.to_owned(), before, after })
    }

    /// Puts the figures of this run in the place of those that were there.
    pub(crate) fn write(&self, figures: &[Figure], machine: &str) -> anyhow::Result<()> {
        let Self { path, before, after } = self;
        let text = format!("{before}{BEGIN}\n\n{}\n{END}{after}", table(figures, machine));
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

fn table(figures: &[Figure], machine: &str) -> String {
    let row = |figure: &Figure| {
        let Columns { value, ceiling, ratio } = figure.columns("");
        format!("| {} | {value} | {ceiling} | {ratio} | {} |\n", figure.name, figure.unit)
    };
    let rows: String = figures.iter().map(row).collect();
    format!("{machine}\n\n| | figure | ceiling | ratio | unit |\n|---|---:|---:|---:|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_between_the_marker_lines_and_nothing_else_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("performance.md");
        std::fs::write(&path, format!("Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")).unwrap();
        let figures = [Figure::new("fold", 1_000.0, Some(4_000.0), "events/s")];
        for _ in 0..2 {
            Document::open(&path).unwrap().write(&figures, "2 cores.").unwrap();
        }
        let table = "2 cores.\n\n| | figure | ceiling | ratio | unit |\n|---|---:|---:|---:|---|\n\
                     | fold | 1,000 | 4,000 | 0.25 | events/s |\n";
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, format!("Before.\n\n{BEGIN}\n\n{table}\n{END}\n\nAfter.\n"));
    }

    #[test]
    fn a_document_without_marker_lines_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("performance.md");
        std::fs::write(&path, format!("{END}\n{BEGIN}\n")).unwrap();
        assert!(Document::open(&path).is_err());
        assert!(Document::open(&dir.path().join("none.md")).is_err());
    }
}
