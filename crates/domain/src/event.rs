//! What happened. Every event has its actor, its time and the id of the command that asked for it.

use crate::ids::{AuthorId, CommandId, CommentId, ThreadId};
use crate::moderation::{Ban, FlagCategory, Hold, ModeChange};
use crate::record::Envelope;
use crate::settings::{SettingsPatch, ThreadPatch};
use crate::tally::Vote;
use crate::text::Text;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

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
    /// Settings of the site are otherwise from now on.
    SiteSet(Box<SettingsPatch>),
    /// An article can be commented on.
    ThreadOpened {
        /// Its headline.
        headline: Box<str>,
        /// Its canonical address; may be empty.
        address: Box<str>,
        /// Its section; may be empty.
        category: Box<str>,
        /// When it was published.
        published: Option<Timestamp>,
        /// From when on the thread takes no comments and no votes.
        closes_at: Option<Timestamp>,
    },
    /// What is said of the article is otherwise from now on.
    ThreadUpdated(ThreadPatch),
    /// The thread, or without one the whole site, has another mode from now on.
    ThreadModeSet(ModeChange),
    /// The article has another address; the old ones still lead to the thread.
    ThreadMoved {
        /// Its canonical address.
        address: Box<str>,
    },
    /// An author is called something from now on.
    AuthorNamed {
        /// Whose name it is.
        author: AuthorId,
        /// The name.
        name: Box<str>,
    },
    /// An author may not take part.
    AuthorBanned {
        /// Who.
        author: AuthorId,
        /// Until when and why.
        ban: Ban,
    },
    /// An author may take part again.
    AuthorUnbanned {
        /// Who.
        author: AuthorId,
        /// Why.
        reason: Box<str>,
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
        /// Why the writer's rules held it back.
        held: Option<Hold>,
        /// When it was posted elsewhere, if it was imported: shown and ranked by, and judged by no rule.
        original_time: Option<Timestamp>,
    },
    /// The author changed the words of a comment.
    CommentEdited {
        /// The comment.
        comment: CommentId,
        /// The number of the new revision.
        revision: u32,
        /// What is said now.
        text: Text,
        /// What it quotes now, by the order of `at`.
        quotes: Vec<Quote>,
        /// The length of the text in characters, which outlives the text.
        length: u32,
        /// Why the writer's rules hold it back from now on.
        held: Option<Hold>,
    },
    /// The author took a comment back.
    CommentDeleted {
        /// The comment.
        comment: CommentId,
    },
    /// A comment waits for a moderator.
    CommentHeld {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// A moderator let a held comment be seen.
    CommentApproved {
        /// The comment.
        comment: CommentId,
        /// The revision that the moderator read; `None` for any.
        revision: Option<u32>,
    },
    /// A moderator took a comment away.
    CommentRemoved {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
        /// The rule of the house that it broke, as readers see it; may be empty.
        rule: Box<str>,
    },
    /// A moderator put a removed comment back.
    CommentRestored {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// A comment is featured, or not any more.
    CommentFeatured {
        /// The comment.
        comment: CommentId,
        /// Whether it is.
        featured: bool,
    },
    /// The actor reported a comment.
    CommentFlagged {
        /// The comment.
        comment: CommentId,
        /// What is wrong with it.
        category: FlagCategory,
        /// In the actor's words; may be empty.
        words: Box<str>,
    },
    /// The actor took their flag back.
    FlagWithdrawn {
        /// The comment.
        comment: CommentId,
    },
    /// A moderator decided on all flags of a comment.
    FlagsResolved {
        /// The comment.
        comment: CommentId,
        /// Whether the readers who flagged it were right.
        upheld: bool,
        /// The statement of reasons; may be empty.
        statement: Box<str>,
    },
    /// The actor's vote on a comment is this from now on.
    VoteCast {
        /// The comment.
        comment: CommentId,
        /// The vote.
        vote: Vote,
    },
    /// Votes of these voters on the site count for nothing from now on, those that they cast later too. What was said of one of
    /// them before does not hold any more.
    VotesVoided {
        /// Whose votes.
        voters: Vec<AuthorId>,
        /// Only votes cast at this time or later; `None` for all.
        since: Option<Timestamp>,
        /// Why.
        reason: Box<str>,
    },
    /// Votes of these voters count again.
    VotesUnvoided {
        /// Whose votes.
        voters: Vec<AuthorId>,
        /// Why.
        reason: Box<str>,
    },
    /// A moderator took away the comments that an author has in the thread, or without one in the whole site. The id of the
    /// command is that of the removal.
    CommentsRemoved {
        /// Whose comments.
        author: AuthorId,
        /// Only comments posted at this time or later; `None` for all.
        since: Option<Timestamp>,
        /// Why.
        reason: Box<str>,
        /// The rule of the house that they broke, as readers see it; may be empty.
        rule: Box<str>,
    },
    /// A removal of many comments covers none any more.
    RemovalUndone {
        /// The id of the removal's command.
        removal: CommandId,
        /// Why.
        reason: Box<str>,
    },
    /// The words of a comment are forgotten for good.
    CommentErased {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// An author is forgotten for good: whatever stands under their id and name stands under a pseudonym that nobody can lead
    /// back, which is [`AuthorId::pseudonym`] of the command.
    AuthorErased {
        /// Who. In the log of later days the pseudonym.
        author: AuthorId,
        /// Whether the words of their comments stay; their names and the words of their flags go in any case.
        comments_kept: bool,
        /// Why.
        reason: Box<str>,
    },
    /// What messages of the log say once what was erased is gone from them: they are deleted, and these stand in their places.
    MessagesErased {
        /// The messages, all of this event's site.
        messages: Vec<ErasedMessage>,
    },
}

/// A message of the log without what was erased.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ErasedMessage {
    /// Where it stood in the stream.
    pub sequence: u64,
    /// The thread it was about; `None` if it was about the site.
    pub thread: Option<ThreadId>,
    /// What it says.
    pub envelope: Envelope,
}

impl Event {
    /// The kebab-case name, the last token of the subject. Stored: never change.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SiteOpened { .. } => "site-opened",
            Self::SiteSet(_) => "site-set",
            Self::ThreadOpened { .. } => "thread-opened",
            Self::ThreadUpdated(_) => "thread-updated",
            Self::ThreadModeSet(_) => "thread-mode-set",
            Self::ThreadMoved { .. } => "thread-moved",
            Self::AuthorNamed { .. } => "author-named",
            Self::AuthorBanned { .. } => "author-banned",
            Self::AuthorUnbanned { .. } => "author-unbanned",
            Self::CommentPosted { .. } => "comment-posted",
            Self::CommentEdited { .. } => "comment-edited",
            Self::CommentDeleted { .. } => "comment-deleted",
            Self::CommentHeld { .. } => "comment-held",
            Self::CommentApproved { .. } => "comment-approved",
            Self::CommentRemoved { .. } => "comment-removed",
            Self::CommentRestored { .. } => "comment-restored",
            Self::CommentFeatured { .. } => "comment-featured",
            Self::CommentFlagged { .. } => "comment-flagged",
            Self::FlagWithdrawn { .. } => "flag-withdrawn",
            Self::FlagsResolved { .. } => "flags-resolved",
            Self::VoteCast { .. } => "vote-cast",
            Self::VotesVoided { .. } => "votes-voided",
            Self::VotesUnvoided { .. } => "votes-unvoided",
            Self::CommentsRemoved { .. } => "comments-removed",
            Self::RemovalUndone { .. } => "removal-undone",
            Self::CommentErased { .. } => "comment-erased",
            Self::AuthorErased { .. } => "author-erased",
            Self::MessagesErased { .. } => "messages-erased",
        }
    }

    /// Every name there is, in a fixed order, for metrics and filters.
    pub const KINDS: &[&str] = &[
        "site-opened",
        "site-set",
        "thread-opened",
        "thread-updated",
        "thread-mode-set",
        "thread-moved",
        "author-named",
        "author-banned",
        "author-unbanned",
        "comment-posted",
        "comment-edited",
        "comment-deleted",
        "comment-held",
        "comment-approved",
        "comment-removed",
        "comment-restored",
        "comment-featured",
        "comment-flagged",
        "flag-withdrawn",
        "flags-resolved",
        "vote-cast",
        "votes-voided",
        "votes-unvoided",
        "comments-removed",
        "removal-undone",
        "comment-erased",
        "author-erased",
        "messages-erased",
    ];

    /// The comment that it is about, if that was there before.
    pub fn comment(&self) -> Option<CommentId> {
        match self {
            Self::CommentEdited { comment, .. }
            | Self::CommentDeleted { comment }
            | Self::CommentHeld { comment, .. }
            | Self::CommentApproved { comment, .. }
            | Self::CommentRemoved { comment, .. }
            | Self::CommentRestored { comment, .. }
            | Self::CommentFeatured { comment, .. }
            | Self::CommentFlagged { comment, .. }
            | Self::FlagWithdrawn { comment }
            | Self::FlagsResolved { comment, .. }
            | Self::VoteCast { comment, .. }
            | Self::CommentErased { comment, .. } => Some(*comment),
            Self::SiteOpened { .. }
            | Self::SiteSet(_)
            | Self::ThreadOpened { .. }
            | Self::ThreadUpdated(_)
            | Self::ThreadModeSet(_)
            | Self::ThreadMoved { .. }
            | Self::AuthorNamed { .. }
            | Self::AuthorBanned { .. }
            | Self::AuthorUnbanned { .. }
            | Self::CommentPosted { .. }
            | Self::VotesVoided { .. }
            | Self::VotesUnvoided { .. }
            | Self::CommentsRemoved { .. }
            | Self::RemovalUndone { .. }
            | Self::AuthorErased { .. }
            | Self::MessagesErased { .. } => None,
        }
    }

    /// The comment that it is about, under the id of its command: the one that it posts, or one that was there before.
    pub fn comment_under(&self, id: CommandId) -> Option<CommentId> {
        match self {
            Self::CommentPosted { .. } => Some(CommentId(id)),
            event => event.comment(),
        }
    }

    /// Whether it is the same but for what the writer judged and the caller did not say.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let unjudged = |event: &Self| {
            let mut event = event.clone();
            if let Self::CommentPosted { held, .. } | Self::CommentEdited { held, .. } = &mut event {
                *held = None;
            }
            event
        };
        unjudged(self) == unjudged(other)
    }
}
