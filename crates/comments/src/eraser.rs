//! The eraser: carries out in the log what `comment-erased` and `author-erased` ask for.
//!
//! It finds the messages that hold what was erased, lets the log say what stands in their places (`messages-erased`), and only
//! then deletes them, so that nothing is lost however it is interrupted. Whatever it does twice comes to the same: several may run.

mod metrics;
mod plan;

use std::time::{Duration, SystemTime};

use domain::{Envelope, Erasures, Place, SiteId, Timestamp};
use journal::{Appended, Entry, Error, Journal};
use prometheus::Registry;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use metrics::Metrics;
use plan::{Found, WITH_WORDS, erasures_in, event_of, flattened, parts, subjects_of};

/// How far the eraser is in an epoch of the log, beside it. Stored: never change.
const PROGRESS: &str = "erased";
/// Where nothing was ever erased, progress is noted each so many messages: a write each second for nothing is one too many.
const PROGRESS_STEP: u64 = 10_000;
/// How often it is looked whether something is to be erased; erasures of that time are carried out together.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// After a failure, twice as long after each further one.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// A broker that refuses is asked again this often, for as long as it refuses.
const RETRY_PAUSE_MAX: Duration = Duration::from_mins(1);
/// Deletes a second: each rewrites a block of the log of up to 8 MB under the stream's lock, some milliseconds in which nothing is
/// published. An author with 10,000 votes takes a hundred seconds.
const DELETES_A_SECOND: u32 = 100;

/// Carries out erasures for ever.
pub(crate) struct Eraser {
    journal: Journal,
    metrics: Metrics,
    /// Those up to `noted`.
    erasures: Erasures,
    noted: u64,
    /// The epoch of the log that this is of.
    epoch: u64,
}

impl Eraser {
    pub(crate) fn new(journal: Journal, registry: &Registry) -> anyhow::Result<Self> {
        Ok(Self { journal, metrics: Metrics::new(registry)?, erasures: Erasures::default(), noted: 0, epoch: 0 })
    }

