//! Undoing: votes that count for nothing, removals of many comments, and forgetting people.
//!
//! What is about all threads of a site is a decision, which each thread comes to by and by: see `sweep`.

use domain::thread::may_forget;
use domain::{AuthorId, CommandId, Envelope, Event, Place, SiteId, Timestamp};

use super::audit::Noted;
use super::{At, Happening, comments, number_of, votes};
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Deed, Key, NUMBERS_IN_CHUNK, PlaceNo};
use crate::records::{Author, Comment, Cover, Decision, Removal, RemovalOf};
use crate::voters;

/// Removals that cover a comment, the latest: far more than anybody decides, and what one value can hold.
const COVERS_MAX: usize = 1_000;

/// A site and its number.
type InSite<'e> = (&'e SiteId, PlaceNo);

/// Whether threads come to it by and by.
pub(super) fn is_for_all_threads(place: &Place, event: &Event) -> bool {
    let undoes = matches!(
        event,
        Event::VotesVoided { .. }
            | Event::VotesUnvoided { .. }
            | Event::CommentsRemoved { .. }
            | Event::RemovalUndone { .. }
            | Event::AuthorErased { .. }
    );
    undoes && place.thread.is_none()
}

/// Notes that somebody took part in a thread.
pub(super) fn took_part(
    draft: &mut Draft,
    at: At<'_>,
    author: &AuthorId,
    (deed, number): (Deed, u32),
) -> Result<(), Error> {
    let counts = draft.took_part.change(&Key::TookPart(at.no, author))?.get_or_insert_default();
    let count = counts.count_mut(deed);
    let chunk = *count / NUMBERS_IN_CHUNK;
    *count += 1;
    let numbers = draft.numbers.change(&Key::TookPartIn(at.no, author, deed, chunk))?.get_or_insert_default();
    numbers.0.push(number);
    Ok(())
}

/// The comments of a thread with which somebody did something, in the order in which they did.
pub(super) fn took_part_in(
    draft: &mut Draft,
    at: At<'_>,
    author: &AuthorId,
    deed: Deed,
) -> Result<Vec<u32>, Error> {
    let counts = draft.took_part.get(&Key::TookPart(at.no, author))?;
    let count = counts.map_or(0, |counts| counts.count(deed));
    let mut found = Vec::new();
    for chunk in 0..count.div_ceil(NUMBERS_IN_CHUNK) {
        let numbers = draft.numbers.get(&Key::TookPartIn(at.no, author, deed, chunk))?;
        found.extend_from_slice(&numbers.ok_or(Error::Damaged("an author's comments are missing"))?.0);
    }
    Ok(found)
}

/// Every thread of the site comes to this, before anything else happens in it.
fn decide(draft: &mut Draft, (site, no): InSite<'_>, decision: Decision) -> Result<(), Error> {
    let record = draft.site(site)?;
    record.decisions += 1;
    let number = record.decisions;
    draft.decisions.put(&Key::Decision(no, number), decision);
    draft.open.insert(site.clone());
    Ok(())
}

/// When something began that always was.
const ALWAYS_MILLIS: i64 = i64::MIN;

/// Since when a decision holds, always unless it says so.
fn since_millis(since: Option<Timestamp>) -> i64 {
    since.map_or(ALWAYS_MILLIS, |since| since.0)
}

/// Lets votes count for nothing since a time, or always.
pub(super) fn void(
    draft: &mut Draft,
    in_site: InSite<'_>,
    it: &Happening<'_>,
    ids: &[AuthorId],
    (since, reason): (Option<Timestamp>, &str),
) -> Result<Noted, Error> {
    let after = match since {
        None => format!("the votes of {} count for nothing", ids.len()),
        Some(since) => format!("the votes of {} since {} count for nothing", ids.len(), since.0),
    };
    set_void(draft, in_site, it, (ids, Some(since_millis(since))))?;
    Ok(Noted { author: lone(ids), reason: reason.to_owned(), before: String::new(), after })
}

/// Lets votes count again.
pub(super) fn unvoid(
    draft: &mut Draft,
    in_site: InSite<'_>,
    it: &Happening<'_>,
    ids: &[AuthorId],
    reason: &str,
) -> Result<Noted, Error> {
    set_void(draft, in_site, it, (ids, None))?;
    let after = format!("the votes of {} count again", ids.len());
    Ok(Noted { author: lone(ids), reason: reason.to_owned(), before: String::new(), after })
}

