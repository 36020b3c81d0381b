//! What may be asked for. A command that exists is well formed: its fields were parsed, not checked.

use crate::event::{Actor, Place, Quote};
use crate::ids::{AuthorId, CommandId, CommentId};
use crate::limits::QUOTES_MAX;
use crate::rejection::Rejection;
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
    /// Let an article be commented on.
    OpenThread {
        /// Its headline.
        headline: Box<str>,
        /// Its canonical address; may be empty.
        address: Box<str>,
        /// Its section; may be empty.
        category: Box<str>,
    },
    /// Call an author something.
    NameAuthor {
        /// Whose name it is.
        author: AuthorId,
        /// The name.
        name: Box<str>,
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
    /// Take a comment away.
    RemoveComment {
        /// The comment.
        comment: CommentId,
        /// Why.
        reason: Box<str>,
    },
    /// Set the actor's vote on a comment.
    CastVote {
        /// The comment.
        comment: CommentId,
        /// The vote.
        vote: Vote,
    },
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
