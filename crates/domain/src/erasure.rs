//! What was erased, as the log says it, and what its messages say without that.

use std::collections::{HashMap, HashSet};

use crate::event::{ErasedMessage, Event};
use crate::ids::{AuthorId, CommentId, SiteId};
use crate::record::{Envelope, Place};
use crate::text::Text;
use crate::thread::may_forget;

/// The erasures that stand in a log up to some place.
#[derive(Clone, Debug, Default)]
pub struct Erasures {
    comments: HashSet<(Place, CommentId)>,
    /// The erasures of each id in the order of the log: who comes again is somebody else.
    authors: HashMap<(SiteId, AuthorId), Vec<Forgotten>>,
}

/// An author who was erased.
#[derive(Clone, Debug)]
struct Forgotten {
    /// Where in the log: what the author did later, somebody else did.
    sequence: u64,
    pseudonym: AuthorId,
    comments_kept: bool,
}

impl Erasures {
    /// Takes in what an event says of erasures, by the order of the log. Whether it is one that is to be carried out.
    pub fn note(&mut self, sequence: u64, place: &Place, envelope: &Envelope) -> bool {
        if !may_forget(&envelope.actor) {
            return false;
        }
        match &envelope.event {
            Event::CommentErased { comment, .. } => {
                self.comments.insert((place.clone(), *comment));
                true
            }
            Event::AuthorErased { author, comments_kept, .. } => {
                let pseudonym = AuthorId::pseudonym(envelope.id);
                // The log itself has forgotten who that was.
                if *author == pseudonym {
                    return false;
                }
                let forgotten = self.authors.entry((place.site.clone(), author.clone())).or_default();
                // A late copy of the same erasure is about nobody who came since.
                if forgotten.iter().all(|known| known.pseudonym != pseudonym) {
                    forgotten.push(Forgotten { sequence, pseudonym, comments_kept: *comments_kept });
                }
                true
            }
            _ => false,
        }
    }

    /// Whether nothing was erased.
    pub fn is_empty(&self) -> bool {
        self.comments.is_empty() && self.authors.is_empty()
    }

    /// What a message of the log says without what was erased; `None` if nothing in it was.
    pub fn strip(&self, sequence: u64, place: &Place, envelope: &Envelope) -> Option<Envelope> {
        let mut stripped = envelope.clone();
        let sequence = self.original(place, envelope).unwrap_or(sequence);
        let before = self.find(&place.site, &envelope.actor.id, sequence);
        if let Some(forgotten) = before {
            stripped.actor.id = forgotten.pseudonym.clone();
        }
        let words_go = before.is_some_and(|forgotten| !forgotten.comments_kept);
        match &mut stripped.event {
            Event::CommentPosted { text, .. } | Event::CommentEdited { text, .. } => {
                let comment = envelope.event.comment_under(envelope.id);
                let erased = comment.is_some_and(|comment| self.comments.contains(&(place.clone(), comment)));
                if erased || words_go {
                    *text = Text::recorded("");
                }
            }
            Event::CommentFlagged { words, .. } if before.is_some() => *words = "".into(),
            Event::AuthorNamed { author, name } => {
                if self.rename(&place.site, author, sequence) {
                    *name = "".into();
                }
            }
            Event::AuthorBanned { author, .. }
            | Event::AuthorUnbanned { author, .. }
            | Event::CommentsRemoved { author, .. }
            | Event::AuthorErased { author, .. } => {
                self.rename(&place.site, author, sequence);
            }
            Event::VotesVoided { voters, .. } | Event::VotesUnvoided { voters, .. } => {
                for voter in voters {
                    self.rename(&place.site, voter, sequence);
                }
            }
            Event::MessagesErased { messages } => {
                for message in messages {
                    self.again(place, message);
                }
            }
            Event::SiteOpened { .. }
            | Event::SiteSet(_)
            | Event::ThreadOpened { .. }
            | Event::ThreadUpdated(_)
            | Event::ThreadModeSet(_)
            | Event::ThreadMoved { .. }
            | Event::CommentDeleted { .. }
            | Event::CommentHeld { .. }
            | Event::CommentApproved { .. }
            | Event::CommentRemoved { .. }
            | Event::CommentRestored { .. }
            | Event::CommentFeatured { .. }
            | Event::CommentFlagged { .. }
            | Event::FlagWithdrawn { .. }
            | Event::FlagsResolved { .. }
            | Event::VoteCast { .. }
            | Event::RemovalUndone { .. }
            | Event::CommentErased { .. } => {}
        }
        (stripped != *envelope).then_some(stripped)
    }

    /// A message that was stripped before may hold what was erased since.
    fn again(&self, place: &Place, message: &mut ErasedMessage) {
        let place = Place { site: place.site.clone(), thread: message.thread.clone() };
        if let Some(stripped) = self.strip(message.sequence, &place, &message.envelope) {
            message.envelope = stripped;
        }
    }

