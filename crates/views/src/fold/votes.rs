//! Votes: a vote is set, out of the other side's voters, into this one's.

use domain::{AuthorId, Tally, Vote};

use super::{At, Happening};
use crate::ballots::Ballots;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::Key;
use crate::records::{Scores, VoterIds};
use crate::voters;

/// By how much the vote moved the tally, up and down.
pub(super) fn cast(draft: &mut Draft, at: At<'_>, it: &Happening<'_>, vote: Vote) -> Result<(i32, i32), Error> {
    let Some(number) = it.found.comment else {
        return Ok((0, 0));
    };
    let voter = number_voter(draft, at, &it.envelope.actor.id, it.found.voters)?;
    let (container, low) = Ballots::place_of(voter);
    let slot = draft.ballots.change(&Key::Ballots(at.no, number, container))?;
    let ballots = slot.get_or_insert_default();
    let (up, down) = ballots.set(low, vote);
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
    let known = voters::known(voters, voter, |bucket| {
        let bucket = draft.voter_buckets.get(&Key::VoterBucket(at.site_no, bucket))?;
        Ok(bucket.and_then(|bucket| bucket.number(voter.as_str())))
    })?;
    if let Some(number) = known {
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
