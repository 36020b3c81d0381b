//! The archives that are imported: whole, in order, and what was erased of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use domain::{Content, Envelope, ErasedMessage, Erasures, Event, Place, Recorded, SiteId};
use indicatif::HumanCount;
use journal::{Entry, Head, Journal};
use serde_json::json;

use super::standing::Standing;
use crate::archive::{self, Previous, Verified};
use crate::erasures::erasures_of;

/// Archives that follow one another, read once and found whole.
pub(crate) struct Chain {
    archives: Vec<Verified>,
    /// The sites of its events.
    sites: BTreeSet<String>,
    /// How many events there are of each type.
    kinds: BTreeMap<String, u64>,
    erasures: Erasures,
    /// What is left of messages that the chain says were erased, by their places in the log that it is of.
    erased: HashMap<u64, (Place, Envelope)>,
    /// Their message ids.
    erased_ids: HashMap<String, u64>,
}

impl Chain {
    /// Reads all of them.
    pub(crate) fn check(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut chain = Self {
            archives: Vec::new(),
            sites: BTreeSet::new(),
            kinds: BTreeMap::new(),
            erasures: Erasures::default(),
            erased: HashMap::new(),
            erased_ids: HashMap::new(),
        };
        for path in paths {
            let verified = archive::verify(path, |manifest, chunk| {
                for entry in &chunk.entries {
                    let site = wire::subject::site_token(&entry.subject);
                    ensure!(
                        manifest.site.as_ref().is_none_or(|of| of.0.as_str() == site),
                        "{} has an event of another site than it says",
                        path.display()
                    );
                    chain.note(site, entry);
                }
                Ok(())
            })?;
            if let Some(before) = chain.archives.last() {
                let expected = Previous { blake3: before.end.blake3.clone(), last_id: before.end.last_id.clone() };
                ensure!(
                    verified.manifest.previous == Some(expected),
                    "{} does not follow {}: give the archives in the order in which they were exported",
                    path.display(),
                    before.path.display()
                );
            }
            chain.archives.push(verified);
        }
        Ok(chain)
    }

    fn note(&mut self, site: &str, entry: &Entry) {
        if !self.sites.contains(site) {
            self.sites.insert(site.to_owned());
        }
        match self.kinds.get_mut(entry.kind()) {
            Some(count) => *count += 1,
            None => {
                self.kinds.insert(entry.kind().to_owned(), 1);
            }
        }
        // The others are many, and none of them says that something was erased.
        if !["comment-erased", "author-erased", "messages-erased"].contains(&entry.kind()) {
            return;
        }
        let Recorded { sequence, place: Some(place), content: Content::Event(envelope) } = entry.decode() else {
            return;
        };
        self.erasures.note(sequence, &place, &envelope);
        if domain::thread::may_forget(&envelope.actor) {
            self.note_erased(&place, &envelope.event);
        }
    }

    fn note_erased(&mut self, place: &Place, event: &Event) {
        let Event::MessagesErased { messages } = event else { return };
        for ErasedMessage { sequence, thread, envelope } in messages {
            let place = Place { site: place.site.clone(), thread: thread.clone() };
            self.note_erased(&place, &envelope.event);
            self.erased_ids.insert(envelope.id.to_string(), *sequence);
            self.erased.insert(*sequence, (place, envelope.clone()));
        }
    }

    /// The events of all archives.
    pub(crate) fn events(&self) -> u64 {
        self.archives.iter().map(|archive| archive.end.events).sum()
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.archives.iter().map(|archive| archive.path.clone()).collect()
    }

    /// What the first archive follows.
    pub(crate) fn previous(&self) -> Option<&Previous> {
        self.archives.first()?.manifest.previous.as_ref()
    }

    /// Whether it is of this log.
    pub(crate) fn is_of(&self, head: &Head) -> bool {
        self.archives.first().is_some_and(|first| {
            (first.manifest.created_nanos, first.manifest.epoch.as_str())
                == (head.created_nanos, format!("{:x}", head.epoch).as_str())
        })
    }

    /// Up to where in its log it goes.
    pub(crate) fn up_to(&self) -> u64 {
        self.archives.last().map_or(0, |last| last.manifest.up_to)
    }

