//! What a thread is to the rules, and the rules: one function that writers and the fold both ask.
//!
//! Writers ask it with facts that may be a moment old, the fold with facts as of the event's own place in the log.
//! The fold is the arbiter: an event that turns out to break a rule by then is void.

use crate::event::{Actor, Event, Quote, Role};
use crate::ids::{AuthorId, CommentId};
use crate::rejection::Rejection;

/// How a site or a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Things may happen to it.
    Open,
    /// One of its events cannot be read, so nothing is known of it from there on.
    Frozen,
}

/// What rules need to know of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentFacts {
    /// Who wrote it.
    pub author: AuthorId,
    /// Whether a moderator removed it.
    pub removed: bool,
    /// Its length in characters.
    pub length: u32,
}

/// What rules need to know of a place, as of one position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The site, if there is one.
    pub site: Option<Standing>,
    /// The thread, if there is one.
    pub thread: Option<Standing>,
    /// Those of the mentioned comments that are in the thread.
    pub comments: Vec<(CommentId, CommentFacts)>,
}

impl Facts {
    fn comment(&self, id: CommentId) -> Option<&CommentFacts> {
        self.comments.iter().find(|(known, _)| *known == id).map(|(_, facts)| facts)
    }

    fn need_site(&self) -> Result<(), Rejection> {
        match self.site {
            None => Err(Rejection::SiteUnknown),
            Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
            Some(Standing::Open) => Ok(()),
        }
    }

    fn need_thread(&self) -> Result<(), Rejection> {
        self.need_site()?;
        match self.thread {
            None => Err(Rejection::ThreadUnknown),
            Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
            Some(Standing::Open) => Ok(()),
        }
    }
}

/// The comments that an event names, whose facts its rules need.
pub fn mentions(event: &Event) -> Vec<CommentId> {
    match event {
        Event::SiteOpened { .. } | Event::ThreadOpened { .. } | Event::AuthorNamed { .. } => Vec::new(),
        Event::CommentPosted { parent, quotes, .. } => {
            parent.iter().copied().chain(quotes.iter().map(|quote| quote.comment)).collect()
        }
        Event::CommentRemoved { comment, .. } | Event::VoteCast { comment, .. } => vec![*comment],
    }
}

/// Whether this may happen, given the facts.
pub fn permits(facts: &Facts, actor: &Actor, event: &Event) -> Result<(), Rejection> {
    match event {
        Event::SiteOpened { .. } => may_open_site(facts, actor),
        Event::ThreadOpened { .. } => may_open_thread(facts, actor),
        Event::AuthorNamed { author, .. } => may_name(facts, actor, author),
        Event::CommentPosted { parent, quotes, .. } => may_post(facts, *parent, quotes),
        Event::CommentRemoved { comment, .. } => may_remove(facts, actor, *comment),
        Event::VoteCast { comment, .. } => may_vote(facts, actor, *comment),
    }
}

fn need_one_of(actor: &Actor, roles: &[Role]) -> Result<(), Rejection> {
    if roles.iter().any(|role| actor.roles.has(*role)) { Ok(()) } else { Err(Rejection::NotPermitted) }
}

fn may_open_site(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, &[Role::Administrator])?;
    match facts.site {
        None => Ok(()),
        Some(Standing::Open) => Err(Rejection::SiteExists),
        Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
    }
}

fn may_open_thread(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, &[Role::Administrator, Role::Moderator, Role::Service])?;
    facts.need_site()?;
    match facts.thread {
        None => Ok(()),
        Some(Standing::Open) => Err(Rejection::ThreadExists),
        Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
    }
}

fn may_name(facts: &Facts, actor: &Actor, author: &AuthorId) -> Result<(), Rejection> {
    if actor.id != *author {
        need_one_of(actor, &[Role::Administrator, Role::Service])?;
    }
    facts.need_site()
}

fn may_post(facts: &Facts, parent: Option<CommentId>, quotes: &[Quote]) -> Result<(), Rejection> {
    facts.need_thread()?;
    if let Some(parent) = parent {
        let parent = facts.comment(parent).ok_or(Rejection::ParentUnknown)?;
        if parent.removed {
            return Err(Rejection::ParentRemoved);
        }
    }
    for quote in quotes {
        // A quote of a removed comment may be posted: it follows what it quotes and says so in its place.
        let source = facts.comment(quote.comment).ok_or(Rejection::QuoteUnknown)?;
        if quote.revision != 0 || quote.end > source.length {
            return Err(Rejection::QuoteInvalid);
        }
    }
    Ok(())
}

fn may_remove(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, &[Role::Moderator, Role::Administrator])?;
    facts.need_thread()?;
    let comment = facts.comment(comment).ok_or(Rejection::CommentUnknown)?;
    if comment.removed { Err(Rejection::CommentRemoved) } else { Ok(()) }
}

fn may_vote(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    facts.need_thread()?;
    let comment = facts.comment(comment).ok_or(Rejection::CommentUnknown)?;
    if comment.removed {
        return Err(Rejection::CommentRemoved);
    }
    if comment.author == actor.id { Err(Rejection::OwnComment) } else { Ok(()) }
}
