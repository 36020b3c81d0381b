//! What staff and services ask for.

use domain::moderation::Ban;
use domain::settings::{Closing, ThreadPatch};
use domain::text;
use domain::{CommandBody, Rejection, SiteId};

use super::{Asked, Request, asked, of_site, of_thread};
use crate::v1;
use crate::values::{mode_change, optional_time_in, settings_in};

impl Request for v1::SetSiteRequest {
    const VERB: &'static str = "set-site";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let patch = settings_in(&self.settings.unwrap_or_default())?;
        asked(&self.id, self.actor, self.wait, of_site(site), CommandBody::SetSite(Box::new(patch)))
    }
}

impl Request for v1::UpdateThreadRequest {
    const VERB: &'static str = "update-thread";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let closes_at = optional_time_in(self.closes_at.as_ref())?;
        let closing = match (closes_at, self.closes_never) {
            (Some(_), true) => return Err(Rejection::TimeInvalid),
            (Some(closes_at), false) => Some(Closing::At(closes_at)),
            (None, never) => never.then_some(Closing::Never),
        };
        let patch = ThreadPatch {
            headline: self.headline.as_deref().map(text::headline).transpose()?,
            category: self.category.as_deref().map(text::category).transpose()?,
            published: optional_time_in(self.published.as_ref())?,
            closing,
        };
        let body = CommandBody::UpdateThread(patch.with_something()?);
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::SetThreadModeRequest {
    const VERB: &'static str = "set-thread-mode";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let change = mode_change(self.mode, &self.reason, &self.successor)?;
        let place = if self.thread.is_empty() { of_site(site) } else { of_thread(site, &self.thread)? };
        // A whole site goes on nowhere, and a thread not in itself.
        if change.successor.is_some() && (place.thread.is_none() || change.successor == place.thread) {
            return Err(Rejection::SuccessorInvalid);
        }
        asked(&self.id, self.actor, self.wait, place, CommandBody::SetThreadMode(change))
    }
}

impl Request for v1::MoveThreadRequest {
    const VERB: &'static str = "move-thread";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let address = text::address(&self.address)?;
        if address.is_empty() {
            return Err(Rejection::AddressInvalid);
        }
        let place = of_thread(site, &self.thread)?;
        asked(&self.id, self.actor, self.wait, place, CommandBody::MoveThread { address })
    }
}

impl Request for v1::HoldCommentRequest {
    const VERB: &'static str = "hold-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let (comment, reason) = (self.comment.parse()?, text::reason(&self.reason)?);
        let place = of_thread(site, &self.thread)?;
        asked(&self.id, self.actor, self.wait, place, CommandBody::HoldComment { comment, reason })
    }
}

impl Request for v1::ApproveCommentRequest {
    const VERB: &'static str = "approve-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::ApproveComment { comment: self.comment.parse()?, revision: self.revision };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::RestoreCommentRequest {
    const VERB: &'static str = "restore-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let (comment, reason) = (self.comment.parse()?, text::reason(&self.reason)?);
        let place = of_thread(site, &self.thread)?;
        asked(&self.id, self.actor, self.wait, place, CommandBody::RestoreComment { comment, reason })
    }
}

impl Request for v1::FeatureCommentRequest {
    const VERB: &'static str = "feature-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::FeatureComment { comment: self.comment.parse()?, featured: self.featured };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::ResolveFlagsRequest {
    const VERB: &'static str = "resolve-flags";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::ResolveFlags {
            comment: self.comment.parse()?,
            upheld: self.upheld,
            statement: text::statement(&self.statement)?,
        };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::BanAuthorRequest {
    const VERB: &'static str = "ban-author";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let until = optional_time_in(self.until.as_ref())?;
        let body = CommandBody::BanAuthor {
            author: self.author.parse()?,
            ban: Ban { until, reason: text::reason(&self.reason)? },
        };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::UnbanAuthorRequest {
    const VERB: &'static str = "unban-author";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let (author, reason) = (self.author.parse()?, text::reason(&self.reason)?);
        asked(&self.id, self.actor, self.wait, of_site(site), CommandBody::UnbanAuthor { author, reason })
    }
}
