//! Messages of the log: an event in its place, or what cannot be read as one.

use crate::actor::Actor;
use crate::event::{Event, Timestamp};
use crate::ids::{CommandId, SiteId, ThreadId};

/// Where an event belongs: a thread, or all of a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The site.
    pub site: SiteId,
    /// The thread; `None` for what is about the site or an author.
    pub thread: Option<ThreadId>,
}

/// An event with who, when, and which command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// The command's id.
    pub id: CommandId,
    /// When the writer accepted the command.
    pub time: Timestamp,
    /// Who asked.
    pub actor: Actor,
    /// What happened.
    pub event: Event,
}

/// A message of the log, in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the stream.
    pub sequence: u64,
    /// Where it belongs; `None` when even the subject cannot be read.
    pub place: Option<Place>,
    /// What it says.
    pub content: Content,
}

/// What a message of the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An event that this binary knows.
    Event(Envelope),
    /// Something that it cannot read: it freezes its place.
    Unreadable(Unreadable),
    /// An event under a partition that its place does not have: void, since no projector can judge it alike.
    Misplaced {
        /// The message's `Nats-Msg-Id`, empty if it has none.
        message_id: Box<str>,
    },
}

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The message's `Nats-Msg-Id`, empty if it has none.
    pub message_id: Box<str>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

impl Content {
    /// The id of the message, to tell whether a log is still the same one.
    pub fn message_id(&self) -> String {
        match self {
            Self::Event(envelope) => envelope.id.to_string(),
            Self::Unreadable(unreadable) => unreadable.message_id.to_string(),
            Self::Misplaced { message_id } => message_id.to_string(),
        }
    }
}
