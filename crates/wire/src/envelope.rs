//! Events: messages of the log to and from the domain. Old events are upcast here, in one place.

use domain::event::Timestamp;
use domain::limits::{
    MESSAGE_ID_BYTES_MAX, RECORDED_LINE_BYTES_MAX, RECORDED_QUOTES_MAX, RECORDED_TEXT_BYTES_MAX,
};
use domain::text::Text;
use domain::{Content, Envelope, Event, Recorded, Rejection, Unreadable};
use pbjson_types::Timestamp as ProtoTimestamp;
use prost::Message;
use thiserror::Error;

use crate::command::{actor_in, actor_out, optional_comment, quote_in, quote_out, vote_in, vote_out};
use crate::{subject, v1};

/// The only header of an event: the command's id.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

const MILLIS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MILLI: i32 = 1_000_000;

/// Milliseconds to the contract's time.
pub fn time_out(time: Timestamp) -> ProtoTimestamp {
    let millis = i32::try_from(time.0.rem_euclid(MILLIS_PER_SECOND)).expect("below 1,000");
    ProtoTimestamp { seconds: time.0.div_euclid(MILLIS_PER_SECOND), nanos: millis * NANOS_PER_MILLI }
}

/// The contract's time to milliseconds; `None` beyond what a calendar shows.
pub fn time_in(time: &ProtoTimestamp) -> Option<Timestamp> {
    /// The end of the year 9999, where RFC 3339 ends too.
    const SECONDS_MAX: i64 = 253_402_300_799;
    let sound = (-SECONDS_MAX..=SECONDS_MAX).contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
    sound.then(|| Timestamp(time.seconds * MILLIS_PER_SECOND + i64::from(time.nanos / NANOS_PER_MILLI)))
}

/// An event as bytes.
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    v1::Envelope {
        id: envelope.id.to_string(),
        time: Some(time_out(envelope.time)),
        actor: Some(actor_out(&envelope.actor)),
        event: Some(event_out(&envelope.event)),
    }
    .encode_to_vec()
}

fn event_out(event: &Event) -> v1::envelope::Event {
    use v1::envelope::Event as Out;
    match event {
        Event::SiteOpened { name, zone } => {
            Out::SiteOpened(v1::SiteOpened { name: name.to_string(), zone: zone.to_string() })
        }
        Event::ThreadOpened { headline, address, category } => Out::ThreadOpened(v1::ThreadOpened {
            headline: headline.to_string(),
            address: address.to_string(),
            category: category.to_string(),
        }),
        Event::AuthorNamed { author, name } => {
            Out::AuthorNamed(v1::AuthorNamed { author: author.to_string(), name: name.to_string() })
        }
        Event::CommentPosted { parent, text, quotes, length } => Out::CommentPosted(v1::CommentPosted {
            parent: parent.map_or_else(String::new, |parent| parent.to_string()),
            text: text.as_str().to_owned(),
            quotes: quotes.iter().map(quote_out).collect(),
            length: *length,
        }),
        Event::CommentRemoved { comment, reason } => {
            Out::CommentRemoved(v1::CommentRemoved { comment: comment.to_string(), reason: reason.to_string() })
        }
        Event::VoteCast { comment, vote } => {
            Out::VoteCast(v1::VoteCast { comment: comment.to_string(), vote: vote_out(*vote) })
        }
    }
}

