//! Which events are about a reply to whom. Whether readers see it by now, and whether it was told of, is asked elsewhere.

use std::collections::{HashMap, VecDeque};

use client::EventAt;
use client::domain::{CommentId, Event, Place};
use serde::{Deserialize, Serialize};

/// The events that it is about.
pub(crate) const KINDS: &[&str] = &["comment-posted", "comment-approved", "comment-restored"];
/// Comments whose author is remembered, about 150 bytes each: who replies to an older one is not told of.
const COMMENTS_MAX: usize = 100_000;
/// Replies that wait to be seen: an older one that is approved is not told of.
const WAITING_MAX: usize = 10_000;

/// What an author is told. In this form it is also what the output holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notification {
    /// Whose comment was replied to.
    pub(crate) to: String,
    /// Who replied.
    pub(crate) from: String,
    /// Where.
    pub(crate) site: String,
    /// Where.
    pub(crate) thread: String,
    /// The reply.
    pub(crate) comment: String,
    /// What it replies to.
    pub(crate) parent: String,
    /// The event at which it was found to be seen: the reply, or its approval.
    pub(crate) position: String,
    /// That event's number in the log.
    pub(crate) sequence: u64,
}

impl Notification {
    /// What there is one notification of: a comment's id is only unique in its thread.
    pub(crate) fn key(&self) -> String {
        let Self { site, thread, comment, .. } = self;
        format!("{site}/{thread}/{comment}")
    }
}

/// A reply that an event is about.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) comment: CommentId,
    pub(crate) notification: Notification,
}

/// What is remembered of the events so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Replies {
    authors: Recent<String>,
    waiting: Recent<Notification>,
}

/// Values by the comment they are about, the latest so many.
#[derive(Debug, Serialize, Deserialize)]
#[serde(from = "VecDeque<(String, T)>", into = "VecDeque<(String, T)>")]
#[serde(bound(serialize = "T: Clone + Serialize", deserialize = "T: Deserialize<'de>"))]
struct Recent<T> {
    values: HashMap<String, T>,
    /// The keys by age; some may have no value any more.
    order: VecDeque<String>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T: Clone> Clone for Recent<T> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), order: self.order.clone() }
    }
}

impl<T> From<VecDeque<(String, T)>> for Recent<T> {
    fn from(entries: VecDeque<(String, T)>) -> Self {
        let order = entries.iter().map(|(key, _)| key.clone()).collect();
        Self { values: entries.into_iter().collect(), order }
    }
}

impl<T> From<Recent<T>> for VecDeque<(String, T)> {
    fn from(mut recent: Recent<T>) -> Self {
        recent.order.into_iter().filter_map(|key| recent.values.remove_entry(&key)).collect()
    }
}

impl<T> Recent<T> {
    fn insert(&mut self, key: String, value: T, max: usize) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > max {
            if let Some(oldest) = self.order.pop_front() {
                self.values.remove(&oldest);
            }
        }
    }

    fn remove(&mut self, key: &str) {
        if self.values.remove(key).is_some() {
            self.order.retain(|other| other != key);
        }
    }
}

/// The same as [`Notification::key`].
fn key(place: &Place, comment: CommentId) -> String {
    let thread = place.thread.as_ref().map_or("", |thread| thread.as_str());
    format!("{}/{thread}/{comment}", place.site)
}

impl Replies {
    /// The reply to somebody else's comment that an event may make known.
    pub(crate) fn reply(&self, event: &EventAt) -> Option<Reply> {
        let EventAt { position, sequence, place, envelope } = event;
        match &envelope.event {
            Event::CommentPosted { parent: Some(parent), .. } => {
                let (to, from) = (self.authors.values.get(&key(place, *parent))?, envelope.actor.id.to_string());
                if *to == from {
                    return None;
                }
                let notification = Notification {
                    to: to.clone(),
                    from,
                    site: place.site.to_string(),
                    thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
                    comment: envelope.id.to_string(),
                    parent: parent.to_string(),
                    position: position.clone(),
                    sequence: *sequence,
                };
                Some(Reply { comment: CommentId(envelope.id), notification })
            }
            Event::CommentApproved { comment, .. } | Event::CommentRestored { comment, .. } => {
                let waiting = self.waiting.values.get(&key(place, *comment))?;
                let (position, sequence) = (position.clone(), *sequence);
                let notification = Notification { position, sequence, ..waiting.clone() };
                Some(Reply { comment: *comment, notification })
            }
            _ => None,
        }
    }