    /// The site that it is of, `None` for all.
    pub(crate) fn site(&self) -> Option<&SiteId> {
        self.archives.first()?.manifest.site.as_ref().map(|site| &site.0)
    }

    /// Up to where in its log an earlier archive goes.
    fn after(&self) -> u64 {
        self.archives.first().map_or(0, |first| first.manifest.after)
    }

    pub(crate) fn has_site(&self, subject: &str) -> bool {
        self.sites.contains(wire::subject::site_token(subject))
    }

    pub(crate) fn sites(&self) -> &BTreeSet<String> {
        &self.sites
    }

    /// Whether the chain says that this message of an earlier archive was erased.
    pub(crate) fn is_erased_earlier(&self, message_id: &str) -> bool {
        self.erased_ids.get(message_id).is_some_and(|sequence| *sequence <= self.after())
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let archives = self.archives.iter().map(|Verified { path, manifest, end }| {
            let of =
                manifest.site.as_ref().map_or_else(|| "all sites".to_owned(), |site| format!("site {}", site.0));
            let (path, events, exported) = (path.display(), HumanCount(end.events), &manifest.exported);
            format!("{path}: whole, {events} events of {of}, exported {exported}")
        });
        let kinds = self.kinds.iter().map(|(kind, count)| format!("  {kind:<20} {}", HumanCount(*count)));
        archives.chain(kinds).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let archives = self.archives.iter().map(|Verified { path, manifest, end }| {
            json!({ "path": path, "events": end.events, "exported": manifest.exported, "blake3": end.blake3 })
        });
        json!({ "files": archives.collect::<Vec<_>>(), "kinds": self.kinds })
    }
}

/// What is left of each message when it is imported.
pub(crate) struct Left {
    erasures: Erasures,
    erased: HashMap<u64, (Place, Envelope)>,
    /// Erasures that only the log knows that is imported into. Where in it says nothing of the archive.
    known: Erasures,
    /// Where messages of earlier archives stand in the log that is imported into, by their places in the one that these are of.
    moved: HashMap<u64, u64>,
}

impl Left {
    /// Of archives alone.
    pub(crate) fn of_chain(chain: &Chain) -> Self {
        Self {
            erasures: chain.erasures.clone(),
            erased: chain.erased.clone(),
            known: Erasures::default(),
            moved: HashMap::new(),
        }
    }

    pub(in crate::import) async fn new(
        chain: &Chain,
        standing: &Standing,
        journal: &Journal,
    ) -> anyhow::Result<Self> {
        journal.look_for_erased().await.context("what was erased cannot be seen")?;
        let known = erasures_of(journal).await?;
        let moved = standing.moved.iter().filter_map(|(id, here)| Some((*chain.erased_ids.get(id)?, *here)));
        Ok(Self { erasures: chain.erasures.clone(), erased: chain.erased.clone(), known, moved: moved.collect() })
    }

    /// A message as it is put into the log.
    pub(crate) fn of(&self, entry: Entry) -> Entry {
        let tells_of_others = entry.kind() == "messages-erased";
        if self.erasures.is_empty() && self.erased.is_empty() && self.known.is_empty() && !tells_of_others {
            return entry;
        }
        let recorded = entry.decode();
        let (Some(place), Content::Event(original)) = (&recorded.place, &recorded.content) else { return entry };
        let replaced = self.erased.get(&entry.sequence).filter(|(of, left)| of == place && left.id == original.id);
        let mut envelope = replaced.map_or_else(|| original.clone(), |(_, left)| left.clone());
        for (erasures, sequence) in [(&self.erasures, entry.sequence), (&self.known, 0)] {
            envelope = erasures.strip(sequence, place, &envelope).unwrap_or(envelope);
        }
        if let Event::MessagesErased { messages } = &mut envelope.event {
            let moved = std::mem::take(messages).into_iter().filter_map(|message| {
                let sequence = *self.moved.get(&message.sequence)?;
                Some(ErasedMessage { sequence, ..message })
            });
            *messages = moved.collect();
        }
        if envelope == *original {
            return entry;
        }
        Entry { payload: wire::envelope::encode(&envelope).into(), ..entry }
    }
}
