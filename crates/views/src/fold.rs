//! The fold: what an event makes of the store. Pure, total and deterministic: no clock, no randomness, no IO but the
//! draft's reading of what the batch touches; time comes from the event.

mod audit;
mod comments;
mod facts;
mod flags;
mod lists;
mod outlines;
mod places;
mod sweep;
mod undoing;
mod votes;

use std::collections::HashSet;

use domain::thread::{Facts, Standing, permits};
use domain::{
    CommandId, CommentId, Content, Envelope, Event, Place, Recorded, Rejection, SiteId, ThreadId, Unreadable,
};

use crate::draft::{Draft, TouchedThread};
use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::records::{Command, Frozen};

use audit::Noted;
use facts::Found;
pub(crate) use facts::{author_facts, facts_of, person_facts, place_facts, removal_facts};
pub(crate) use sweep::{has_come_to, settle, sweep};

/// What the fold made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It happened.
    Applied,
    /// It broke a rule by its place in the log: it has no effect.
    Void(Rejection),
    /// Its command was folded before: it has no second effect.
    Repeated,
    /// It cannot be read; its place stands still from here on.
    Froze,
    /// Its place stands still.
    Skipped,
    /// Not even its subject can be read.
    Foreign,
}

/// A message and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its place in the stream.
    pub sequence: u64,
    /// The event's type, if it could be read.
    pub kind: Option<&'static str>,
    /// The id of its command, if it could be read.
    pub id: Option<CommandId>,
    /// What came of it.
    pub verdict: Verdict,
}

pub(crate) fn fold(draft: &mut Draft, recorded: &Recorded) -> Result<Outcome, Error> {
    let sequence = recorded.sequence;
    let (kind, verdict) = match (&recorded.place, &recorded.content) {
        (None, _) => (None, Verdict::Foreign),
        (Some(_), Content::Misplaced { .. }) => {
            draft.count_void(Rejection::PartitionWrong.code())?;
            (None, Verdict::Void(Rejection::PartitionWrong))
        }
        (Some(place), Content::Unreadable(unreadable)) => (None, freeze(draft, place, sequence, unreadable)?),
        (Some(place), Content::Event(envelope)) => {
            (Some(envelope.event.kind()), event(draft, place, sequence, envelope)?)
        }
    };
    let id = match &recorded.content {
        Content::Event(envelope) => Some(envelope.id),
        Content::Unreadable(_) | Content::Misplaced { .. } => None,
    };
    Ok(Outcome { sequence, kind, id, verdict })
}

/// The place stands still from its first message that cannot be read, live and in a rebuild alike.
fn freeze(draft: &mut Draft, place: &Place, sequence: u64, unreadable: &Unreadable) -> Result<Verdict, Error> {
    if skip(draft, place)? {
        return Ok(Verdict::Skipped);
    }
    settle(draft, place)?;
    match &place.thread {
        Some(thread) => {
            draft.site(&place.site)?;
            draft.thread(&place.site, thread)?.frozen = true;
        }
        None => draft.site(&place.site)?.frozen = true,
    }
    let frozen = Frozen {
        site: place.site.to_string(),
        thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
        sequence,
        message_id: unreadable.message_id.to_string(),
        reason: unreadable.reason.to_string(),
    };
    draft.frozen.put(&Key::Frozen(place), frozen);
    Ok(Verdict::Froze)
}

/// Counts the message where its place stands still.
fn skip(draft: &mut Draft, place: &Place) -> Result<bool, Error> {
    if draft.sites.get(&Key::Site(&place.site))?.is_some_and(|site| site.frozen) {
        draft.site(&place.site)?.skipped += 1;
        return Ok(true);
    }
    let Some(thread) = &place.thread else {
        return Ok(false);
    };
    let frozen = draft.threads.get(&Key::Thread(&place.site, thread))?.is_some_and(|thread| thread.frozen);
    if frozen {
        draft.thread(&place.site, thread)?.skipped += 1;
    }
    Ok(frozen)
}

