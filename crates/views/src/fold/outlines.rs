//! What a ranking needs of a comment and votes do not change: written when it is posted, and when it gets its row.

use super::At;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::Key;
use crate::records::{Line, Outline};

/// Notes a new comment, without a row yet.
pub(super) fn post(
    draft: &mut Draft,
    at: At<'_>,
    number: u32,
    (time_millis, parent): (i64, u32),
) -> Result<(), Error> {
    // Where a reply stands is settled once, so that no later row of its parent moves it below readers' eyes.
    let below = if is_shown(draft, at, parent)? { parent } else { 0 };
    *line(draft, at, number)? = Line { time_millis, below, shown: false };
    Ok(())
}

/// Notes that a comment has a row from now on.
pub(super) fn show(draft: &mut Draft, at: At<'_>, number: u32) -> Result<(), Error> {
    line(draft, at, number)?.shown = true;
    Ok(())
}

fn is_shown(draft: &mut Draft, at: At<'_>, number: u32) -> Result<bool, Error> {
    let (chunk, slot) = Outline::place_of(number);
    let outline = draft.outlines.get(&Key::Outline(at.no, chunk))?;
    Ok(number != 0 && outline.and_then(|outline| outline.0.get(slot)).is_some_and(|line| line.shown))
}

/// The line of a comment, for a change.
fn line<'d>(draft: &'d mut Draft, at: At<'_>, number: u32) -> Result<&'d mut Line, Error> {
    let (chunk, slot) = Outline::place_of(number);
    let outline = draft.outlines.change(&Key::Outline(at.no, chunk))?.get_or_insert_default();
    Ok(outline.line(slot))
}
