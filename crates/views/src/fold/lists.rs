//! What the lists of threads, the moderators' queues and the lists of authors' comments keep of an event.

use domain::Vote;

use super::{At, Happening, comments};
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::Key;
use crate::queues::QueueKind;
use crate::records::{Comment, Posted, Waits};

/// A thread was opened.
pub(super) fn open(draft: &mut Draft, at: At<'_>) -> Result<(), Error> {
    draft.lists.open((at.site_no, at.no), at.thread)
}

/// A comment was posted, shown or not.
pub(super) fn post(draft: &mut Draft, at: At<'_>, it: &Happening<'_>, number: u32) -> Result<(), Error> {
    let posted = Posted { thread: at.thread.to_string(), number };
    draft.lists.posted.put(&Key::Posted(at.site_no, &it.envelope.actor.id, it.sequence), posted);
    if let Some(activity) = draft.lists.activity((at.site_no, at.no))? {
        activity.posted(it.time_millis());
    }
    Ok(())
}

/// A comment got its row.
pub(super) fn show(draft: &mut Draft, at: At<'_>, comment: &Comment) -> Result<(), Error> {
    let now_millis = draft.thread(at.site, at.thread)?.latest_millis;
    if let Some(activity) = draft.lists.activity((at.site_no, at.no))? {
        activity.shown(comment.shown_millis(), now_millis);
    }
    Ok(())
}

/// A vote moved a tally by so much: the same vote again moves none, and counts for nothing.
pub(super) fn vote(
    draft: &mut Draft,
    at: At<'_>,
    moved: (i32, i32),
    (vote, now_millis): (Vote, i64),
) -> Result<(), Error> {
    if moved == (0, 0) {
        return Ok(());
    }
    if let Some(activity) = draft.lists.activity((at.site_no, at.no))? {
        activity.voted(moved, vote != Vote::None, now_millis);
    }
    Ok(())
}

/// Since when a comment waits as a kind, if it does: it keeps the time at which that began.
fn since(comment: &Comment, kind: QueueKind, before: Option<i64>, now_millis: i64) -> Option<i64> {
    match kind {
        QueueKind::Held => comments::is_held(comment).then(|| before.unwrap_or(now_millis)),
        QueueKind::Flagged => comment.flags.since_millis.filter(|_| comment.flags.open > 0),
        QueueKind::Illegal => (comment.flags.illegal > 0).then(|| before.unwrap_or(now_millis)),
    }
}

/// Brings a comment that waited or waits into the queues where it belongs.
pub(super) fn queue(draft: &mut Draft, at: At<'_>, number: u32, comment: &Comment) -> Result<(), Error> {
    let now_millis = draft.thread(at.site, at.thread)?.latest_millis;
    let key = Key::Waits(at.no, number);
    let Waits(before) = draft.lists.waits.get(&key)?.cloned().unwrap_or_default();
    let mut after = before;
    for ((kind, before), after) in QueueKind::EVERY.into_iter().zip(before).zip(&mut after) {
        *after = since(comment, kind, before, now_millis);
        if before == *after {
            continue;
        }
        let waiting = draft.lists.totals(at.site_no)?.waiting_mut(kind);
        *waiting = waiting.saturating_add(u32::from(after.is_some())).saturating_sub(u32::from(before.is_some()));
        let key = |since| Key::Queued(at.site_no, kind, since, at.thread, number);
        if let Some(before) = before {
            draft.lists.queued.remove(&key(before));
        }
        if let Some(after) = *after {
            draft.lists.queued.put(&key(after), 1);
        }
    }
    if after.iter().any(Option::is_some) {
        draft.lists.waits.put(&key, Waits(after));
    } else {
        draft.lists.waits.remove(&key);
    }
    Ok(())
}