    /// Where an author's erasure stands first: a late copy of it is about the same person.
    fn original(&self, place: &Place, envelope: &Envelope) -> Option<u64> {
        let Event::AuthorErased { author, .. } = &envelope.event else { return None };
        let forgotten = self.authors.get(&(place.site.clone(), author.clone()))?;
        let pseudonym = AuthorId::pseudonym(envelope.id);
        forgotten.iter().find(|known| known.pseudonym == pseudonym).map(|known| known.sequence)
    }

    /// The erasure of whoever had an id at a place in the log.
    fn find(&self, site: &SiteId, id: &AuthorId, sequence: u64) -> Option<&Forgotten> {
        let forgotten = self.authors.get(&(site.clone(), id.clone()))?;
        forgotten.iter().find(|forgotten| sequence <= forgotten.sequence)
    }

    fn rename(&self, site: &SiteId, id: &mut AuthorId, sequence: u64) -> bool {
        let found = self.find(site, id, sequence).map(|forgotten| forgotten.pseudonym.clone());
        found.is_some_and(|pseudonym| {
            *id = pseudonym;
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Quote, Timestamp};
    use crate::ids::CommandId;
    use crate::moderation::{Ban, FlagCategory};
    use crate::tally::Vote;
    use crate::{Actor, Role};

    const ERASED_AT: u64 = 50;

    fn id(bits: u128) -> CommandId {
        CommandId::from_u128(bits)
    }

    fn who(id: &str) -> AuthorId {
        id.parse().unwrap()
    }

    fn place(thread: Option<&str>) -> Place {
        Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) }
    }

    fn by(actor: &str, bits: u128, event: Event) -> Envelope {
        let actor = Actor { id: who(actor), roles: [Role::Administrator].into_iter().collect() };
        Envelope { id: id(bits), time: Timestamp(1), actor, event }
    }

    fn posted(words: &str) -> Event {
        let quote = Quote { comment: CommentId(id(1)), revision: 0, start: 0, end: 2, at: 0 };
        Event::CommentPosted {
            parent: Some(CommentId(id(1))),
            text: Text::recorded(words),
            quotes: vec![quote],
            length: 5,
            held: None,
            original_time: None,
        }
    }

    fn erased_author(comments_kept: bool) -> Erasures {
        let mut erasures = Erasures::default();
        let event = Event::AuthorErased { author: who("ann"), comments_kept, reason: "r".into() };
        assert!(erasures.note(ERASED_AT, &place(None), &by("staff", 500, event)));
        erasures
    }

    fn pseudonym() -> AuthorId {
        AuthorId::pseudonym(id(500))
    }

    fn vote() -> Event {
        Event::VoteCast { comment: CommentId(id(1)), vote: Vote::Up }
    }

    #[test]
    fn the_words_of_an_erased_comment_go_and_all_else_of_it_stays() {
        let (mut erasures, thread) = (Erasures::default(), place(Some("t")));
        let event = Event::CommentErased { comment: CommentId(id(7)), reason: "r".into() };
        assert!(erasures.note(ERASED_AT, &thread, &by("staff", 500, event)));
        let stripped = erasures.strip(3, &thread, &by("ann", 7, posted("words"))).unwrap();
        assert_eq!(stripped, by("ann", 7, posted("")), "the quote, its parent and its length");
        assert_eq!(erasures.strip(3, &thread, &stripped), None, "there is nothing left");
        let edited = |text: &str| Event::CommentEdited {
            comment: CommentId(id(7)),
            revision: 1,
            text: Text::recorded(text),
            quotes: Vec::new(),
            length: 5,
            held: None,
        };
        let late = erasures.strip(90, &thread, &by("ann", 8, edited("words")));
        assert_eq!(late, Some(by("ann", 8, edited(""))), "wherever they stand");
        assert_eq!(erasures.strip(3, &thread, &by("ann", 9, posted("words"))), None, "another comment");
        assert_eq!(erasures.strip(3, &place(Some("u")), &by("ann", 7, posted("words"))), None, "another thread");
    }

    #[test]
    fn who_may_not_forget_has_nothing_forgotten() {
        let (mut erasures, thread) = (Erasures::default(), place(Some("t")));
        let event = Event::CommentErased { comment: CommentId(id(7)), reason: "r".into() };
        let mut envelope = by("mo", 500, event);
        envelope.actor.roles = [Role::Moderator].into_iter().collect();
        assert!(!erasures.note(ERASED_AT, &thread, &envelope));
        assert!(erasures.is_empty());
    }

