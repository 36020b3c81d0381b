//! Facts from the projector, kept for a moment.
//!
//! What changes facts is heard of while it is published, and forgets what it changes. What is not heard (a lost message, a
//! freeze) is a moment old at most.

mod kept;

use client::Client;
use domain::moderation::Ban;
use domain::settings::SiteRules;
use domain::thread::{AuthorFacts, CommentFacts, Facts, FlagFacts, Needs, PersonFacts, RemovalFacts, Standing};
use domain::{AuthorId, CommandId, CommentId, Mode, Place, State};
use futures::StreamExt as _;
use futures::stream::select_all;
use wire::v1;
use wire::values::{mode_in, state_in, time_in};

use crate::metrics::Metrics;
use crate::settings::SettingsSource;
use kept::Kept;

/// What is known of a place and of a command.
pub(crate) struct Known {
    pub(crate) facts: Facts,
    /// Where the event of the command stands, if it was accepted before.
    pub(crate) accepted_at: Option<String>,
}

/// The facts that writers decide on.
pub(crate) struct FactSource {
    client: Client,
    kept: Kept,
}

/// The events that change facts that are kept. A vote changes none, nor do votes that are void, and of a new comment nothing
/// is known. What a message says without what was erased was known already.
const HEARD: [&str; 17] = [
    "site-set",
    "thread-updated",
    "thread-mode-set",
    "thread-moved",
    "author-banned",
    "author-unbanned",
    "comment-edited",
    "comment-deleted",
    "comment-held",
    "comment-approved",
    "comment-removed",
    "comment-restored",
    "comment-flagged",
    "comment-erased",
    "comments-removed",
    "removal-undone",
    "author-erased",
];

impl FactSource {
    pub(crate) fn new(client: Client, counts_matter: bool) -> Self {
        Self { client, kept: Kept::new(counts_matter) }
    }

    /// Facts that are a moment old at most.
    pub(crate) async fn recent(
        &self,
        place: &Place,
        needs: &Needs,
        metrics: &Metrics,
    ) -> Result<Facts, client::Error> {
        if let Some(facts) = self.kept.cached(place, needs) {
            metrics.cached.inc();
            return Ok(facts);
        }
        Ok(self.asked(place, needs, None, "", metrics).await?.facts)
    }

    /// Facts at a position, and whether the command is known there.
    pub(crate) async fn asked(
        &self,
        place: &Place,
        needs: &Needs,
        id: Option<CommandId>,
        at_least: &str,
        metrics: &Metrics,
    ) -> Result<Known, client::Error> {
        metrics.asked.inc();
        let reply = self.client.facts(place, needs, id, at_least).await?;
        let facts = facts_in(place, &reply);
        self.kept.keep(place, needs, &facts, reply.bans);
        Ok(Known { facts, accepted_at: reply.command.map(|known| known.position) })
    }

    /// Hears of what changes facts, and settings, until the connection is given up.
    pub(crate) async fn hear(&self, settings: &SettingsSource) -> Result<(), client::Error> {
        let mut kinds = Vec::with_capacity(HEARD.len());
        for kind in HEARD {
            kinds.push(self.client.hear(kind).await?);
        }
        let mut events = select_all(kinds);
        while let Some(recorded) = events.next().await {
            if let Some(place) = recorded.place.as_ref().filter(|place| place.thread.is_none()) {
                settings.forget(&place.site);
            }
            self.kept.forget(recorded);
        }
        Ok(())
    }
}

/// Facts out of an answer. A projector of the first release leaves out what it does not know.
fn facts_in(place: &Place, reply: &v1::FactsReply) -> Facts {
    let standing = |known: bool, frozen: bool| match (known, frozen) {
        (false, _) => None,
        (true, true) => Some(Standing::Frozen),
        (true, false) => Some(Standing::Open),
    };
    let rules = SiteRules::default();
    let known_rules = reply.text_chars_max > 0;
    Facts {
        whole_site: place.thread.is_none(),
        site: standing(reply.site_known, reply.site_frozen),
        thread: standing(reply.thread_known, reply.thread_frozen),
        rules: SiteRules {
            edit_window_secs: if known_rules { reply.edit_window_secs } else { rules.edit_window_secs },
            text_chars_max: if known_rules { reply.text_chars_max } else { rules.text_chars_max },
            ..rules
        },
        site_mode: mode_in(reply.site_mode).unwrap_or(Mode::Open),
        thread_mode: mode_in(reply.thread_mode).unwrap_or(Mode::Open),
        closes_at: reply.closes_at.as_ref().and_then(time_in),
        moves: reply.moves,
        author: reply.author.as_ref().map(author_in).unwrap_or_default(),
        comments: reply.comments.iter().filter_map(comment_in).collect(),
        people: reply.people.iter().filter_map(person_in).collect(),
        removal: reply.removal.map(|removal| RemovalFacts { undone: removal.undone }),
        ..Facts::default()
    }
}

fn author_in(fact: &v1::AuthorFact) -> AuthorFacts {
    let ban = fact.ban.as_ref();
    AuthorFacts {
        ban: ban
            .map(|ban| Ban { until: ban.until.as_ref().and_then(time_in), reason: ban.reason.as_str().into() }),
        shown: fact.shown,
        flag: fact.flagged.then_some(FlagFacts { waits: fact.flag_waits }),
    }
}

fn person_in(fact: &v1::PersonFact) -> Option<(AuthorId, PersonFacts)> {
    Some((fact.id.parse().ok()?, PersonFacts { votes_void: fact.votes_void, erased: fact.erased }))
}

fn comment_in(fact: &v1::CommentFact) -> Option<(CommentId, CommentFacts)> {
    let by_removed = if fact.removed { State::Removed } else { State::Visible };
    let facts = CommentFacts {
        author: fact.author.parse().ok()?,
        state: state_in(fact.state).unwrap_or(by_removed),
        posted: fact.posted.as_ref().and_then(time_in).unwrap_or_default(),
        lengths: if fact.lengths.is_empty() { vec![fact.length] } else { fact.lengths.clone() },
        unseen: fact.unseen.clone(),
        flags: fact.flags,
        flags_illegal: fact.flags_illegal,
    };
    Some((fact.id.parse().ok()?, facts))
}
