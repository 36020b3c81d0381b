//! Votes: a vote is set, out of the other side's voters, into this one's.

use domain::{AuthorId, Tally, Vote};

use super::{At, Happening};
use crate::ballots::Ballots;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::records::{Cast, Scores, VoterIds, VotesCast};
use crate::voters;

/// By how much the vote moved the tally, up and down.
pub(super) fn cast(draft: &mut Draft, at: At<'_>, it: &Happening<'_>, vote: Vote) -> Result<(i32, i32), Error> {
    let Some(number) = it.found.comment else {
        return Ok((0, 0));
    };
    let voter = number_voter(draft, at, &it.envelope.actor.id, it.found.voters)?;
    let time_millis = it.time_millis();
    note(draft, at, Cast { voter, number, time_millis })?;
    let void = it.found.votes_void_since.is_some_and(|since| since <= time_millis);
    change(draft, at, (number, voter), |ballots, low| ballots.set(low, vote, void))
}

/// Notes that a vote was cast, for whoever asks for those since a time.
fn note(draft: &mut Draft, at: At<'_>, cast: Cast) -> Result<(), Error> {
    let Some(activity) = draft.lists.activity((at.site_no, at.no))? else { return Ok(()) };
    let chunk = VotesCast::chunk_of(activity.cast);
    activity.cast = activity.cast.saturating_add(1);
    draft.votes_cast.change(&Key::VotesCast(at.no, chunk))?.get_or_insert_default().push(cast);
    Ok(())
}

/// Changes the votes on a comment of those whose numbers are like the voter's, and the tally with them; by how much it moved, up
/// and down.
pub(super) fn change(
    draft: &mut Draft,
    at: At<'_>,
    (number, voter): (u32, u32),
    how: impl FnOnce(&mut Ballots, u32) -> (i32, i32),
) -> Result<(i32, i32), Error> {
    let (container, low) = Ballots::place_of(voter);
    let slot = draft.ballots.change(&Key::Ballots(at.no, number, container))?;
    let ballots = slot.get_or_insert_default();
    let (up, down) = how(ballots, low);
    if ballots.is_empty() {
        *slot = None;
    }
    if (up, down) != (0, 0) {
        let (chunk, slot) = Scores::place_of(number);
        let scores = draft.scores.change(&Key::Scores(at.no, chunk))?.get_or_insert_default();
        let Tally { up: ups, down: downs } = scores.get(slot);
        scores.set(slot, Tally { up: ups.saturating_add_signed(up), down: downs.saturating_add_signed(down) });
        at.touch(draft, number);
    }
    Ok((up, down))
}

/// The number of a voter in their site, given out by the first vote.
fn number_voter(draft: &mut Draft, at: At<'_>, voter: &AuthorId, voters: u32) -> Result<u32, Error> {
    if let Some(number) = voter_number(draft, at.site_no, voters, voter)? {
        return Ok(number);
    }
    let number = voters;
    voters::add(draft, at.site_no, number, voter)?;
    draft.site(at.site)?.voters += 1;
    let (chunk, _) = VoterIds::place_of(number);
    let ids = draft.voter_ids.change(&Key::VoterIds(at.site_no, chunk))?.get_or_insert_default();
    ids.0.push(voter.to_string());
    Ok(number)
}

/// The number of somebody who voted in the site, where so many did.
pub(super) fn voter_number(
    draft: &mut Draft,
    site: PlaceNo,
    voters: u32,
    id: &AuthorId,
) -> Result<Option<u32>, Error> {
    voters::known(voters, id, |bucket| {
        let bucket = draft.voter_buckets.get(&Key::VoterBucket(site, bucket))?;
        Ok(bucket.and_then(|bucket| bucket.number(id.as_str())))
    })
}
