//! What a thread is to the rules, and the rules: one function that writers and the fold both ask.
//!
//! Writers ask it with facts that may be a moment old, the fold with facts as of the event's own place in the log.
//! The fold is the arbiter: an event that turns out to break a rule by then is void.

mod comments;
mod facts;
mod undoing;

use crate::actor::{Actor, Role};
use crate::event::Event;
use crate::ids::AuthorId;
use crate::limits::MOVES_MAX;
use crate::moderation::{Ban, Hold, Mode};
use crate::rejection::Rejection;

pub use facts::{AuthorFacts, CommentFacts, Facts, FlagFacts, Needs, PersonFacts, RemovalFacts, Standing, needs};

/// Who decides over readers.
const STAFF: &[Role] = &[Role::Moderator, Role::Administrator];
/// Who keeps articles and their threads.
const EDITORIAL: &[Role] = &[Role::Administrator, Role::Moderator, Role::Service];

/// Whether this may happen, given the facts.
pub fn permits(facts: &Facts, actor: &Actor, event: &Event) -> Result<(), Rejection> {
    match event {
        Event::SiteOpened { .. } => may_open_site(facts, actor),
        Event::SiteSet(_) => may_set_site(facts, actor),
        Event::ThreadOpened { .. } => may_open_thread(facts, actor),
        Event::ThreadUpdated(_) => may_update_thread(facts, actor),
        Event::ThreadModeSet(_) => may_set_mode(facts, actor),
        Event::ThreadMoved { .. } => may_move(facts, actor),
        Event::AuthorNamed { author, .. } => may_name(facts, actor, author),
        Event::AuthorBanned { ban, .. } => may_ban(facts, actor, ban),
        Event::AuthorUnbanned { .. } => may_unban(facts, actor),
        Event::CommentPosted { parent, quotes, length, .. } => comments::may_post(facts, *parent, quotes, *length),
        Event::CommentEdited { comment, revision, quotes, length, .. } => {
            comments::may_edit(facts, actor, (*comment, *revision), quotes, *length)
        }
        Event::CommentDeleted { comment } => comments::may_delete(facts, actor, *comment),
        Event::CommentHeld { comment, .. } => comments::may_hold(facts, actor, *comment),
        Event::CommentApproved { comment, revision } => comments::may_approve(facts, actor, *comment, *revision),
        Event::CommentRemoved { comment, .. } => comments::may_remove(facts, actor, *comment),
        Event::CommentRestored { comment, .. } => comments::may_restore(facts, actor, *comment),
        Event::CommentFeatured { comment, .. } => comments::may_feature(facts, actor, *comment),
        Event::CommentFlagged { comment, .. } => comments::may_flag(facts, actor, *comment),
        Event::FlagWithdrawn { comment } => comments::may_withdraw(facts, *comment),
        Event::FlagsResolved { comment, statement, .. } => {
            comments::may_resolve(facts, actor, *comment, statement)
        }
        Event::VoteCast { comment, .. } => comments::may_vote(facts, actor, *comment),
        Event::VotesVoided { .. } => undoing::may_void(facts, actor),
        Event::VotesUnvoided { voters, .. } => undoing::may_unvoid(facts, actor, voters),
        Event::CommentsRemoved { .. } => undoing::may_remove(facts, actor),
        Event::RemovalUndone { .. } => undoing::may_undo(facts, actor),
        Event::CommentErased { comment, .. } => undoing::may_erase_comment(facts, actor, *comment),
        Event::AuthorErased { author, .. } => undoing::may_erase_author(facts, actor, author),
        Event::MessagesErased { .. } => undoing::may_erase_messages(facts, actor),
    }
}

/// Whether an actor may have people and their words forgotten.
pub fn may_forget(actor: &Actor) -> bool {
    need_one_of(actor, undoing::FORGETTING).is_ok()
}

/// Why what an actor says is held: what the writer judged, or else the mode by now. Staff are not held.
pub fn hold(facts: &Facts, actor: &Actor, judged: Option<Hold>) -> Option<Hold> {
    if STAFF.iter().any(|role| actor.roles.has(*role)) {
        return None;
    }
    judged.or_else(|| (facts.mode() == Mode::Premoderated).then_some(Hold::Mode))
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

fn may_set_site(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, &[Role::Administrator])?;
    facts.need_site()
}

fn may_open_thread(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, EDITORIAL)?;
    facts.need_site()?;
    match facts.thread {
        None => Ok(()),
        Some(Standing::Open) => Err(Rejection::ThreadExists),
        Some(Standing::Frozen) => Err(Rejection::ThreadFrozen),
    }
}

fn may_update_thread(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, EDITORIAL)?;
    facts.need_thread()
}

/// A service closes the thread of its own article; a whole site is the staff's.
fn may_set_mode(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    if facts.whole_site {
        need_one_of(actor, STAFF)?;
        return facts.need_site();
    }
    need_one_of(actor, EDITORIAL)?;
    facts.need_thread()
}

fn may_move(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, EDITORIAL)?;
    facts.need_thread()?;
    if facts.moves < MOVES_MAX { Ok(()) } else { Err(Rejection::MovesTooMany) }
}

fn may_name(facts: &Facts, actor: &Actor, author: &AuthorId) -> Result<(), Rejection> {
    let by_others = need_one_of(actor, &[Role::Administrator, Role::Service]);
    if actor.id != *author {
        by_others?;
    } else if by_others.is_err() {
        facts.need_site()?;
        facts.need_not_banned()?;
    }
    facts.need_site()
}

fn may_ban(facts: &Facts, actor: &Actor, ban: &Ban) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_site()?;
    if ban.holds_at(facts.time) { Ok(()) } else { Err(Rejection::BanOver) }
}

fn may_unban(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_site()?;
    let banned = facts.author.ban.as_ref().is_some_and(|ban| ban.holds_at(facts.time));
    if banned { Ok(()) } else { Err(Rejection::NotBanned) }
}
