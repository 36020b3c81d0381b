//! Facts from the projector, kept for a moment.
//!
//! A removal is heard of while it is published, and forgets what it changes. What is not heard (a lost message, a freeze)
//! is a moment old at most.

use client::Client;
use domain::thread::{CommentFacts, Facts, Standing, mentions};
use domain::{CommandId, CommentId, Content, Place};
use futures::StreamExt as _;
use moka::sync::Cache;
use wire::v1;

use crate::limits::{FACTS_AGE_MAX, FACTS_CACHED_MAX, HEARD_KEPT};
use crate::metrics::Metrics;

/// What is known of a place and of a command.
pub(crate) struct Known {
    pub(crate) facts: Facts,
    pub(crate) command: Option<KnownCommand>,
}

/// A command that was accepted before.
pub(crate) struct KnownCommand {
    pub(crate) position: String,
    /// The code of the rule that its event broke.
    pub(crate) void: Option<String>,
}

/// The facts that writers decide on.
pub(crate) struct FactSource {
    client: Client,
    /// Places that are open. What is not there is asked for every time: it may be there now.
    places: Cache<Place, ()>,
    /// Comments that can be read.
    comments: Cache<(Place, CommentId), CommentFacts>,
    /// Comments whose removal was heard of: what the projector says of them meanwhile may be from before.
    removed: Cache<(Place, CommentId), ()>,
}

impl FactSource {
    pub(crate) fn new(client: Client) -> Self {
        let places = Cache::builder().max_capacity(FACTS_CACHED_MAX).time_to_live(FACTS_AGE_MAX).build();
        let comments = Cache::builder().max_capacity(FACTS_CACHED_MAX).time_to_live(FACTS_AGE_MAX).build();
        let removed = Cache::builder().max_capacity(FACTS_CACHED_MAX).time_to_live(HEARD_KEPT).build();
        Self { client, places, comments, removed }
    }

    /// Facts that are a moment old at most.
    pub(crate) async fn recent(
        &self,
        place: &Place,
        mentioned: &[CommentId],
        metrics: &Metrics,
    ) -> Result<Facts, client::Error> {
        if let Some(facts) = self.cached(place, mentioned) {
            metrics.cached.inc();
            return Ok(facts);
        }
        Ok(self.asked(place, mentioned, None, "", metrics).await?.facts)
    }

    fn cached(&self, place: &Place, mentioned: &[CommentId]) -> Option<Facts> {
        self.places.get(place)?;
        let mut comments = Vec::with_capacity(mentioned.len());
        for &id in mentioned {
            comments.push((id, self.comments.get(&(place.clone(), id))?));
        }
        let thread = place.thread.as_ref().map(|_| Standing::Open);
        Some(Facts { site: Some(Standing::Open), thread, comments })
    }

    /// Facts at a position, and whether the command is known there.
    pub(crate) async fn asked(
        &self,
        place: &Place,
        mentioned: &[CommentId],
        id: Option<CommandId>,
        at_least: &str,
        metrics: &Metrics,
    ) -> Result<Known, client::Error> {
        metrics.asked.inc();
        let reply = self.client.facts(place, mentioned, id, at_least).await?;
        let standing = |known: bool, frozen: bool| match (known, frozen) {
            (false, _) => None,
            (true, true) => Some(Standing::Frozen),
            (true, false) => Some(Standing::Open),
        };
        let site = standing(reply.site_known, reply.site_frozen);
        let thread = standing(reply.thread_known, reply.thread_frozen);
        let facts = Facts { site, thread, comments: reply.comments.iter().filter_map(comment).collect() };
        self.keep(place, &facts);
        let command = reply.command.map(|known| KnownCommand {
            position: known.position,
            void: (known.outcome == i32::from(v1::Outcome::Void)).then_some(known.code),
        });
        Ok(Known { facts, command })
    }

    /// Hears of removals until the connection is given up.
    pub(crate) async fn hear(&self) -> Result<(), client::Error> {
        let mut removals = self.client.hear("comment-removed").await?;
        while let Some(recorded) = removals.next().await {
            let (Some(place), Content::Event(envelope)) = (recorded.place, recorded.content) else { continue };
            for comment in mentions(&envelope.event) {
                let key = (place.clone(), comment);
                self.removed.insert(key.clone(), ());
                self.comments.invalidate(&key);
            }
        }
        Ok(())
    }

    fn keep(&self, place: &Place, facts: &Facts) {
        let thread_fits = place.thread.is_none() || facts.thread == Some(Standing::Open);
        if facts.site != Some(Standing::Open) || !thread_fits {
            return;
        }
        self.places.insert(place.clone(), ());
        for (id, comment) in facts.comments.iter().filter(|(_, comment)| !comment.removed) {
            let key = (place.clone(), *id);
            self.comments.insert(key.clone(), comment.clone());
            // Looked at after the insert, so that no removal is heard of between the two.
            if self.removed.contains_key(&key) {
                self.comments.invalidate(&key);
            }
        }
    }
}

fn comment(fact: &v1::CommentFact) -> Option<(CommentId, CommentFacts)> {
    let facts = CommentFacts { author: fact.author.parse().ok()?, removed: fact.removed, length: fact.length };
    Some((fact.id.parse().ok()?, facts))
}
