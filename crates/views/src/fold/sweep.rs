//! What was decided for all threads of a site, carried out in one after another.
//!
//! A thread comes to each decision in its turn: before anything else happens in it, or when the sweep comes by. So the store is
//! what it would be if all threads had come to it at once, and nobody waits for all of them.

use domain::{AuthorId, CommandId, CommentId, Place, SiteId};
use roaring::RoaringBitmap;

use super::comments::{forget, forget_words};
use super::undoing::{change, cover, parse, took_part_in, uncover};
use super::{At, number_of, votes};
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{AuditOf, Deed, Key, NUMBERS_IN_CHUNK, PlaceNo, VOTES_IN_CHUNK, prefix, sequence_tail};
use crate::records::{Audit, Cover, Decision, Posted, Site, Thread, VotesCast};

/// A comment that changes is read, changed and written: as much as looking at so many votes.
const COMMENT_COST: usize = 100;
/// A thread is looked up.
const THREAD_COST: usize = 20;
/// Audits that one part renames.
const AUDITS_IN_PART: usize = 500;

/// How many decisions of its site a thread has come to, that was opened as this number of the site.
pub(crate) fn has_come_to(site: &Site, thread: &Thread, ordinal: u32) -> u32 {
    let by_sweep = site.swept.saturating_add(u32::from(ordinal < site.sweep_thread));
    thread.decisions.max(by_sweep)
}

/// Brings a thread to all decisions of its site.
pub(crate) fn settle(draft: &mut Draft, place: &Place) -> Result<(), Error> {
    let Some(id) = &place.thread else { return Ok(()) };
    let site = draft.sites.get(&Key::Site(&place.site))?;
    let Some(site) = site.filter(|site| site.swept < site.decisions).cloned() else { return Ok(()) };
    let Some(thread) = draft.threads.get(&Key::Thread(&place.site, id))?.cloned() else { return Ok(()) };
    let at = At { site: &place.site, thread: id, site_no: PlaceNo(site.place), no: PlaceNo(thread.place) };
    let Some(ordinal) = draft.lists.activity((at.site_no, at.no))?.map(|activity| activity.ordinal) else {
        return Ok(());
    };
    let come_to = has_come_to(&site, &thread, ordinal);
    for number in come_to.saturating_add(1)..=site.decisions {
        let under_way = number == site.swept.saturating_add(1) && ordinal == site.sweep_thread;
        let step = if under_way { site.sweep_step } else { 0 };
        let mut left = usize::MAX;
        carry_out(draft, at, (number, step), &mut left)?;
    }
    if come_to < site.decisions {
        draft.thread(at.site, at.thread)?.decisions = site.decisions;
    }
    Ok(())
}

/// One part of a site's sweep, as a step of its own: nothing else has changed what is stored.
pub(crate) fn sweep(draft: &mut Draft, tree: &sled::Tree, id: &SiteId, cost_max: usize) -> Result<(), Error> {
    let Some(mut site) = draft.sites.get(&Key::Site(id))?.cloned() else { return Ok(()) };
    let (site_no, number) = (PlaceNo(site.place), site.swept.saturating_add(1));
    let threads = draft.lists.threads(site_no)?;
    let mut left = cost_max;
    while left > 0 && site.sweep_thread < threads {
        let thread = draft.lists.opened_as(site_no, site.sweep_thread)?;
        let Some(record) = draft.threads.get(&Key::Thread(id, &thread))? else {
            return Err(Error::Damaged("a thread is missing"));
        };
        if record.decisions < number {
            let at = At { site: id, thread: &thread, site_no, no: PlaceNo(record.place) };
            if let Some(step) = carry_out(draft, at, (number, site.sweep_step), &mut left)? {
                site.sweep_step = step;
                break;
            }
        }
        site.sweep_thread += 1;
        site.sweep_step = 0;
        left = left.saturating_sub(THREAD_COST);
    }
    if left > 0 && site.sweep_thread >= threads && rename_audits(draft, tree, site_no, number)? {
        (site.swept, site.sweep_thread, site.sweep_step) = (number, 0, 0);
        // It names who was erased, and nobody has to come to it any more.
        draft.decisions.remove(&Key::Decision(site_no, number));
    }
    if site.swept == site.decisions {
        draft.open.remove(id);
    }
    draft.sites.put(&Key::Site(id), site);
    Ok(())
}

fn decision(draft: &mut Draft, site: PlaceNo, number: u32) -> Result<Decision, Error> {
    let decision = draft.decisions.get(&Key::Decision(site, number))?.cloned();
    decision.ok_or(Error::Damaged("a decision is missing"))
}

