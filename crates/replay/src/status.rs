//! `koe replay status`: how far the projector is, what lies on its disk, and what it met.

use std::fmt::Write as _;

use indicatif::{HumanBytes, HumanCount};
use serde_json::json;
use wire::v1::StatusReply;

/// For people: a table of two columns, then one of generations, frozen places and void events where there are any.
pub(crate) fn words(status: &StatusReply) -> String {
    let mut words = String::new();
    let mut row = |name: &str, value: String| {
        writeln!(words, "{name:<12}{value}").expect("a string takes what is written");
    };
    let count = |number: u64| HumanCount(number).to_string();
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
pub(crate) fn json(status: &StatusReply) -> String {
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
    let frozen = status.frozen.iter().map(|frozen| {
        json!({
            "site": frozen.site,
            "thread": frozen.thread,
            "sequence": frozen.sequence,
            "message_id": frozen.message_id,
            "reason": frozen.reason,
        })
    });
    let void: serde_json::Map<_, _> =
        status.void_events.iter().map(|void| (void.name.clone(), json!(void.count))).collect();
    let object = json!({
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

fn lag(status: &StatusReply) -> u64 {
    status.end.saturating_sub(status.sequence)
}

/// How much of the log the rebuild has folded; 100 only when that is all.
fn percent(status: &StatusReply) -> u64 {
    status.rebuilding_sequence.min(status.end).saturating_mul(100).checked_div(status.end).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use wire::v1::{FrozenThread, NamedCount, StoredGeneration};

    use super::*;

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
log end     1,234
serving     generation 2
position    1,200 (0-feed-1200)
lag         34
rebuilding  generation 3, 1,233 of 1,234 (99%)
store       ok
schema      4
on disk     generation 1     unusable    2.00 KiB    schema ?
on disk     generation 2     serving     3.00 MiB    schema 4
on disk     generation 3     rebuilding  1.00 KiB    schema 4
frozen      site s thread t, at 900: unknown
void        own-comment             7
";
        assert_eq!(words(&status()), expected);
        let nothing = words(&StatusReply::default());
        assert!(
            nothing.contains("serving     nothing yet\n") && nothing.contains("rebuilding  no\n"),
            "{nothing}"
        );
    }

    #[test]
    fn programs_get_one_object() {
        let object: serde_json::Value = serde_json::from_str(&json(&status())).unwrap();
        assert_eq!((&object["lag"], &object["rebuilding"]["percent"]), (&json!(34), &json!(99)));
        assert_eq!(
            (&object["void"]["own-comment"], &object["generations"][1]["bytes"]),
            (&json!(7), &json!(3_145_728))
        );
        let nothing: serde_json::Value = serde_json::from_str(&json(&StatusReply::default())).unwrap();
        assert_eq!((&nothing["serving"], &nothing["rebuilding"]), (&json!(0), &json!(null)));
    }
}
