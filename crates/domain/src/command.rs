//! What may be asked for. A command that exists is well formed: its fields were parsed, not checked.

use std::collections::HashSet;

use crate::actor::Actor;
use crate::event::{Quote, Timestamp};
use crate::ids::{AuthorId, CommandId, CommentId};
use crate::limits::{QUOTES_MAX, VOTERS_MAX};
use crate::moderation::{Ban, FlagCategory, ModeChange};
use crate::record::Place;
use crate::rejection::Rejection;
use crate::settings::{SettingsPatch, ThreadPatch};
use crate::tally::Vote;
use crate::text::Text;

/// Somebody asks for something, somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Made by the caller; the same command again has no second effect.
    pub id: CommandId,
    /// Who asks.
    pub actor: Actor,
    /// Where.
    pub place: Place,
    /// For what.
    pub body: CommandBody,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandBody {
    /// Begin to use Koe for a publication.
    OpenSite {
        /// What readers call it.
        name: Box<str>,
        /// Its IANA time zone.
        zone: Box<str>,
    },
    /// Set settings of the site.
    SetSite(Box<SettingsPatch>),
    /// Let an article be commented on.
    OpenThread {
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
    /// Say something else of an article.
    UpdateThread(ThreadPatch),
    /// Set the mode of a thread or of the whole site.
    SetThreadMode(ModeChange),
    /// Give an article another address.
    MoveThread {
        /// Its canonical address.
        address: Box<str>,
    },
    /// Call an author something.
    NameAuthor {
        /// Whose name it is.
        author: AuthorId,
        /// The name.
        name: Box<str>,
    },
    /// Let an author take no part.
    BanAuthor {
        /// Who.
        author: AuthorId,
        /// Until when and why.
        ban: Ban,
    },
    /// Let an author take part again.
    UnbanAuthor {
        /// Who.
        author: AuthorId,
        /// Why.
        reason: Box<str>,
    },
    /// Post a comment.
    PostComment {
        /// The comment it replies to.
        parent: Option<CommentId>,
        /// What is said.
        text: Text,
        /// What it quotes.
        quotes: Quotes,
    },
    /// Change the words of one's own comment.
    EditComment {
        /// The comment.
        comment: CommentId,
        /// The revision that its author saw.
        revision: u32,
        /// What is said now.
        text: Text,
        /// What it quotes now.
        quotes: Quotes,
    },
    /// Take one's own comment back.
    DeleteComment {
        /// The comment.
        comment: CommentId,
    },
    /// Let a comment wait for a moderator.
    HoldComment {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// Let a held comment be seen.
    ApproveComment {
        /// The comment.
        comment: CommentId,
        /// The revision that was read; `None` for any.
        revision: Option<u32>,
    },
    /// Take a comment away.
    RemoveComment {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
        /// The rule of the house that it broke; may be empty.
        rule: Box<str>,
    },
    /// Put a removed comment back.
    RestoreComment {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// Feature a comment, or not any more.
    FeatureComment {
        /// The comment.
        comment: CommentId,
        /// Whether it shall be.
        featured: bool,
    },
    /// Report a comment.
    FlagComment {
        /// The comment.
        comment: CommentId,
        /// What is wrong with it.
        category: FlagCategory,
        /// In the actor's words.
        words: Box<str>,
    },
    /// Take one's own flag back.
    WithdrawFlag {
        /// The comment.
        comment: CommentId,
    },
    /// Decide on all flags of a comment.
    ResolveFlags {
        /// The comment.
        comment: CommentId,
        /// Whether the readers who flagged it were right.
        upheld: bool,
        /// The statement of reasons.
        statement: Box<str>,
    },
    /// Set the actor's vote on a comment.
    CastVote {
        /// The comment.
        comment: CommentId,
        /// The vote.
        vote: Vote,
    },
    /// Let votes of voters count for nothing.
    VoidVotes {
        /// Whose votes.
        voters: Voters,
        /// Only votes cast at this time or later; `None` for all.
        since: Option<Timestamp>,
        /// Why.
        reason: Box<str>,
    },
    /// Let votes of voters count again.
    UnvoidVotes {
        /// Whose votes.
        voters: Voters,
        /// Why.
        reason: Box<str>,
    },
    /// Take away the comments that an author has in the thread, or in the whole site.
    RemoveComments {
        /// Whose comments.
        author: AuthorId,
        /// Only comments posted at this time or later; `None` for all.
        since: Option<Timestamp>,
        /// Why.
        reason: Box<str>,
        /// The rule of the house that they broke; may be empty.
        rule: Box<str>,
    },
    /// Undo one removal of many comments.
    UndoRemoval {
        /// The id of the removal's command.
        removal: CommandId,
        /// Why.
        reason: Box<str>,
    },
    /// Forget the words of a comment for good.
    EraseComment {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// Forget an author for good.
    EraseAuthor {
        /// Who.
        author: AuthorId,
        /// Whether the words of their comments stay.
        comments_kept: bool,
        /// Why.
        reason: Box<str>,
    },
}

/// Voters, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voters(Vec<AuthorId>);

impl Voters {
    /// Voters as a caller gave them.
    pub fn parse(voters: Vec<AuthorId>) -> Result<Self, Rejection> {
        let different = voters.iter().collect::<HashSet<_>>().len();
        let sound = (1..=VOTERS_MAX).contains(&voters.len()) && different == voters.len();
        if sound { Ok(Self(voters)) } else { Err(Rejection::VotersInvalid) }
    }

    /// The voters, in the order given.
    pub fn as_slice(&self) -> &[AuthorId] {
        &self.0
    }

    /// The voters, in the order given.
    pub fn into_inner(self) -> Vec<AuthorId> {
        self.0
    }
}

/// Quotes that stand in order inside one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotes(Vec<Quote>);

impl Quotes {
    /// Quotes as a caller gave them, for a text of this length.
    pub fn parse(quotes: Vec<Quote>, text_length: u32) -> Result<Self, Rejection> {
        if quotes.len() > QUOTES_MAX {
            return Err(Rejection::QuotesTooMany);
        }
        let in_order = quotes.is_sorted_by_key(|quote| quote.at);
        let sound = quotes.iter().all(|quote| quote.start < quote.end && quote.at <= text_length);
        if in_order && sound { Ok(Self(quotes)) } else { Err(Rejection::QuoteInvalid) }
    }

    /// The quotes, by the order of `at`.
    pub fn as_slice(&self) -> &[Quote] {
        &self.0
    }

    /// The quotes, by the order of `at`.
    pub fn into_inner(self) -> Vec<Quote> {
        self.0
    }
}
