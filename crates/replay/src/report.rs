//! What a comparison found, for people and for programs.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use domain::{Place, ThreadId};
use indicatif::HumanCount;
use serde_json::json;
use views::BrokenLaw;
use wire::Position;

use crate::compare::{Difference, Spot};
use crate::describe::plain;
use crate::limits::{DIFFERENCES_KEPT_MAX, DIFFERENCES_SHOWN_MAX, WORDS_CHARS_SHOWN};

/// What a comparison found.
#[derive(Debug)]
pub(crate) struct Report {
    places: u64,
    events: u64,
    position: Position,
    differences: Vec<Found>,
    /// Differences that are not kept.
    more: u64,
    /// Laws that do not hold in the own fold, in words, the first of them.
    broken: Vec<String>,
    broken_count: u64,
    /// Where messages stand that cannot be read, the first of them.
    unreadable: Vec<u64>,
    unreadable_count: u64,
}

/// A place that differs.
#[derive(Debug)]
struct Found {
    place: Place,
    comment: Option<u32>,
    what: &'static str,
    /// The first field that differs, as the log gives it and as it is served.
    field: Option<(String, String, String)>,
}

impl Report {
    /// Nothing compared yet, in a log that was followed to here.
    pub(crate) fn new(position: Position) -> Self {
        Self {
            places: 0,
            events: 0,
            position,
            differences: Vec::new(),
            more: 0,
            broken: Vec::new(),
            broken_count: 0,
            unreadable: Vec::new(),
            unreadable_count: 0,
        }
    }

    /// Adds what was compared as of a position, with this many events folded.
    pub(crate) fn compared(&mut self, places: usize, events: u64, position: Position) {
        self.places += u64::try_from(places).expect("a length fits");
        (self.events, self.position) = (events, position);
    }

    /// Adds a difference, and where in the place it is, if that is known.
    pub(crate) fn add(&mut self, place: Place, difference: Difference, spot: Option<Spot>) {
        if self.differences.len() >= DIFFERENCES_KEPT_MAX {
            self.more += 1;
            return;
        }
        let (comment, what) = match (difference, spot) {
            (Difference::NotServed, _) => (None, "in the log and not served"),
            (Difference::NotInLog, _) => (None, "served and not in the log"),
            (Difference::Contents, None) => (None, "its contents differ"),
            (Difference::Contents, Some(Spot::Outside)) => (None, "it differs outside its comments"),
            (Difference::Contents, Some(Spot::Comment(number))) => (Some(number), "its contents differ"),
            (Difference::Contents, Some(Spot::NotServed(number))) => (Some(number), "in the log and not served"),
            (Difference::Contents, Some(Spot::NotInLog(number))) => (Some(number), "served and not in the log"),
        };
        self.differences.push(Found { place, comment, what, field: None });
    }

    /// Says of the last difference which field it is in, as the log gives it and as it is served.
    pub(crate) fn add_field(&mut self, name: &str, folded: &str, served: &str) {
        if let Some(found) = self.differences.last_mut() {
            found.field = Some((name.to_owned(), folded.to_owned(), served.to_owned()));
        }
    }

    /// Adds a law that does not hold.
    pub(crate) fn add_broken(&mut self, place: &Place, law: BrokenLaw) {
        self.broken_count += 1;
        if self.broken.len() >= DIFFERENCES_SHOWN_MAX {
            return;
        }
        let what = match law {
            BrokenLaw::Tally { comment, tally, voters } => {
                format!("comment {comment} shows {tally} and its voters come to {voters}")
            }
            BrokenLaw::Count { count, rows } => format!("it counts {count} comments and has {rows} rows"),
            BrokenLaw::Gap { expected, found } => format!("comment {expected} is missing, {found} comes next"),
        };
        self.broken.push(format!("{}: {what}", words_of(place)));
    }

    /// Says which messages of the log could not be read: the first of them, and how many.
    pub(crate) fn set_unreadable(&mut self, (first, count): (Vec<u64>, u64)) {
        (self.unreadable, self.unreadable_count) = (first, count);
    }

    /// Whether what is served is the fold of the log, and the log and the fold are as they should be.
    pub(crate) fn is_well(&self) -> bool {
        self.is_equal() && self.broken_count == 0 && self.unreadable_count == 0
    }

