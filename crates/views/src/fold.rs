//! The fold: what an event makes of the store. Pure, total and deterministic: no clock, no randomness, no IO but the
//! draft's reading of what the batch touches; time comes from the event.

use domain::thread::{CommentFacts, Facts, Standing, mentions, permits};
use domain::{
    AuthorId, CommandId, CommentId, Content, Envelope, Event, Place, Quote, Recorded, Rejection, SiteId, Tally,
    ThreadId, Unreadable, Vote,
};

use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo, Side};
use crate::records::{self, Command, Comment, Frozen, Removed, Scores, SiteOpened, ThreadOpened, Words};

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
    /// What came of it.
    pub verdict: Verdict,
}

pub(crate) fn fold(draft: &mut Draft<'_>, recorded: &Recorded) -> Result<Outcome, Error> {
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
    Ok(Outcome { sequence, kind, verdict })
}

/// The place stands still from its first message that cannot be read, live and in a rebuild alike.
fn freeze(draft: &mut Draft<'_>, place: &Place, sequence: u64, unreadable: &Unreadable) -> Result<Verdict, Error> {
    if skip(draft, place)? {
        return Ok(Verdict::Skipped);
    }
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
fn skip(draft: &mut Draft<'_>, place: &Place) -> Result<bool, Error> {
    if draft.sites.get(draft.tree, &Key::Site(&place.site))?.is_some_and(|site| site.frozen) {
        draft.site(&place.site)?.skipped += 1;
        return Ok(true);
    }
    let Some(thread) = &place.thread else {
        return Ok(false);
    };
    let frozen =
        draft.threads.get(draft.tree, &Key::Thread(&place.site, thread))?.is_some_and(|thread| thread.frozen);
    if frozen {
        draft.thread(&place.site, thread)?.skipped += 1;
    }
    Ok(frozen)
}

fn event(draft: &mut Draft<'_>, place: &Place, sequence: u64, envelope: &Envelope) -> Result<Verdict, Error> {
    if skip(draft, place)? {
        return Ok(Verdict::Skipped);
    }
    // A vote is set, not added, and its late repetition is refused at the door: its id need not be kept.
    let keeps_id = !matches!(envelope.event, Event::VoteCast { .. });
    if keeps_id && is_known(draft, place, envelope.id)? {
        return Ok(Verdict::Repeated);
    }
    let facts = facts(draft, place, &mentions(&envelope.event))?;
    let verdict = match permits(&facts, &envelope.actor, &envelope.event) {
        Ok(()) => {
            apply(draft, place, envelope)?;
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
        let number = ensure_place(draft, place)?;
        draft.commands.put(&Key::Command(number, envelope.id), Command { sequence, void });
    }
    Ok(verdict)
}

/// The number of the place, which is known from now on.
fn ensure_place(draft: &mut Draft<'_>, place: &Place) -> Result<PlaceNo, Error> {
    let site = draft.site(&place.site)?.place;
    let number = match &place.thread {
        Some(thread) => draft.thread(&place.site, thread)?.place,
        None => site,
    };
    Ok(PlaceNo(number))
}

fn is_known(draft: &mut Draft<'_>, place: &Place, id: CommandId) -> Result<bool, Error> {
    let Some(number) = draft.place(place)? else {
        return Ok(false);
    };
    Ok(draft.commands.get(draft.tree, &Key::Command(number, id))?.is_some())
}

/// What the rules need to know, as of this place in the log.
fn facts(draft: &mut Draft<'_>, place: &Place, mentioned: &[CommentId]) -> Result<Facts, Error> {
    // Places that stand still were skipped before.
    let site = draft.sites.get(draft.tree, &Key::Site(&place.site))?;
    let site = site.is_some_and(|site| site.opened.is_some()).then_some(Standing::Open);
    let Some(id) = &place.thread else {
        return Ok(Facts { site, ..Facts::default() });
    };
    let Some(thread) = draft.threads.get(draft.tree, &Key::Thread(&place.site, id))? else {
        return Ok(Facts { site, ..Facts::default() });
    };
    let (number, opened) = (PlaceNo(thread.place), thread.opened.is_some());
    let mut comments = Vec::with_capacity(mentioned.len());
    for &id in mentioned {
        let Some(comment) = number_of(draft, number, id)? else {
            continue;
        };
        let Some(comment) = draft.comments.get(draft.tree, &Key::Comment(number, comment))? else {
            continue;
        };
        comments.push((id, facts_of(comment)?));
    }
    Ok(Facts { site, thread: opened.then_some(Standing::Open), comments })
}

/// What rules need to know of a stored comment.
pub(crate) fn facts_of(comment: &Comment) -> Result<CommentFacts, Error> {
    let author = comment.author.parse().or(Err(Error::Damaged("an author's id")))?;
    Ok(CommentFacts { author, removed: comment.removed.is_some(), length: comment.length })
}

fn number_of(draft: &mut Draft<'_>, thread: PlaceNo, id: CommentId) -> Result<Option<u32>, Error> {
    Ok(draft.counts.get(draft.tree, &Key::Number(thread, id.0))?.copied())
}

/// Carries out an event that its rules permit.
fn apply(draft: &mut Draft<'_>, place: &Place, envelope: &Envelope) -> Result<(), Error> {
    let site = &place.site;
    match (&envelope.event, &place.thread) {
        (Event::SiteOpened { name, zone }, _) => {
            draft.site(site)?.opened = Some(SiteOpened { name: name.to_string(), zone: zone.to_string() });
            Ok(())
        }
        (Event::AuthorNamed { author, name }, _) => {
            let place = PlaceNo(draft.site(site)?.place);
            draft.names.put(&Key::Author(place, author), name.to_string());
            Ok(())
        }
        (Event::ThreadOpened { headline, address, category }, Some(thread)) => {
            let opened = ThreadOpened {
                headline: headline.to_string(),
                address: address.to_string(),
                category: category.to_string(),
            };
            let thread = draft.thread(site, thread)?;
            thread.opened = Some(opened);
            thread.latest_millis = thread.latest_millis.max(envelope.time.0);
            Ok(())
        }
        (Event::CommentPosted { parent, text, quotes, length }, Some(thread)) => {
            let words = Words { text: text.as_str().to_owned(), quotes: Vec::new() };
            post(draft, (site, thread), envelope, (*parent, *length, quotes, words))
        }
        (Event::CommentRemoved { comment, reason }, Some(thread)) => {
            remove(draft, (site, thread), envelope, *comment, reason)
        }
        (Event::VoteCast { comment, vote }, Some(thread)) => {
            cast(draft, (site, thread), &envelope.actor.id, *comment, *vote)
        }
        // `wire` reads an event about a thread only from the subject of one.
        (
            Event::ThreadOpened { .. }
            | Event::CommentPosted { .. }
            | Event::CommentRemoved { .. }
            | Event::VoteCast { .. },
            None,
        ) => Ok(()),
    }
}

/// Rules and readers take an event as no earlier than its thread's last.
fn latest(draft: &mut Draft<'_>, (site, thread): (&SiteId, &ThreadId), envelope: &Envelope) -> Result<i64, Error> {
    let thread = draft.thread(site, thread)?;
    thread.latest_millis = thread.latest_millis.max(envelope.time.0);
    Ok(thread.latest_millis)
}

fn post(
    draft: &mut Draft<'_>,
    at: (&SiteId, &ThreadId),
    envelope: &Envelope,
    (parent, length, quotes, mut words): (Option<CommentId>, u32, &[Quote], Words),
) -> Result<(), Error> {
    let time_millis = latest(draft, at, envelope)?;
    let thread = draft.thread(at.0, at.1)?;
    thread.count += 1;
    let (place, number) = (PlaceNo(thread.place), thread.count);
    let parent = match parent {
        Some(parent) => number_of(draft, place, parent)?.unwrap_or_default(),
        None => 0,
    };
    for quote in quotes {
        let Some(quoted) = number_of(draft, place, quote.comment)? else {
            continue;
        };
        let Quote { revision, start, end, at, .. } = *quote;
        words.quotes.push(records::Quote { number: quoted, revision, start, end, at });
    }
    let (id, author) = (envelope.id.as_u128(), envelope.actor.id.to_string());
    let comment = Comment { id, author, time_millis, parent, length, removed: None };
    draft.comments.put(&Key::Comment(place, number), comment);
    draft.words.put(&Key::Words(place, number), words);
    draft.counts.put(&Key::Number(place, envelope.id), number);
    touch(draft, at, number);
    Ok(())
}

fn remove(
    draft: &mut Draft<'_>,
    at: (&SiteId, &ThreadId),
    envelope: &Envelope,
    comment: CommentId,
    reason: &str,
) -> Result<(), Error> {
    let time_millis = latest(draft, at, envelope)?;
    let place = PlaceNo(draft.thread(at.0, at.1)?.place);
    let Some(number) = number_of(draft, place, comment)? else {
        return Ok(());
    };
    if let Some(comment) = draft.comments.change(draft.tree, &Key::Comment(place, number))? {
        let by = envelope.actor.id.to_string();
        comment.removed = Some(Removed { by, reason: reason.to_owned(), time_millis });
    }
    touch(draft, at, number);
    Ok(())
}

/// A vote is set: out of the other side's voters, into this one's.
fn cast(
    draft: &mut Draft<'_>,
    at: (&SiteId, &ThreadId),
    voter: &AuthorId,
    comment: CommentId,
    vote: Vote,
) -> Result<(), Error> {
    let place = PlaceNo(draft.thread(at.0, at.1)?.place);
    let Some(number) = number_of(draft, place, comment)? else {
        return Ok(());
    };
    let voter = number_voter(draft, at.0, voter)?;
    let up = set_voter(draft, (place, number, Side::Up), voter, vote == Vote::Up)?;
    let down = set_voter(draft, (place, number, Side::Down), voter, vote == Vote::Down)?;
    let (chunk, slot) = Scores::place_of(number);
    let scores = draft.scores.change(draft.tree, &Key::Scores(place, chunk))?.get_or_insert_default();
    let Tally { up: ups, down: downs } = scores.get(slot);
    scores.set(slot, Tally { up: ups.saturating_add_signed(up), down: downs.saturating_add_signed(down) });
    if (up, down) != (0, 0) {
        touch(draft, at, number);
    }
    Ok(())
}

/// Puts a voter into a set or takes them out; by how much the set grew.
fn set_voter(
    draft: &mut Draft<'_>,
    (place, number, side): (PlaceNo, u32, Side),
    voter: u32,
    is_in: bool,
) -> Result<i32, Error> {
    let container = u16::try_from(voter >> 16).expect("the upper half of 32 bits");
    let low = voter & 0xffff;
    let key = Key::Voters(place, number, side, container);
    let was_in = draft.voters.get(draft.tree, &key)?.is_some_and(|voters| voters.contains(low));
    if was_in == is_in {
        return Ok(0);
    }
    let voters = draft.voters.change(draft.tree, &key)?;
    let set = voters.get_or_insert_default();
    if is_in {
        set.insert(low);
        return Ok(1);
    }
    set.remove(low);
    if set.is_empty() {
        *voters = None;
    }
    Ok(-1)
}

/// The number of a voter in their site, given out by the first vote.
fn number_voter(draft: &mut Draft<'_>, site: &SiteId, voter: &AuthorId) -> Result<u32, Error> {
    let place = PlaceNo(draft.site(site)?.place);
    let key = Key::Voter(place, voter);
    if let Some(number) = draft.counts.get(draft.tree, &key)? {
        return Ok(*number);
    }
    let record = draft.site(site)?;
    let number = record.voters;
    record.voters += 1;
    draft.counts.put(&key, number);
    draft.names.put(&Key::VoterId(place, number), voter.to_string());
    Ok(number)
}

fn touch(draft: &mut Draft<'_>, (site, thread): (&SiteId, &ThreadId), number: u32) {
    draft.touched.entry((site.clone(), thread.clone())).or_default().insert(number);
}
