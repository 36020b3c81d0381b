//! What happens to comments, but for votes and flags.

use domain::text::Text;
use domain::{AuthorId, CommentId, Hold, Quote, State, Timestamp, thread};

use super::audit::Noted;
use super::{At, Happening, lists, number_of, outlines, undoing};
use crate::codes;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Deed, Key};
use crate::pages::revision_of;
use crate::records::{self, Comment, Flags, Removed, Words};

/// What was said, and what it quotes.
type Said<'e> = (&'e Text, &'e [Quote]);

fn words(draft: &mut Draft, at: At<'_>, (text, quotes): Said<'_>, time_millis: i64) -> Result<Words, Error> {
    let mut words =
        Words { text: text.as_str().to_owned(), quotes: Vec::with_capacity(quotes.len()), time_millis };
    for quote in quotes {
        let Some(number) = number_of(draft, at.no, quote.comment)? else {
            continue;
        };
        let Quote { revision, start, end, at, .. } = *quote;
        words.quotes.push(records::Quote { number, revision, start, end, at });
    }
    Ok(words)
}

pub(super) fn post(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    (parent, length, judged): (Option<CommentId>, u32, Option<Hold>),
    said: Said<'_>,
    original_time: Option<Timestamp>,
) -> Result<Option<Noted>, Error> {
    let time_millis = it.time_millis();
    let original_millis = original_time.map(|time| time.0);
    let shown_millis = original_millis.unwrap_or(time_millis);
    let words = words(draft, at, said, shown_millis)?;
    let parent = match parent {
        Some(parent) => number_of(draft, at.no, parent)?.unwrap_or_default(),
        None => 0,
    };
    let held = thread::hold(&it.found.facts, &it.envelope.actor, judged);
    let thread = draft.thread(at.site, at.thread)?;
    thread.posted += 1;
    let number = thread.posted;
    let mut comment = Comment {
        id: it.envelope.id.as_u128(),
        author: it.actor(),
        time_millis,
        original_millis,
        parent,
        lengths: vec![length],
        unseen: vec![0],
        own_state: codes::of_state(State::Held),
        shown: false,
        held: held.map_or(0, codes::of_hold),
        removed: None,
        covers: Vec::new(),
        edited_millis: None,
        featured: false,
        flags: Flags::default(),
    };
    outlines::post(draft, at, number, (shown_millis, parent))?;
    if held.is_none() {
        show(draft, at, number, &mut comment)?;
    }
    put(draft, at, number, comment, false)?;
    lists::post(draft, at, it, number)?;
    draft.author(at.site_no, &it.envelope.actor.id)?;
    undoing::took_part(draft, at, &it.envelope.actor.id, (Deed::Said, number))?;
    draft.words.put(&Key::Words(at.no, number), words);
    Ok(held.map(|_| Noted { author: it.actor(), after: State::Held.as_str().to_owned(), ..Noted::default() }))
}

/// Lets readers see a comment. The first time, it gets its row and is counted.
fn show(draft: &mut Draft, at: At<'_>, number: u32, comment: &mut Comment) -> Result<(), Error> {
    comment.own_state = codes::of_state(State::Visible);
    comment.covers.clear();
    comment.held = 0;
    let revision = revision_of(comment);
    comment.unseen.retain(|unseen| *unseen != revision);
    if !comment.shown {
        comment.shown = true;
        outlines::show(draft, at, number)?;
        draft.thread(at.site, at.thread)?.count += 1;
        let author: AuthorId = comment.author.parse().or(Err(Error::Damaged("an author's id")))?;
        draft.author(at.site_no, &author)?.shown += 1;
        lists::show(draft, at, comment)?;
    }
    Ok(())
}

/// Whether a comment waits for a moderator.
pub(super) fn waits(comment: &Comment) -> bool {
    is_held(comment) || comment.flags.open > 0
}

/// Whether a comment is held; one that a removal covers is not.
pub(super) fn is_held(comment: &Comment) -> bool {
    comment.own_state == codes::of_state(State::Held) && comment.covers.is_empty()
}

/// Stores a comment as it is now, and whether it waits for a moderator, as it did before or not.
pub(super) fn put(
    draft: &mut Draft,
    at: At<'_>,
    number: u32,
    comment: Comment,
    waited: bool,
) -> Result<(), Error> {
    let key = Key::Waiting(at.site_no, at.thread, number);
    match (waited, waits(&comment)) {
        (false, true) => draft.counts.put(&key, 1),
        (true, false) => draft.counts.remove(&key),
        (false, false) | (true, true) => {}
    }
    if waited || waits(&comment) {
        lists::queue(draft, at, number, &comment)?;
    }
    draft.comments.put(&Key::Comment(at.no, number), comment);
    at.touch(draft, number);
    Ok(())
}

/// Changes a comment that the rules found there, and says how it stood before and stands since.
fn change(
    draft: &mut Draft,
    at: At<'_>,
    id: CommentId,
    reason: &str,
    how: impl FnOnce(&mut Draft, u32, &mut Comment) -> Result<(), Error>,
) -> Result<Option<Noted>, Error> {
    let Some((number, comment)) = super::facts::comment(draft, at.no, id)? else {
        return Ok(None);
    };
    let mut comment = comment.clone();
    let (before, waited) = (comment.state()?, waits(&comment));
    how(draft, number, &mut comment)?;
    let after = comment.state()?;
    let author = comment.author.clone();
    put(draft, at, number, comment, waited)?;
    let (before, after) = (before.as_str().to_owned(), after.as_str().to_owned());
    Ok(Some(Noted { author, reason: reason.to_owned(), before, after }))
}

