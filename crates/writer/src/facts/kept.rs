//! What is kept of facts, and what of it an event makes old.

use domain::thread::{AuthorFacts, CommentFacts, Facts, Needs, Standing};
use domain::{AuthorId, CommentId, Content, Event, Place, Recorded, SiteId};
use moka::sync::Cache;

use crate::limits::{FACTS_AGE_MAX, FACTS_CACHED_MAX, HEARD_KEPT};

/// What is known of a place that is open.
#[derive(Clone)]
struct PlaceKnown {
    /// Without comments and without people.
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
    /// Comments, nobody knows which, of a thread or of a whole site.
    Comments(Place),
    Author(SiteId, AuthorId),
    /// That a site bans at all.
    Bans(SiteId),
}

/// Facts, kept for a moment.
pub(super) struct Kept {
    /// Places that are open. What is not there is asked for every time: it may be there now.
    places: Cache<Place, PlaceKnown>,
    comments: Cache<(Place, CommentId), CommentFacts>,
    authors: Cache<(SiteId, AuthorId), AuthorFacts>,
    /// What was heard of: what the projector says of it meanwhile may be from before.
    heard: Cache<Heard, ()>,
    /// Whether an author matters although the site has no bans: for the comments they had.
    counts_matter: bool,
}

impl Kept {
    pub(super) fn new(counts_matter: bool) -> Self {
        fn cache<K, V>(time_to_live: std::time::Duration) -> Cache<K, V>
        where
            K: std::hash::Hash + Eq + Send + Sync + 'static,
            V: Clone + Send + Sync + 'static,
        {
            Cache::builder().max_capacity(FACTS_CACHED_MAX).time_to_live(time_to_live).build()
        }
        Self {
            places: cache(FACTS_AGE_MAX),
            comments: cache(FACTS_AGE_MAX),
            authors: cache(FACTS_AGE_MAX),
            heard: cache(HEARD_KEPT),
            counts_matter,
        }
    }

    /// Everything that is needed, if all of it is kept.
    pub(super) fn cached(&self, place: &Place, needs: &Needs) -> Option<Facts> {
        // These are rare, and never kept.
        if needs.flag || needs.removal.is_some() || !needs.people.is_empty() {
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

    /// Forgets what an event changes.
    pub(super) fn forget(&self, recorded: Recorded) {
        let (Some(place), Content::Event(envelope)) = (recorded.place, recorded.content) else { return };
        match &envelope.event {
            Event::AuthorBanned { author, .. } | Event::AuthorUnbanned { author, .. } => {
                self.heard.insert(Heard::Bans(place.site.clone()), ());
                self.forget_author(place.site, author.clone());
            }
            // Which comments it is about is not known, nor whose thread they stand in, and this is rare.
            Event::CommentsRemoved { .. } | Event::RemovalUndone { .. } => self.forget_comments(place),
            Event::AuthorErased { author, .. } => {
                self.forget_author(place.site.clone(), author.clone());
                self.forget_comments(place);
            }
            event => match event.comment() {
                Some(comment) => {
                    self.heard.insert(Heard::Comment(place.clone(), comment), ());
                    self.comments.invalidate(&(place, comment));
                }
                None => self.forget_place(&place),
            },
        }
    }

    fn forget_author(&self, site: SiteId, author: AuthorId) {
        self.heard.insert(Heard::Author(site.clone(), author.clone()), ());
        self.authors.invalidate(&(site, author));
    }

    fn forget_comments(&self, place: Place) {
        self.heard.insert(Heard::Comments(place), ());
        self.comments.invalidate_all();
    }

    fn forget_place(&self, place: &Place) {
        self.heard.insert(Heard::Place(place.clone()), ());
        if place.thread.is_some() {
            self.places.invalidate(place);
        } else {
            // Which threads of the site are kept is not known, and this is rare.
            self.places.invalidate_all();
        }
    }

    /// Keeps what the projector said.
    pub(super) fn keep(&self, place: &Place, needs: &Needs, facts: &Facts, bans: u32) {
        let thread_fits = place.thread.is_none() || facts.thread == Some(Standing::Open);
        if facts.site != Some(Standing::Open) || !thread_fits {
            return;
        }
        let alone = Facts {
            author: AuthorFacts::default(),
            comments: Vec::new(),
            people: Vec::new(),
            removal: None,
            ..facts.clone()
        };
        self.places.insert(place.clone(), PlaceKnown { facts: alone, bans });
        // Looked at after the insert, here and below, so that nothing is heard of between the two.
        let site = Place { site: place.site.clone(), thread: None };
        if self.was_heard(&Heard::Place(place.clone())) || self.was_heard(&Heard::Place(site.clone())) {
            self.places.invalidate(place);
        }
        if let Some(author) = &needs.author {
            let key = (place.site.clone(), author.clone());
            self.authors.insert(key.clone(), facts.author.clone());
            if self.was_heard(&Heard::Author(key.0.clone(), key.1.clone())) {
                self.authors.invalidate(&key);
            }
        }
        let of_place = [place, &site].map(|place| Heard::Comments(place.clone()));
        for (id, comment) in &facts.comments {
            let key = (place.clone(), *id);
            self.comments.insert(key.clone(), comment.clone());
            let heard = self.was_heard(&Heard::Comment(place.clone(), *id));
            if heard || of_place.iter().any(|comments| self.was_heard(comments)) {
                self.comments.invalidate(&key);
            }
        }
    }

    fn was_heard(&self, what: &Heard) -> bool {
        self.heard.contains_key(what)
    }
}

#[cfg(test)]
mod tests;
