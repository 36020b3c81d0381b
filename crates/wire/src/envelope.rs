//! Events: messages of the log to and from the domain. Old events are upcast here, in one place.

use domain::limits::{
    MESSAGE_ID_BYTES_MAX, RECORDED_ERASED_MAX, RECORDED_LINE_BYTES_MAX, RECORDED_QUOTES_MAX,
    RECORDED_TEXT_BYTES_MAX, RECORDED_VOTERS_MAX, RECORDED_WORDS_BYTES_MAX, RECORDED_WORDS_MAX,
};
use domain::moderation::{Ban, ModeChange};
use domain::settings::{Closing, SettingsPatch, ThreadPatch};
use domain::text::Text;
use domain::{Content, Envelope, ErasedMessage, Event, Recorded, Rejection, Unreadable};
use prost::Message;
use thiserror::Error;

use crate::values::{
    actor_in, actor_out, category_in, category_out, closes_at_out, mode_in, mode_out, optional_comment,
    optional_hold_in, optional_hold_out, optional_thread, optional_time_in, quote_in, quote_out, settings_out,
    settings_recorded, time_in, time_out, vote_in, vote_out, voters_in,
};
use crate::{subject, v1};

/// The only header of an event: the command's id.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

/// An event as bytes.
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    envelope_out(envelope).encode_to_vec()
}