/// The author that a decision is about, if it is about one alone.
fn lone(ids: &[AuthorId]) -> String {
    if let [one] = ids { one.to_string() } else { String::new() }
}

fn set_void(
    draft: &mut Draft,
    (site, no): InSite<'_>,
    it: &Happening<'_>,
    (ids, since_millis): (&[AuthorId], Option<i64>),
) -> Result<(), Error> {
    let mut numbers = Vec::with_capacity(ids.len());
    for id in ids {
        draft.author(no, id)?.votes_void_since = since_millis;
        numbers.extend(votes::voter_number(draft, no, it.found.voters, id)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    decide(draft, (site, no), Decision::Void { voters: numbers, since_millis })
}

fn remove(
    draft: &mut Draft,
    (site, place): (PlaceNo, PlaceNo),
    it: &Happening<'_>,
    author: &AuthorId,
    rule: &str,
) -> Result<u128, Error> {
    let id = it.envelope.id;
    let removal = Removal { author: author.to_string(), rule: rule.to_owned(), undone: false };
    draft.removals.put(&Key::Removal(place, id), removal);
    let record = draft.author(site, author)?;
    let number = record.removals;
    record.removals += 1;
    let removal = RemovalOf { place: place.0, id: id.as_u128() };
    draft.removals_of.put(&Key::RemovalOf(site, author, number), removal);
    Ok(id.as_u128())
}

fn removed(author: &AuthorId, since: Option<Timestamp>, reason: &str) -> Noted {
    let after = since.map_or_else(|| "removed".to_owned(), |since| format!("removed since {}", since.0));
    Noted { author: author.to_string(), reason: reason.to_owned(), before: String::new(), after }
}

/// Takes away what an author said in all threads.
pub(super) fn remove_everywhere(
    draft: &mut Draft,
    (site, no): InSite<'_>,
    it: &Happening<'_>,
    (author, since): (&AuthorId, Option<Timestamp>),
    (reason, rule): (&str, &str),
) -> Result<Noted, Error> {
    let removal = remove(draft, (no, no), it, author, rule)?;
    let since_millis = since_millis(since);
    decide(draft, (site, no), Decision::Remove { removal, author: author.to_string(), since_millis })?;
    Ok(removed(author, since, reason))
}

/// Takes away what an author said in this thread.
pub(super) fn remove_here(
    draft: &mut Draft,
    at: At<'_>,
    it: &Happening<'_>,
    (author, since): (&AuthorId, Option<Timestamp>),
    (reason, rule): (&str, &str),
) -> Result<Noted, Error> {
    let id = remove(draft, (at.site_no, at.no), it, author, rule)?;
    let since_millis = since_millis(since);
    for number in took_part_in(draft, at, author, Deed::Said)? {
        cover(draft, at, number, (Cover { of_site: false, id }, since_millis))?;
    }
    Ok(removed(author, since, reason))
}

/// Changes a comment.
pub(super) fn change(
    draft: &mut Draft,
    at: At<'_>,
    number: u32,
    how: impl FnOnce(&mut Draft, &mut Comment) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(mut comment) = draft.comments.get(&Key::Comment(at.no, number))?.cloned() else { return Ok(()) };
    let waited = comments::waits(&comment);
    how(draft, &mut comment)?;
    comments::put(draft, at, number, comment, waited)
}

/// Covers a comment that was posted since then with a removal.
pub(super) fn cover(
    draft: &mut Draft,
    at: At<'_>,
    number: u32,
    (cover, since_millis): (Cover, i64),
) -> Result<(), Error> {
    change(draft, at, number, |_, comment| {
        if comment.time_millis >= since_millis && !comment.covers.contains(&cover) {
            if comment.covers.len() >= COVERS_MAX {
                comment.covers.remove(0);
            }
            comment.covers.push(cover);
        }
        Ok(())
    })
}

/// Takes a removal off a comment.
pub(super) fn uncover(draft: &mut Draft, at: At<'_>, number: u32, cover: Cover) -> Result<(), Error> {
    change(draft, at, number, |_, comment| {
        comment.covers.retain(|known| *known != cover);
        Ok(())
    })
}

/// Marks a removal undone; whose comments it covers.
fn undo(draft: &mut Draft, place: PlaceNo, removal: CommandId) -> Result<Option<String>, Error> {
    let record = draft.removals.change(&Key::Removal(place, removal))?;
    Ok(record.as_mut().map(|removal| {
        removal.undone = true;
        removal.author.clone()
    }))
}

fn undone(author: String, removal: CommandId, reason: &str) -> Noted {
    Noted { author, reason: reason.to_owned(), before: removal.to_string(), after: "undone".to_owned() }
}

/// Undoes a removal that is about all threads.
pub(super) fn undo_everywhere(
    draft: &mut Draft,
    (site, no): InSite<'_>,
    removal: CommandId,
    reason: &str,
) -> Result<Option<Noted>, Error> {
    let Some(author) = undo(draft, no, removal)? else { return Ok(None) };
    decide(draft, (site, no), Decision::Undo { removal: removal.as_u128(), author: author.clone() })?;
    Ok(Some(undone(author, removal, reason)))
}

/// Undoes a removal that is about this thread.
pub(super) fn undo_here(
    draft: &mut Draft,
    at: At<'_>,
    removal: CommandId,
    reason: &str,
) -> Result<Option<Noted>, Error> {
    let Some(author) = undo(draft, at.no, removal)? else { return Ok(None) };
    for number in took_part_in(draft, at, &parse(&author)?, Deed::Said)? {
        uncover(draft, at, number, Cover { of_site: false, id: removal.as_u128() })?;
    }
    Ok(Some(undone(author, removal, reason)))
}

pub(super) fn parse(id: &str) -> Result<AuthorId, Error> {
    id.parse().or(Err(Error::Damaged("an author's id")))
}

/// Lets a pseudonym stand for an author: at once where the site knows them, and in its threads by and by.
pub(super) fn erase_author(
    draft: &mut Draft,
    (site, no): InSite<'_>,
    it: &Happening<'_>,
    (author, comments_kept): (&AuthorId, bool),
    reason: &str,
) -> Result<Noted, Error> {
    let pseudonym = AuthorId::pseudonym(it.envelope.id);
    rename_author(draft, no, author, &pseudonym)?;
    if let Some(number) = votes::voter_number(draft, no, it.found.voters, author)? {
        voters::rename(draft, no, it.found.voters, (author, &pseudonym, number))?;
    }
    let (author, pseudonym) = (author.to_string(), pseudonym.to_string());
    let after = if comments_kept { "erased, comments kept" } else { "erased" }.to_owned();
    let noted = Noted { author: pseudonym.clone(), reason: reason.to_owned(), before: String::new(), after };
    decide(draft, (site, no), Decision::Erase { author, pseudonym, comments_kept, sequence: it.sequence })?;
    Ok(noted)
}

fn rename_author(draft: &mut Draft, site: PlaceNo, author: &AuthorId, pseudonym: &AuthorId) -> Result<(), Error> {
    let record = draft.authors.change(&Key::Author(site, author))?.take().unwrap_or_default();
    for number in 0..record.former_names {
        draft.former_names.remove(&Key::FormerName(site, author, number));
    }
    for number in 0..record.removals {
        // Nobody erases a pseudonym, so that it needs no list of its own.
        let Some(of) = draft.removals_of.change(&Key::RemovalOf(site, author, number))?.take() else { continue };
        let key = Key::Removal(PlaceNo(of.place), CommandId::from_u128(of.id));
        if let Some(removal) = draft.removals.change(&key)? {
            removal.author = pseudonym.to_string();
        }
    }
    let record = Author { name: String::new(), former_names: 0, removals: 0, erased: true, ..record };
    draft.authors.put(&Key::Author(site, pseudonym), record);
    Ok(())
}

/// Erasure beats standing still: words go though nothing else happens there.
pub(super) fn forget_where_it_stands_still(
    draft: &mut Draft,
    place: &Place,
    envelope: &Envelope,
) -> Result<(), Error> {
    let (Event::CommentErased { comment, .. }, Some(thread)) = (&envelope.event, &place.thread) else {
        return Ok(());
    };
    if !may_forget(&envelope.actor) {
        return Ok(());
    }
    let Some(site) = draft.sites.get(&Key::Site(&place.site))?.map(|site| PlaceNo(site.place)) else {
        return Ok(());
    };
    let Some(no) = draft.place(place)? else { return Ok(()) };
    let at = At { site: &place.site, thread, site_no: site, no };
    let Some(number) = number_of(draft, no, *comment)? else { return Ok(()) };
    match draft.comments.get(&Key::Comment(no, number))?.cloned() {
        Some(comment) => comments::forget_words(draft, at, number, &comment),
        None => Ok(()),
    }
}
