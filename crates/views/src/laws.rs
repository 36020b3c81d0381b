//! What must hold in any store, whatever was folded: a tally is its voters, the count is the rows, numbers have no gaps.

use domain::{Place, Tally};

use crate::ballots::Ballots;
use crate::error::Error;
use crate::keys::{PlaceNo, prefix};
use crate::pages::{View, id_of};
use crate::records::{Comment, Words};

/// A law that does not hold in a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenLaw {
    /// A comment's tally is not the number of its voters.
    Tally {
        /// The comment's number.
        comment: u32,
        /// What is shown.
        tally: Tally,
        /// What the voters come to.
        voters: Tally,
    },
    /// The count of a thread is not the number of its rows.
    Count {
        /// What is shown.
        count: u32,
        /// How many comments have a row.
        rows: u32,
    },
    /// The numbers of comments have a gap.
    Gap {
        /// The number that should come.
        expected: u32,
        /// The one that came.
        found: u32,
    },
}

/// A field of a comment: its name, and its value as words.
pub type Field = (&'static str, String);

/// Looks at the comments of a thread, by number.
#[derive(Default)]
pub(crate) struct Laws {
    broken: Vec<BrokenLaw>,
    last: u32,
    comments: u32,
    rows: u32,
}

impl Laws {
    /// A comment, whether it has a row, its tally, and what its voters come to.
    pub(crate) fn comment(&mut self, number: u32, has_row: bool, [tally, voters]: [Tally; 2]) {
        let expected = self.last.saturating_add(1);
        if number != expected {
            self.broken.push(BrokenLaw::Gap { expected, found: number });
        }
        self.last = number;
        self.comments += 1;
        self.rows += u32::from(has_row);
        if tally != voters {
            self.broken.push(BrokenLaw::Tally { comment: number, tally, voters });
        }
    }

    /// How many there were.
    pub(crate) fn comments(&self) -> u32 {
        self.comments
    }

    /// What does not hold, in a thread with this count.
    pub(crate) fn broken(mut self, count: u32) -> Vec<BrokenLaw> {
        if self.rows != count {
            self.broken.push(BrokenLaw::Count { count, rows: self.rows });
        }
        self.broken
    }
}

impl View<'_> {
    /// What the voters of a comment come to, counted one by one.
    fn voted(&self, thread: PlaceNo, number: u32) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        for entry in self.scan::<Ballots>(prefix::ballots(thread, number)) {
            entry?.1.add_to(&mut tally)?;
        }
        Ok(tally)
    }

    /// What is stored of a comment, field by field, to tell what of it differs from another store; none if it is not there.
    pub fn comment_fields(&self, place: &Place, number: u32) -> Result<Vec<Field>, Error> {
        let Some(id) = &place.thread else { return Ok(Vec::new()) };
        let Some(thread) = self.thread(&place.site, id)? else { return Ok(Vec::new()) };
        let no = PlaceNo(thread.place);
        if number == 0 || number > thread.posted {
            return Ok(Vec::new());
        }
        let comment = self.row(no, number)?;
        let Words { text, quotes, .. } = self.words(no, number)?;
        let (tally, voters) = (self.tally(no, number)?, self.voted(no, number)?);
        let Comment {
            author, time_millis, original_millis, parent, lengths, shown, held, featured, flags, ..
        } = &comment;
        Ok(vec![
            ("id", id_of(&comment).to_string()),
            ("author", author.clone()),
            ("time", time_millis.to_string()),
            ("original time", format!("{original_millis:?}")),
            ("parent", parent.to_string()),
            ("state", comment.state()?.as_str().to_owned()),
            ("shown", shown.to_string()),
            ("held", held.to_string()),
            ("revisions", lengths.len().to_string()),
            ("text", text),
            ("quotes", quotes.len().to_string()),
            ("featured", featured.to_string()),
            ("up", tally.up.to_string()),
            ("down", tally.down.to_string()),
            ("voters for", voters.up.to_string()),
            ("voters against", voters.down.to_string()),
            ("open flags", flags.open.to_string()),
            ("edited", format!("{:?}", comment.edited_millis)),
            ("removed", format!("{:?}", comment.removed.as_ref().map(|removed| (&removed.by, &removed.reason)))),
            ("covering removals", comment.covers.len().to_string()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_law_is_named() {
        let tally = |up| Tally { up, down: 1 };
        let mut laws = Laws::default();
        laws.comment(1, true, [tally(3), tally(3)]);
        laws.comment(3, true, [tally(3), tally(2)]);
        laws.comment(4, false, [tally(0), tally(0)]);
        assert_eq!(laws.comments(), 3);
        let expected = [
            BrokenLaw::Gap { expected: 2, found: 3 },
            BrokenLaw::Tally { comment: 3, tally: tally(3), voters: tally(2) },
            BrokenLaw::Count { count: 3, rows: 2 },
        ];
        assert_eq!(laws.broken(3), expected);
        let mut laws = Laws::default();
        laws.comment(1, true, [tally(3), tally(3)]);
        assert_eq!(laws.broken(1), []);
    }
}
