//! What the rules need to know, and which of it an event asks for.

use crate::actor::Actor;
use crate::event::{Event, Timestamp};
use crate::ids::{AuthorId, CommandId, CommentId};
use crate::moderation::{Ban, Mode, State};
use crate::rejection::Rejection;
use crate::settings::SiteRules;

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
    /// How it stands.
    pub state: State,
    /// When it was posted.
    pub posted: Timestamp,
    /// The lengths of its revisions in characters, from 0.
    pub lengths: Vec<u32>,
    /// The revisions that readers never saw.
    pub unseen: Vec<u32>,
    /// Flags that wait for a decision.
    pub flags: u32,
    /// Of those, the ones that say that its content is illegal.
    pub flags_illegal: u32,
}

/// What rules need to know of an author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorFacts {
    /// The ban that was spoken last; it may be over.
    pub ban: Option<Ban>,
    /// How many of their comments were shown, up to now.
    pub shown: u32,
    /// Whether they have a flag on the first comment that the event names.
    pub flag: Option<FlagFacts>,
}

/// What rules need to know of somebody who took part in the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// Whether their votes count for nothing, all or those since a time.
    pub votes_void: bool,
    /// Whether this is the pseudonym of an author who was erased.
    pub erased: bool,
}

/// What rules need to know of a removal of many comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalFacts {
    /// Whether it was undone.
    pub undone: bool,
}

/// A flag that an author has on a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagFacts {
    /// Whether it waits for a decision.
    pub waits: bool,
}

/// What rules need to know of a place, as of one position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// When: the writer's clock, or the event's time as the fold takes it.
    pub time: Timestamp,
    /// Whether the place is a whole site and no thread.
    pub whole_site: bool,
    /// The site, if there is one.
    pub site: Option<Standing>,
    /// The thread, if there is one.
    pub thread: Option<Standing>,
    /// What the site has set.
    pub rules: SiteRules,
    /// The site's mode.
    pub site_mode: Mode,
    /// The thread's own mode.
    pub thread_mode: Mode,
    /// From when on the thread takes no comments and no votes.
    pub closes_at: Option<Timestamp>,
    /// How often the article moved.
    pub moves: u32,
    /// The author whose facts matter, by [`needs`].
    pub author: AuthorFacts,
    /// Those of the mentioned comments that are in the thread.
    pub comments: Vec<(CommentId, CommentFacts)>,
    /// Those of the people asked about who took part in the site.
    pub people: Vec<(AuthorId, PersonFacts)>,
    /// The removal asked about, if it is one of this place.
    pub removal: Option<RemovalFacts>,
}

/// Which facts an event's rules ask for, beside those of its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Comments of the thread.
    pub comments: Vec<CommentId>,
    /// The author whose facts matter: who takes part, or who is banned.
    pub author: Option<AuthorId>,
    /// Whether that author's flag on the first comment matters too.
    pub flag: bool,
    /// People of whom matters whether they took part in the site, and whether their votes are void.
    pub people: Vec<AuthorId>,
    /// A removal of many comments in this place.
    pub removal: Option<CommandId>,
}

/// Which facts the rules of an event by an actor ask for.
pub fn needs(event: &Event, actor: &Actor) -> Needs {
    let quoted = |quotes: &[crate::event::Quote]| quotes.iter().map(|quote| quote.comment).collect::<Vec<_>>();
    let comments = match event {
        Event::CommentPosted { parent, quotes, .. } => parent.iter().copied().chain(quoted(quotes)).collect(),
        Event::CommentEdited { comment, quotes, .. } => std::iter::once(*comment).chain(quoted(quotes)).collect(),
        other => other.comment().into_iter().collect(),
    };
    let author = match event {
        Event::AuthorBanned { author, .. } | Event::AuthorUnbanned { author, .. } => Some(author.clone()),
        Event::AuthorNamed { .. }
        | Event::CommentPosted { .. }
        | Event::CommentEdited { .. }
        | Event::CommentFlagged { .. }
        | Event::FlagWithdrawn { .. }
        | Event::VoteCast { .. } => Some(actor.id.clone()),
        _ => None,
    };
    let flag = matches!(event, Event::CommentFlagged { .. } | Event::FlagWithdrawn { .. });
    let people = match event {
        Event::VotesVoided { voters, .. } | Event::VotesUnvoided { voters, .. } => voters.clone(),
        Event::CommentsRemoved { author, .. } | Event::AuthorErased { author, .. } => vec![author.clone()],
        _ => Vec::new(),
    };
    let removal = match event {
        Event::RemovalUndone { removal, .. } => Some(*removal),
        _ => None,
    };
    Needs { comments, author, flag, people, removal }
}

