//! What undoing is carried out with. Stored: a change is a new schema.

use serde::{Deserialize, Serialize};

use crate::keys::{Deed, VOTES_IN_CHUNK};
use crate::value::Plain;

/// Votes of a thread that were cast one after another, so that those since a time can be found. Derived; in no digest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct VotesCast {
    /// When the last of them was cast.
    last_millis: i64,
    /// Voter, comment's number, and how much later than the one before it was cast, the first one than the Unix epoch.
    votes: Vec<(u32, u32, i64)>,
}

/// A vote that was cast, whatever it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    pub(crate) voter: u32,
    pub(crate) number: u32,
    pub(crate) time_millis: i64,
}

impl VotesCast {
    /// The chunk of a vote, by how many were cast in the thread before it.
    pub(crate) fn chunk_of(before: u32) -> u32 {
        before / VOTES_IN_CHUNK
    }

    pub(crate) fn push(&mut self, cast: Cast) {
        self.votes.push((cast.voter, cast.number, cast.time_millis.wrapping_sub(self.last_millis)));
        self.last_millis = cast.time_millis;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Cast> {
        self.votes.iter().scan(0_i64, |last, &(voter, number, later)| {
            *last = last.wrapping_add(later);
            Some(Cast { voter, number, time_millis: *last })
        })
    }
}

/// How often somebody took part in a thread. Derived; in no digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TookPart {
    /// Comments of theirs.
    pub(crate) said: u32,
    /// Times that they flagged one.
    pub(crate) flagged: u32,
}

impl TookPart {
    pub(crate) fn count(self, deed: Deed) -> u32 {
        match deed {
            Deed::Said => self.said,
            Deed::Flagged => self.flagged,
        }
    }

    pub(crate) fn count_mut(&mut self, deed: Deed) -> &mut u32 {
        match deed {
            Deed::Said => &mut self.said,
            Deed::Flagged => &mut self.flagged,
        }
    }
}

/// Numbers of comments, in the order of what was done with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbers(pub(crate) Vec<u32>);

/// A removal of an author's comments, by the number of the place that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemovalOf {
    pub(crate) place: u32,
    pub(crate) id: u128,
}

/// A removal of many comments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Removal {
    pub(crate) author: String,
    pub(crate) rule: String,
    pub(crate) undone: bool,
}

/// A removal of many that covers a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cover {
    /// Whether it is about the whole site, and not the thread alone.
    pub(crate) of_site: bool,
    pub(crate) id: u128,
}

/// What was decided for all threads of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decision {
    /// Votes of these voters, in the order of their numbers, are void since then; none of them for `None`.
    Void { voters: Vec<u32>, since_millis: Option<i64> },
    /// Comments of an author posted since then are removed.
    Remove { removal: u128, author: String, since_millis: i64 },
    /// A removal of an author's comments does not hold any more.
    Undo { removal: u128, author: String },
    /// An author stands under a pseudonym. What the audit says of them before this place in the log, too.
    Erase { author: String, pseudonym: String, comments_kept: bool, sequence: u64 },
}

impl Plain for VotesCast {}
impl Plain for TookPart {}
impl Plain for Numbers {}
impl Plain for RemovalOf {}
impl Plain for Removal {}
impl Plain for Decision {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use crate::value::tests::hex;

    #[test]
    fn votes_come_back_with_their_times_also_where_clocks_ran_back() {
        let mut votes = VotesCast::default();
        let times = [1_700_000_000_000, 1_700_000_000_007, -5, i64::MAX, i64::MIN, 0];
        let casts: Vec<_> =
            (0..).zip(times).map(|(n, time_millis)| Cast { voter: n * 70_000, number: n, time_millis }).collect();
        for cast in &casts {
            votes.push(*cast);
        }
        let stored = VotesCast::from_stored(&votes.to_stored()).unwrap();
        assert_eq!(stored.iter().collect::<Vec<_>>(), casts);
        assert_eq!((VotesCast::chunk_of(255), VotesCast::chunk_of(256)), (0, 1));
    }

    #[test]
    fn the_bytes_of_undoing_stay_as_they_are() {
        let mut votes = VotesCast::default();
        votes.push(Cast { voter: 300, number: 2, time_millis: 1_700_000_000_000 });
        votes.push(Cast { voter: 1, number: 2, time_millis: 1_700_000_000_001 });
        let stored = [
            votes.to_stored(),
            TookPart { said: 300, flagged: 2 }.to_stored(),
            Numbers(vec![1, 300]).to_stored(),
            RemovalOf { place: 300, id: 7 }.to_stored(),
            Removal { author: "ann".into(), rule: "no spam".into(), undone: true }.to_stored(),
            Decision::Void { voters: vec![0, 300], since_millis: Some(-1) }.to_stored(),
            Decision::Remove { removal: 7, author: "ann".into(), since_millis: i64::MIN }.to_stored(),
            Decision::Undo { removal: 7, author: "ann".into() }.to_stored(),
            Decision::Erase { author: "ann".into(), pseudonym: "p".into(), comments_kept: true, sequence: 9 }
                .to_stored(),
        ];
        let stored: Vec<String> = stored.iter().map(|bytes| hex(bytes)).collect();
        let as_they_were: [&str; 9] = [
            "01ce951025fd02d0ca9f1703000002fb2c0102fd00d0ca9f17030000010202",
            "01b661a153fb2c0102",
            "01f3f904110201fb2c01",
            "01c60b55dcfb2c0107",
            "012c9bdb4403616e6e076e6f207370616d01",
            "014863d46a000200fb2c010101",
            "01eb8b9323010703616e6efdffffffffffffffff",
            "0144fed837020703616e6e",
            "01e4bc490f0303616e6e01700109",
        ];
        assert_eq!(stored, as_they_were);
    }
}
