//! `koe replay status`: how far the projector is, what lies on its disk, and what it met.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use serde_json::json;
use wire::v1::{FrozenThread, StatusReply};

/// The stream, as the broker tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) subjects: u64,
    /// When the last message was stored, in RFC 3339; empty if there is none.
    pub(crate) last_stored: String,
    /// How long ago that was, by the broker's own messages and this machine's clock.
    pub(crate) age_secs: u64,
}

impl Log {
    /// Asks the broker.
    pub(crate) async fn look(nats: &async_nats::Client) -> anyhow::Result<Self> {
        let jetstream = async_nats::jetstream::new(nats.clone());
        let stream = jetstream.get_stream(wire::subject::STREAM).await;
        let stream = stream.context("there is no log here: has Koe run on this nats-server?")?;
        let state = &stream.cached_info().state;
        let stored = (state.messages > 0)
            .then(|| jiff::Timestamp::from_nanosecond(state.last_timestamp.unix_timestamp_nanos()));
        let stored = stored.transpose().context("the broker tells no time that can be")?;
        let age = stored.map(|stored| jiff::Timestamp::now().duration_since(stored).as_secs());
        Ok(Self {
            first: state.first_sequence,
            last: state.last_sequence,
            messages: state.messages,
            bytes: state.bytes,
            subjects: state.subjects_count,
            last_stored: stored.map_or_else(String::new, |stored| stored.to_string()),
            age_secs: age.and_then(|age| u64::try_from(age).ok()).unwrap_or_default(),
        })
    }
}

/// For people: a table of two columns, then one of generations, frozen places and void events where there are any.
pub(crate) fn words(log: &Log, status: &StatusReply, digest: Option<&str>) -> String {
    let mut words = String::new();
    let mut row = |name: &str, value: String| {
        writeln!(words, "{name:<12}{value}").expect("a string takes what is written");
    };
    let count = |number: u64| HumanCount(number).to_string();
    let (first, last, messages) = (count(log.first), count(log.last), count(log.messages));
    row(
        "log",
        format!(
            "{messages} messages from {first} to {last}, {}, {} subjects",
            HumanBytes(log.bytes),
            count(log.subjects)
        ),
    );
    if !log.last_stored.is_empty() {
        row(
            "last stored",
            format!("{}, {} ago", log.last_stored, HumanDuration(Duration::from_secs(log.age_secs))),
        );
    }
    row("log end", count(status.end));
    match status.generation {
        0 => row("serving", "nothing yet".to_owned()),
        generation => {
            row("serving", format!("generation {generation}"));
            row("position", format!("{} ({})", count(status.sequence), status.position));
            row("lag", count(lag(status)));
        }
    }
    match status.rebuilding {
        0 => row("rebuilding", "no".to_owned()),
        generation => {
            let (at, end) = (count(status.rebuilding_sequence), count(status.end));
            row("rebuilding", format!("generation {generation}, {at} of {end} ({}%)", percent(status)));
        }
    }
    row("store", status.store_state.clone());
    if let Some(digest) = digest {
        row("digest", digest.to_owned());
    }
    row("schema", status.schema.to_string());
    for generation in &status.generations {
        // HumanBytes takes no width.
        let (state, bytes) = (&generation.state, HumanBytes(generation.bytes).to_string());
        let schema = if generation.schema == 0 { "?".to_owned() } else { generation.schema.to_string() };
        row("on disk", format!("generation {:<6}{state:<12}{bytes:<12}schema {schema}", generation.number));
    }
    let tainted =
        status.generations.iter().filter(|generation| generation.begun_sequence < status.erased_sequence);
    if tainted.count() > 0 {
        row("erased", format!("up to {}; a rebuild that forgets it is due", count(status.erased_sequence)));
    } else if status.erased_sequence > 0 {
        row("erased", format!("up to {}; in no store", count(status.erased_sequence)));
    }
    for frozen in &status.frozen {
        let thread = if frozen.thread.is_empty() { String::new() } else { format!(" thread {}", frozen.thread) };
        row("frozen", format!("site {}{thread}, at {}: {}", frozen.site, count(frozen.sequence), frozen.reason));
    }
    for void in &status.void_events {
        row("void", format!("{:<24}{}", void.name, count(void.count)));
    }
    words
}

