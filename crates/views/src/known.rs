//! What writers ask: the facts that rules need, what came of a command, and how a comment and a vote on it stand.

use domain::thread::{Facts, Needs, PersonFacts};
use domain::{AuthorId, CommandId, CommentId, Place, Rejection, State, Tally, Vote};

use crate::error::Error;
use crate::fold::{author_facts, facts_of, has_come_to, person_facts, place_facts, removal_facts};
use crate::keys::{Key, PlaceNo};
use crate::pages::View;
use crate::records::{self, Activity, Command, Flag, Removal, Site};

/// A command that the fold remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownCommand {
    /// Where its event stands in the log.
    pub sequence: u64,
    /// The rule that its event broke.
    pub void: Option<Rejection>,
    /// Whether some threads have not come to what it decided for all of them.
    pub open: bool,
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
    /// What rules need to know of a place, and how many bans its site has spoken. The caller knows the time.
    pub fn facts(&self, place: &Place, needs: &Needs) -> Result<(Facts, u32), Error> {
        let site = self.site(&place.site)?;
        let thread = match &place.thread {
            Some(thread) => self.thread(&place.site, thread)?,
            None => None,
        };
        let mut facts = place_facts(place, site.as_ref(), thread.as_ref())?;
        let mut first = None;
        if let Some(thread) = &thread {
            let no = PlaceNo(thread.place);
            for &id in &needs.comments {
                let Some(number) = self.number_of(no, id)? else {
                    continue;
                };
                let comment = self.row(no, number)?;
                facts.comments.push((id, facts_of(&comment)?));
                if needs.comments.first() == Some(&id) {
                    first = Some((no, number, comment.flags));
                }
            }
        }
        if let (Some(author), Some(site)) = (&needs.author, &site) {
            let record: Option<records::Author> = self.get(&Key::Author(PlaceNo(site.place), author))?;
            let flag = match &first {
                Some((no, number, flags)) => {
                    self.get::<Flag>(&Key::Flag(*no, *number, author))?.map(|flag| (flag, flags))
                }
                None => None,
            };
            facts.author = author_facts(record.as_ref(), flag.as_ref().map(|(flag, flags)| (flag, *flags)));
        }
        if let Some(site) = &site {
            for id in &needs.people {
                facts.people.extend(self.person(site, id)?.map(|person| (id.clone(), person)));
            }
        }
        let no = match &place.thread {
            Some(_) => thread.map(|thread| thread.place),
            None => site.as_ref().map(|site| site.place),
        };
        if let (Some(removal), Some(no)) = (needs.removal, no) {
            let removal: Option<Removal> = self.get(&Key::Removal(PlaceNo(no), removal))?;
            facts.removal = removal.as_ref().map(removal_facts);
        }
        Ok((facts, site.map_or(0, |site| site.bans)))
    }

    /// What is known of somebody; `None` if they never took part in the site.
    fn person(&self, site: &Site, id: &AuthorId) -> Result<Option<PersonFacts>, Error> {
        let author: Option<records::Author> = self.get(&Key::Author(PlaceNo(site.place), id))?;
        if let Some(author) = &author {
            return Ok(Some(person_facts(author)));
        }
        Ok(self.voter_number(site, id)?.map(|_| PersonFacts::default()))
    }

    /// Whether a thread has come to all that was decided for its site: until then it is not read.
    pub fn is_settled(&self, place: &Place) -> Result<bool, Error> {
        let Some(site) = self.site(&place.site)?.filter(|site| site.swept < site.decisions) else {
            return Ok(true);
        };
        let Some(thread) = &place.thread else { return Ok(false) };
        let Some(thread) = self.thread(&place.site, thread)? else { return Ok(true) };
        let activity: Option<Activity> = self.get(&Key::Activity(PlaceNo(thread.place)))?;
        Ok(activity.is_none_or(|activity| has_come_to(&site, &thread, activity.ordinal) >= site.decisions))
    }

    /// Where the latest `messages-erased` stands in the log; 0 if there is none.
    pub fn erased_up_to(&self) -> Result<u64, Error> {
        Ok(self.get(&Key::ErasedUpTo)?.unwrap_or_default())
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
        let state = self.row(no, number)?.state()?;
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
        let swept = self.site(&place.site)?.map_or(0, |site| site.swept);
        Ok(Some(KnownCommand { sequence: command.sequence, void, open: swept < command.decision }))
    }
}
