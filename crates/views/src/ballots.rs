//! Who voted how on a comment: two sets of voters, as many in one value as one container of a roaring set holds.

use domain::{Tally, Vote};
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::value::Value;

/// The votes on a comment of the voters whose numbers share their upper 16 bits; sets of the lower 16.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ballots {
    up: RoaringBitmap,
    down: RoaringBitmap,
    /// Of both sides, the ones whose votes count for nothing.
    void: RoaringBitmap,
}

impl Ballots {
    /// The part of a voter's number that stands in the key, and the part that stands in the sets.
    pub(crate) fn place_of(voter: u32) -> (u16, u32) {
        (u16::try_from(voter >> 16).expect("the upper half of 32 bits"), voter & 0xffff)
    }

    /// How somebody voted.
    pub(crate) fn vote(&self, low: u32) -> Vote {
        if self.up.contains(low) {
            Vote::Up
        } else if self.down.contains(low) {
            Vote::Down
        } else {
            Vote::None
        }
    }

    /// Sets somebody's vote, which counts or is void; by how much the tally moves, up and down.
    pub(crate) fn set(&mut self, low: u32, vote: Vote, void: bool) -> (i32, i32) {
        let before = self.counted(low);
        let put = |set: &mut RoaringBitmap, is_in: bool| if is_in { set.insert(low) } else { set.remove(low) };
        put(&mut self.up, vote == Vote::Up);
        put(&mut self.down, vote == Vote::Down);
        put(&mut self.void, void && vote != Vote::None);
        self.moved(low, before)
    }

    /// Lets somebody's vote count or not, if there is one; by how much the tally moves, up and down.
    pub(crate) fn void(&mut self, low: u32, void: bool) -> (i32, i32) {
        self.set(low, self.vote(low), void)
    }

    /// What somebody's vote adds to the tally.
    fn counted(&self, low: u32) -> (i32, i32) {
        let counts = !self.void.contains(low);
        (i32::from(counts && self.up.contains(low)), i32::from(counts && self.down.contains(low)))
    }

    fn moved(&self, low: u32, (up, down): (i32, i32)) -> (i32, i32) {
        let (up_now, down_now) = self.counted(low);
        (up_now - up, down_now - down)
    }

    /// Adds all that count to a tally, one by one.
    pub(crate) fn add_to(&self, tally: &mut Tally) -> Result<(), Error> {
        let counted = |side: &RoaringBitmap| {
            u32::try_from(side.difference_len(&self.void)).or(Err(Error::Damaged("more voters than can be")))
        };
        tally.up = tally.up.saturating_add(counted(&self.up)?);
        tally.down = tally.down.saturating_add(counted(&self.down)?);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.up.is_empty() && self.down.is_empty()
    }

    /// The lower halves of the voters' numbers: those for it, those against it, and of both those whose votes are void.
    pub(crate) fn sides(&self) -> [&RoaringBitmap; 3] {
        [&self.up, &self.down, &self.void]
    }
}

/// Stored: how many bytes the first and the second set take, big-endian, and the three sets; nothing for an empty one.
impl Value for Ballots {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = |set: &RoaringBitmap| if set.is_empty() { 0 } else { set.serialized_size() };
        out.reserve(4 + self.sides().into_iter().map(bytes).sum::<usize>());
        for set in [&self.up, &self.down] {
            let bytes = u16::try_from(bytes(set)).expect("one container has 8 KiB and a bit");
            out.extend_from_slice(&bytes.to_be_bytes());
        }
        for set in self.sides().into_iter().filter(|set| !set.is_empty()) {
            set.serialize_into(&mut *out).expect("a vector takes what is written");
        }
    }

    fn read(body: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::Damaged("not the voters of a comment");
        let (&[up_high, up_low, down_high, down_low], sets) = body.split_first_chunk().ok_or_else(damaged)?;
        let bytes = |high, low| usize::from(u16::from_be_bytes([high, low]));
        let (up, sets) = sets.split_at_checked(bytes(up_high, up_low)).ok_or_else(damaged)?;
        let (down, void) = sets.split_at_checked(bytes(down_high, down_low)).ok_or_else(damaged)?;
        let set = |bytes: &[u8]| match bytes {
            [] => Ok(RoaringBitmap::new()),
            bytes => RoaringBitmap::deserialize_from(bytes).or(Err(damaged())),
        };
        Ok(Self { up: set(up)?, down: set(down)?, void: set(void)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::tests::hex;

    #[test]
    fn the_last_vote_of_each_counts() {
        let mut ballots = Ballots::default();
        assert_eq!(ballots.set(7, Vote::Up, false), (1, 0));
        assert_eq!(ballots.set(7, Vote::Up, false), (0, 0));
        assert_eq!(ballots.set(7, Vote::Down, false), (-1, 1));
        assert_eq!(ballots.set(9, Vote::Up, false), (1, 0));
        assert_eq!((ballots.vote(7), ballots.vote(9), ballots.vote(8)), (Vote::Down, Vote::Up, Vote::None));
        assert_eq!(ballots.set(7, Vote::None, false), (0, -1));
        assert_eq!(ballots.set(9, Vote::None, false), (-1, 0));
        assert!(ballots.is_empty());
        assert_eq!(Ballots::place_of(0x0003_0005), (3, 5));
    }

    #[test]
    fn void_votes_stay_and_count_for_nothing() {
        let mut ballots = Ballots::default();
        assert_eq!(ballots.void(7, true), (0, 0), "there is none");
        assert!(ballots.is_empty());
        assert_eq!(ballots.set(7, Vote::Up, false), (1, 0));
        assert_eq!(ballots.void(7, true), (-1, 0));
        assert_eq!((ballots.vote(7), ballots.void(7, true)), (Vote::Up, (0, 0)));
        assert_eq!(ballots.set(7, Vote::Down, true), (0, 0));
        assert_eq!(ballots.void(7, false), (0, 1));
        assert_eq!(ballots.set(7, Vote::Up, true), (0, -1));
        assert_eq!(Ballots::from_stored(&ballots.to_stored()).unwrap(), ballots);
        assert_eq!(ballots.set(7, Vote::None, true), (0, 0));
        assert!(ballots.is_empty() && ballots.void.is_empty());
    }

    #[test]
    fn the_bytes_of_ballots_stay_as_they_are() {
        let mut ballots = Ballots::default();
        let stored = |ballots: &Ballots| {
            let stored = ballots.to_stored();
            assert_eq!(Ballots::from_stored(&stored).unwrap(), *ballots);
            hex(&stored)
        };
        ballots.set(2, Vote::Down, false);
        assert_eq!(stored(&ballots), "013ba28754000000123a3000000100000000000000100000000200");
        ballots.set(1, Vote::Up, false);
        ballots.set(40_000, Vote::Up, false);
        assert_eq!(
            stored(&ballots),
            "01e237dc74001400123a3000000100000000000100100000000100409c3a3000000100000000000000100000000200"
        );
    }

    #[test]
    fn the_hottest_value_stays_small() {
        let mut ballots = Ballots::default();
        for voter in 0..=0xffff {
            ballots.set(voter, if voter % 2 == 0 { Vote::Up } else { Vote::Down }, voter % 3 == 0);
        }
        assert!(ballots.to_stored().len() < 25_000);
    }
}