fn event(draft: &mut Draft, place: &Place, sequence: u64, envelope: &Envelope) -> Result<Verdict, Error> {
    settle(draft, place)?;
    let found = facts::find(draft, place, envelope)?;
    if stands_still(&found.facts) {
        skip(draft, place)?;
        undoing::forget_where_it_stands_still(draft, place, envelope)?;
        return Ok(Verdict::Skipped);
    }
    // A vote is set, not added, and its late repetition is refused at the door: its id need not be kept.
    let keeps_id = !matches!(envelope.event, Event::VoteCast { .. });
    if let (true, Some(no)) = (keeps_id, found.place(place))
        && draft.commands.get(&Key::Command(no, envelope.id))?.is_some()
    {
        return Ok(Verdict::Repeated);
    }
    let verdict = match permits(&found.facts, &envelope.actor, &envelope.event) {
        Ok(()) => {
            apply(draft, place, &Happening { envelope, found: &found, sequence })?;
            Verdict::Applied
        }
        Err(rejection) => {
            draft.count_void(rejection.code())?;
            Verdict::Void(rejection)
        }
    };
    if keeps_id {
        let void = match verdict {
            Verdict::Void(rejection) => Some(rejection.code().to_owned()),
            _ => None,
        };
        let comment = match (&envelope.event, &void) {
            (Event::CommentPosted { .. }, None) => posted(draft, place)?,
            _ => 0,
        };
        let decision = match (undoing::is_for_all_threads(place, &envelope.event), &void) {
            (true, None) => draft.site(&place.site)?.decisions,
            _ => 0,
        };
        let number = ensure_place(draft, place)?;
        draft.commands.put(&Key::Command(number, envelope.id), Command { sequence, void, comment, decision });
    }
    Ok(verdict)
}

/// The number that a thread gave out last.
fn posted(draft: &mut Draft, place: &Place) -> Result<u32, Error> {
    let Some(thread) = &place.thread else { return Ok(0) };
    Ok(draft.threads.get(&Key::Thread(&place.site, thread))?.map_or(0, |thread| thread.posted))
}

/// The number of the place, which is known from now on.
fn ensure_place(draft: &mut Draft, place: &Place) -> Result<PlaceNo, Error> {
    if let Some(known) = draft.place(place)? {
        return Ok(known);
    }
    let site = draft.site(&place.site)?.place;
    let number = match &place.thread {
        Some(thread) => draft.thread(&place.site, thread)?.place,
        None => site,
    };
    Ok(PlaceNo(number))
}

/// Whether messages about the place are passed over: it, or its site, holds one that cannot be read.
fn stands_still(facts: &Facts) -> bool {
    [facts.site, facts.thread].contains(&Some(Standing::Frozen))
}

fn number_of(draft: &mut Draft, thread: PlaceNo, id: CommentId) -> Result<Option<u32>, Error> {
    let command = draft.commands.get(&Key::Command(thread, id.0))?;
    Ok(command.map(|command| command.comment).filter(|number| *number > 0))
}

/// An event that its rules permit.
struct Happening<'e> {
    envelope: &'e Envelope,
    /// What the rules were asked with.
    found: &'e Found,
    /// Its place in the log.
    sequence: u64,
}

impl Happening<'_> {
    /// When, as the rules took it.
    fn time_millis(&self) -> i64 {
        self.found.facts.time.0
    }

    fn actor(&self) -> String {
        self.envelope.actor.id.to_string()
    }
}

/// A thread that something happens to.
#[derive(Clone, Copy)]
struct At<'e> {
    site: &'e SiteId,
    thread: &'e ThreadId,
    site_no: PlaceNo,
    no: PlaceNo,
}

impl At<'_> {
    /// Readers see this comment otherwise now.
    fn touch(&self, draft: &mut Draft, number: u32) {
        let thread = draft.touched.entry(self.no).or_insert_with(|| TouchedThread {
            site: self.site.clone(),
            thread: self.thread.clone(),
            numbers: HashSet::default(),
        });
        thread.numbers.insert(number);
    }
}

/// Carries out an event that its rules permit.
fn apply(draft: &mut Draft, place: &Place, it: &Happening<'_>) -> Result<(), Error> {
    let site_no = match it.found.site {
        Some(known) => known,
        None => PlaceNo(draft.site(&place.site)?.place),
    };
    let noted = match &place.thread {
        None => in_site(draft, &place.site, site_no, it)?,
        Some(thread) => {
            let no = match it.found.thread {
                Some(known) => known,
                None => PlaceNo(draft.thread(&place.site, thread)?.place),
            };
            let at = At { site: &place.site, thread, site_no, no };
            if let Event::VoteCast { vote, .. } = &it.envelope.event {
                let moved = votes::cast(draft, at, it, *vote)?;
                return lists::vote(draft, at, moved, (*vote, it.time_millis()));
            }
            // Rules and readers take an event as no earlier than its thread's last.
            draft.thread(at.site, at.thread)?.latest_millis = it.time_millis();
            in_thread(draft, at, it)?
        }
    };
    match noted {
        Some(noted) => audit::note(draft, place, (site_no, it.sequence), it, noted),
        None => Ok(()),
    }
}

/// `wire` reads an event about a thread only from the subject of one.
const OF_THREADS: Option<Noted> = None;