/// For programs: one object.
pub(crate) fn json(log: &Log, status: &StatusReply, digest: Option<&str>) -> String {
    let rebuilding = (status.rebuilding != 0).then(|| {
        json!({
            "generation": status.rebuilding,
            "sequence": status.rebuilding_sequence,
            "percent": percent(status),
        })
    });
    let generations = status.generations.iter().map(|generation| {
        json!({
            "number": generation.number,
            "state": generation.state,
            "bytes": generation.bytes,
            "schema": generation.schema,
            "begun": generation.begun_sequence,
        })
    });
    let frozen = status.frozen.iter().map(frozen);
    let void: serde_json::Map<_, _> =
        status.void_events.iter().map(|void| (void.name.clone(), json!(void.count))).collect();
    let object = json!({
        "log": {
            "first": log.first,
            "last": log.last,
            "messages": log.messages,
            "bytes": log.bytes,
            "subjects": log.subjects,
            "last_stored": log.last_stored,
            "age_secs": log.age_secs,
        },
        "digest": digest,
        "end": status.end,
        "serving": status.generation,
        "sequence": status.sequence,
        "position": status.position,
        "lag": lag(status),
        "rebuilding": rebuilding,
        "store": status.store_state,
        "schema": status.schema,
        "generations": generations.collect::<Vec<_>>(),
        "erased": status.erased_sequence,
        "frozen": frozen.collect::<Vec<_>>(),
        "void": void,
    });
    format!("{object}\n")
}

/// A place that stands still, for programs.
pub(crate) fn frozen(frozen: &FrozenThread) -> serde_json::Value {
    json!({
        "site": frozen.site,
        "thread": frozen.thread,
        "sequence": frozen.sequence,
        "message_id": frozen.message_id,
        "reason": frozen.reason,
    })
}

fn lag(status: &StatusReply) -> u64 {
    status.end.saturating_sub(status.sequence)
}

/// How much of the log the rebuild has folded; 100 only when that is all.
fn percent(status: &StatusReply) -> u64 {
    status.rebuilding_sequence.min(status.end).saturating_mul(100).checked_div(status.end).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use wire::v1::{NamedCount, StoredGeneration};

    use super::*;

    fn log() -> Log {
        Log {
            first: 1,
            last: 1_234,
            messages: 1_230,
            bytes: 2_048,
            subjects: 12,
            last_stored: "2026-11-24T07:00:00Z".into(),
            age_secs: 90,
        }
    }

    fn status() -> StatusReply {
        let generation = |number, state: &str, bytes, schema| StoredGeneration {
            number,
            state: state.into(),
            bytes,
            schema,
            begun_sequence: 0,
        };
        StatusReply {
            position: "0-feed-1200".into(),
            sequence: 1_200,
            end: 1_234,
            generation: 2,
            rebuilding: 3,
            rebuilding_sequence: 1_233,
            schema: 4,
            store_state: "ok".into(),
            generations: vec![
                generation(1, "unusable", 2_048, 0),
                generation(2, "serving", 3_145_728, 4),
                generation(3, "rebuilding", 1_024, 4),
            ],
            frozen: vec![FrozenThread {
                site: "s".into(),
                thread: "t".into(),
                sequence: 900,
                message_id: "m".into(),
                reason: "unknown".into(),
            }],
            void_events: vec![NamedCount { name: "own-comment".into(), count: 7 }],
            ..StatusReply::default()
        }
    }

    #[test]
    fn people_get_a_table() {
        let expected = "\
log         1,230 messages from 1 to 1,234, 2.00 KiB, 12 subjects
last stored 2026-11-24T07:00:00Z, 2 minutes ago
log end     1,234
serving     generation 2
position    1,200 (0-feed-1200)
lag         34
rebuilding  generation 3, 1,233 of 1,234 (99%)
store       ok
digest      abc
schema      4
on disk     generation 1     unusable    2.00 KiB    schema ?
on disk     generation 2     serving     3.00 MiB    schema 4
on disk     generation 3     rebuilding  1.00 KiB    schema 4
frozen      site s thread t, at 900: unknown
void        own-comment             7
";
        assert_eq!(words(&log(), &status(), Some("abc")), expected);
        let nothing = words(&Log::default(), &StatusReply::default(), None);
        assert!(
            nothing.contains("serving     nothing yet\n") && nothing.contains("rebuilding  no\n"),
            "{nothing}"
        );
    }

    #[test]
    fn programs_get_one_object() {
        let object: serde_json::Value = serde_json::from_str(&json(&log(), &status(), None)).unwrap();
        assert_eq!((&object["lag"], &object["rebuilding"]["percent"]), (&json!(34), &json!(99)));
        assert_eq!(
            (&object["void"]["own-comment"], &object["generations"][1]["bytes"]),
            (&json!(7), &json!(3_145_728))
        );
        let nothing: serde_json::Value =
            serde_json::from_str(&json(&Log::default(), &StatusReply::default(), None)).unwrap();
        assert_eq!((&nothing["serving"], &nothing["rebuilding"]), (&json!(0), &json!(null)));
    }
}
