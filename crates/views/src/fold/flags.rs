//! Flags: how many wait, and what is decided on them.

use domain::{CommentId, FlagCategory, Hold, State};

use super::audit::Noted;
use super::comments::{put, waits};
use super::{At, Happening, undoing};
use crate::codes;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Deed, Key};
use crate::records::{Comment, Flag, Flags, Resolution};

fn find(draft: &mut Draft, at: At<'_>, id: CommentId) -> Result<Option<(u32, Comment)>, Error> {
    let found = super::facts::comment(draft, at.no, id)?;
    Ok(found.map(|(number, comment)| (number, comment.clone())))
}

pub(super) fn flag(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    id: CommentId,
    (category, words): (FlagCategory, &str),
) -> Result<Option<Noted>, Error> {
    let Some((number, mut comment)) = find(draft, at, id)? else { return Ok(None) };
    let (before, waited) = (comment.state()?, waits(&comment));
    let time_millis = it.time_millis();
    let flags = &mut comment.flags;
    flags.open += 1;
    flags.counted += 1;
    flags.illegal += u32::from(category == FlagCategory::Illegal);
    flags.since_millis.get_or_insert(time_millis);
    let flag =
        Flag { category: codes::of_category(category), words: words.to_owned(), time_millis, round: flags.round };
    let threshold = it.found.facts.rules.report_threshold;
    if threshold > 0 && flags.counted >= threshold {
        comment.own_state = codes::of_state(State::Held);
        comment.held = codes::of_hold(Hold::Flags);
    }
    let after = comment.state()?;
    let author = comment.author.clone();
    let reporter = &it.envelope.actor.id;
    draft.flags.put(&Key::Flag(at.no, number, reporter), flag);
    draft.author(at.site_no, reporter)?;
    undoing::took_part(draft, at, reporter, (Deed::Flagged, number))?;
    put(draft, at, number, comment, waited)?;
    let (before, after) = (before.as_str().to_owned(), after.as_str().to_owned());
    // The words stay with the flag, and go with it.
    Ok(Some(Noted { author, reason: category.as_str().to_owned(), before, after }))
}

pub(super) fn withdraw(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    id: CommentId,
) -> Result<Option<Noted>, Error> {
    let Some((number, mut comment)) = find(draft, at, id)? else { return Ok(None) };
    let reporter = &it.envelope.actor.id;
    let taken = draft.flags.change(&Key::Flag(at.no, number, reporter))?.take();
    let Some(flag) = taken else { return Ok(None) };
    let waited = waits(&comment);
    let flags = &mut comment.flags;
    flags.open = flags.open.saturating_sub(1);
    flags.illegal =
        flags.illegal.saturating_sub(u32::from(codes::category(flag.category)? == FlagCategory::Illegal));
    if flag.round == flags.round {
        flags.counted = flags.counted.saturating_sub(1);
    }
    // Whether another is as old is not worth a search: the oldest that was ever made keeps the clock.
    if flags.open == 0 {
        flags.since_millis = None;
    }
    let author = comment.author.clone();
    put(draft, at, number, comment, waited)?;
    Ok(Some(Noted { author, ..Noted::default() }))
}

pub(super) fn resolve(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    id: CommentId,
    (upheld, statement): (bool, &str),
) -> Result<Option<Noted>, Error> {
    let Some((number, mut comment)) = find(draft, at, id)? else { return Ok(None) };
    let round = comment.flags.round;
    let waited = waits(&comment);
    let (open, author) = (comment.flags.open, comment.author.clone());
    let (by, time_millis) = (it.actor(), it.time_millis());
    let statement = statement.to_owned();
    let resolution = Resolution { upheld, statement: statement.clone(), by, time_millis, sequence: it.sequence };
    draft.resolutions.put(&Key::Resolution(at.no, number, round), resolution);
    comment.flags = Flags { round: round + 1, resolved: Some(round), ..Flags::default() };
    put(draft, at, number, comment, waited)?;
    let after = if upheld { "upheld" } else { "declined" }.to_owned();
    Ok(Some(Noted { author, reason: statement, before: format!("{open} waiting"), after }))
}