    /// As metrics of a scheduled run, in Prometheus's text format.
    pub(crate) fn metrics(&self, took: Duration, now: i64) -> String {
        let gauges = [
            ("well", "Whether all is as it should be", f64::from(u8::from(self.is_well()))),
            ("differing_places", "Places that differ from the fold of the log", float(self.differing())),
            ("broken_laws", "Laws that do not hold in the fold of the log", float(self.broken_count)),
            ("unreadable_events", "Messages of the log that cannot be read", float(self.unreadable_count)),
            ("places", "Places that were compared", float(self.places)),
            ("events", "Events that were folded", float(self.events)),
            ("duration_seconds", "How long it took", took.as_secs_f64()),
            ("timestamp_seconds", "When it was done, since 1970", float(u64::try_from(now).unwrap_or_default())),
        ];
        let mut text = String::new();
        for (name, help, value) in gauges {
            let name = format!("koe_replay_verify_{name}");
            writeln!(text, "# HELP {name} {help}.\n# TYPE {name} gauge\n{name} {value}")
                .expect("a string takes what is written");
        }
        text
    }

    /// Whether everything is what it should be.
    pub(crate) fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }

    fn differing(&self) -> u64 {
        self.more + u64::try_from(self.differences.len()).expect("a length fits")
    }

    /// For people: each difference on a line, then what was compared.
    pub(crate) fn words(&self) -> String {
        let shown = self.differences.iter().take(DIFFERENCES_SHOWN_MAX);
        let mut lines: Vec<String> = shown.map(Found::words).collect();
        let left = self.differing() - u64::try_from(lines.len()).expect("a length fits");
        if left > 0 {
            lines.push(format!("and {} more", HumanCount(left)));
        }
        lines.extend(self.broken.iter().cloned());
        let hidden = self.broken_count - u64::try_from(self.broken.len()).expect("a length fits");
        if hidden > 0 {
            lines.push(format!("and {} more laws that do not hold", HumanCount(hidden)));
        }
        if self.unreadable_count > 0 {
            let first: Vec<_> = self.unreadable.iter().map(ToString::to_string).collect();
            let count = counted(self.unreadable_count, "message");
            lines.push(format!(
                "{count} of the log cannot be read, at {}: see `koe replay frozen list`",
                first.join(", ")
            ));
        }
        let verdict = match self.differing() {
            0 => "digests equal".to_owned(),
            1 => "1 place differs".to_owned(),
            differing => format!("{} places differ", HumanCount(differing)),
        };
        let (places, events) = (counted(self.places, "place"), counted(self.events, "event"));
        let broken = match self.broken_count {
            0 => String::new(),
            count => format!(", {} do not hold", counted(count, "law")),
        };
        lines.push(format!("verified: {places}, {events}, position {}, {verdict}{broken}\n", self.position));
        lines.join("\n")
    }

    /// For programs: one object. A difference about a site has an empty thread; `more` are those left out.
    pub(crate) fn json(&self) -> String {
        let differences: Vec<_> = self.differences.iter().map(Found::json).collect();
        let object = json!({
            "equal": self.is_equal(),
            "well": self.is_well(),
            "broken": self.broken,
            "broken_count": self.broken_count,
            "unreadable": self.unreadable,
            "unreadable_count": self.unreadable_count,
            "places": self.places,
            "events": self.events,
            "sequence": self.position.sequence,
            "differences": differences,
            "more": self.more,
        });
        format!("{object}\n")
    }
}

impl Found {
    fn words(&self) -> String {
        let comment = self.comment.map_or_else(String::new, |comment| format!(" comment {comment}"));
        let field = self.field.as_ref().map_or_else(String::new, |(name, folded, served)| {
            format!(", first in its {name}: {} in the log, {} served", shortened(folded), shortened(served))
        });
        format!("{}{comment}: {}{field}", words_of(&self.place), self.what)
    }

    fn json(&self) -> serde_json::Value {
        let field = self.field.as_ref();
        json!({
            "site": self.place.site.as_str(),
            "thread": self.place.thread.as_ref().map_or("", ThreadId::as_str),
            "comment": self.comment,
            "what": self.what,
            "field": field.map(|(name, _, _)| name),
            "in_log": field.map(|(_, folded, _)| folded),
            "served": field.map(|(_, _, served)| served),
        })
    }
}