fn envelope_out(envelope: &Envelope) -> v1::Envelope {
    v1::Envelope {
        id: envelope.id.to_string(),
        time: Some(time_out(envelope.time)),
        actor: Some(actor_out(&envelope.actor)),
        event: Some(event_out(&envelope.event)),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each event, and nothing else")]
fn event_out(event: &Event) -> v1::envelope::Event {
    use v1::envelope::Event as Out;
    match event {
        Event::SiteOpened { name, zone } => {
            Out::SiteOpened(v1::SiteOpened { name: name.to_string(), zone: zone.to_string() })
        }
        Event::SiteSet(patch) => Out::SiteSet(v1::SiteSet { settings: Some(settings_out(patch)) }),
        Event::ThreadOpened { headline, address, category, published, closes_at } => {
            Out::ThreadOpened(v1::ThreadOpened {
                headline: headline.to_string(),
                address: address.to_string(),
                category: category.to_string(),
                published: published.map(time_out),
                closes_at: closes_at.map(time_out),
            })
        }
        Event::ThreadUpdated(patch) => Out::ThreadUpdated(v1::ThreadUpdated {
            headline: patch.headline.as_ref().map(ToString::to_string),
            category: patch.category.as_ref().map(ToString::to_string),
            published: patch.published.map(time_out),
            closes_at: closes_at_out(patch.closing),
            closes_never: patch.closing == Some(Closing::Never),
        }),
        Event::ThreadModeSet(change) => Out::ThreadModeSet(v1::ThreadModeSet {
            mode: mode_out(change.mode),
            reason: change.reason.to_string(),
            successor: change.successor.as_ref().map_or_else(String::new, ToString::to_string),
        }),
        Event::ThreadMoved { address } => Out::ThreadMoved(v1::ThreadMoved { address: address.to_string() }),
        Event::AuthorNamed { author, name } => {
            Out::AuthorNamed(v1::AuthorNamed { author: author.to_string(), name: name.to_string() })
        }
        Event::AuthorBanned { author, ban } => Out::AuthorBanned(v1::AuthorBanned {
            author: author.to_string(),
            until: ban.until.map(time_out),
            reason: ban.reason.to_string(),
        }),
        Event::AuthorUnbanned { author, reason } => {
            Out::AuthorUnbanned(v1::AuthorUnbanned { author: author.to_string(), reason: reason.to_string() })
        }
        Event::CommentPosted { parent, text, quotes, length, held, original_time } => {
            Out::CommentPosted(v1::CommentPosted {
                original_time: original_time.map(time_out),
                parent: parent.map_or_else(String::new, |parent| parent.to_string()),
                text: text.as_str().to_owned(),
                quotes: quotes.iter().map(quote_out).collect(),
                length: *length,
                held: optional_hold_out(*held),
            })
        }
        Event::CommentEdited { comment, revision, text, quotes, length, held } => {
            Out::CommentEdited(v1::CommentEdited {
                comment: comment.to_string(),
                revision: *revision,
                text: text.as_str().to_owned(),
                quotes: quotes.iter().map(quote_out).collect(),
                length: *length,
                held: optional_hold_out(*held),
            })
        }
        Event::CommentDeleted { comment } => {
            Out::CommentDeleted(v1::CommentDeleted { comment: comment.to_string() })
        }
        Event::CommentHeld { comment, reason } => {
            Out::CommentHeld(v1::CommentHeld { comment: comment.to_string(), reason: reason.to_string() })
        }
        Event::CommentApproved { comment, revision } => {
            Out::CommentApproved(v1::CommentApproved { comment: comment.to_string(), revision: *revision })
        }
        Event::CommentRemoved { comment, reason, rule } => Out::CommentRemoved(v1::CommentRemoved {
            comment: comment.to_string(),
            reason: reason.to_string(),
            rule: rule.to_string(),
        }),
        Event::CommentRestored { comment, reason } => {
            Out::CommentRestored(v1::CommentRestored { comment: comment.to_string(), reason: reason.to_string() })
        }
        Event::CommentFeatured { comment, featured } => {
            Out::CommentFeatured(v1::CommentFeatured { comment: comment.to_string(), featured: *featured })
        }
        Event::CommentFlagged { comment, category, words } => Out::CommentFlagged(v1::CommentFlagged {
            comment: comment.to_string(),
            category: category_out(*category),
            words: words.to_string(),
        }),
        Event::FlagWithdrawn { comment } => Out::FlagWithdrawn(v1::FlagWithdrawn { comment: comment.to_string() }),
        Event::FlagsResolved { comment, upheld, statement } => Out::FlagsResolved(v1::FlagsResolved {
            comment: comment.to_string(),
            upheld: *upheld,
            statement: statement.to_string(),
        }),
        Event::VoteCast { comment, vote } => {
            Out::VoteCast(v1::VoteCast { comment: comment.to_string(), vote: vote_out(*vote) })
        }
        Event::VotesVoided { voters, since, reason } => Out::VotesVoided(v1::VotesVoided {
            voters: voters.iter().map(ToString::to_string).collect(),
            since: since.map(time_out),
            reason: reason.to_string(),
        }),
        Event::VotesUnvoided { voters, reason } => Out::VotesUnvoided(v1::VotesUnvoided {
            voters: voters.iter().map(ToString::to_string).collect(),
            reason: reason.to_string(),
        }),
        Event::CommentsRemoved { author, since, reason, rule } => Out::CommentsRemoved(v1::CommentsRemoved {
            author: author.to_string(),
            since: since.map(time_out),
            reason: reason.to_string(),
            rule: rule.to_string(),
        }),
        Event::RemovalUndone { removal, reason } => {
            Out::RemovalUndone(v1::RemovalUndone { removal: removal.to_string(), reason: reason.to_string() })
        }
        Event::CommentErased { comment, reason } => {
            Out::CommentErased(v1::CommentErased { comment: comment.to_string(), reason: reason.to_string() })
        }
        Event::AuthorErased { author, comments_kept, reason } => Out::AuthorErased(v1::AuthorErased {
            author: author.to_string(),
            comments_kept: *comments_kept,
            reason: reason.to_string(),
        }),
        Event::MessagesErased { messages } => {
            Out::MessagesErased(v1::MessagesErased { messages: messages.iter().map(erased_out).collect() })
        }
    }
}

fn erased_out(message: &ErasedMessage) -> v1::ErasedMessage {
    v1::ErasedMessage {
        sequence: message.sequence,
        thread: message.thread.as_ref().map_or_else(String::new, ToString::to_string),
        envelope: Some(envelope_out(&message.envelope)),
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
    #[error("an event about a thread under `all`, or the reverse")]
    Misplaced,
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
        Ok(envelope) if !may_stand(&envelope.event, parsed.place.thread.is_some()) => {
            let reason = Unread::Misplaced.to_string().into();
            Content::Unreadable(Unreadable { message_id: message_id(), reason })
        }
        Ok(envelope) => Content::Event(envelope),
        Err(unread) => {
            Content::Unreadable(Unreadable { message_id: message_id(), reason: unread.to_string().into() })
        }
    };
    Recorded { sequence, place: Some(parsed.place), content }
}

/// Whether an event may stand under a thread, or under `all`.
fn may_stand(event: &Event, under_thread: bool) -> bool {
    match event {
        Event::SiteOpened { .. }
        | Event::SiteSet(_)
        | Event::AuthorNamed { .. }
        | Event::AuthorBanned { .. }
        | Event::AuthorUnbanned { .. }
        | Event::VotesVoided { .. }
        | Event::VotesUnvoided { .. }
        | Event::AuthorErased { .. }
        | Event::MessagesErased { .. } => !under_thread,
        // Of a thread, or of a whole site.
        Event::ThreadModeSet(_) | Event::CommentsRemoved { .. } | Event::RemovalUndone { .. } => true,
        Event::ThreadOpened { .. }
        | Event::ThreadUpdated(_)
        | Event::ThreadMoved { .. }
        | Event::CommentPosted { .. }
        | Event::CommentEdited { .. }
        | Event::CommentDeleted { .. }
        | Event::CommentHeld { .. }
        | Event::CommentApproved { .. }
        | Event::CommentRemoved { .. }
        | Event::CommentRestored { .. }
        | Event::CommentFeatured { .. }
        | Event::CommentFlagged { .. }
        | Event::FlagWithdrawn { .. }
        | Event::FlagsResolved { .. }
        | Event::CommentErased { .. }
        | Event::VoteCast { .. } => under_thread,
    }
}

fn envelope(payload: &[u8], kind: &str) -> Result<Envelope, Unread> {
    let envelope = envelope_in(v1::Envelope::decode(payload)?)?;
    if envelope.event.kind() == kind { Ok(envelope) } else { Err(Unread::OtherKind(kind.to_owned())) }
}

fn envelope_in(message: v1::Envelope) -> Result<Envelope, Unread> {
    let event = event_in(message.event.ok_or(Unread::UnknownEvent)?)?;
    if !has_an_end(&event) {
        return Err(Unread::TooLong);
    }
    let time = message.time.as_ref().and_then(time_in).ok_or(Unread::NoTime)?;
    Ok(Envelope { id: message.id.parse()?, time, actor: actor_in(message.actor)?, event })
}

/// A message of the log, as another one carries it: it could stand in its place.
fn erased_in(message: v1::ErasedMessage) -> Result<ErasedMessage, Unread> {
    let envelope = envelope_in(message.envelope.ok_or(Unread::UnknownEvent)?)?;
    let thread = optional_thread(&message.thread)?;
    if !may_stand(&envelope.event, thread.is_some()) {
        return Err(Unread::Misplaced);
    }
    Ok(ErasedMessage { sequence: message.sequence, thread, envelope })
}

/// Whether every field fits what read models store.
fn has_an_end(event: &Event) -> bool {
    let lines = |lines: &[&str]| lines.iter().all(|line| line.len() <= RECORDED_LINE_BYTES_MAX);
    match event {
        Event::SiteOpened { name, zone } => lines(&[name, zone]),
        Event::SiteSet(patch) => settings_have_an_end(patch),
        Event::ThreadOpened { headline, address, category, .. } => lines(&[headline, address, category]),
        Event::ThreadUpdated(patch) => {
            let texts = [&patch.headline, &patch.category];
            texts.into_iter().flatten().all(|text| lines(&[text]))
        }
        Event::ThreadModeSet(change) => lines(&[&change.reason]),
        Event::ThreadMoved { address } => lines(&[address]),
        Event::AuthorNamed { name, .. } => lines(&[name]),
        Event::AuthorBanned { ban, .. } => lines(&[&ban.reason]),
        Event::CommentPosted { text, quotes, .. } | Event::CommentEdited { text, quotes, .. } => {
            text.as_str().len() <= RECORDED_TEXT_BYTES_MAX && quotes.len() <= RECORDED_QUOTES_MAX
        }
        Event::AuthorUnbanned { reason, .. }
        | Event::CommentHeld { reason, .. }
        | Event::CommentRestored { reason, .. }
        | Event::RemovalUndone { reason, .. }
        | Event::CommentErased { reason, .. }
        | Event::AuthorErased { reason, .. } => lines(&[reason]),
        Event::CommentRemoved { reason, rule, .. } | Event::CommentsRemoved { reason, rule, .. } => {
            lines(&[reason, rule])
        }
        Event::VotesVoided { voters, reason, .. } | Event::VotesUnvoided { voters, reason } => {
            voters.len() <= RECORDED_VOTERS_MAX && lines(&[reason])
        }
        // What it carries was looked at alone.
        Event::MessagesErased { messages } => messages.len() <= RECORDED_ERASED_MAX,
        Event::CommentFlagged { words, .. } => lines(&[words]),
        Event::FlagsResolved { statement, .. } => statement.len() <= RECORDED_TEXT_BYTES_MAX,
        Event::CommentDeleted { .. }
        | Event::CommentApproved { .. }
        | Event::CommentFeatured { .. }
        | Event::FlagWithdrawn { .. }
        | Event::VoteCast { .. } => true,
    }
}

fn settings_have_an_end(patch: &SettingsPatch) -> bool {
    let texts = [&patch.name, &patch.zone, &patch.locale];
    let lists = [&patch.premoderate_words, &patch.reserved_names];
    let sound = |words: &Vec<Box<str>>| {
        words.len() <= RECORDED_WORDS_MAX
            && words.iter().all(|word| word.len() <= RECORDED_LINE_BYTES_MAX)
            && words.iter().map(|word| word.len()).sum::<usize>() <= RECORDED_WORDS_BYTES_MAX
    };
    texts.into_iter().flatten().all(|text| text.len() <= RECORDED_LINE_BYTES_MAX)
        && lists.into_iter().flatten().all(sound)
}

#[expect(clippy::too_many_lines, reason = "one arm for each event, and nothing else")]
fn event_in(event: v1::envelope::Event) -> Result<Event, Unread> {
    use v1::envelope::Event as In;
    Ok(match event {
        In::SiteOpened(event) => Event::SiteOpened { name: event.name.into(), zone: event.zone.into() },
        In::SiteSet(event) => Event::SiteSet(Box::new(settings_recorded(event.settings.unwrap_or_default()))),
        In::ThreadOpened(event) => Event::ThreadOpened {
            headline: event.headline.into(),
            address: event.address.into(),
            category: event.category.into(),
            published: optional_time_in(event.published.as_ref())?,
            closes_at: optional_time_in(event.closes_at.as_ref())?,
        },
        In::ThreadUpdated(event) => {
            let closes_at = optional_time_in(event.closes_at.as_ref())?.map(Closing::At);
            Event::ThreadUpdated(ThreadPatch {
                headline: event.headline.map(Into::into),
                category: event.category.map(Into::into),
                published: optional_time_in(event.published.as_ref())?,
                closing: closes_at.or(event.closes_never.then_some(Closing::Never)),
            })
        }
        In::ThreadModeSet(event) => Event::ThreadModeSet(ModeChange {
            mode: mode_in(event.mode).ok_or(Rejection::ModeInvalid)?,
            reason: event.reason.into(),
            successor: optional_thread(&event.successor)?,
        }),
        In::ThreadMoved(event) => Event::ThreadMoved { address: event.address.into() },
        In::AuthorNamed(event) => Event::AuthorNamed { author: event.author.parse()?, name: event.name.into() },
        In::AuthorBanned(event) => {
            let ban = Ban { until: optional_time_in(event.until.as_ref())?, reason: event.reason.into() };
            Event::AuthorBanned { author: event.author.parse()?, ban }
        }
        In::AuthorUnbanned(event) => {
            Event::AuthorUnbanned { author: event.author.parse()?, reason: event.reason.into() }
        }
        In::CommentPosted(event) => Event::CommentPosted {
            parent: optional_comment(&event.parent)?,
            text: Text::recorded(&event.text),
            quotes: event.quotes.iter().map(quote_in).collect::<Result<_, _>>()?,
            length: event.length,
            held: optional_hold_in(event.held),
            original_time: optional_time_in(event.original_time.as_ref())?,
        },
        In::CommentEdited(event) => Event::CommentEdited {
            comment: event.comment.parse()?,
            revision: event.revision,
            text: Text::recorded(&event.text),
            quotes: event.quotes.iter().map(quote_in).collect::<Result<_, _>>()?,
            length: event.length,
            held: optional_hold_in(event.held),
        },
        In::CommentDeleted(event) => Event::CommentDeleted { comment: event.comment.parse()? },
        In::CommentHeld(event) => {
            Event::CommentHeld { comment: event.comment.parse()?, reason: event.reason.into() }
        }
        In::CommentApproved(event) => {
            Event::CommentApproved { comment: event.comment.parse()?, revision: event.revision }
        }
        In::CommentRemoved(event) => Event::CommentRemoved {
            comment: event.comment.parse()?,
            reason: event.reason.into(),
            rule: event.rule.into(),
        },
        In::CommentRestored(event) => {
            Event::CommentRestored { comment: event.comment.parse()?, reason: event.reason.into() }
        }
        In::CommentFeatured(event) => {
            Event::CommentFeatured { comment: event.comment.parse()?, featured: event.featured }
        }
        In::CommentFlagged(event) => Event::CommentFlagged {
            comment: event.comment.parse()?,
            category: category_in(event.category).ok_or(Rejection::FlagCategoryInvalid)?,
            words: event.words.into(),
        },
        In::FlagWithdrawn(event) => Event::FlagWithdrawn { comment: event.comment.parse()? },
        In::FlagsResolved(event) => Event::FlagsResolved {
            comment: event.comment.parse()?,
            upheld: event.upheld,
            statement: event.statement.into(),
        },
        In::VoteCast(event) => Event::VoteCast { comment: event.comment.parse()?, vote: vote_in(event.vote)? },
        In::VotesVoided(event) => Event::VotesVoided {
            voters: voters_in(&event.voters)?,
            since: optional_time_in(event.since.as_ref())?,
            reason: event.reason.into(),
        },
        In::VotesUnvoided(event) => {
            Event::VotesUnvoided { voters: voters_in(&event.voters)?, reason: event.reason.into() }
        }
        In::CommentsRemoved(event) => Event::CommentsRemoved {
            author: event.author.parse()?,
            since: optional_time_in(event.since.as_ref())?,
            reason: event.reason.into(),
            rule: event.rule.into(),
        },
        In::RemovalUndone(event) => {
            Event::RemovalUndone { removal: event.removal.parse()?, reason: event.reason.into() }
        }
        In::CommentErased(event) => {
            Event::CommentErased { comment: event.comment.parse()?, reason: event.reason.into() }
        }
        In::AuthorErased(event) => Event::AuthorErased {
            author: event.author.parse()?,
            comments_kept: event.comments_kept,
            reason: event.reason.into(),
        },
        In::MessagesErased(event) => Event::MessagesErased {
            messages: event.messages.into_iter().map(erased_in).collect::<Result<_, _>>()?,
        },
    })
}

#[cfg(test)]
mod tests;