/// Carries a decision out in a thread, from a step on, for what is left to spend. The step to go on with, unless it was the last.
fn carry_out(
    draft: &mut Draft,
    at: At<'_>,
    (number, step): (u32, u32),
    left: &mut usize,
) -> Result<Option<u32>, Error> {
    let frozen = draft.thread(at.site, at.thread)?.frozen;
    match decision(draft, at.site_no, number)? {
        Decision::Erase { author, pseudonym, comments_kept, .. } => {
            let who = Renamed { from: parse(&author)?, to: parse(&pseudonym)?, comments_kept, frozen };
            rename(draft, at, &who, step, left)
        }
        // What stands still stands as it stood.
        _ if frozen => Ok(None),
        Decision::Void { voters, since_millis } => {
            let voters = RoaringBitmap::from_sorted_iter(voters).or(Err(Error::Damaged("a decision's voters")))?;
            void(draft, at, (&voters, since_millis), step, left)
        }
        Decision::Remove { removal, author, since_millis } => {
            let by = Cover { of_site: true, id: removal };
            let said = took_part_in(draft, at, &parse(&author)?, Deed::Said)?;
            each(&said, step, left, |number| cover(draft, at, number, (by, since_millis)))
        }
        Decision::Undo { removal, author } => {
            let by = Cover { of_site: true, id: removal };
            let said = took_part_in(draft, at, &parse(&author)?, Deed::Said)?;
            each(&said, step, left, |number| uncover(draft, at, number, by))
        }
    }
}

/// Does something with each comment from a step on, for what is left to spend. The step to go on with, unless it was the last.
fn each(
    comments: &[u32],
    mut step: u32,
    left: &mut usize,
    mut how: impl FnMut(u32) -> Result<(), Error>,
) -> Result<Option<u32>, Error> {
    let from = usize::try_from(step).expect("32 bits fit");
    for number in comments.iter().skip(from) {
        if *left == 0 {
            return Ok(Some(step));
        }
        how(*number)?;
        *left = left.saturating_sub(COMMENT_COST);
        step += 1;
    }
    Ok(None)
}

/// Goes through the votes that were cast in a thread: the last of somebody on a comment decides, as it is their vote there.
fn void(
    draft: &mut Draft,
    at: At<'_>,
    (voters, since_millis): (&RoaringBitmap, Option<i64>),
    step: u32,
    left: &mut usize,
) -> Result<Option<u32>, Error> {
    let cast = draft.lists.activity((at.site_no, at.no))?.map_or(0, |activity| activity.cast);
    let chunks = if cast == 0 { 0 } else { VotesCast::chunk_of(cast - 1) + 1 };
    for chunk in step..chunks {
        if *left == 0 {
            return Ok(Some(chunk));
        }
        let Some(votes) = draft.votes_cast.get(&Key::VotesCast(at.no, chunk))? else { continue };
        let found: Vec<_> = votes.iter().filter(|cast| voters.contains(cast.voter)).collect();
        *left = left.saturating_sub(usize::try_from(VOTES_IN_CHUNK).expect("32 bits fit"));
        for cast in found {
            let is_void = since_millis.is_some_and(|since| since <= cast.time_millis);
            let moved =
                votes::change(draft, at, (cast.number, cast.voter), |ballots, low| ballots.void(low, is_void))?;
            if let Some(activity) = draft.lists.activity((at.site_no, at.no))? {
                activity.moved(moved);
            }
            *left = left.saturating_sub(COMMENT_COST);
        }
    }
    Ok(None)
}

/// An author who stands under a pseudonym from now on.
struct Renamed {
    from: AuthorId,
    to: AuthorId,
    comments_kept: bool,
    /// Whether the thread stands still: words and names go all the same, and nothing else happens.
    frozen: bool,
}

fn rename(
    draft: &mut Draft,
    at: At<'_>,
    who: &Renamed,
    step: u32,
    left: &mut usize,
) -> Result<Option<u32>, Error> {
    let said = took_part_in(draft, at, &who.from, Deed::Said)?;
    if let Some(step) = each(&said, step, left, |number| rename_comment(draft, at, number, who))? {
        return Ok(Some(step));
    }
    for number in took_part_in(draft, at, &who.from, Deed::Flagged)? {
        if let Some(mut flag) = draft.flags.change(&Key::Flag(at.no, number, &who.from))?.take() {
            flag.words.clear();
            draft.flags.put(&Key::Flag(at.no, number, &who.to), flag);
        }
        *left = left.saturating_sub(COMMENT_COST);
    }
    move_deeds(draft, at, who)?;
    Ok(None)
}

