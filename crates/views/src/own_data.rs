//! Everything that is kept of one author, in parts.
//!
//! It is found by going through the site's comments, which a person asks for once in years: no index is kept for it.

use domain::{AuthorId, FlagCategory, SiteId, State, ThreadId, Timestamp, Vote};

use crate::codes;
use crate::error::Error;
use crate::keys::{Key, PlaceNo, prefix};
use crate::moderation::AuthorHistory;
use crate::pages::{View, id_of, revision_of};
use crate::records::{self, Comment, Flag, Words};
use domain::CommentId;

/// Former names that are told of, the latest: a few fill one part.
const FORMER_NAMES_MAX: usize = 500;
/// Comments that one part goes through: some milliseconds.
const LOOKED_AT_MAX: u32 = 2_000;
/// Bytes of words in one part, which then ends: with the comment that brings it over, and escaped twice where a line of JSON
/// stands in JSON, it fits its message.
const BYTES_MAX: usize = 96 * 1024;

/// Something that is kept of an author.
#[derive(Debug)]
pub enum OwnItem {
    /// Their names and bans.
    Author(AuthorHistory),
    /// A comment that they wrote.
    Comment {
        /// The thread.
        thread: String,
        /// The comment.
        id: CommentId,
        /// How it stands.
        state: State,
        /// The comment it replies to.
        parent: Option<CommentId>,
        /// Its revisions, from 0: since when and what it said.
        revisions: Vec<(Timestamp, String)>,
    },
    /// A vote of theirs.
    Vote {
        /// The thread.
        thread: String,
        /// The comment that they voted on.
        comment: CommentId,
        /// The vote.
        vote: Vote,
    },
    /// A flag of theirs.
    Flag {
        /// The thread.
        thread: String,
        /// The comment that they flagged.
        comment: CommentId,
        /// What they said is wrong.
        category: FlagCategory,
        /// In their words.
        words: String,
        /// When.
        time: Timestamp,
    },
}

/// Where a part ended: the thread and the number of its comment that was looked at last.
pub type OwnCursor = (ThreadId, u32);

impl View<'_> {
    /// A part of what is kept of an author, and where it ended unless it was the last.
    pub fn own_data(
        &self,
        site: &SiteId,
        author: &AuthorId,
        after: Option<&OwnCursor>,
    ) -> Result<(Vec<OwnItem>, Option<OwnCursor>), Error> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        if after.is_none() {
            items.push(OwnItem::Author(self.author_history(site, author, FORMER_NAMES_MAX)?));
            bytes += items.iter().map(size_of_item).sum::<usize>();
        }
        let Some(record) = self.site(site)? else { return Ok((items, None)) };
        let voter = self.voter_number(&record, author)?;
        let from = after.map_or_else(|| prefix::threads(site), |(thread, _)| Key::Thread(site, thread).encode());
        let mut left = LOOKED_AT_MAX;
        for entry in self.tree.range(from..) {
            let (key, stored) = entry?;
            let Some(id) = key.strip_prefix(prefix::threads(site).as_slice()) else { break };
            let thread: ThreadId = crate::digest::parse(id)?;
            let record: records::Thread = crate::value::Value::from_stored(&stored)?;
            let begun = after.filter(|(begun, _)| *begun == thread).map_or(0, |(_, number)| *number);
            for number in begun.saturating_add(1)..=record.posted {
                if left == 0 || bytes > BYTES_MAX {
                    return Ok((items, Some((thread, number - 1))));
                }
                left -= 1;
                let before = items.len();
                self.own_items((PlaceNo(record.place), &thread), number, (author, voter), &mut items)?;
                bytes += items.iter().skip(before).map(size_of_item).sum::<usize>();
            }
            // A thread costs a look too, so that a site of empty ones has an end.
            if left == 0 {
                return Ok((items, Some((thread, record.posted))));
            }
            left -= 1;
        }
        Ok((items, None))
    }

    fn own_items(
        &self,
        (no, thread): (PlaceNo, &ThreadId),
        number: u32,
        (author, voter): (&AuthorId, Option<u32>),
        items: &mut Vec<OwnItem>,
    ) -> Result<(), Error> {
        let comment = self.row(no, number)?;
        if comment.author == author.as_str() {
            items.push(self.own_comment((no, thread), number, &comment)?);
        }
        let vote = match voter {
            Some(voter) => self.vote(no, number, voter)?,
            None => Vote::None,
        };
        if vote != Vote::None {
            items.push(OwnItem::Vote { thread: thread.to_string(), comment: id_of(&comment), vote });
        }
        if let Some(flag) = self.get::<Flag>(&Key::Flag(no, number, author))? {
            items.push(OwnItem::Flag {
                thread: thread.to_string(),
                comment: id_of(&comment),
                category: codes::category(flag.category)?,
                words: flag.words,
                time: Timestamp(flag.time_millis),
            });
        }
        Ok(())
    }

    fn own_comment(
        &self,
        (no, thread): (PlaceNo, &ThreadId),
        number: u32,
        comment: &Comment,
    ) -> Result<OwnItem, Error> {
        let mut revisions = Vec::with_capacity(comment.lengths.len());
        for revision in 0..revision_of(comment) {
            let words: Option<Words> = self.get(&Key::Revision(no, number, revision))?;
            let words = words.ok_or(Error::Damaged("a revision is missing"))?;
            revisions.push((Timestamp(words.time_millis), words.text));
        }
        let words = self.words(no, number)?;
        revisions.push((Timestamp(words.time_millis), words.text));
        let parent = if comment.parent == 0 { None } else { Some(id_of(&self.row(no, comment.parent)?)) };
        let state = comment.state()?;
        Ok(OwnItem::Comment { thread: thread.to_string(), id: id_of(comment), state, parent, revisions })
    }
}

/// What an item takes on the way, about.
fn size_of_item(item: &OwnItem) -> usize {
    const BESIDE_WORDS: usize = 256;
    BESIDE_WORDS
        + match item {
            OwnItem::Comment { revisions, .. } => revisions.iter().map(|(_, text)| text.len()).sum(),
            OwnItem::Flag { words, .. } => words.len(),
            OwnItem::Author(author) => author.names.iter().map(|(name, _)| BESIDE_WORDS + name.len()).sum(),
            OwnItem::Vote { .. } => 0,
        }
}
