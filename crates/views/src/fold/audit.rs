//! The audit: what the log says of who decided what, kept so that it can be asked for.

use domain::Place;

use super::Happening;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{AuditOf, Key, PlaceNo};
use crate::records::Audit;

/// What an event changed.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// The author that it is about, or empty.
    pub(super) author: String,
    /// Why.
    pub(super) reason: String,
    /// How it stood before.
    pub(super) before: String,
    /// How it stands since.
    pub(super) after: String,
}

/// Notes an event under its place, and for each way to ask.
pub(super) fn note(
    draft: &mut Draft,
    place: &Place,
    (site_no, sequence): (PlaceNo, u64),
    it: &Happening<'_>,
    noted: Noted,
) -> Result<(), Error> {
    let envelope = it.envelope;
    let no = match &place.thread {
        Some(thread) => PlaceNo(draft.thread(&place.site, thread)?.place),
        None => site_no,
    };
    let comment = envelope.event.comment_under(envelope.id);
    let mut ways = vec![AuditOf::Site, AuditOf::By(envelope.actor.id.clone())];
    ways.extend(comment.map(AuditOf::Comment));
    if let Ok(author) = noted.author.parse() {
        ways.push(AuditOf::Author(author));
    }
    for way in ways {
        draft.counts.put(&Key::AuditOf(site_no, &way, sequence), no.0);
    }
    let audit = Audit {
        time_millis: it.time_millis(),
        by: it.actor(),
        kind: envelope.event.kind().to_owned(),
        thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
        comment: comment.map_or(0, |comment| comment.0.as_u128()),
        author: noted.author,
        reason: noted.reason,
        before: noted.before,
        after: noted.after,
    };
    draft.audits.put(&Key::Audit(no, sequence), audit);
    Ok(())
}
