//! What the rules need to know, out of records.

use domain::moderation::Ban;
use domain::thread::{AuthorFacts, CommentFacts, Facts, FlagFacts, PersonFacts, RemovalFacts, Standing, needs};
use domain::{CommentId, Envelope, Place, Timestamp};

use super::number_of;
use crate::codes;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::records::{Author, Comment, Flag, Flags, Removal, Site, Thread};

/// What the rules need to know, and under which numbers the store has it.
pub(super) struct Found {
    pub(super) facts: Facts,
    pub(super) site: Option<PlaceNo>,
    pub(super) thread: Option<PlaceNo>,
    /// The number of the first comment that the event names, if it is one.
    pub(super) comment: Option<u32>,
    /// How many voters of the site have a number.
    pub(super) voters: u32,
    /// Since when the votes of the author whose facts matter are void, if they are.
    pub(super) votes_void_since: Option<i64>,
}

impl Found {
    /// The number of the place that the event is about.
    pub(super) fn place(&self, place: &Place) -> Option<PlaceNo> {
        if place.thread.is_some() { self.thread } else { self.site }
    }
}

/// What the rules need to know, as of this place in the log.
pub(super) fn find(draft: &mut Draft, place: &Place, envelope: &Envelope) -> Result<Found, Error> {
    let needs = needs(&envelope.event, &envelope.actor);
    let site = draft.sites.get(&Key::Site(&place.site))?;
    let thread = match &place.thread {
        Some(thread) => draft.threads.get(&Key::Thread(&place.site, thread))?,
        None => None,
    };
    let mut facts = place_facts(place, site, thread)?;
    let latest = thread.map_or(i64::MIN, |thread| thread.latest_millis);
    facts.time = Timestamp(envelope.time.0.max(latest));
    let site_no = site.map(|site| PlaceNo(site.place));
    let thread_no = thread.map(|thread| PlaceNo(thread.place));
    let voters = site.map_or(0, |site| site.voters);
    let (mut first, mut votes_void_since) = (None, None);
    if let Some(no) = thread_no {
        for &id in &needs.comments {
            if let Some((number, comment)) = comment(draft, no, id)? {
                facts.comments.push((id, facts_of(comment)?));
                first = first.or((needs.comments.first() == Some(&id)).then_some(number));
            }
        }
    }
    if let (Some(author), Some(site)) = (&needs.author, site_no) {
        let flagged = match (needs.flag, thread_no, needs.comments.first()) {
            (true, Some(no), Some(&id)) => {
                comment(draft, no, id)?.map(|(n, comment)| (no, n, comment.flags.clone()))
            }
            _ => None,
        };
        let flag = match &flagged {
            Some((no, number, flags)) => {
                draft.flags.get(&Key::Flag(*no, *number, author))?.map(|flag| (flag, flags))
            }
            None => None,
        };
        let author = draft.authors.get(&Key::Author(site, author))?;
        votes_void_since = author.and_then(|author| author.votes_void_since);
        facts.author = author_facts(author, flag);
    }
    if let Some(site) = site_no {
        for person in &needs.people {
            let author = draft.authors.get(&Key::Author(site, person))?;
            facts.people.extend(author.map(|author| (person.clone(), person_facts(author))));
        }
    }
    let no = if place.thread.is_some() { thread_no } else { site_no };
    if let (Some(removal), Some(no)) = (needs.removal, no) {
        facts.removal = draft.removals.get(&Key::Removal(no, removal))?.map(removal_facts);
    }
    Ok(Found { facts, site: site_no, thread: thread_no, comment: first, voters, votes_void_since })
}

/// A comment and its number.
pub(super) fn comment(
    draft: &mut Draft,
    thread: PlaceNo,
    id: CommentId,
) -> Result<Option<(u32, &Comment)>, Error> {
    let Some(number) = number_of(draft, thread, id)? else { return Ok(None) };
    let comment = draft.comments.get(&Key::Comment(thread, number))?;
    Ok(comment.map(|comment| (number, comment)))
}

/// What rules need to know of a place.
pub(crate) fn place_facts(place: &Place, site: Option<&Site>, thread: Option<&Thread>) -> Result<Facts, Error> {
    let standing = |opened: bool, frozen: bool| match (opened, frozen) {
        (_, true) => Some(Standing::Frozen),
        (true, false) => Some(Standing::Open),
        (false, false) => None,
    };
    let mut facts = Facts { whole_site: place.thread.is_none(), ..Facts::default() };
    if let Some(site) = site {
        facts.site = standing(site.opened.is_some(), site.frozen);
        facts.rules = site.rules.get();
        facts.site_mode = codes::mode(site.mode.code)?;
    }
    if let Some(thread) = thread {
        facts.thread = standing(thread.opened.is_some(), thread.frozen);
        facts.thread_mode = codes::mode(thread.mode.code)?;
        facts.closes_at = thread.opened.as_ref().and_then(|opened| opened.closes_at_millis).map(Timestamp);
        facts.moves = thread.moves;
    }
    Ok(facts)
}

/// What rules need to know of a stored comment.
pub(crate) fn facts_of(comment: &Comment) -> Result<CommentFacts, Error> {
    Ok(CommentFacts {
        author: comment.author.parse().or(Err(Error::Damaged("an author's id")))?,
        state: comment.state()?,
        posted: Timestamp(comment.time_millis),
        lengths: comment.lengths.clone(),
        unseen: comment.unseen.clone(),
        flags: comment.flags.open,
        flags_illegal: comment.flags.illegal,
    })
}

/// What rules need to know of a stored author, and of a flag they may have.
pub(crate) fn author_facts(author: Option<&Author>, flag: Option<(&Flag, &Flags)>) -> AuthorFacts {
    let ban = author.and_then(|author| author.ban.as_ref());
    AuthorFacts {
        ban: ban.map(|ban| Ban { until: ban.until_millis.map(Timestamp), reason: ban.reason.as_str().into() }),
        shown: author.map_or(0, |author| author.shown),
        flag: flag.map(|(flag, flags)| FlagFacts { waits: flag.waits(flags) }),
    }
}

/// What rules need to know of a stored author among others.
pub(crate) fn person_facts(author: &Author) -> PersonFacts {
    PersonFacts { votes_void: author.votes_void_since.is_some(), erased: author.erased }
}

/// What rules need to know of a stored removal.
pub(crate) fn removal_facts(removal: &Removal) -> RemovalFacts {
    RemovalFacts { undone: removal.undone }
}
