//! What readers ask for, and those who open sites and threads.

use domain::command::Quotes;
use domain::text::{self, Text};
use domain::{Actor, Command, CommandBody, FlagCategory, Place, Quote, Rejection, SiteId};

use super::{Asked, Request, asked, of_site, of_thread};
use crate::v1;
use crate::values::{actor_in, category_in, optional_comment, optional_time_in, quote_in, vote_in};

impl Request for v1::OpenSiteRequest {
    const VERB: &'static str = "open-site";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::OpenSite { name: text::site_name(&self.name)?, zone: text::zone(&self.zone)? };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::OpenThreadRequest {
    const VERB: &'static str = "open-thread";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::OpenThread {
            headline: text::headline(&self.headline)?,
            address: text::address(&self.address)?,
            category: text::category(&self.category)?,
            published: optional_time_in(self.published.as_ref())?,
            closes_at: optional_time_in(self.closes_at.as_ref())?,
        };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::NameAuthorRequest {
    const VERB: &'static str = "name-author";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::NameAuthor { author: self.author.parse()?, name: text::author_name(&self.name)? };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::PostCommentRequest {
    const VERB: &'static str = "post-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let (text, quotes) = said(&self.text, &self.quotes)?;
        let body = CommandBody::PostComment { parent: optional_comment(&self.parent)?, text, quotes };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::RemoveCommentRequest {
    const VERB: &'static str = "remove-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::RemoveComment {
            comment: self.comment.parse()?,
            reason: text::reason(&self.reason)?,
            rule: text::rule(&self.rule)?,
        };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::CastVoteRequest {
    const VERB: &'static str = "cast-vote";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::CastVote { comment: self.comment.parse()?, vote: vote_in(self.vote)? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

/// Words and what they quote.
fn said(text: &str, quotes: &[v1::Quote]) -> Result<(Text, Quotes), Rejection> {
    let text = Text::parse(text)?;
    let quotes: Vec<Quote> = quotes.iter().map(quote_in).collect::<Result<_, _>>()?;
    let quotes = Quotes::parse(quotes, text.length())?;
    Ok((text, quotes))
}

impl Request for v1::EditCommentRequest {
    const VERB: &'static str = "edit-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let (text, quotes) = said(&self.text, &self.quotes)?;
        let (comment, revision) = (self.comment.parse()?, self.revision);
        let body = CommandBody::EditComment { comment, revision, text, quotes };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::DeleteCommentRequest {
    const VERB: &'static str = "delete-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::DeleteComment { comment: self.comment.parse()? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::FlagCommentRequest {
    const VERB: &'static str = "flag-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let category = category_in(self.category).ok_or(Rejection::FlagCategoryInvalid)?;
        let words = text::flag_words(&self.words)?;
        if category == FlagCategory::Illegal && words.is_empty() {
            return Err(Rejection::FlagWordsInvalid);
        }
        let body = CommandBody::FlagComment { comment: self.comment.parse()?, category, words };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::WithdrawFlagRequest {
    const VERB: &'static str = "withdraw-flag";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::WithdrawFlag { comment: self.comment.parse()? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

/// The verb that takes many votes at once.
pub const CAST_VOTES: &str = "cast-votes";

/// Many votes, each a command of its own.
#[derive(Debug)]
pub struct Ballots {
    /// Who asks.
    pub actor: Actor,
    /// Each as far as it could be read.
    pub asked: Vec<Result<Asked, Rejection>>,
}

/// The commands of many votes in a site.
pub fn ballots(request: v1::CastVotesRequest, site: &SiteId) -> Result<Ballots, Rejection> {
    let actor = actor_in(request.actor)?;
    let wait = request.wait;
    let ballot = |ballot: v1::Ballot| {
        let id = ballot.id.parse()?;
        let voter = Actor { id: ballot.voter.parse()?, roles: domain::Roles::default() };
        let place: Place = of_thread(site.clone(), &ballot.thread)?;
        let body = CommandBody::CastVote { comment: ballot.comment.parse()?, vote: vote_in(ballot.vote)? };
        Ok(Asked { command: Command { id, actor: voter, place, body }, wait })
    };
    Ok(Ballots { actor, asked: request.ballots.into_iter().map(ballot).collect() })
}
