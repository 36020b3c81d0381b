//! The words of moderation: modes of threads, states of comments, why one is held, bans, and what a flag says.

use crate::event::Timestamp;
use crate::ids::ThreadId;

/// What may happen to a thread, from the mildest to the strictest. Of a site's mode and its thread's the stricter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Everybody may post and vote.
    #[default]
    Open,
    /// What readers post is held until a moderator approves it.
    Premoderated,
    /// Nobody posts, edits or votes; flags still come in.
    ReadOnly,
    /// Readers do not see the comments either.
    Hidden,
}

impl Mode {
    /// The word for it, in records and on pages. Stored: never change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Premoderated => "premoderated",
            Self::ReadOnly => "read-only",
            Self::Hidden => "hidden",
        }
    }
}

/// Another mode for a thread or a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ModeChange {
    /// The mode.
    pub mode: Mode,
    /// Why, as readers see it; may be empty.
    pub reason: Box<str>,
    /// The thread where the discussion goes on, for a thread that is read only.
    pub successor: Option<ThreadId>,
}

/// How a comment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Everybody may read it.
    Visible,
    /// It waits for a moderator.
    Held,
    /// A moderator removed it.
    Removed,
    /// Its author took it back.
    Deleted,
    /// Its words are forgotten for good.
    Erased,
}

impl State {
    /// The word for it, in records and on pages. Stored: never change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Held => "held",
            Self::Removed => "removed",
            Self::Deleted => "deleted",
            Self::Erased => "erased",
        }
    }
}

/// Why a comment is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hold {
    /// Its thread or site is premoderated.
    Mode,
    /// Its author is new.
    NewAuthor,
    /// It holds a link.
    Link,
    /// It holds a word out of the site's list.
    Word,
    /// So many readers flagged it.
    Flags,
    /// A moderator or a service said so.
    Decision,
}

/// Until when and why an author may not take part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ban {
    /// Until when; `None` for good.
    pub until: Option<Timestamp>,
    /// Why, as the banned person is told.
    pub reason: Box<str>,
}

impl Ban {
    /// Whether it holds at a time.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.until.is_none_or(|until| time < until)
    }
}

/// What a reader says is wrong with a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlagCategory {
    /// Advertising, or the same again and again.
    Spam,
    /// It attacks somebody.
    Abuse,
    /// It has nothing to do with the article.
    OffTopic,
    /// It is false.
    Misinformation,
    /// It is against the law.
    Illegal,
    /// Something else.
    Other,
}

impl FlagCategory {
    /// The word for it, in records and own data. Stored: never change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Abuse => "abuse",
            Self::OffTopic => "off-topic",
            Self::Misinformation => "misinformation",
            Self::Illegal => "illegal",
            Self::Other => "other",
        }
    }
}