pub(super) fn edit(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    (id, length, judged): (CommentId, u32, Option<Hold>),
    said: Said<'_>,
) -> Result<Option<Noted>, Error> {
    let time_millis = it.time_millis();
    let words = words(draft, at, said, time_millis)?;
    let held = thread::hold(&it.found.facts, &it.envelope.actor, judged);
    let mut revision = 0;
    let noted = change(draft, at, id, "", |draft, number, comment| {
        revision = u32::try_from(comment.lengths.len()).unwrap_or(u32::MAX);
        comment.lengths.push(length);
        comment.edited_millis = Some(time_millis);
        if let Some(held) = held
            && comment.own_state == codes::of_state(State::Visible)
        {
            comment.own_state = codes::of_state(State::Held);
            comment.held = codes::of_hold(held);
        }
        if comment.own_state != codes::of_state(State::Visible) {
            comment.unseen.push(revision);
        }
        let key = Key::Words(at.no, number);
        if let Some(before) = draft.words.get(&key)?.cloned() {
            draft.words.put(&Key::Revision(at.no, number, revision.saturating_sub(1)), before);
        }
        draft.words.put(&key, words);
        Ok(())
    })?;
    Ok(noted.map(|noted| Noted {
        before: format!("revision {}, {}", revision.saturating_sub(1), noted.before),
        after: format!("revision {revision}, {}", noted.after),
        ..noted
    }))
}

pub(super) fn delete(draft: &mut Draft, at: At<'_>, id: CommentId) -> Result<Option<Noted>, Error> {
    change(draft, at, id, "", |_, _, comment| {
        comment.own_state = codes::of_state(State::Deleted);
        comment.held = 0;
        comment.featured = false;
        Ok(())
    })
}

pub(super) fn hold(draft: &mut Draft, at: At<'_>, id: CommentId, reason: &str) -> Result<Option<Noted>, Error> {
    change(draft, at, id, reason, |_, _, comment| {
        comment.own_state = codes::of_state(State::Held);
        comment.held = codes::of_hold(Hold::Decision);
        Ok(())
    })
}

pub(super) fn approve(draft: &mut Draft, at: At<'_>, id: CommentId) -> Result<Option<Noted>, Error> {
    change(draft, at, id, "", |draft, number, comment| {
        looked_at(comment);
        show(draft, at, number, comment)
    })
}

/// A moderator has looked: the flags that the comment has do not hold it again.
fn looked_at(comment: &mut Comment) {
    comment.flags.round += 1;
    comment.flags.counted = 0;
}

pub(super) fn remove(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    id: CommentId,
    (reason, rule): (&str, &str),
) -> Result<Option<Noted>, Error> {
    change(draft, at, id, reason, |_, _, comment| {
        comment.own_state = codes::of_state(State::Removed);
        comment.held = 0;
        comment.featured = false;
        let (by, reason, rule) = (it.actor(), reason.to_owned(), rule.to_owned());
        let (time_millis, sequence) = (it.time_millis(), it.sequence);
        comment.removed = Some(Removed { by, reason, rule, time_millis, sequence });
        Ok(())
    })
}

pub(super) fn restore(draft: &mut Draft, at: At<'_>, id: CommentId, reason: &str) -> Result<Option<Noted>, Error> {
    change(draft, at, id, reason, |draft, number, comment| {
        comment.removed = None;
        looked_at(comment);
        show(draft, at, number, comment)
    })
}

pub(super) fn feature(
    draft: &mut Draft,
    at: At<'_>,
    id: CommentId,
    featured: bool,
) -> Result<Option<Noted>, Error> {
    let word = |featured: bool| if featured { "featured" } else { "not featured" }.to_owned();
    let mut before = false;
    let noted = change(draft, at, id, "", |_, _, comment| {
        before = std::mem::replace(&mut comment.featured, featured);
        Ok(())
    })?;
    Ok(noted.map(|noted| Noted { before: word(before), after: word(featured), ..noted }))
}

pub(super) fn erase(draft: &mut Draft, at: At<'_>, id: CommentId, reason: &str) -> Result<Option<Noted>, Error> {
    change(draft, at, id, reason, |draft, number, comment| forget(draft, at, number, comment))
}

/// Forgets the words of a comment, and what was decided on it: it is erased from now on.
pub(super) fn forget(draft: &mut Draft, at: At<'_>, number: u32, comment: &mut Comment) -> Result<(), Error> {
    comment.own_state = codes::of_state(State::Erased);
    comment.held = 0;
    comment.featured = false;
    comment.removed = None;
    comment.covers.clear();
    forget_words(draft, at, number, comment)
}

/// Forgets what a comment says and ever said. What it quotes are references and stay, as they do in the log.
pub(super) fn forget_words(draft: &mut Draft, at: At<'_>, number: u32, comment: &Comment) -> Result<(), Error> {
    let revisions = (0..revision_of(comment)).map(|revision| Key::Revision(at.no, number, revision));
    for key in std::iter::once(Key::Words(at.no, number)).chain(revisions) {
        if let Some(words) = draft.words.change(&key)? {
            words.text.clear();
        }
    }
    Ok(())
}