    /// Remembers who wrote what.
    pub(crate) fn remember(&mut self, event: &EventAt) {
        if matches!(event.envelope.event, Event::CommentPosted { .. }) {
            let comment = key(&event.place, CommentId(event.envelope.id));
            // The same event again is of the same author.
            self.authors.insert(comment, event.envelope.actor.id.to_string(), COMMENTS_MAX);
        }
    }

    /// Remembers a reply that nobody sees yet.
    pub(crate) fn wait(&mut self, notification: Notification) {
        self.waiting.insert(notification.key(), notification, WAITING_MAX);
    }

    /// Forgets a reply that was told of, or that nobody will ever see.
    pub(crate) fn settle(&mut self, notification: &Notification) {
        self.waiting.remove(&notification.key());
    }
}

#[cfg(test)]
mod tests {
    use client::domain::{Actor, CommandId, Envelope, Roles, Timestamp, text::Text};

    use super::*;

    fn id(number: u64) -> CommandId {
        CommandId::from_u128(number.into())
    }

    fn event(sequence: u64, actor: &str, event: Event) -> EventAt {
        let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        let actor = Actor { id: actor.parse().unwrap(), roles: Roles::default() };
        let envelope = Envelope { id: id(sequence), time: Timestamp(0), actor, event };
        EventAt { position: format!("0-1-{sequence}"), sequence, place, envelope }
    }

    fn posted(sequence: u64, actor: &str, parent: Option<u64>) -> EventAt {
        let (text, parent) = (Text::parse("words").unwrap(), parent.map(|parent| CommentId(id(parent))));
        event(
            sequence,
            actor,
            Event::CommentPosted { parent, text, quotes: Vec::new(), length: 5, held: None, original_time: None },
        )
    }

    fn approved(sequence: u64, comment: u64) -> EventAt {
        event(sequence, "mod", Event::CommentApproved { comment: CommentId(id(comment)), revision: None })
    }

    /// What is told of events as (to, from, sequence), if at those of these numbers the reply is not seen.
    fn told(replies: &mut Replies, events: &[EventAt], held: &[u64]) -> Vec<(String, String, u64)> {
        let mut told = Vec::new();
        for event in events {
            if let Some(Reply { notification, .. }) = replies.reply(event) {
                if held.contains(&event.sequence) {
                    replies.wait(notification);
                } else {
                    replies.settle(&notification);
                    told.push((notification.to, notification.from, notification.sequence));
                }
            }
            replies.remember(event);
        }
        told
    }

    #[test]
    fn an_author_is_told_of_replies_of_others() {
        let events = [
            posted(1, "ann", None),
            posted(2, "ben", Some(1)),
            posted(3, "ann", Some(1)),
            posted(4, "ann", Some(2)),
            posted(5, "cy", Some(77)),
        ];
        let expected = [("ann".into(), "ben".into(), 2), ("ben".into(), "ann".into(), 4)];
        assert_eq!(told(&mut Replies::default(), &events, &[]), expected);
    }

    #[test]
    fn a_held_reply_is_told_of_once_when_it_is_approved() {
        let events = [posted(1, "ann", None), posted(2, "ben", Some(1)), approved(3, 2), approved(4, 2)];
        assert_eq!(told(&mut Replies::default(), &events, &[2]), [("ann".into(), "ben".into(), 3)]);
        // Held again before the approval was read.
        assert_eq!(told(&mut Replies::default(), &events, &[2, 3]), [("ann".into(), "ben".into(), 4)]);
    }

    #[test]
    fn what_is_remembered_survives_the_file() {
        let mut replies = Replies::default();
        told(&mut replies, &[posted(1, "ann", None), posted(2, "ben", Some(1))], &[2]);
        let file = serde_json::to_string(&replies).unwrap();
        let mut again: Replies = serde_json::from_str(&file).unwrap();
        let events = [approved(3, 2), posted(4, "cy", Some(1))];
        let expected = [("ann".into(), "ben".into(), 3), ("ann".into(), "cy".into(), 4)];
        assert_eq!(told(&mut again, &events, &[]), expected);
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let mut recent = Recent::default();
        for number in 0..5 {
            recent.insert(number.to_string(), number, 3);
        }
        recent.remove("3");
        let kept: VecDeque<(String, i32)> = recent.into();
        assert_eq!(kept, [("2".to_owned(), 2), ("4".to_owned(), 4)]);
    }
}