/// What an author did in a thread, the pseudonym did.
fn move_deeds(draft: &mut Draft, at: At<'_>, who: &Renamed) -> Result<(), Error> {
    let Some(counts) = draft.took_part.change(&Key::TookPart(at.no, &who.from))?.take() else { return Ok(()) };
    draft.took_part.put(&Key::TookPart(at.no, &who.to), counts);
    for deed in [Deed::Said, Deed::Flagged] {
        for chunk in 0..counts.count(deed).div_ceil(NUMBERS_IN_CHUNK) {
            let numbers = draft.numbers.change(&Key::TookPartIn(at.no, &who.from, deed, chunk))?.take();
            if let Some(numbers) = numbers {
                draft.numbers.put(&Key::TookPartIn(at.no, &who.to, deed, chunk), numbers);
            }
        }
    }
    Ok(())
}

fn rename_comment(draft: &mut Draft, at: At<'_>, number: u32, who: &Renamed) -> Result<(), Error> {
    let mut id = CommandId::from_u128(0);
    change(draft, at, number, |draft, comment| {
        id = CommandId::from_u128(comment.id);
        comment.author = who.to.to_string();
        match (who.comments_kept, who.frozen) {
            (true, _) => Ok(()),
            (false, true) => forget_words(draft, at, number, comment),
            (false, false) => forget(draft, at, number, comment),
        }
    })?;
    let posted_at = draft.commands.get(&Key::Command(at.no, id))?.map(|command| command.sequence);
    if let Some(sequence) = posted_at {
        draft.lists.posted.remove(&Key::Posted(at.site_no, &who.from, sequence));
        let posted = Posted { thread: at.thread.to_string(), number };
        draft.lists.posted.put(&Key::Posted(at.site_no, &who.to, sequence), posted);
    }
    Ok(())
}

/// What the audit says of somebody who was erased, some of it. Whether that was all.
fn rename_audits(draft: &mut Draft, tree: &sled::Tree, site: PlaceNo, number: u32) -> Result<bool, Error> {
    let Decision::Erase { author, pseudonym, sequence: until, .. } = decision(draft, site, number)? else {
        return Ok(true);
    };
    let (from, to) = (parse(&author)?, parse(&pseudonym)?);
    let ways = [
        (AuditOf::By(from.clone()), AuditOf::By(to.clone())),
        (AuditOf::Author(from.clone()), AuditOf::Author(to.clone())),
    ];
    let mut left = AUDITS_IN_PART;
    for (way, new_way) in ways {
        for entry in tree.scan_prefix(prefix::audits_of(site, &way)) {
            let (key, _) = entry?;
            let sequence = sequence_tail(&key).ok_or(Error::Damaged("a key of the audit"))?;
            if sequence > until {
                break;
            }
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            let key = Key::AuditOf(site, &way, sequence);
            let Some(place) = draft.counts.change(&key)?.take() else { continue };
            draft.counts.put(&Key::AuditOf(site, &new_way, sequence), place);
            rename_audit(draft, (PlaceNo(place), sequence), (&from, &to, until))?;
        }
    }
    Ok(true)
}

fn rename_audit(
    draft: &mut Draft,
    (place, sequence): (PlaceNo, u64),
    (from, to, until): (&AuthorId, &AuthorId, u64),
) -> Result<(), Error> {
    let Some(audit) = draft.audits.change(&Key::Audit(place, sequence))? else { return Ok(()) };
    if audit.author == from.as_str() {
        audit.author = to.to_string();
        if audit.kind == "author-named" {
            audit.before.clear();
            audit.after.clear();
        }
    }
    if audit.by != from.as_str() {
        return Ok(());
    }
    audit.by = to.to_string();
    let Audit { comment, .. } = audit;
    let comment = CommentId(CommandId::from_u128(*comment));
    let Some(number) = number_of(draft, place, comment)? else { return Ok(()) };
    rename_decisions_on(draft, (place, number), (from, to, until))
}

/// Who removed a comment and who decided on its flags, up to a place in the log: who comes again under the id is somebody else.
fn rename_decisions_on(
    draft: &mut Draft,
    (thread, number): (PlaceNo, u32),
    (from, to, until): (&AuthorId, &AuthorId, u64),
) -> Result<(), Error> {
    let is_theirs = |by: &str, sequence: u64| by == from.as_str() && sequence <= until;
    let Some(comment) = draft.comments.change(&Key::Comment(thread, number))? else { return Ok(()) };
    if let Some(removed) = comment.removed.as_mut().filter(|removed| is_theirs(&removed.by, removed.sequence)) {
        removed.by = to.to_string();
    }
    for round in 0..comment.flags.round {
        let resolution = draft.resolutions.change(&Key::Resolution(thread, number, round))?;
        if let Some(resolution) =
            resolution.as_mut().filter(|resolution| is_theirs(&resolution.by, resolution.sequence))
        {
            resolution.by = to.to_string();
        }
    }
    Ok(())
}