fn words_of(place: &Place) -> String {
    let thread = place.thread.as_ref().map_or_else(String::new, |thread| format!(" thread {thread}"));
    format!("site {}{thread}", place.site)
}

/// A value on one line.
fn shortened(value: &str) -> String {
    let shown: String = plain(value).chars().take(WORDS_CHARS_SHOWN).collect();
    if shown.is_empty() { "nothing".to_owned() } else { shown }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "metrics are floats, and counts stay below 2^53"
)]
fn float(count: u64) -> f64 {
    count as f64
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}

/// Writes the result to stdout, where nothing else is written.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.context("the result cannot be written to stdout")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refold::tests::place;

    fn report() -> Report {
        let mut report = Report::new(Position { epoch: 0xfeed, sequence: 0 });
        report.compared(12, 1_234, Position { epoch: 0xfeed, sequence: 1_240 });
        report
    }

    #[test]
    fn an_equal_fold_is_one_line() {
        let report = report();
        assert!(report.is_equal());
        let words = "verified: 12 places, 1,234 events, position 0-feed-1240, digests equal\n";
        assert_eq!(report.words(), words);
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        let expected =
            [("equal", json!(true)), ("well", json!(true)), ("places", json!(12)), ("events", json!(1234))];
        for (name, value) in expected {
            assert_eq!(json[name], value, "{name}");
        }
        assert_eq!(
            (&json["sequence"], &json["differences"], &json["more"]),
            (&json!(1240), &json!([]), &json!(0))
        );
    }

    #[test]
    fn differences_are_named_and_bounded() {
        let mut report = report();
        report.add(place(Some("a")), Difference::Contents, Some(Spot::Comment(7)));
        report.add(place(None), Difference::Contents, Some(Spot::Outside));
        for _ in 0..DIFFERENCES_KEPT_MAX {
            report.add(place(Some("b")), Difference::NotServed, None);
        }
        let words = report.words();
        let lines: Vec<_> = words.lines().collect();
        assert_eq!(lines.len(), DIFFERENCES_SHOWN_MAX + 2);
        assert_eq!(lines[0], "site demo thread a comment 7: its contents differ");
        assert_eq!(lines[1], "site demo: it differs outside its comments");
        assert_eq!(lines[DIFFERENCES_SHOWN_MAX], "and 982 more");
        assert!(words.ends_with("1,002 places differ\n"), "{words}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!((&json["equal"], &json["more"]), (&json!(false), &json!(2)));
        let first = &json["differences"][0];
        assert_eq!((&first["thread"], &first["comment"], &first["field"]), (&json!("a"), &json!(7), &json!(null)));
        assert_eq!(json["differences"][1]["thread"], "");
    }

    #[test]
    fn the_first_field_and_both_values_are_named() {
        let mut report = report();
        report.add(place(Some("a")), Difference::Contents, Some(Spot::Comment(7)));
        report.add_field("up", "5", "6");
        let words = report.words();
        assert!(
            words.starts_with(
                "site demo thread a comment 7: its contents differ, first in its up: 5 in the log, 6 served\n"
            ),
            "{words}"
        );
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        let first = &json["differences"][0];
        assert_eq!(
            (&first["field"], &first["in_log"], &first["served"]),
            (&json!("up"), &json!("5"), &json!("6"))
        );
    }

    #[test]
    fn broken_laws_and_what_cannot_be_read_are_not_well_and_go_into_the_metrics() {
        let mut report = report();
        let tally = |up| domain::Tally { up, down: 0 };
        report.add_broken(&place(Some("a")), BrokenLaw::Tally { comment: 3, tally: tally(2), voters: tally(1) });
        report.set_unreadable((vec![17], 1));
        assert!(report.is_equal() && !report.is_well());
        let words = report.words();
        assert!(
            words.contains("site demo thread a: comment 3 shows 2 ( +2 / -0 ) and its voters come to 1 ("),
            "{words}"
        );
        assert!(words.contains("1 message of the log cannot be read, at 17"), "{words}");
        let metrics = report.metrics(Duration::from_millis(1_500), 1_800_000_000);
        for line in [
            "koe_replay_verify_well 0",
            "koe_replay_verify_broken_laws 1",
            "koe_replay_verify_unreadable_events 1",
            "koe_replay_verify_duration_seconds 1.5",
            "koe_replay_verify_timestamp_seconds 1800000000",
        ] {
            assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
        }
    }
}
