//! Reading an archive: every byte is checked before anything is done with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::Timestamp;
use journal::Entry;
use wire::codec::Format;

use super::{ChunkEnd, End, FORMAT, Line, Manifest};
use crate::limits::{FRAME_BYTES_MAX, MESSAGE_BYTES_MAX};

/// An archive that is being read, chunk by chunk.
pub(crate) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    manifest: Manifest,
    sum: blake3::Hasher,
    /// Chunks and events so far.
    chunks: u64,
    events: u64,
    end: Option<End>,
}

/// What stands between two checksums.
pub(crate) struct Chunk {
    /// Its events, in the order of the log.
    pub(crate) entries: Vec<Entry>,
}

/// An archive that was read to its end and is what was written.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) end: End,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let mut file = BufReader::new(file);
        let first = frame(&mut file).ok().flatten();
        let manifest = first.as_deref().and_then(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
        let version = manifest.as_ref().and_then(|manifest| manifest.get("koe_archive")?.as_u64());
        match version {
            None => bail!(
                "{} is no archive of Koe, or its first bytes are damaged; nothing was done with it",
                path.display()
            ),
            Some(version) if version > u64::from(FORMAT) => bail!(
                "{} has version {version} of the format, and this release reads up to {FORMAT}: take a newer one",
                path.display()
            ),
            Some(_) => {}
        }
        let first = first.unwrap_or_default();
        let manifest = serde_json::from_slice(&first);
        let manifest = manifest.with_context(|| format!("the manifest of {} cannot be read", path.display()))?;
        let mut sum = blake3::Hasher::new();
        sum.update(&first);
        Ok(Self { path: path.to_owned(), file, manifest, sum, chunks: 0, events: 0, end: None })
    }

    /// The next chunk, `None` at the end. Fails where the file is not what was written.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Chunk>> {
        if self.end.is_some() {
            return Ok(None);
        }
        let at = self.file.stream_position().unwrap_or_default();
        let (path, next) = (self.path.clone(), self.chunks + 1);
        let read = self.read();
        read.with_context(|| {
            format!(
                "{} is damaged in its chunk {next}, after {} whole events, which begins at byte {at}",
                path.display(),
                self.events
            )
        })
    }

    fn read(&mut self) -> anyhow::Result<Option<Chunk>> {
        let lines = frame(&mut self.file)?.context("the file ends too early")?;
        let body = lines.strip_suffix(b"\n").context("its last line has no end")?;
        let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let (before, last) = lines.split_at(start);
        if before.is_empty() {
            return self.finish(last).map(|()| None);
        }
        let chunk: ChunkEnd = serde_json::from_slice(last).context("its last line is no checksum")?;
        let blake3 = blake3::hash(before).to_hex();
        ensure!(blake3.as_str() == chunk.blake3, "its checksum is another");
        ensure!(chunk.chunk == self.chunks + 1, "it is chunk {} that stands there", chunk.chunk);
        self.sum.update(blake3.as_bytes());
        let entries: Vec<Entry> =
            before.split_inclusive(|byte| *byte == b'\n').map(to_entry).collect::<Result<_, _>>()?;
        let events = u64::try_from(entries.len()).expect("a length fits");
        ensure!(events == chunk.events, "it has {events} events and should have {}", chunk.events);
        self.chunks += 1;
        self.events += events;
        Ok(Some(Chunk { entries }))
    }

    fn finish(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let end: End = serde_json::from_slice(line).context("its last line is neither a checksum nor the end")?;
        ensure!(end.blake3 == self.sum.finalize().to_hex().as_str(), "the checksum of the whole is another");
        ensure!((end.chunks, end.events) == (self.chunks, self.events), "chunks are missing");
        ensure!(self.file.fill_buf()?.is_empty(), "something follows its end");
        self.end = Some(end);
        Ok(())
    }

    fn verified(self) -> anyhow::Result<Verified> {
        let end = self.end.context("the archive was not read to its end")?;
        Ok(Verified { path: self.path, manifest: self.manifest, end })
    }
}

/// Reads all of an archive, and shows each chunk to somebody.
pub(crate) fn verify(
    path: &Path,
    mut see: impl FnMut(&Manifest, &Chunk) -> anyhow::Result<()>,
) -> anyhow::Result<Verified> {
    let mut reader = Reader::open(path)?;
    let mut last = reader.manifest.after;
    while let Some(chunk) = reader.next()? {
        for entry in &chunk.entries {
            ensure!(
                entry.sequence > last && entry.sequence <= reader.manifest.up_to,
                "{} has its event {} out of order",
                path.display(),
                entry.sequence
            );
            last = entry.sequence;
        }
        see(&reader.manifest, &chunk)?;
    }
    reader.verified()
}

/// The next frame unpacked, `None` at the end of the file.
fn frame(file: &mut BufReader<File>) -> anyhow::Result<Option<Vec<u8>>> {
    if file.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(file)?.single_frame();
    let mut lines = Vec::new();
    decoder.take(FRAME_BYTES_MAX).read_to_end(&mut lines).context("it cannot be unpacked")?;
    ensure!(u64::try_from(lines.len()).is_ok_and(|bytes| bytes < FRAME_BYTES_MAX), "it is larger than any chunk");
    Ok(Some(lines))
}

/// The message that a line stands for.
fn to_entry(line: &[u8]) -> anyhow::Result<Entry> {
    let line: Line = serde_json::from_slice(line).context("a line is no event")?;
    let (message_id, payload) = match (line.event, line.payload) {
        (Some(event), None) => {
            let payload = Bytes::from(Format::Protobuf.encode(&event));
            (line.message_id.unwrap_or(event.id), payload)
        }
        (None, Some(payload)) => {
            let payload = STANDARD.decode(payload).context("a payload is no base64")?;
            (line.message_id.unwrap_or_default(), Bytes::from(payload))
        }
        _ => bail!("a line has neither an event nor a payload, or both"),
    };
    ensure!(payload.len() <= MESSAGE_BYTES_MAX, "a message is larger than the broker takes");
    ensure!(wire::subject::is_event(&line.subject), "a line has a subject that no event has");
    Ok(Entry {
        sequence: line.sequence,
        subject: line.subject,
        message_id,
        payload,
        stored: Timestamp(line.stored_millis),
    })
}
