//! Messages that single tests write by hand: long texts, clocks that run back, thousands of comments.

use domain::event::Timestamp;
use domain::text::Text;
use domain::{Actor, CommandId, CommentId, Content, Envelope, Event, Hold, Quote, Recorded, Role, Roles};

use crate::model::place;

pub(crate) fn id(sequence: u64) -> CommandId {
    CommandId::from_u128(u128::from(sequence) << 64 | 1)
}

/// A quote of the first words of the comment that stands there in the log.
pub(crate) fn quote(sequence: u64, revision: u32, end: u32) -> Quote {
    Quote { comment: CommentId(id(sequence)), revision, start: 0, end, at: 0 }
}

/// What ann did in the first thread, or in the whole site.
pub(crate) fn by_ann(sequence: u64, millis: i64, in_thread: bool, roles: &[Role], event: Event) -> Recorded {
    by_somebody(sequence, "ann", millis, in_thread, roles, event)
}

/// What somebody did in the first thread, or in the whole site.
pub(crate) fn by_somebody(
    sequence: u64,
    by: &str,
    millis: i64,
    in_thread: bool,
    roles: &[Role],
    event: Event,
) -> Recorded {
    let actor = Actor { id: by.parse().unwrap(), roles: roles.iter().copied().collect::<Roles>() };
    let content = Content::Event(Envelope { id: id(sequence), time: Timestamp(millis), actor, event });
    Recorded { sequence, place: Some(place(in_thread.then_some(0))), content }
}

/// A post of ann's with these words and quotes, by the log's order.
pub(crate) fn posted(sequence: u64, millis: i64, words: &str, quotes: Vec<Quote>) -> Recorded {
    // The fold asks the length field and not the words.
    let event = Event::CommentPosted {
        parent: None,
        text: Text::recorded(words),
        quotes,
        length: 10_000,
        held: None,
        original_time: None,
    };
    by_ann(sequence, millis, true, &[], event)
}

/// A post of ann's that is held.
pub(crate) fn held(sequence: u64, millis: i64) -> Recorded {
    let (text, held) = (Text::recorded("held"), Some(Hold::Link));
    let event =
        Event::CommentPosted { parent: None, text, quotes: Vec::new(), length: 4, held, original_time: None };
    by_ann(sequence, millis, true, &[], event)
}

/// Ann's edit of a comment of hers.
pub(crate) fn edited(sequence: u64, millis: i64, comment: u64, revision: u32, words: &str) -> Recorded {
    let (text, comment) = (Text::recorded(words), CommentId(id(comment)));
    let length = text.length();
    let event = Event::CommentEdited { comment, revision, text, quotes: Vec::new(), length, held: None };
    by_ann(sequence, millis, true, &[], event)
}
