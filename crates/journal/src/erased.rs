//! What messages of the log say once what was erased is gone from them, as the log's own `messages-erased` tell it.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use bytes::Bytes;
use domain::thread::may_forget;
use domain::{Content, ErasedMessage, Event, Place, Recorded, SiteId};
use wire::{envelope, subject};

use crate::Entry;

/// Every message of which something was erased, by its place in the log. Some 300 bytes each.
#[derive(Default)]
pub(crate) struct Erased {
    messages: BTreeMap<u64, Entry>,
    /// By the message's id: a copy that is put in again is treated as its original.
    ids: HashMap<String, u64>,
}

impl Erased {
    /// Takes in a message of the log, in the log's order: the latest word about another message holds.
    pub(crate) fn note(&mut self, recorded: &Recorded) {
        let (Some(place), Content::Event(envelope)) = (&recorded.place, &recorded.content) else { return };
        // What others say of it is void to the fold, and to whoever reads.
        if may_forget(&envelope.actor) {
            self.note_event(&place.site, &envelope.event);
        }
    }

    fn note_event(&mut self, site: &SiteId, event: &Event) {
        let Event::MessagesErased { messages } = event else { return };
        for message in messages {
            let entry = entry_of(site, message);
            self.ids.insert(entry.message_id.clone(), message.sequence);
            self.messages.insert(message.sequence, entry);
            // One that told of others, and was itself replaced.
            self.note_event(site, &message.envelope.event);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A message as it is read from now on.
    pub(crate) fn read(&self, entry: Entry) -> Entry {
        let original = match self.messages.get(&entry.sequence) {
            // A log that lost its tail gives numbers out again.
            Some(erased) if entry.message_id.is_empty() || erased.message_id == entry.message_id => Some(erased),
            _ => self.ids.get(&entry.message_id).and_then(|sequence| self.messages.get(sequence)),
        };
        match original {
            // Of another message under the same id nothing is known.
            Some(erased) if erased.subject == entry.subject => {
                Entry { sequence: entry.sequence, ..erased.clone() }
            }
            _ => entry,
        }
    }

    /// What is said of the message at a place.
    pub(crate) fn at(&self, sequence: u64) -> Option<&Entry> {
        self.messages.get(&sequence)
    }

    /// How many messages were erased from a place on and before another.
    pub(crate) fn count(&self, from: u64, before: u64) -> u64 {
        let found = if from < before { self.messages.range(from..before).count() } else { 0 };
        u64::try_from(found).expect("a count fits")
    }

    /// What stood in a gap.
    pub(crate) fn within(&self, gap: RangeInclusive<u64>) -> impl Iterator<Item = &Entry> {
        self.messages.range(gap).map(|(_, entry)| entry)
    }

    /// A batch that follows on a sequence as it is read from now on, with what was deleted from it in its place.
    pub(crate) fn read_batch(&self, after: u64, batch: Vec<Entry>) -> Vec<Entry> {
        if self.is_empty() {
            return batch;
        }
        let (mut last, mut read) = (after, Vec::with_capacity(batch.len()));
        for entry in batch {
            if entry.sequence > last + 1 {
                read.extend(self.within(last + 1..=entry.sequence - 1).cloned());
            }
            last = entry.sequence;
            read.push(self.read(entry));
        }
        read
    }
}

/// The type of the events that say what was erased.
pub(crate) const KIND: &str = "messages-erased";

/// Whether a batch that follows on a sequence shows that something was erased: messages are missing, or one says it.
pub(crate) fn shows_erased(after: u64, batch: &[Entry]) -> bool {
    let last = batch.last().map_or(after, |entry| entry.sequence);
    let missing = last.saturating_sub(after) != u64::try_from(batch.len()).expect("a count fits");
    missing || batch.iter().any(|entry| entry.kind() == KIND)
}

fn entry_of(site: &SiteId, message: &ErasedMessage) -> Entry {
    let place = Place { site: site.clone(), thread: message.thread.clone() };
    Entry {
        sequence: message.sequence,
        subject: subject::event(&place, message.envelope.event.kind()),
        message_id: message.envelope.id.to_string(),
        payload: Bytes::from(envelope::encode(&message.envelope)),
        stored: message.envelope.time,
    }
}
