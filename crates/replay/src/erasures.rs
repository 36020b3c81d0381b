//! `koe replay verify --erasures`: looks for itself whether what was erased is gone.
//!
//! Each message of the log, as it is stored, must be one that the erasures in the log would not change; and no generation on the
//! projector's disk may have begun before the last of them.

use anyhow::Context as _;
use client::Client;
use domain::{Content, Envelope, Erasures, Place, Recorded, SiteId};
use indicatif::HumanCount;
use journal::Journal;
use serde_json::json;
use wire::subject;

use crate::following::open_log;
use crate::limits::ERASED_NAMED_MAX;
use crate::progress::Progress;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Messages that were looked at.
    looked_at: u64,
    /// Erased messages that are gone from the log.
    gone: u64,
    /// The places of messages that still hold what was erased, the first of them.
    left: Vec<u64>,
    /// How many these are.
    left_count: u64,
    /// Generations that may hold what was erased.
    generations: Vec<u32>,
}

pub(crate) async fn run(nats: async_nats::Client, progress: &Progress) -> anyhow::Result<Report> {
    let journal = open_log(nats.clone()).await?;
    let mut report = Report::default();
    let end = journal.look().await.context("the log's end cannot be seen")?.sequence;
    journal.look_for_erased().await.context("what was erased cannot be seen")?;
    let erasures = erasures_of(&journal).await?;
    progress.begin("looking for what was erased", end);
    let mut scan = journal.scan(vec![subject::EVENTS.to_owned()], 0).await.context("the log cannot be read")?;
    let mut next = 1;
    while let Some(batch) = scan.next().await.context("the log cannot be read")? {
        for entry in batch {
            report.gone += journal.erased_between(next, entry.sequence);
            next = entry.sequence + 1;
            report.looked_at += 1;
            let recorded = entry.decode();
            let Some((place, envelope)) = event_of(&recorded) else { continue };
            let erased_before =
                || event_of(&journal.without_erased(entry.clone()).decode()).map(|(_, read)| read != envelope);
            if erasures.strip(entry.sequence, place, envelope).is_some() || erased_before() == Some(true) {
                report.left_count += 1;
                if report.left.len() < ERASED_NAMED_MAX {
                    report.left.push(entry.sequence);
                }
            }
        }
        progress.at(next - 1, end);
    }
    progress.end();
    let status = Client::new(nats).status().await.context("no projector tells its status")?;
    let before = status.generations.iter().filter(|generation| generation.begun_sequence < status.erased_sequence);
    report.generations = before.map(|generation| generation.number).collect();
    Ok(report)
}

/// The erasures that stand in the log.
pub(crate) async fn erasures_of(journal: &Journal) -> anyhow::Result<Erasures> {
    note_erasures(journal, None).await
}

/// The erasures that stand in the log about a site, or about any.
pub(crate) async fn note_erasures(journal: &Journal, site: Option<&SiteId>) -> anyhow::Result<Erasures> {
    let mut erasures = Erasures::default();
    let subjects = ["comment-erased", "author-erased"].map(|kind| match site {
        Some(site) => format!("koe.v1.event.{site}.*.*.{kind}"),
        None => subject::events_of(kind),
    });
    let subjects = subjects.to_vec();
    let mut scan = journal.scan(subjects, 0).await.context("the log cannot be read")?;
    while let Some(batch) = scan.next().await.context("the log cannot be read")? {
        for entry in batch {
            let sequence = entry.sequence;
            if let Some((place, envelope)) = event_of(&journal.without_erased(entry).decode()) {
                erasures.note(sequence, place, envelope);
            }
        }
    }
    Ok(erasures)
}

fn event_of(recorded: &Recorded) -> Option<(&Place, &Envelope)> {
    match (&recorded.place, &recorded.content) {
        (Some(place), Content::Event(envelope)) => Some((place, envelope)),
        _ => None,
    }
}

impl Report {
    /// Whether nothing of what was erased is left.
    pub(crate) fn is_clean(&self) -> bool {
        self.left_count == 0 && self.generations.is_empty()
    }

    /// For people: what is left, and then the verdict on a line.
    pub(crate) fn words(&self) -> String {
        let left = self.left.iter().map(|sequence| format!("message {sequence} of the log holds what was erased"));
        let mut lines: Vec<String> = left.collect();
        let more = self.left_count - u64::try_from(self.left.len()).expect("a length fits");
        if more > 0 {
            lines.push(format!("and {} more", HumanCount(more)));
        }
        lines.extend(self.generations.iter().map(|generation| {
            format!(
                "generation {generation} may hold what was erased, until the log is folded again (`koe replay rebuild` does it now)"
            )
        }));
        let verdict = if self.is_clean() { "nothing of it is left" } else { "some of it is left" };
        let [gone, looked_at] = [self.gone, self.looked_at].map(HumanCount);
        lines.push(format!("erasures: {gone} messages gone, {looked_at} looked at, {verdict}\n"));
        lines.join("\n")
    }

    /// For programs: one object. `left` are the first places of messages that hold what was erased, `left_count` all.
    pub(crate) fn json(&self) -> String {
        let object = json!({
            "clean": self.is_clean(),
            "gone": self.gone,
            "looked_at": self.looked_at,
            "left": self.left,
            "left_count": self.left_count,
            "generations": self.generations,
        });
        format!("{object}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_named_and_counted() {
        let report = Report { looked_at: 1_000, gone: 7, ..Report::default() };
        assert!(report.is_clean());
        assert_eq!(report.words(), "erasures: 7 messages gone, 1,000 looked at, nothing of it is left\n");
        let left: Vec<u64> = (5..5 + u64::try_from(ERASED_NAMED_MAX).unwrap()).collect();
        let report =
            Report { left_count: 1 + u64::try_from(left.len()).unwrap(), left, generations: vec![3], ..report };
        assert!(!report.is_clean());
        let words = report.words();
        assert!(words.starts_with("message 5 of the log holds what was erased\n"), "{words}");
        assert!(words.contains("\nand 1 more\ngeneration 3 may hold"), "{words}");
        assert!(words.ends_with("some of it is left\n"), "{words}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!((&json["clean"], &json["generations"], &json["gone"]), (&json!(false), &json!([3]), &json!(7)));
    }
}
