//! Facts from the projector, kept for a moment.
//!
//! What changes facts is heard of while it is published, and forgets what it changes. What is not heard (a lost message, a
//! freeze) is a moment old at most.

use client::Client;
use domain::moderation::Ban;
use domain::settings::SiteRules;
use domain::thread::{AuthorFacts, CommentFacts, Facts, FlagFacts, Needs, Standing};
use domain::{AuthorId, CommandId, CommentId, Content, Event, Mode, Place, Recorded, SiteId, State};
use futures::StreamExt as _;
use futures::stream::select_all;
use moka::sync::Cache;
use wire::v1;
use wire::values::{mode_in, state_in, time_in};

use crate::limits::{FACTS_AGE_MAX, FACTS_CACHED_MAX, HEARD_KEPT};
use crate::metrics::Metrics;
use crate::settings::SettingsSource;

/// What is known of a place and of a command.
pub(crate) struct Known {
    pub(crate) facts: Facts,
    /// Where the event of the command stands, if it was accepted before.
    pub(crate) accepted_at: Option<String>,
}

/// What is known of a place that is open.
#[derive(Clone)]
struct PlaceKnown {
    /// Without comments and without an author.
    facts: Facts,
    /// How many bans the site has spoken: without one, nobody needs to be asked for.
    bans: u32,
}

/// Something that an event was heard of.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Heard {
    /// A site or a thread.
    Place(Place),
    Comment(Place, CommentId),
    Author(SiteId, AuthorId),
    /// That a site bans at all.
    Bans(SiteId),
}

/// The facts that writers decide on.
pub(crate) struct FactSource {
    client: Client,
    /// Places that are open. What is not there is asked for every time: it may be there now.
    places: Cache<Place, PlaceKnown>,
    comments: Cache<(Place, CommentId), CommentFacts>,
    authors: Cache<(SiteId, AuthorId), AuthorFacts>,
    /// What was heard of: what the projector says of it meanwhile may be from before.
    heard: Cache<Heard, ()>,
    /// Whether an author matters although the site has no bans: for the comments they had.
    counts_matter: bool,
}

/// The events that change facts. A vote changes none, and of a new comment nothing is known.
const HEARD: [&str; 13] = [
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
];

impl FactSource {
    pub(crate) fn new(client: Client, counts_matter: bool) -> Self {
        fn cache<K, V>(time_to_live: std::time::Duration) -> Cache<K, V>
        where
            K: std::hash::Hash + Eq + Send + Sync + 'static,
            V: Clone + Send + Sync + 'static,
        {
            Cache::builder().max_capacity(FACTS_CACHED_MAX).time_to_live(time_to_live).build()
        }
        Self {
            client,
            places: cache(FACTS_AGE_MAX),
            comments: cache(FACTS_AGE_MAX),
            authors: cache(FACTS_AGE_MAX),
            heard: cache(HEARD_KEPT),
            counts_matter,
        }
    }

    /// Facts that are a moment old at most.
    pub(crate) async fn recent(
        &self,
        place: &Place,
        needs: &Needs,
        metrics: &Metrics,
    ) -> Result<Facts, client::Error> {
        if let Some(facts) = self.cached(place, needs) {
            metrics.cached.inc();
            return Ok(facts);
        }
        Ok(self.asked(place, needs, None, "", metrics).await?.facts)
    }

    fn cached(&self, place: &Place, needs: &Needs) -> Option<Facts> {
        if needs.flag {
            return None;
        }
        let PlaceKnown { mut facts, bans } = self.places.get(place)?;
        if let Some(author) = &needs.author
            && (self.counts_matter || bans > 0 || self.heard.contains_key(&Heard::Bans(place.site.clone())))
        {
            facts.author = self.authors.get(&(place.site.clone(), author.clone()))?;
        }
        for &id in &needs.comments {
            facts.comments.push((id, self.comments.get(&(place.clone(), id))?));
        }
        Some(facts)
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
        let reply = self.client.facts(place, (&needs.comments, needs.author.as_ref()), id, at_least).await?;
        let facts = facts_in(place, &reply);
        self.keep(place, needs, &facts, reply.bans);
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
            self.forget(recorded);
        }
        Ok(())
    }

    fn forget(&self, recorded: Recorded) {
        let (Some(place), Content::Event(envelope)) = (recorded.place, recorded.content) else { return };
        let site = place.site.clone();
        if let Event::AuthorBanned { author, .. } | Event::AuthorUnbanned { author, .. } = &envelope.event {
            self.heard.insert(Heard::Bans(site.clone()), ());
            self.heard.insert(Heard::Author(site.clone(), author.clone()), ());
            self.authors.invalidate(&(site, author.clone()));
        } else if let Some(comment) = envelope.event.comment() {
            self.heard.insert(Heard::Comment(place.clone(), comment), ());
            self.comments.invalidate(&(place, comment));
        } else {
            self.heard.insert(Heard::Place(place.clone()), ());
            if place.thread.is_some() {
                self.places.invalidate(&place);
            } else {
                // Which threads of the site are kept is not known, and this is rare.
                self.places.invalidate_all();
            }
        }
    }

    fn keep(&self, place: &Place, needs: &Needs, facts: &Facts, bans: u32) {
        let thread_fits = place.thread.is_none() || facts.thread == Some(Standing::Open);
        if facts.site != Some(Standing::Open) || !thread_fits {
            return;
        }
        let alone = Facts { author: AuthorFacts::default(), comments: Vec::new(), ..facts.clone() };
        self.places.insert(place.clone(), PlaceKnown { facts: alone, bans });
        // Looked at after the insert, here and below, so that nothing is heard of between the two.
        let site = Place { site: place.site.clone(), thread: None };
        if self.was_heard(&Heard::Place(place.clone())) || self.was_heard(&Heard::Place(site)) {
            self.places.invalidate(place);
        }
        if let Some(author) = &needs.author {
            let key = (place.site.clone(), author.clone());
            self.authors.insert(key.clone(), facts.author.clone());
            if self.was_heard(&Heard::Author(key.0.clone(), key.1.clone())) {
                self.authors.invalidate(&key);
            }
        }
        for (id, comment) in &facts.comments {
            let key = (place.clone(), *id);
            self.comments.insert(key.clone(), comment.clone());
            if self.was_heard(&Heard::Comment(place.clone(), *id)) {
                self.comments.invalidate(&key);
            }
        }
    }

    fn was_heard(&self, what: &Heard) -> bool {
        self.heard.contains_key(what)
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
