//! What undoes what happened, and what forgets people.

use domain::command::Voters;
use domain::text;
use domain::{CommandBody, Place, Rejection, SiteId};

use super::{Asked, Request, asked, of_site, of_thread};
use crate::v1;
use crate::values::{optional_time_in, voters_in};

impl Request for v1::VoidVotesRequest {
    const VERB: &'static str = "void-votes";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::VoidVotes {
            voters: Voters::parse(voters_in(&self.voters)?)?,
            since: optional_time_in(self.since.as_ref())?,
            reason: text::reason(&self.reason)?,
        };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::UnvoidVotesRequest {
    const VERB: &'static str = "unvoid-votes";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let voters = Voters::parse(voters_in(&self.voters)?)?;
        let body = CommandBody::UnvoidVotes { voters, reason: text::reason(&self.reason)? };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

/// A thread, or the whole site where none is named.
fn of_either(site: SiteId, thread: &str) -> Result<Place, Rejection> {
    if thread.is_empty() { Ok(of_site(site)) } else { of_thread(site, thread) }
}

impl Request for v1::RemoveCommentsRequest {
    const VERB: &'static str = "remove-comments";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::RemoveComments {
            author: self.author.parse()?,
            since: optional_time_in(self.since.as_ref())?,
            reason: text::reason(&self.reason)?,
            rule: text::rule(&self.rule)?,
        };
        asked(&self.id, self.actor, self.wait, of_either(site, &self.thread)?, body)
    }
}

impl Request for v1::UndoRemovalRequest {
    const VERB: &'static str = "undo-removal";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body =
            CommandBody::UndoRemoval { removal: self.removal.parse()?, reason: text::reason(&self.reason)? };
        asked(&self.id, self.actor, self.wait, of_either(site, &self.thread)?, body)
    }
}

impl Request for v1::EraseCommentRequest {
    const VERB: &'static str = "erase-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body =
            CommandBody::EraseComment { comment: self.comment.parse()?, reason: text::reason(&self.reason)? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::EraseAuthorRequest {
    const VERB: &'static str = "erase-author";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::EraseAuthor {
            author: self.author.parse()?,
            comments_kept: self.comments_kept,
            reason: text::reason(&self.reason)?,
        };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}