    /// Works until the stop. What cannot be done now is tried again.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut pause = LOOK_INTERVAL;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            let Some(carried_out) = stop.run_until_cancelled(self.carry_out()).await else { break };
            pause = match carried_out {
                Ok(()) => LOOK_INTERVAL,
                Err(error) => {
                    self.metrics.failures.inc();
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(
                        %error,
                        cause,
                        "what was erased cannot be deleted from the log yet; trying again. The comments role needs to delete messages of KOE_EVENTS"
                    );
                    (2 * pause).clamp(RETRY_PAUSE, RETRY_PAUSE_MAX)
                }
            };
        }
        Ok(())
    }

    /// Works for a while, and is cut off wherever it is.
    #[cfg(test)]
    async fn carry_out_for(&mut self, time: Duration) -> Option<()> {
        tokio::time::timeout(time, self.carry_out()).await.ok().map(|done| done.expect("a log in memory does all"))
    }

    /// Everything that the log asks for by now.
    async fn carry_out(&mut self) -> Result<(), Error> {
        let head = self.journal.look().await?;
        let end = head.sequence;
        // A log that lost its tail gives numbers out again: what was done in it says nothing of them.
        if head.epoch != self.epoch {
            (self.epoch, self.noted, self.erasures) = (head.epoch, 0, Erasures::default());
        }
        let progress = format!("{PROGRESS}.{:x}", head.epoch);
        let done = self.journal.progress(&progress).await?;
        if end <= done && end <= self.noted {
            return Ok(());
        }
        let mut due = Vec::new();
        self.journal.look_for_erased().await?;
        let mut erasures = self.journal.scan(erasures_in(), self.noted).await?;
        while let Some(batch) = erasures.next().await? {
            for entry in batch {
                let sequence = entry.sequence;
                // A late copy of one that was carried out is about nobody any more.
                let recorded = self.journal.without_erased(entry).decode();
                let Some((place, envelope)) = event_of(&recorded) else { continue };
                if self.erasures.note(sequence, place, envelope) && sequence > done {
                    due.push(recorded);
                }
                self.noted = self.noted.max(sequence);
            }
        }
        self.noted = self.noted.max(end);
        self.metrics.waiting.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
        // Copies of what was erased in the log before may come at any time, though all that asked for it is forgotten.
        for subjects in subjects_of(&due) {
            self.erase(subjects, 0).await?;
        }
        let something_was_erased = !self.erasures.is_empty() || self.journal.look_for_erased().await?;
        if done < end && something_was_erased {
            self.erase(WITH_WORDS.iter().map(|kind| wire::subject::events_of(kind)).collect(), done).await?;
        }
        if something_was_erased || end - done.min(end) >= PROGRESS_STEP {
            self.journal.set_progress(&progress, end.max(done)).await?;
        }
        self.metrics.waiting.set(0);
        self.metrics.done.inc_by(u64::try_from(due.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Goes through some subjects after a place, and erases what they hold.
    async fn erase(&self, subjects: Vec<String>, after: u64) -> Result<(), Error> {
        self.journal.look_for_erased().await?;
        let mut scan = self.journal.scan(subjects, after).await?;
        // What asked for it goes last: until then a restart finds it again.
        let mut last = Vec::new();
        while let Some(batch) = scan.next().await? {
            let mut found = Vec::new();
            for entry in batch {
                let Some(erased) = self.stripped(entry) else { continue };
                if erased.asked_for_it() { last.push(erased) } else { found.push(erased) }
            }
            self.replace(found).await?;
        }
        self.replace(last).await
    }

    /// A message without what was erased, if there is something in it.
    fn stripped(&self, entry: Entry) -> Option<Found> {
        let recorded = entry.decode();
        let (place, envelope) = event_of(&recorded)?;
        let (sequence, place) = (entry.sequence, place.clone());
        if let Some(envelope) = self.erasures.strip(sequence, &place, envelope) {
            return Some(Found { sequence, place, envelope });
        }
        // One that was erased before, and is there again or still.
        let read = self.journal.without_erased(entry).decode();
        let (_, stripped) = event_of(&read).filter(|(_, stripped)| *stripped != envelope)?;
        Some(Found { sequence, place, envelope: stripped.clone() })
    }

    fn is_said(&self, found: &Found) -> bool {
        let said = self.journal.erased_at(found.sequence).map(|entry| entry.decode());
        let said = said.as_ref().and_then(event_of);
        said.is_some_and(|(place, envelope)| (place, envelope) == (&found.place, &found.envelope))
    }

    /// Lets the log say what stands in the places of messages, and deletes them.
    async fn replace(&self, found: Vec<Found>) -> Result<(), Error> {
        let sequences: Vec<_> = found.iter().map(|found| found.sequence).collect();
        // Said before, by whoever was interrupted or may not delete: it is not said again each time.
        let mut unsaid = flattened(found);
        unsaid.retain(|found| !self.is_said(found));
        for part in parts(unsaid) {
            let (site, envelope) = (part.site.clone(), part.into_envelope(now()));
            self.say(site, &envelope).await?;
        }
        for sequence in sequences {
            let began = Instant::now();
            if self.journal.delete(sequence).await? {
                self.metrics.messages.inc();
            }
            tokio::time::sleep_until(began + Duration::from_secs(1) / DELETES_A_SECOND).await;
        }
        Ok(())
    }

    /// The same again is the same event: it is acknowledged, and once in the log as far as the broker remembers.
    async fn say(&self, site: SiteId, envelope: &Envelope) -> Result<(), Error> {
        let place = Place { site, thread: None };
        match self.journal.append(&place, envelope, None).await? {
            Appended::New { .. } | Appended::Repeated { .. } => Ok(()),
            Appended::Reused => {
                Err(Error::Misconfigured("another event stands under the id of an erasure".to_owned()))
            }
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
