//! The lines this service is about: what a site's settings make of a command, and then the writer's way.

use std::sync::Arc;

use domain::thread::Facts;
use domain::{Actor, CommandBody, Event, ModeChange, Place, Rejection, Role, SiteId};
use service::Refusal;
use wire::command::Asked;
use wire::error::Failure;
use wire::v1::CommandReply;
use writer::{Judge, Writer};

use crate::house_rules::{HouseRules, RulesOfSites};
use crate::words::WordList;

/// Handles commands, each on its own.
pub(crate) struct Handler {
    writer: Arc<Writer>,
    rules: RulesOfSites,
}

impl Handler {
    pub(crate) fn new(writer: Arc<Writer>) -> Self {
        Self { writer, rules: RulesOfSites::default() }
    }

    pub(crate) async fn handle(&self, asked: Asked) -> Result<CommandReply, Refusal> {
        need_sound(&asked.command.body)?;
        let (site, actor) = (asked.command.place.site.clone(), asked.command.actor.clone());
        let says = matches!(asked.command.body, CommandBody::PostComment { .. } | CommandBody::EditComment { .. });
        let per_minute = if says { self.rules(&site, "").await?.comments_per_minute() } else { 0 };
        let judge = ByHouseRules { handler: self, site, actor };
        self.writer.handle(asked, per_minute, &judge).await
    }

    /// The rules of a site, a moment old at most, or at a position.
    async fn rules(&self, site: &SiteId, at_least: &str) -> Result<Arc<HouseRules>, Refusal> {
        let settings = if at_least.is_empty() {
            self.writer.settings(site).await?
        } else {
            self.writer.settings_at(site, at_least).await?
        };
        self.rules.of(site, &settings).await.map_err(|error| {
            tracing::error!(%error, "the words of a site's settings cannot be made ready");
            Failure::Internal.into()
        })
    }
}

/// What a site says of one actor's commands.
struct ByHouseRules<'h> {
    handler: &'h Handler,
    site: SiteId,
    actor: Actor,
}

impl Judge for ByHouseRules<'_> {
    async fn judge(&self, facts: &Facts, event: &mut Event, at_least: &str) -> Result<(), Refusal> {
        match event {
            Event::CommentPosted { text, held, .. } | Event::CommentEdited { text, held, .. } => {
                *held = self.handler.rules(&self.site, at_least).await?.hold(facts, text);
                // A hold is never stale, as a refusal is not: a first one only asks for the second look.
                if held.is_some() && at_least.is_empty() { Err(Rejection::CommentHeld.into()) } else { Ok(()) }
            }
            Event::AuthorNamed { name, .. } => self.need_free_name(name, at_least).await,
            Event::ThreadModeSet(change) => self.need_successor(change, at_least).await,
            Event::CommentErased { .. } | Event::AuthorErased { .. } => self.need_deletes().await,
            _ => Ok(()),
        }
    }
}

impl ByHouseRules<'_> {
    /// Staff of the site may give a name that it keeps for itself.
    async fn need_free_name(&self, name: &str, at_least: &str) -> Result<(), Refusal> {
        let by_staff = [Role::Administrator, Role::Service].into_iter().any(|role| self.actor.roles.has(role));
        if by_staff || !self.handler.rules(&self.site, at_least).await?.reserves(name) {
            return Ok(());
        }
        Err(Rejection::NameReserved.into())
    }

    /// What could never be carried out is not accepted.
    async fn need_deletes(&self) -> Result<(), Refusal> {
        match self.handler.writer.journal().keeps_everything().await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Failure::LogUndeletable.into()),
            Err(error) => {
                tracing::warn!(%error, "the log's configuration cannot be seen");
                Err(Failure::Unavailable.into())
            }
        }
    }

    /// Another thread is not this one's business in the fold, so that only the writer looks whether it is there.
    async fn need_successor(&self, change: &ModeChange, at_least: &str) -> Result<(), Refusal> {
        let Some(successor) = &change.successor else { return Ok(()) };
        let place = Place { site: self.site.clone(), thread: Some(successor.clone()) };
        if self.handler.writer.has_thread(&place, at_least).await? {
            return Ok(());
        }
        Err(Rejection::SuccessorUnknown.into())
    }
}

/// Names that the database of zones has and that are none: what they mean differs from machine to machine, or is nothing.
const NO_ZONES: [&str; 4] = ["localtime", "posixrules", "Factory", "Etc/Unknown"];

/// Which zones there are is data, and what a word folds to is a matter of tables: neither has a place in the domain.
fn need_sound(body: &CommandBody) -> Result<(), Rejection> {
    let zone = match body {
        CommandBody::OpenSite { zone, .. } => Some(zone),
        CommandBody::SetSite(patch) => patch.zone.as_ref(),
        _ => None,
    };
    if let Some(zone) = zone {
        let is_none = NO_ZONES.iter().any(|name| name.eq_ignore_ascii_case(zone));
        if is_none || jiff::tz::TimeZone::get(zone).is_err() {
            return Err(Rejection::ZoneUnknown);
        }
    }
    if let CommandBody::SetSite(patch) = body {
        let lists = [&patch.premoderate_words, &patch.reserved_names];
        if lists.into_iter().flatten().flatten().any(|word| WordList::finds_nothing(word)) {
            return Err(Rejection::WordsInvalid);
        }
    }
    Ok(())
}
