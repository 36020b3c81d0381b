//! What must hold in any store, whatever was folded: a tally is its voters, the count is the rows, numbers have no gaps.

use domain::{Place, Tally};

use crate::ballots::Ballots;
use crate::error::Error;
use crate::keys::{PlaceNo, number_tail, prefix};
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

impl View<'_> {
    /// The laws that do not hold in a place; a site has none.
    pub fn broken_laws(&self, place: &Place) -> Result<Vec<BrokenLaw>, Error> {
        let Some(id) = &place.thread else { return Ok(Vec::new()) };
        let Some(thread) = self.thread(&place.site, id)? else { return Ok(Vec::new()) };
        let (no, mut broken) = (PlaceNo(thread.place), Vec::new());
        let (mut expected, mut rows) = (1, 0);
        for entry in self.scan::<Comment>(prefix::comments(no)) {
            let (key, comment) = entry?;
            let number = number_tail(&key).ok_or(Error::Damaged("a comment's key"))?;
            if number != expected {
                broken.push(BrokenLaw::Gap { expected, found: number });
            }
            expected = number.saturating_add(1);
            rows += u32::from(comment.shown);
            let (tally, voters) = (self.tally(no, number)?, self.voted(no, number)?);
            if tally != voters {
                broken.push(BrokenLaw::Tally { comment: number, tally, voters });
            }
        }
        if rows != thread.count {
            broken.push(BrokenLaw::Count { count: thread.count, rows });
        }
        Ok(broken)
    }

    /// What the voters of a comment come to, counted one by one.
    fn voted(&self, thread: PlaceNo, number: u32) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        for entry in self.scan::<Ballots>(prefix::ballots(thread, number)) {
            let (_, ballots) = entry?;
            let [up, down, void] = ballots.sides();
            let counted = |side: &roaring::RoaringBitmap| {
                u32::try_from(side.difference_len(void)).or(Err(Error::Damaged("more voters than can be")))
            };
            tally.up += counted(up)?;
            tally.down += counted(down)?;
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