impl Facts {
    pub(super) fn comment(&self, id: CommentId) -> Option<&CommentFacts> {
        self.comments.iter().find(|(known, _)| *known == id).map(|(_, facts)| facts)
    }

    pub(super) fn need_comment(&self, id: CommentId) -> Result<&CommentFacts, Rejection> {
        self.comment(id).ok_or(Rejection::CommentUnknown)
    }

    pub(super) fn person(&self, id: &AuthorId) -> Option<PersonFacts> {
        self.people.iter().find(|(known, _)| known == id).map(|(_, facts)| *facts)
    }

    /// The site, or the thread where the place is one.
    pub(super) fn need_place(&self) -> Result<(), Rejection> {
        if self.whole_site { self.need_site() } else { self.need_thread() }
    }

    pub(super) fn need_site(&self) -> Result<(), Rejection> {
        match self.site {
            None => Err(Rejection::SiteUnknown),
            Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
            Some(Standing::Open) => Ok(()),
        }
    }

    pub(super) fn need_thread(&self) -> Result<(), Rejection> {
        self.need_site()?;
        match self.thread {
            None => Err(Rejection::ThreadUnknown),
            Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
            Some(Standing::Open) => Ok(()),
        }
    }

    /// The stricter of the site's mode and the thread's.
    pub fn mode(&self) -> Mode {
        self.site_mode.max(self.thread_mode)
    }

    /// Whether readers see the thread.
    pub(super) fn need_shown(&self) -> Result<(), Rejection> {
        self.need_thread()?;
        if self.mode() == Mode::Hidden { Err(Rejection::ThreadHidden) } else { Ok(()) }
    }

    /// Whether readers may post and vote.
    pub(super) fn need_taking_part(&self) -> Result<(), Rejection> {
        self.need_shown()?;
        if self.mode() == Mode::ReadOnly {
            return Err(Rejection::ThreadReadOnly);
        }
        if self.closes_at.is_some_and(|closes_at| closes_at <= self.time) {
            return Err(Rejection::ThreadClosed);
        }
        self.need_not_banned()
    }

    pub(super) fn need_not_banned(&self) -> Result<(), Rejection> {
        let banned = self.author.ban.as_ref().is_some_and(|ban| ban.holds_at(self.time));
        if banned { Err(Rejection::Banned) } else { Ok(()) }
    }
}

impl CommentFacts {
    /// The number of the revision that is shown.
    pub fn revision(&self) -> u32 {
        u32::try_from(self.lengths.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The length of a revision.
    pub(super) fn length(&self, revision: u32) -> Option<u32> {
        self.lengths.get(usize::try_from(revision).ok()?).copied()
    }

    /// Whether it is there, seen or held.
    pub(super) fn need_kept(&self) -> Result<(), Rejection> {
        match self.state {
            State::Visible | State::Held => Ok(()),
            State::Removed => Err(Rejection::CommentRemoved),
            State::Deleted => Err(Rejection::CommentDeleted),
            State::Erased => Err(Rejection::CommentErased),
        }
    }

    pub(super) fn need_visible(&self) -> Result<(), Rejection> {
        self.need_kept()?;
        if self.state == State::Held { Err(Rejection::CommentHeld) } else { Ok(()) }
    }
}
