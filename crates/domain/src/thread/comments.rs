//! The rules of comments, votes and flags.

use crate::actor::{Actor, Role};
use crate::event::Quote;
use crate::ids::CommentId;
use crate::limits::EDITS_MAX;
use crate::moderation::State;
use crate::rejection::Rejection;

use super::facts::{CommentFacts, Facts};
use super::{STAFF, need_one_of};

pub(super) fn may_post(
    facts: &Facts,
    parent: Option<CommentId>,
    quotes: &[Quote],
    length: u32,
) -> Result<(), Rejection> {
    facts.need_taking_part()?;
    if let Some(parent) = parent {
        match facts.comment(parent).ok_or(Rejection::ParentUnknown)?.state {
            State::Visible => {}
            State::Held => return Err(Rejection::ParentHeld),
            State::Removed => return Err(Rejection::ParentRemoved),
            State::Deleted => return Err(Rejection::ParentDeleted),
            State::Erased => return Err(Rejection::ParentErased),
        }
    }
    may_say(facts, quotes, length)
}

/// Whether words of this length with these quotes may stand.
fn may_say(facts: &Facts, quotes: &[Quote], length: u32) -> Result<(), Rejection> {
    if length > facts.rules.text_chars_max {
        return Err(Rejection::TextTooLong);
    }
    for quote in quotes {
        // A quote of a comment that cannot be read may stand: it follows what it quotes and says so in its place.
        let source = facts.comment(quote.comment).ok_or(Rejection::QuoteUnknown)?;
        let unseen = source.unseen.contains(&quote.revision);
        if unseen || source.length(quote.revision).is_none_or(|length| quote.end > length) {
            return Err(Rejection::QuoteInvalid);
        }
    }
    Ok(())
}

pub(super) fn may_edit(
    facts: &Facts,
    actor: &Actor,
    (comment, revision): (CommentId, u32),
    quotes: &[Quote],
    length: u32,
) -> Result<(), Rejection> {
    facts.need_taking_part()?;
    let known = facts.need_comment(comment)?;
    need_author(known, actor)?;
    known.need_kept()?;
    let age_millis = facts.time.0.saturating_sub(known.posted.0);
    if age_millis > i64::from(facts.rules.edit_window_secs).saturating_mul(1_000) {
        return Err(Rejection::EditWindowClosed);
    }
    if revision != known.revision().saturating_add(1) {
        return Err(Rejection::RevisionStale);
    }
    if revision > EDITS_MAX {
        return Err(Rejection::EditsTooMany);
    }
    // A comment that quotes itself has no end.
    if quotes.iter().any(|quote| quote.comment == comment) {
        return Err(Rejection::QuoteInvalid);
    }
    may_say(facts, quotes, length)
}

fn need_author(comment: &CommentFacts, actor: &Actor) -> Result<(), Rejection> {
    if comment.author == actor.id { Ok(()) } else { Err(Rejection::NotAuthor) }
}

/// One's own words can always be taken back: while banned, in a thread that is closed, read only or hidden.
pub(super) fn may_delete(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    facts.need_thread()?;
    let comment = facts.need_comment(comment)?;
    need_author(comment, actor)?;
    comment.need_kept()
}

pub(super) fn may_hold(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, &[Role::Moderator, Role::Administrator, Role::Service])?;
    facts.need_thread()?;
    facts.need_comment(comment)?.need_visible()
}

/// Who names the revision that they read approves no other.
pub(super) fn may_approve(
    facts: &Facts,
    actor: &Actor,
    comment: CommentId,
    revision: Option<u32>,
) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_thread()?;
    let comment = facts.need_comment(comment)?;
    comment.need_kept()?;
    if comment.state != State::Held {
        return Err(Rejection::CommentNotHeld);
    }
    let stale = revision.is_some_and(|revision| revision != comment.revision());
    if stale { Err(Rejection::RevisionStale) } else { Ok(()) }
}

pub(super) fn may_remove(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_thread()?;
    facts.need_comment(comment)?.need_kept()
}

pub(super) fn may_restore(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_thread()?;
    match facts.need_comment(comment)?.state {
        State::Removed => Ok(()),
        State::Deleted => Err(Rejection::CommentDeleted),
        State::Erased => Err(Rejection::CommentErased),
        State::Visible | State::Held => Err(Rejection::CommentNotRemoved),
    }
}

pub(super) fn may_feature(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_thread()?;
    facts.need_comment(comment)?.need_visible()
}

pub(super) fn may_vote(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    facts.need_taking_part()?;
    let comment = facts.need_comment(comment)?;
    comment.need_visible()?;
    if comment.author == actor.id { Err(Rejection::OwnComment) } else { Ok(()) }
}

/// A thread that is read only or closed still has comments that break rules.
pub(super) fn may_flag(facts: &Facts, actor: &Actor, comment: CommentId) -> Result<(), Rejection> {
    facts.need_shown()?;
    facts.need_not_banned()?;
    let comment = facts.need_comment(comment)?;
    comment.need_visible()?;
    if comment.author == actor.id {
        return Err(Rejection::OwnComment);
    }
    if facts.author.flag.is_some() { Err(Rejection::FlagExists) } else { Ok(()) }
}

pub(super) fn may_withdraw(facts: &Facts, comment: CommentId) -> Result<(), Rejection> {
    facts.need_thread()?;
    facts.need_comment(comment)?;
    if facts.author.flag.is_some_and(|flag| flag.waits) { Ok(()) } else { Err(Rejection::FlagUnknown) }
}

pub(super) fn may_resolve(
    facts: &Facts,
    actor: &Actor,
    comment: CommentId,
    statement: &str,
) -> Result<(), Rejection> {
    need_one_of(actor, STAFF)?;
    facts.need_thread()?;
    let comment = facts.need_comment(comment)?;
    if comment.flags == 0 {
        return Err(Rejection::FlagsNone);
    }
    let reasons_missing = comment.flags_illegal > 0 && statement.is_empty();
    if reasons_missing { Err(Rejection::StatementMissing) } else { Ok(()) }
}
