//! What writers ask: the facts that rules need, what came of a command, and how a comment and a vote on it stand.

use domain::thread::Facts;
use domain::{AuthorId, CommandId, CommentId, Place, Rejection, State, Tally, Vote};

use crate::codes;
use crate::error::Error;
use crate::fold::{author_facts, facts_of, place_facts};
use crate::keys::{Key, PlaceNo};
use crate::pages::View;
use crate::records::{self, Command, Flag};

/// A command that the fold remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownCommand {
    /// Where its event stands in the log.
    pub sequence: u64,
    /// The rule that its event broke.
    pub void: Option<Rejection>,
}

/// How a comment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommentStanding {
    /// Whether it can be read.
    pub state: State,
    /// Its votes.
    pub tally: Tally,
    /// The vote of the voter that was asked for.
    pub vote: Option<Vote>,
}

impl View<'_> {
    /// What rules need to know of a place, of comments in it, and of an author. The caller knows the time.
    pub fn facts(
        &self,
        place: &Place,
        mentioned: &[CommentId],
        author: Option<&AuthorId>,
    ) -> Result<(Facts, u32), Error> {
        let site = self.site(&place.site)?;
        let thread = match &place.thread {
            Some(thread) => self.thread(&place.site, thread)?,
            None => None,
        };
        let mut facts = place_facts(place, site.as_ref(), thread.as_ref())?;
        let mut first = None;
        if let Some(thread) = &thread {
            let no = PlaceNo(thread.place);
            for &id in mentioned {
                let Some(number) = self.number_of(no, id)? else {
                    continue;
                };
                let comment = self.row(no, number)?;
                facts.comments.push((id, facts_of(&comment)?));
                if mentioned.first() == Some(&id) {
                    first = Some((no, number, comment.flags));
                }
            }
        }
        if let (Some(author), Some(site)) = (author, &site) {
            let record: Option<records::Author> = self.get(&Key::Author(PlaceNo(site.place), author))?;
            let flag = match &first {
                Some((no, number, flags)) => {
                    self.get::<Flag>(&Key::Flag(*no, *number, author))?.map(|flag| (flag, flags))
                }
                None => None,
            };
            facts.author = author_facts(record.as_ref(), flag.as_ref().map(|(flag, flags)| (flag, *flags)));
        }
        Ok((facts, site.map_or(0, |site| site.bans)))
    }

    /// How a comment stands, and a voter's vote on it.
    pub fn standing(
        &self,
        place: &Place,
        comment: CommentId,
        voter: Option<&AuthorId>,
    ) -> Result<Option<CommentStanding>, Error> {
        let (Some(thread), Some(site)) = (&place.thread, self.site(&place.site)?) else { return Ok(None) };
        let Some(thread) = self.thread(&place.site, thread)? else { return Ok(None) };
        let no = PlaceNo(thread.place);
        let Some(number) = self.number_of(no, comment)? else { return Ok(None) };
        let state = codes::state(self.row(no, number)?.state)?;
        let vote = match voter {
            Some(voter) => match self.voter_number(&site, voter)? {
                Some(voter) => Some(self.vote(no, number, voter)?),
                None => Some(Vote::None),
            },
            None => None,
        };
        Ok(Some(CommentStanding { state, tally: self.tally(no, number)?, vote }))
    }

    /// The number of a comment in its thread.
    pub(crate) fn number_of(&self, thread: PlaceNo, comment: CommentId) -> Result<Option<u32>, Error> {
        let command: Option<Command> = self.get(&Key::Command(thread, comment.0))?;
        Ok(command.map(|command| command.comment).filter(|number| *number > 0))
    }

    /// What came of a command; votes are not remembered by id.
    pub fn command(&self, place: &Place, id: CommandId) -> Result<Option<KnownCommand>, Error> {
        let number = match &place.thread {
            Some(thread) => self.thread(&place.site, thread)?.map(|thread| thread.place),
            None => self.site(&place.site)?.map(|site| site.place),
        };
        let Some(number) = number else { return Ok(None) };
        let Some(command) = self.get::<Command>(&Key::Command(PlaceNo(number), id))? else {
            return Ok(None);
        };
        let void = command.void.as_deref().map(Rejection::from_code);
        let void = void.map(|code| code.ok_or(Error::Damaged("a rejection's code"))).transpose()?;
        Ok(Some(KnownCommand { sequence: command.sequence, void }))
    }
}
