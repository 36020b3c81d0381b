//! What a comparison found, for people and for programs.

use std::io::Write as _;

use anyhow::Context as _;
use domain::{Place, ThreadId};
use indicatif::HumanCount;
use serde_json::json;
use wire::Position;

use crate::compare::{Difference, Spot};
use crate::limits::{DIFFERENCES_KEPT_MAX, DIFFERENCES_SHOWN_MAX};

/// What a comparison found.
#[derive(Debug)]
pub(crate) struct Report {
    places: u64,
    events: u64,
    position: Position,
    differences: Vec<Found>,
    /// Differences that are not kept.
    more: u64,
}

/// A place that differs.
#[derive(Debug)]
struct Found {
    place: Place,
    comment: Option<u32>,
    what: &'static str,
}

impl Report {
    /// Nothing compared yet, in a log that was followed to here.
    pub(crate) fn new(position: Position) -> Self {
        Self { places: 0, events: 0, position, differences: Vec::new(), more: 0 }
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
        self.differences.push(Found { place, comment, what });
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
        let verdict = match self.differing() {
            0 => "digests equal".to_owned(),
            1 => "1 place differs".to_owned(),
            differing => format!("{} places differ", HumanCount(differing)),
        };
        let (places, events) = (counted(self.places, "place"), counted(self.events, "event"));
        lines.push(format!("verified: {places}, {events}, position {}, {verdict}\n", self.position));
        lines.join("\n")
    }

    /// For programs: one object. A difference about a site has an empty thread; `more` are those left out.
    pub(crate) fn json(&self) -> String {
        let differences: Vec<_> = self.differences.iter().map(Found::json).collect();
        let object = json!({
            "equal": self.is_equal(),
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
        let site = &self.place.site;
        let thread = self.place.thread.as_ref().map_or_else(String::new, |thread| format!(" thread {thread}"));
        let comment = self.comment.map_or_else(String::new, |number| format!(" comment {number}"));
        format!("site {site}{thread}{comment}: {}", self.what)
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "site": self.place.site.as_str(),
            "thread": self.place.thread.as_ref().map_or("", ThreadId::as_str),
            "comment": self.comment,
            "what": self.what,
        })
    }
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
        let equal =
            json!({"equal": true, "places": 12, "events": 1234, "sequence": 1240, "differences": [], "more": 0});
        assert_eq!(json, equal);
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
        let first = json!({"site": "demo", "thread": "a", "comment": 7, "what": "its contents differ"});
        assert_eq!(json["differences"][0], first);
        assert_eq!(json["differences"][1]["thread"], "");
    }
}
