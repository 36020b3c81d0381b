//! Who voted how on a comment: two sets of voters, as many in one value as one container of a roaring set holds.

use domain::Vote;
use roaring::RoaringBitmap;

use crate::error::Error;
use crate::value::Value;

/// The votes on a comment of the voters whose numbers share their upper 16 bits; sets of the lower 16.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ballots {
    up: RoaringBitmap,
    down: RoaringBitmap,
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

    /// Sets somebody's vote; by how much the sets grew, for and against.
    pub(crate) fn set(&mut self, low: u32, vote: Vote) -> (i32, i32) {
        let put = |set: &mut RoaringBitmap, is_in: bool| {
            if is_in { i32::from(set.insert(low)) } else { -i32::from(set.remove(low)) }
        };
        (put(&mut self.up, vote == Vote::Up), put(&mut self.down, vote == Vote::Down))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.up.is_empty() && self.down.is_empty()
    }

    /// The lower halves of the voters' numbers: those for it, and those against it.
    pub(crate) fn sides(&self) -> (&RoaringBitmap, &RoaringBitmap) {
        (&self.up, &self.down)
    }
}

/// Stored: how many bytes the first set takes, big-endian, and the two sets; nothing for an empty one.
impl Value for Ballots {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = |set: &RoaringBitmap| if set.is_empty() { 0 } else { set.serialized_size() };
        let up = u32::try_from(bytes(&self.up)).expect("one container has 8 KiB and a bit");
        out.reserve(4 + bytes(&self.up) + bytes(&self.down));
        out.extend_from_slice(&up.to_be_bytes());
        for set in [&self.up, &self.down].into_iter().filter(|set| !set.is_empty()) {
            set.serialize_into(&mut *out).expect("a vector takes what is written");
        }
    }

    fn read(body: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::Damaged("not the voters of a comment");
        let (up, sets) = body.split_first_chunk().ok_or_else(damaged)?;
        let up = usize::try_from(u32::from_be_bytes(*up)).or(Err(damaged()))?;
        let (up, down) = sets.split_at_checked(up).ok_or_else(damaged)?;
        let set = |bytes: &[u8]| match bytes {
            [] => Ok(RoaringBitmap::new()),
            bytes => RoaringBitmap::deserialize_from(bytes).or(Err(damaged())),
        };
        Ok(Self { up: set(up)?, down: set(down)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::tests::hex;

    #[test]
    fn the_last_vote_of_each_counts() {
        let mut ballots = Ballots::default();
        assert_eq!(ballots.set(7, Vote::Up), (1, 0));
        assert_eq!(ballots.set(7, Vote::Up), (0, 0));
        assert_eq!(ballots.set(7, Vote::Down), (-1, 1));
        assert_eq!(ballots.set(9, Vote::Up), (1, 0));
        assert_eq!((ballots.vote(7), ballots.vote(9), ballots.vote(8)), (Vote::Down, Vote::Up, Vote::None));
        assert_eq!(ballots.set(7, Vote::None), (0, -1));
        assert_eq!(ballots.set(9, Vote::None), (-1, 0));
        assert!(ballots.is_empty());
        assert_eq!(Ballots::place_of(0x0003_0005), (3, 5));
    }

    #[test]
    fn the_bytes_of_ballots_stay_as_they_are() {
        let mut ballots = Ballots::default();
        let stored = |ballots: &Ballots| {
            let stored = ballots.to_stored();
            assert_eq!(Ballots::from_stored(&stored).unwrap(), *ballots);
            hex(&stored)
        };
        ballots.set(2, Vote::Down);
        assert_eq!(stored(&ballots), "015c54baaf000000003a3000000100000000000000100000000200");
        ballots.set(1, Vote::Up);
        ballots.set(40_000, Vote::Up);
        assert_eq!(
            stored(&ballots),
            "01d23d95dd000000143a3000000100000000000100100000000100409c3a3000000100000000000000100000000200"
        );
    }

    #[test]
    fn the_hottest_value_stays_small() {
        let mut ballots = Ballots::default();
        for voter in 0..=0xffff {
            ballots.set(voter, if voter % 2 == 0 { Vote::Up } else { Vote::Down });
        }
        assert!(ballots.to_stored().len() < 17_000);
    }
}
