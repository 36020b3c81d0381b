//! The rules of undoing: votes that count for nothing, removals of many comments, and forgetting.

use crate::actor::{Actor, Role};
use crate::ids::{AuthorId, CommentId};
use crate::moderation::State;
use crate::rejection::Rejection;

use super::facts::Facts;
use super::{STAFF, need_one_of};

/// Who forgets people: whoever answers for the site, and the service that keeps its accounts.
pub(super) const FORGETTING: &[Role] = &[Role::Administrator, Role::Service];

/// Whether these voters ever took part is the writer's to say: the site's own events do not tell.
pub(super) fn may_void(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_site()
}

pub(super) fn may_unvoid(facts: &Facts, actor: &Actor, voters: &[AuthorId]) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_site()?;
    let void = |voter| facts.person(voter).is_some_and(|person| person.votes_void);
    if voters.iter().all(void) { Ok(()) } else { Err(Rejection::VotesNotVoid) }
}

pub(super) fn may_remove(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_place()
}

pub(super) fn may_undo(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_place()?;
    let removal = facts.removal.ok_or(Rejection::RemovalUnknown)?;
    if removal.undone { Err(Rejection::RemovalUndone) } else { Ok(()) }
}

/// Whatever state it is in, its words can be forgotten.
pub(super) fn may_erase_comment(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, FORGETTING)?;
    facts.need_thread()?;
    let erased = facts.need_comment(comment)?.state == State::Erased;
    if erased { Err(Rejection::CommentErased) } else { Ok(()) }
}

pub(super) fn may_erase_author(facts: &Facts, actor: &Actor, author: &AuthorId) -> Result<(), Rejection> {
    need_one_of(actor, FORGETTING)?;
    facts.need_site()?;
    let erased = facts.person(author).is_some_and(|person| person.erased);
    if erased { Err(Rejection::AuthorErased) } else { Ok(()) }
}

/// It says what was decided already.
pub(super) fn may_erase_messages(facts: &Facts, actor: &Actor) -> Result<(), Rejection> {
    need_one_of(actor, FORGETTING)?;
    facts.need_site()
}
