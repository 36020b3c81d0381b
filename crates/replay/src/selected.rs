//! Some subjects of the log, read once as everybody reads them: without what was erased, and with what is left of it in its
//! place.

use anyhow::Context as _;
use domain::{Content, Erasures, Place, Recorded, SiteId, ThreadId};
use journal::{Entry, Journal, Scan};

use crate::erasures::note_erasures;

/// Which messages are read: of these subjects, each with all four tokens, `*` for any.
#[derive(Clone, Debug)]
pub(crate) struct Subjects(pub(crate) Vec<String>);

impl Subjects {
    /// What a thread's page is made of: its own events, and what is about its site.
    pub(crate) fn of_thread(site: &SiteId, thread: &ThreadId) -> Self {
        let at = |thread| wire::subject::events_at(&Place { site: site.clone(), thread });
        Self(vec![at(Some(thread.clone())), at(None)])
    }

    pub(crate) fn take(&self, subject: &str) -> bool {
        let fits = |filter: &String| {
            let (mut left, mut right) = (filter.split('.'), subject.split('.'));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some("*"), Some(_)) => {}
                    (left, right) if left == right => {}
                    _ => return false,
                }
            }
        };
        self.0.iter().any(fits)
    }
}

/// A reading that is under way.
pub(crate) struct Selected {
    journal: Journal,
    subjects: Subjects,
    scan: Option<Scan>,
    erasures: Erasures,
    /// Where reading has come to.
    read: u64,
    /// The log's end when this began, up to where it goes.
    end: u64,
}

impl Selected {
    /// Begins after a place. What was erased at any time is looked for in these sites, or in all.
    pub(crate) async fn begin(
        journal: &Journal,
        subjects: Subjects,
        after: u64,
        site: Option<&SiteId>,
    ) -> anyhow::Result<Self> {
        // Seen when the log was opened, a moment ago.
        let end = journal.head().borrow().sequence;
        let scan = async { journal.scan(subjects.0.clone(), after).await.context("the log cannot be read") };
        let (erasures, scan) = tokio::try_join!(note_erasures(journal, site), scan)?;
        Ok(Self { journal: journal.clone(), subjects, scan: Some(scan), erasures, read: after, end })
    }

    /// The log's end when this began.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The next messages up to the log's end of the beginning; `None` once that is all.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<Entry>>> {
        let Some(scan) = &mut self.scan else { return Ok(None) };
        let mut batch = scan.next().await.context("the log cannot be read")?.unwrap_or_default();
        batch.truncate(batch.partition_point(|entry| entry.sequence <= self.end));
        let is_last = batch.is_empty();
        let up_to = batch.last().map_or(self.end, |entry| entry.sequence);
        // Whatever is missing in the batch was said to be erased before.
        self.journal.look_for_erased().await.context("what was erased cannot be seen")?;
        let gone = self.journal.erased_within(self.read, up_to).into_iter();
        let mut entries: Vec<_> = gone.filter(|entry| self.subjects.take(&entry.subject)).collect();
        if entries.is_empty() {
            entries = batch;
        } else {
            entries.extend(batch);
            entries.sort_by_key(|entry| entry.sequence);
            entries.dedup_by_key(|entry| entry.sequence);
        }
        self.read = up_to;
        if is_last {
            self.scan = None;
        }
        Ok(Some(entries))
    }

    /// What a message says, without what was erased.
    pub(crate) fn decode(&self, entry: &Entry) -> Recorded {
        decode(&self.journal, &self.erasures, entry)
    }
}

/// What a message says, without what was erased.
pub(crate) fn decode(journal: &Journal, erasures: &Erasures, entry: &Entry) -> Recorded {
    let mut recorded = journal.without_erased(entry.clone()).decode();
    if let (Some(place), Content::Event(envelope)) = (&recorded.place, &recorded.content)
        && let Some(stripped) = erasures.strip(entry.sequence, place, envelope)
    {
        recorded.content = Content::Event(stripped);
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_what_the_broker_would() {
        let subjects = Subjects::of_thread(&"demo".parse().unwrap(), &"t".parse().unwrap());
        let of = |thread: Option<&str>| {
            let thread = thread.map(|thread| thread.parse().unwrap());
            wire::subject::event(&Place { site: "demo".parse().unwrap(), thread }, "vote-cast")
        };
        assert!(subjects.take(&of(Some("t"))) && subjects.take(&of(None)));
        assert!(!subjects.take(&of(Some("u"))) && !subjects.take("koe.v1.event.demo.all.all"));
        assert!(!subjects.take(&format!("{}.more", of(None))));
    }
}
