//! What is to be read for an erasure, and how what was found is said to the log.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Actor, CommandId, Content, Envelope, ErasedMessage, Event, Place, Recorded, Role, SiteId, Timestamp,
};
use wire::{envelope, subject};

/// Who says that messages were erased. Stored: never change.
const ERASER: &str = "koe-eraser";
/// Messages in one event: it is read in one go by everybody who follows the log.
const MESSAGES_IN_EVENT: usize = 500;
/// Bytes of messages in one event, well below what the broker takes in one.
const BYTES_IN_EVENT: usize = 256 * 1024;

/// The kinds of events that hold words of people or their names.
pub(super) const WITH_WORDS: &[&str] =
    &["comment-posted", "comment-edited", "comment-flagged", "author-named", "author-erased"];

/// The subjects of everything that asks for an erasure.
pub(super) fn erasures_in() -> Vec<String> {
    ["comment-erased", "author-erased"].map(subject::events_of).to_vec()
}

/// An event and its place, if a message is one.
pub(super) fn event_of(recorded: &Recorded) -> Option<(&Place, &Envelope)> {
    match (&recorded.place, &recorded.content) {
        (Some(place), Content::Event(envelope)) => Some((place, envelope)),
        _ => None,
    }
}

/// The subjects where what is due may stand, each list to be read by itself: a whole site for its authors, and what says
/// something in their threads for comments, with what was said of erased messages before.
pub(super) fn subjects_of(due: &[Recorded]) -> Vec<Vec<String>> {
    let (mut sites, mut threads) = (BTreeSet::new(), BTreeMap::<SiteId, BTreeSet<Place>>::new());
    for (place, envelope) in due.iter().filter_map(event_of) {
        match envelope.event {
            Event::AuthorErased { .. } => drop(sites.insert(place.site.clone())),
            _ => drop(threads.entry(place.site.clone()).or_default().insert(place.clone())),
        }
    }
    let of_threads = threads.into_iter().filter(|(site, _)| !sites.contains(site)).flat_map(|(site, places)| {
        let before = subject::event(&Place { site, thread: None }, "messages-erased");
        let said = places
            .into_iter()
            .map(|place| ["comment-posted", "comment-edited"].map(|kind| subject::event(&place, kind)).to_vec());
        said.chain([vec![before]]).collect::<Vec<_>>()
    });
    let of_threads: Vec<_> = of_threads.collect();
    sites.iter().map(|site| vec![subject::events_in(site)]).chain(of_threads).collect()
}

/// A message that holds what was erased, without that.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) sequence: u64,
    pub(super) place: Place,
    pub(super) envelope: Envelope,
}

impl Found {
    /// Whether it is what asked for the erasure.
    pub(super) fn asked_for_it(&self) -> bool {
        matches!(self.envelope.event, Event::AuthorErased { .. })
    }
}

/// What told of other messages tells of none any more, and those are told of beside it: an event never carries what carries
/// others in turn, however often something is erased from it, since whoever reads it goes down some levels only.
pub(super) fn flattened(found: Vec<Found>) -> Vec<Found> {
    let mut flat = Vec::with_capacity(found.len());
    let mut rest: Vec<Found> = found.into_iter().rev().collect();
    while let Some(mut one) = rest.pop() {
        if let Event::MessagesErased { messages } = &mut one.envelope.event {
            let site = &one.place.site;
            rest.extend(std::mem::take(messages).into_iter().rev().map(|message| Found {
                sequence: message.sequence,
                place: Place { site: site.clone(), thread: message.thread },
                envelope: message.envelope,
            }));
        }
        flat.push(one);
    }
    flat
}

/// Messages that one event tells of.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) site: SiteId,
    pub(super) messages: Vec<ErasedMessage>,
}

/// As many events as it takes to tell of all.
pub(super) fn parts(found: Vec<Found>) -> Vec<Part> {
    let (mut parts, mut bytes) = (Vec::<Part>::new(), 0);
    for Found { sequence, place, envelope } in found {
        let size = envelope::encode(&envelope).len();
        let message = ErasedMessage { sequence, thread: place.thread, envelope };
        match parts.last_mut() {
            Some(part)
                if part.site == place.site
                    && part.messages.len() < MESSAGES_IN_EVENT
                    && bytes + size <= BYTES_IN_EVENT =>
            {
                part.messages.push(message);
                bytes += size;
            }
            _ => {
                parts.push(Part { site: place.site, messages: vec![message] });
                bytes = size;
            }
        }
    }
    parts
}

impl Part {
    /// The event that says it: the same one for the same messages, whoever finds them.
    pub(super) fn into_envelope(self, time: Timestamp) -> Envelope {
        let mut hash = blake3::Hasher::new();
        hash.update(self.site.as_str().as_bytes());
        for message in &self.messages {
            hash.update(&message.sequence.to_be_bytes());
            hash.update(&envelope::encode(&message.envelope));
        }
        let bits = hash.finalize().as_bytes().first_chunk().map_or(1, |bytes| u128::from_be_bytes(*bytes));
        // Version 8 of RFC 9562, whose bits are the maker's own.
        let id = (bits & !(0xf << 76) & !(0b11 << 62)) | 8 << 76 | 0b10 << 62;
        let roles = [Role::Service].into_iter().collect();
        let actor = Actor { id: ERASER.parse().expect("a token"), roles };
        let event = Event::MessagesErased { messages: self.messages };
        Envelope { id: CommandId::from_u128(id), time, actor, event }
    }
}
