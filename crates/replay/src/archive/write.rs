//! Writing an archive: lines into chunks, chunks into frames. The file has its name only once it is whole.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use journal::Entry;
use wire::codec::Format;
use wire::v1;

use super::{ChunkEnd, End, Line, Manifest};
use crate::limits::{CHUNK_BYTES, CHUNK_EVENTS, COMPRESSION_LEVEL};

/// An archive that is being written.
pub(crate) struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
    unfinished: PathBuf,
    /// The lines of the chunk under way.
    lines: Vec<u8>,
    events_in_chunk: u64,
    end: End,
    sum: blake3::Hasher,
}

impl Writer {
    /// Begins a new file. What is there already stays as it is.
    pub(crate) fn create(path: &Path, manifest: &Manifest) -> anyhow::Result<Self> {
        if path.exists() {
            bail!("{} is there already: name another file, or take it away", path.display());
        }
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished);
        let file = file.with_context(|| format!("{} cannot be written", unfinished.display()))?;
        let last_id = manifest.previous.as_ref().map(|previous| previous.last_id.clone());
        let mut writer = Self {
            file: BufWriter::new(file),
            path: path.to_owned(),
            unfinished,
            lines: Vec::new(),
            events_in_chunk: 0,
            end: End { chunks: 0, events: 0, last_id: last_id.unwrap_or_default(), blake3: String::new() },
            sum: blake3::Hasher::new(),
        };
        let line = line_of(manifest)?;
        writer.sum.update(&line);
        writer.frame(&line)?;
        Ok(writer)
    }

    /// Adds messages in the order of the log.
    pub(crate) fn add(&mut self, entries: &[Entry]) -> anyhow::Result<()> {
        for entry in entries {
            let begun = self.lines.len();
            if serde_json::to_writer(&mut self.lines, &to_line(entry)).is_err() {
                // What JSON cannot say: a number that is no value of its enum, a time beyond its calendar.
                self.lines.truncate(begun);
                let line = as_bytes(entry);
                serde_json::to_writer(&mut self.lines, &line).context("a message cannot be written as JSON")?;
            }
            self.lines.push(b'\n');
            self.events_in_chunk += 1;
            if self.events_in_chunk == CHUNK_EVENTS || self.lines.len() >= CHUNK_BYTES {
                self.end_chunk()?;
            }
        }
        if let Some(last) = entries.last() {
            self.end.last_id.clone_from(&last.message_id);
        }
        Ok(())
    }

    /// Finishes the file: on the disk, and then under its name.
    pub(crate) fn finish(mut self) -> anyhow::Result<End> {
        self.end_chunk()?;
        self.end.blake3 = self.sum.finalize().to_hex().to_string();
        let line = line_of(&self.end)?;
        self.frame(&line)?;
        let named = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        named
            .and_then(|()| std::fs::rename(&self.unfinished, &self.path))
            .with_context(|| format!("{} cannot be finished", self.path.display()))?;
        Ok(self.end)
    }

    fn end_chunk(&mut self) -> anyhow::Result<()> {
        if self.events_in_chunk == 0 {
            return Ok(());
        }
        let blake3 = blake3::hash(&self.lines).to_hex().to_string();
        self.sum.update(blake3.as_bytes());
        self.end.chunks += 1;
        self.end.events += self.events_in_chunk;
        let end = ChunkEnd { chunk: self.end.chunks, events: self.events_in_chunk, blake3 };
        let mut lines = std::mem::take(&mut self.lines);
        lines.extend(line_of(&end)?);
        self.frame(&lines)?;
        lines.clear();
        (self.lines, self.events_in_chunk) = (lines, 0);
        Ok(())
    }

    fn frame(&mut self, lines: &[u8]) -> anyhow::Result<()> {
        let packed = zstd::bulk::compress(lines, COMPRESSION_LEVEL).context("the archive cannot be compressed")?;
        let written = self.file.write_all(&packed);
        written.with_context(|| format!("{} cannot be written", self.unfinished.display()))
    }
}

fn line_of(value: &impl serde::Serialize) -> anyhow::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).context("a line cannot be written as JSON")?;
    line.push(b'\n');
    Ok(line)
}

/// A message as a line: readable if nothing is lost by it.
pub(crate) fn to_line(entry: &Entry) -> Line {
    let read = Format::Protobuf.decode::<v1::Envelope>(&entry.payload).ok();
    let read = read.filter(|event| Format::Protobuf.encode(event) == entry.payload);
    let Some(event) = read else { return as_bytes(entry) };
    let message_id = (event.id != entry.message_id).then(|| entry.message_id.clone());
    Line { message_id, event: Some(event), payload: None, ..as_bytes(entry) }
}

fn as_bytes(entry: &Entry) -> Line {
    Line {
        sequence: entry.sequence,
        stored_millis: entry.stored.0,
        subject: entry.subject.clone(),
        message_id: Some(entry.message_id.clone()),
        event: None,
        payload: Some(STANDARD.encode(&entry.payload)),
    }
}