/// Why a message of the log cannot be read.
#[derive(Debug, Error)]
enum Unread {
    #[error("not an envelope: {0}")]
    NotAnEnvelope(#[from] prost::DecodeError),
    #[error("an event that this release does not know")]
    UnknownEvent,
    #[error("the event is not the {0} that its subject names")]
    OtherKind(String),
    #[error("{0}")]
    Field(#[from] Rejection),
    #[error("no time")]
    NoTime,
    #[error("a field is longer than any release lets in")]
    TooLong,
}

/// A message of the log in its place. Never fails: what cannot be read is part of the log too.
pub fn decode(sequence: u64, subject: &str, message_id: &str, payload: &[u8]) -> Recorded {
    let kept = message_id.floor_char_boundary(MESSAGE_ID_BYTES_MAX);
    let message_id = || message_id.get(..kept).unwrap_or_default().into();
    let Some(parsed) = subject::parse_event(subject) else {
        let reason = "the subject is not that of an event".into();
        let content = Content::Unreadable(Unreadable { message_id: message_id(), reason });
        return Recorded { sequence, place: None, content };
    };
    let content = match envelope(payload, parsed.kind) {
        _ if !parsed.partition_fits => Content::Misplaced { message_id: message_id() },
        Ok(envelope) if needs_thread(&envelope.event) != parsed.place.thread.is_some() => {
            let reason = "an event about a thread under `all`, or the reverse".into();
            Content::Unreadable(Unreadable { message_id: message_id(), reason })
        }
        Ok(envelope) => Content::Event(envelope),
        Err(unread) => {
            Content::Unreadable(Unreadable { message_id: message_id(), reason: unread.to_string().into() })
        }
    };
    Recorded { sequence, place: Some(parsed.place), content }
}

fn needs_thread(event: &Event) -> bool {
    match event {
        Event::SiteOpened { .. } | Event::AuthorNamed { .. } => false,
        Event::ThreadOpened { .. }
        | Event::CommentPosted { .. }
        | Event::CommentRemoved { .. }
        | Event::VoteCast { .. } => true,
    }
}

fn envelope(payload: &[u8], kind: &str) -> Result<Envelope, Unread> {
    let message = v1::Envelope::decode(payload)?;
    let event = event_in(message.event.ok_or(Unread::UnknownEvent)?)?;
    if !has_an_end(&event) {
        return Err(Unread::TooLong);
    }
    if event.kind() != kind {
        return Err(Unread::OtherKind(kind.to_owned()));
    }
    let time = message.time.as_ref().and_then(time_in).ok_or(Unread::NoTime)?;
    Ok(Envelope { id: message.id.parse()?, time, actor: actor_in(message.actor)?, event })
}

/// Whether every field fits what read models store.
fn has_an_end(event: &Event) -> bool {
    let lines = |lines: &[&str]| lines.iter().all(|line| line.len() <= RECORDED_LINE_BYTES_MAX);
    match event {
        Event::SiteOpened { name, zone } => lines(&[name, zone]),
        Event::ThreadOpened { headline, address, category } => lines(&[headline, address, category]),
        Event::AuthorNamed { name, .. } => lines(&[name]),
        Event::CommentPosted { text, quotes, .. } => {
            text.as_str().len() <= RECORDED_TEXT_BYTES_MAX && quotes.len() <= RECORDED_QUOTES_MAX
        }
        Event::CommentRemoved { reason, .. } => lines(&[reason]),
        Event::VoteCast { .. } => true,
    }
}

fn event_in(event: v1::envelope::Event) -> Result<Event, Rejection> {
    use v1::envelope::Event as In;
    Ok(match event {
        In::SiteOpened(event) => Event::SiteOpened { name: event.name.into(), zone: event.zone.into() },
        In::ThreadOpened(event) => Event::ThreadOpened {
            headline: event.headline.into(),
            address: event.address.into(),
            category: event.category.into(),
        },
        In::AuthorNamed(event) => Event::AuthorNamed { author: event.author.parse()?, name: event.name.into() },
        In::CommentPosted(event) => Event::CommentPosted {
            parent: optional_comment(&event.parent)?,
            text: Text::recorded(&event.text),
            quotes: event.quotes.iter().map(quote_in).collect::<Result<_, _>>()?,
            length: event.length,
        },
        In::CommentRemoved(event) => {
            Event::CommentRemoved { comment: event.comment.parse()?, reason: event.reason.into() }
        }
        In::VoteCast(event) => Event::VoteCast { comment: event.comment.parse()?, vote: vote_in(event.vote)? },
    })
}
