//! The archive: events of a log as a file that outlives the log. Stored: never change; `docs/archive.md` says it for others.
//!
//! A file of zstd frames, so that any tool unpacks it into lines of JSON. The first frame holds the manifest, each one after
//! it a chunk of events and the chunk's own checksum, the last one the sum of all.

mod read;
mod write;

use domain::SiteId;
use serde::{Deserialize, Serialize};
use wire::v1;

pub(crate) use read::{Reader, Verified, verify};
pub(crate) use write::{Writer, to_line};

/// The version of the format that this release writes, and the latest that it reads.
pub(crate) const FORMAT: u32 = 1;

/// What an archive is of: its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the format.
    pub(crate) koe_archive: u32,
    /// The release that wrote it.
    pub(crate) koe: String,
    /// The site it is of; `None` for all of the log.
    pub(crate) site: Option<SiteName>,
    /// The stream's name.
    pub(crate) stream: String,
    /// When the stream was made, in nanoseconds since the Unix epoch.
    pub(crate) created_nanos: i64,
    /// The log's epoch, in hexadecimal digits.
    pub(crate) epoch: String,
    /// Its events stand after this place in the log.
    pub(crate) after: u64,
    /// Its events stand up to this place: the log's end when it was written.
    pub(crate) up_to: u64,
    /// The archive that it follows.
    pub(crate) previous: Option<Previous>,
    /// When it was written, in RFC 3339.
    pub(crate) exported: String,
}

/// A site's id, checked when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SiteName(pub(crate) SiteId);

impl TryFrom<String> for SiteName {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        id.parse().map(Self).or(Err("the site's id is not one".to_owned()))
    }
}

impl From<SiteName> for String {
    fn from(site: SiteName) -> Self {
        site.0.to_string()
    }
}

/// The archive that another one follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Previous {
    /// The checksum in its last line.
    pub(crate) blake3: String,
    /// The message id of the last event of the chain up to it; empty if the chain has none.
    pub(crate) last_id: String,
}

/// A line about an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Where it stood in the log.
    pub(crate) sequence: u64,
    /// When the broker took it in, in milliseconds since the Unix epoch.
    pub(crate) stored_millis: i64,
    /// Its subject.
    pub(crate) subject: String,
    /// Its `Nats-Msg-Id`, where that is not the event's `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The event in the proto3 JSON mapping, if that leads back to the same bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<v1::Envelope>,
    /// The message's bytes in base64, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
}

/// The last line of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChunkEnd {
    /// From 1 on.
    pub(crate) chunk: u64,
    /// Its events.
    pub(crate) events: u64,
    /// BLAKE3 over its lines but this one, with their line ends.
    pub(crate) blake3: String,
}

/// The last line of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// Its chunks.
    pub(crate) chunks: u64,
    /// Its events.
    pub(crate) events: u64,
    /// The message id of the last event of the chain up to here; empty if there is none.
    pub(crate) last_id: String,
    /// BLAKE3 over the manifest's line and the checksums of the chunks in hexadecimal digits.
    pub(crate) blake3: String,
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use journal::Entry;

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            koe_archive: FORMAT,
            koe: "0.2.0".into(),
            site: None,
            stream: "KOE_EVENTS".into(),
            created_nanos: 1,
            epoch: "feed".into(),
            after: 0,
            up_to: u64::MAX,
            previous: None,
            exported: "2026-11-24T00:00:00Z".into(),
        }
    }

    fn entry(sequence: u64, subject: &str, message_id: &str, payload: Vec<u8>) -> Entry {
        let (subject, message_id) = (subject.to_owned(), message_id.to_owned());
        Entry { sequence, subject, message_id, payload: payload.into(), stored: Timestamp(1_000) }
    }

    fn written(entries: &[Entry]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.koe");
        let mut writer = Writer::create(&path, &manifest()).unwrap();
        writer.add(entries).unwrap();
        assert!(!path.exists(), "it is not whole yet");
        writer.finish().unwrap();
        (dir, path)
    }

    /// Every event that was ever written, and messages that are none.
    fn messages() -> Vec<Entry> {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/events");
        let mut files: Vec<_> = std::fs::read_dir(golden).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
        files.sort();
        let mut messages: Vec<_> = (1..)
            .zip(files)
            .map(|(sequence, file)| {
                let text: String = std::fs::read_to_string(&file).unwrap().split_whitespace().collect();
                let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
                let bytes: Vec<_> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
                let id = wire::codec::Format::Protobuf.decode::<v1::Envelope>(&bytes).map(|event| event.id);
                entry(sequence, "koe.v1.event.s.3.t.comment-posted", &id.unwrap_or_default(), bytes)
            })
            .collect();
        let envelope = |time, actor: &str| {
            let event = v1::Envelope {
                id: "i".into(),
                time: Some(time),
                actor: Some(v1::Actor { id: actor.into(), roles: Vec::new() }),
                event: None,
            };
            wire::codec::Format::Protobuf.encode(&event)
        };
        let odd_time = wire::time::Timestamp { seconds: i64::MAX, nanos: -1 };
        let next = u64::try_from(messages.len()).unwrap() + 1;
        let unknown_field =
            [envelope(wire::time::Timestamp { seconds: 1, nanos: 0 }, "a"), vec![0xfa, 0x7f, 1, b'x']].concat();
        let odd = [vec![], vec![0xff; 40], envelope(odd_time, "a"), unknown_field];
        messages.extend(
            (next..).zip(odd).map(|(sequence, bytes)| {
                entry(sequence, "koe.v1.event.s.all.all.later-kind", "not-a-uuid", bytes)
            }),
        );
        messages
    }

    #[test]
    fn every_message_comes_back_byte_for_byte() {
        let messages = messages();
        let (_dir, path) = written(&messages);
        let mut read = Vec::new();
        let verified = verify(&path, |_, chunk| {
            read.extend(chunk.entries.iter().cloned());
            Ok(())
        });
        assert_eq!(verified.unwrap().end.events, u64::try_from(messages.len()).unwrap());
        let bare = |entry: &Entry| {
            let Entry { sequence, subject, message_id, payload, stored } = entry.clone();
            (sequence, subject, message_id, payload, stored)
        };
        assert_eq!(read.iter().map(bare).collect::<Vec<_>>(), messages.iter().map(bare).collect::<Vec<_>>());
    }

    #[test]
    fn most_lines_can_be_read_by_people() {
        let messages = messages();
        let lines: Vec<_> = messages.iter().map(write::to_line).collect();
        let readable = lines.iter().filter(|line| line.event.is_some()).count();
        assert!(readable >= messages.len() - 5, "{readable} of {}", messages.len());
    }

    #[test]
    fn a_single_flipped_bit_is_found_wherever_it_is() {
        let messages = messages();
        let (dir, path) = written(&messages);
        let whole = std::fs::read(path).unwrap();
        let damaged = dir.path().join("damaged.koe");
        let (mut found, mut tried) = (0, 0);
        for place in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            std::fs::write(&damaged, bytes).unwrap();
            tried += 1;
            match verify(&damaged, |_, _| Ok(())) {
                Err(_) => found += 1,
                // A bit of a frame's header that says nothing of its contents.
                Ok(verified) => assert_eq!(verified.end.events, u64::try_from(messages.len()).unwrap()),
            }
        }
        assert!(found * 100 >= tried * 98, "{found} of {tried}");
    }
}