    #[test]
    fn an_erased_author_is_a_pseudonym_wherever_they_are_named() {
        let (erasures, site, thread) = (erased_author(false), place(None), place(Some("t")));
        let strip = |place: &Place, actor: &str, event: Event| erasures.strip(3, place, &by(actor, 9, event));
        let gone = pseudonym();
        assert_eq!(strip(&thread, "ann", vote()), Some(by(gone.as_str(), 9, vote())));
        assert_eq!(strip(&thread, "ben", vote()), None);
        assert_eq!(strip(&thread, "ann", posted("words")), Some(by(gone.as_str(), 9, posted(""))));
        let flagged = |words: &str| Event::CommentFlagged {
            comment: CommentId(id(1)),
            category: FlagCategory::Spam,
            words: words.into(),
        };
        assert_eq!(strip(&thread, "ann", flagged("w")), Some(by(gone.as_str(), 9, flagged(""))));
        assert_eq!(strip(&thread, "ben", flagged("w")), None);
        let named =
            |author: &AuthorId, name: &str| Event::AuthorNamed { author: author.clone(), name: name.into() };
        assert_eq!(strip(&site, "staff", named(&who("ann"), "Ann")), Some(by("staff", 9, named(&gone, ""))));
        assert_eq!(strip(&site, "staff", named(&who("ben"), "Ben")), None);
        let about: [fn(AuthorId) -> Event; 6] = [
            |author| Event::AuthorBanned { author, ban: Ban { until: None, reason: "r".into() } },
            |author| Event::AuthorUnbanned { author, reason: "r".into() },
            |author| Event::CommentsRemoved { author, since: None, reason: "r".into(), rule: "".into() },
            |author| Event::AuthorErased { author, comments_kept: true, reason: "r".into() },
            |author| Event::VotesVoided { voters: vec![who("ben"), author], since: None, reason: "r".into() },
            |author| Event::VotesUnvoided { voters: vec![author, who("ben")], reason: "r".into() },
        ];
        for event in about {
            let expected = by("staff", 9, event(gone.clone()));
            assert_eq!(strip(&site, "staff", event(who("ann"))), Some(expected));
            assert_eq!(strip(&site, "staff", event(who("cy"))), None);
        }
    }

    #[test]
    fn comments_that_are_kept_keep_their_words() {
        let (erasures, gone) = (erased_author(true), pseudonym());
        let stripped = erasures.strip(3, &place(Some("t")), &by("ann", 9, posted("words")));
        assert_eq!(stripped, Some(by(gone.as_str(), 9, posted("words"))));
    }

    #[test]
    fn who_comes_again_is_somebody_else_and_may_be_erased_again() {
        let (mut erasures, thread) = (erased_author(false), place(Some("t")));
        let of = |erasures: &Erasures, sequence| {
            erasures.strip(sequence, &thread, &by("ann", 9, vote())).map(|stripped| stripped.actor.id)
        };
        assert_eq!(of(&erasures, ERASED_AT), Some(pseudonym()), "the erasure's own event is the author's, too");
        assert_eq!(of(&erasures, ERASED_AT + 1), None);
        let again = Event::AuthorErased { author: who("ann"), comments_kept: false, reason: "r".into() };
        assert!(erasures.note(90, &place(None), &by("staff", 501, again)));
        assert_eq!(of(&erasures, ERASED_AT), Some(pseudonym()));
        assert_eq!(of(&erasures, ERASED_AT + 1), Some(AuthorId::pseudonym(id(501))));
        assert_eq!(of(&erasures, 91), None);
    }

    #[test]
    fn a_late_copy_of_an_erasure_is_about_nobody_who_came_since_and_names_nobody_itself() {
        let (mut erasures, site) = (erased_author(false), place(None));
        let event = Event::AuthorErased { author: who("ann"), comments_kept: false, reason: "r".into() };
        let copy = by("ann", 500, event);
        assert!(erasures.note(90, &site, &copy));
        assert_eq!(erasures.strip(70, &place(Some("t")), &by("ann", 9, vote())), None);
        let gone = Event::AuthorErased { author: pseudonym(), comments_kept: false, reason: "r".into() };
        assert_eq!(erasures.strip(90, &site, &copy), Some(by(pseudonym().as_str(), 500, gone)));
    }

    #[test]
    fn an_erasure_that_the_log_has_forgotten_is_carried_out() {
        let (erasures, site) = (erased_author(false), place(None));
        let event = Event::AuthorErased { author: who("ann"), comments_kept: false, reason: "r".into() };
        let stripped = erasures.strip(ERASED_AT, &site, &by("staff", 500, event)).unwrap();
        let mut later = Erasures::default();
        assert!(!later.note(ERASED_AT, &site, &stripped));
        assert!(later.is_empty());
    }

    #[test]
    fn what_was_stripped_before_is_stripped_again() {
        let (erasures, site) = (erased_author(false), place(None));
        let carried = |author: &str, words: &str| {
            let message = |sequence, thread: Option<&str>, envelope| ErasedMessage {
                sequence,
                thread: thread.map(|thread| thread.parse().unwrap()),
                envelope,
            };
            let inner = vec![message(4, Some("t"), by(author, 7, posted(words)))];
            let outer = by("eraser", 60, Event::MessagesErased { messages: inner });
            Event::MessagesErased { messages: vec![message(5, None, outer)] }
        };
        let stripped = erasures.strip(80, &site, &by("eraser", 70, carried("ann", "words")));
        assert_eq!(stripped, Some(by("eraser", 70, carried(pseudonym().as_str(), ""))));
    }
}
