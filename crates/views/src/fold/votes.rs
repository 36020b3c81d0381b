//! Votes: a vote is set, out of the other side's voters, into this one's.

use domain::{AuthorId, CommentId, Tally, Vote};

use super::{At, number_of};
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo, Side};
use crate::records::{Scores, VoterIds};

pub(super) fn cast(
    draft: &mut Draft,
    at: At<'_>,
    voter: &AuthorId,
    comment: CommentId,
    vote: Vote,
) -> Result<(), Error> {
    let Some(number) = number_of(draft, at.no, comment)? else {
        return Ok(());
    };
    let voter = number_voter(draft, at, voter)?;
    let up = set_voter(draft, (at.no, number, Side::Up), voter, vote == Vote::Up)?;
    let down = set_voter(draft, (at.no, number, Side::Down), voter, vote == Vote::Down)?;
    let (chunk, slot) = Scores::place_of(number);
    let scores = draft.scores.change(&Key::Scores(at.no, chunk))?.get_or_insert_default();
    let Tally { up: ups, down: downs } = scores.get(slot);
    scores.set(slot, Tally { up: ups.saturating_add_signed(up), down: downs.saturating_add_signed(down) });
    if (up, down) != (0, 0) {
        at.touch(draft, number);
    }
    Ok(())
}

/// Puts a voter into a set or takes them out; by how much the set grew.
fn set_voter(
    draft: &mut Draft,
    (place, number, side): (PlaceNo, u32, Side),
    voter: u32,
    is_in: bool,
) -> Result<i32, Error> {
    let container = u16::try_from(voter >> 16).expect("the upper half of 32 bits");
    let low = voter & 0xffff;
    let key = Key::Voters(place, number, side, container);
    let was_in = draft.voters.get(&key)?.is_some_and(|voters| voters.contains(low));
    if was_in == is_in {
        return Ok(0);
    }
    let voters = draft.voters.change(&key)?;
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
fn number_voter(draft: &mut Draft, at: At<'_>, voter: &AuthorId) -> Result<u32, Error> {
    let author = draft.authors.get(&Key::Author(at.site_no, voter))?;
    if let Some(number) = author.and_then(|author| author.voter) {
        return Ok(number);
    }
    let site = draft.site(at.site)?;
    let number = site.voters;
    site.voters += 1;
    draft.author(at.site_no, voter)?.voter = Some(number);
    let (chunk, _) = VoterIds::place_of(number);
    let ids = draft.voter_ids.change(&Key::VoterIds(at.site_no, chunk))?.get_or_insert_default();
    ids.0.push(voter.to_string());
    Ok(number)
}