fn in_site(
    draft: &mut Draft,
    site: &SiteId,
    site_no: PlaceNo,
    it: &Happening<'_>,
) -> Result<Option<Noted>, Error> {
    match &it.envelope.event {
        Event::SiteOpened { name, zone } => places::open_site(draft, site, name, zone).map(Some),
        Event::SiteSet(patch) => places::set_site(draft, site, site_no, it.sequence, patch).map(Some),
        Event::ThreadModeSet(change) => places::set_site_mode(draft, site, change).map(Some),
        Event::AuthorNamed { author, name } => places::name(draft, site_no, author, name, it).map(Some),
        Event::AuthorBanned { author, ban } => places::ban(draft, site, site_no, author, ban).map(Some),
        Event::AuthorUnbanned { author, reason } => places::unban(draft, site_no, author, reason).map(Some),
        Event::VotesVoided { voters, since, reason } => {
            undoing::void(draft, (site, site_no), it, voters, (*since, reason)).map(Some)
        }
        Event::VotesUnvoided { voters, reason } => {
            undoing::unvoid(draft, (site, site_no), it, voters, reason).map(Some)
        }
        Event::CommentsRemoved { author, since, reason, rule } => {
            undoing::remove_everywhere(draft, (site, site_no), it, (author, *since), (reason, rule)).map(Some)
        }
        Event::RemovalUndone { removal, reason } => {
            undoing::undo_everywhere(draft, (site, site_no), *removal, reason)
        }
        Event::AuthorErased { author, comments_kept, reason } => {
            undoing::erase_author(draft, (site, site_no), it, (author, *comments_kept), reason).map(Some)
        }
        Event::MessagesErased { .. } => {
            draft.void.put(&Key::ErasedUpTo, it.sequence);
            Ok(None)
        }
        Event::ThreadOpened { .. }
        | Event::ThreadUpdated(_)
        | Event::ThreadMoved { .. }
        | Event::CommentPosted { .. }
        | Event::CommentEdited { .. }
        | Event::CommentDeleted { .. }
        | Event::CommentHeld { .. }
        | Event::CommentApproved { .. }
        | Event::CommentRemoved { .. }
        | Event::CommentRestored { .. }
        | Event::CommentFeatured { .. }
        | Event::CommentFlagged { .. }
        | Event::FlagWithdrawn { .. }
        | Event::FlagsResolved { .. }
        | Event::CommentErased { .. }
        | Event::VoteCast { .. } => Ok(OF_THREADS),
    }
}

fn in_thread(draft: &mut Draft, at: At<'_>, it: &Happening<'_>) -> Result<Option<Noted>, Error> {
    let event = &it.envelope.event;
    match event {
        Event::ThreadOpened { .. } => places::open_thread(draft, at, event).map(Some),
        Event::ThreadUpdated(patch) => places::update_thread(draft, at, patch).map(Some),
        Event::ThreadModeSet(change) => places::set_thread_mode(draft, at, change).map(Some),
        Event::ThreadMoved { address } => places::move_thread(draft, at, address).map(Some),
        Event::CommentPosted { parent, text, quotes, length, held, original_time } => {
            comments::post(draft, at, it, (*parent, *length, *held), (text, quotes), *original_time)
        }
        Event::CommentEdited { comment, text, quotes, length, held, .. } => {
            comments::edit(draft, at, it, (*comment, *length, *held), (text, quotes))
        }
        Event::CommentDeleted { comment } => comments::delete(draft, at, *comment),
        Event::CommentHeld { comment, reason } => comments::hold(draft, at, *comment, reason),
        Event::CommentApproved { comment, .. } => comments::approve(draft, at, *comment),
        Event::CommentRemoved { comment, reason, rule } => {
            comments::remove(draft, at, it, *comment, (reason, rule))
        }
        Event::CommentRestored { comment, reason } => comments::restore(draft, at, *comment, reason),
        Event::CommentFeatured { comment, featured } => comments::feature(draft, at, *comment, *featured),
        Event::CommentFlagged { comment, category, words } => {
            flags::flag(draft, at, it, *comment, (*category, words))
        }
        Event::FlagWithdrawn { comment } => flags::withdraw(draft, at, it, *comment),
        Event::FlagsResolved { comment, upheld, statement } => {
            flags::resolve(draft, at, it, *comment, (*upheld, statement))
        }
        Event::CommentsRemoved { author, since, reason, rule } => {
            undoing::remove_here(draft, at, it, (author, *since), (reason, rule)).map(Some)
        }
        Event::RemovalUndone { removal, reason } => undoing::undo_here(draft, at, *removal, reason),
        Event::CommentErased { comment, reason } => comments::erase(draft, at, *comment, reason),
        // These are of sites, which `wire` sees to, or were dealt with.
        Event::SiteOpened { .. }
        | Event::SiteSet(_)
        | Event::AuthorNamed { .. }
        | Event::AuthorBanned { .. }
        | Event::AuthorUnbanned { .. }
        | Event::VotesVoided { .. }
        | Event::VotesUnvoided { .. }
        | Event::AuthorErased { .. }
        | Event::MessagesErased { .. }
        | Event::VoteCast { .. } => Ok(None),
    }
}
