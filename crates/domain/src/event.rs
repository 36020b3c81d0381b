//! What happened. Every event has its actor, its time and the id of the command that asked for it.

use crate::ids::{AuthorId, CommandId, CommentId, SiteId, ThreadId};
use crate::tally::Vote;
use crate::text::Text;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// What an actor is to a site, beyond being a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// May remove comments.
    Moderator,
    /// May open sites, and what a moderator may.
    Administrator,
    /// Another service. May open threads.
    Service,
}

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles {
    moderator: bool,
    administrator: bool,
    service: bool,
}

impl Roles {
    /// Whether the set holds the role.
    pub fn has(self, role: Role) -> bool {
        match role {
            Role::Moderator => self.moderator,
            Role::Administrator => self.administrator,
            Role::Service => self.service,
        }
    }

    /// The roles of the set, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        [Role::Moderator, Role::Administrator, Role::Service].into_iter().filter(move |role| self.has(*role))
    }
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let mut set = Self::default();
        for role in roles {
            match role {
                Role::Moderator => set.moderator = true,
                Role::Administrator => set.administrator = true,
                Role::Service => set.service = true,
            }
        }
        set
    }
}

/// Who asked, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The opaque id; of a post the author, of a vote the voter.
    pub id: AuthorId,
    /// What the actor is to the site.
    pub roles: Roles,
}

/// Where an event belongs: a thread, or all of a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The site.
    pub site: SiteId,
    /// The thread; `None` for what is about the site or an author.
    pub thread: Option<ThreadId>,
}

/// A part of another comment of the same thread. Offsets count characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quote {
    /// The comment that is quoted.
    pub comment: CommentId,
    /// The revision that is quoted; 0 is the comment as it was posted.
    pub revision: u32,
    /// The first character quoted.
    pub start: u32,
    /// The character after the last one quoted.
    pub end: u32,
    /// Where in the quoting text it stands: before this character.
    pub at: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A publication began to use Koe.
    SiteOpened {
        /// What readers call it.
        name: Box<str>,
        /// Its IANA time zone.
        zone: Box<str>,
    },
    /// An article can be commented on.
    ThreadOpened {
        /// Its headline.
        headline: Box<str>,
        /// Its canonical address; may be empty.
        address: Box<str>,
        /// Its section; may be empty.
        category: Box<str>,
    },
    /// An author is called something from now on.
    AuthorNamed {
        /// Whose name it is.
        author: AuthorId,
        /// The name.
        name: Box<str>,
    },
    /// The actor posted a comment, whose id is the command's.
    CommentPosted {
        /// The comment it replies to.
        parent: Option<CommentId>,
        /// What was said.
        text: Text,
        /// What it quotes, by the order of `at`.
        quotes: Vec<Quote>,
        /// The length of the text in characters, which outlives the text.
        length: u32,
    },
    /// A moderator took a comment away.
    CommentRemoved {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// The actor's vote on a comment is this from now on.
    VoteCast {
        /// The comment.
        comment: CommentId,
        /// The vote.
        vote: Vote,
    },
}

impl Event {
    /// The kebab-case name, the last token of the subject. Stored: never change.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SiteOpened { .. } => "site-opened",
            Self::ThreadOpened { .. } => "thread-opened",
            Self::AuthorNamed { .. } => "author-named",
            Self::CommentPosted { .. } => "comment-posted",
            Self::CommentRemoved { .. } => "comment-removed",
            Self::VoteCast { .. } => "vote-cast",
        }
    }

    /// Every name there is, in a fixed order, for metrics and filters.
    pub const KINDS: &[&str] =
        &["site-opened", "thread-opened", "author-named", "comment-posted", "comment-removed", "vote-cast"];
}

/// An event with who, when, and which command.
#[derive(Clone, Debug, PartialEq, Eq)]
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
