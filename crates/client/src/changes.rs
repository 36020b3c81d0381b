//! The changes of a thread, of which none is missed: announcements, and a question after each time in which some could
//! have got lost.
//!
//! Announcements are plain messages. So what was asked is what is sure: from time to time, and after each reconnect, Koe
//! is asked what changed since the last such answer, and what was not told yet is told then.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::{SiteId, ThreadId};
use futures::StreamExt as _;
use prost::Message as _;
use tokio::time::{Interval, MissedTickBehavior};
use wire::error::Failure;
use wire::{Position, subject, v1};

use crate::limits::{CHANGES_CHECK, CHANGES_RETRY, RECONNECT_CHECK, TOLD_COMMENTS_MAX};
use crate::{Client, Error, connects};

/// What a follower of a thread is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// These comments are otherwise now. A query with the change's position in `at_least` shows it.
    Changed(v1::ThreadChanged),
    /// More changed than Koe remembers, or the log lost its tail: ask the page again. What follows is complete again.
    Gap {
        /// The position from which on it is, for the `at_least` of that page.
        position: String,
    },
}

/// The changes of one thread, from a position on.
pub struct Changes {
    client: Client,
    site: SiteId,
    thread: ThreadId,
    messages: async_nats::Subscriber,
    told: Told,
    /// When to ask what was missed.
    ask_at: Instant,
    connects: u64,
    check: Interval,
}

/// What was told, to tell no change twice and none backwards.
#[derive(Debug)]
struct Told {
    /// Everything up to here was told, for Koe was asked.
    sure: Position,
    /// The last announcement, or the same.
    latest: u64,
    /// The comments announced since `sure`, as they were.
    comments: HashMap<String, v1::CommentChanged>,
}

/// What to make of an announcement.
#[derive(Debug, PartialEq)]
enum Heard {
    Tell,
    /// It was told already, or is older than what was.
    Old,
    /// It is of another log: ask.
    Strange,
}

impl Told {
    fn new(sure: Position) -> Self {
        Self { sure, latest: sure.sequence, comments: HashMap::new() }
    }

    fn hear(&mut self, changed: &v1::ThreadChanged) -> Heard {
        let Ok(position) = changed.position.parse::<Position>() else { return Heard::Strange };
        if position.epoch != self.sure.epoch {
            return Heard::Strange;
        }
        // Several announcements of one step have its one position.
        if position.sequence <= self.sure.sequence || position.sequence < self.latest {
            return Heard::Old;
        }
        self.latest = position.sequence;
        for comment in &changed.comments {
            self.comments.insert(comment.id.clone(), comment.clone());
        }
        Heard::Tell
    }

    /// What an answer tells that was not told yet. `None` if the answer is older than what was told: it proves nothing.
    fn answered(
        &mut self,
        position: Position,
        comments: Vec<v1::CommentChanged>,
    ) -> Option<Vec<v1::CommentChanged>> {
        if position.sequence < self.latest {
            return None;
        }
        let news = comments.into_iter().filter(|comment| self.comments.get(&comment.id) != Some(comment));
        let news = news.collect();
        *self = Self::new(position);
        Some(news)
    }
}

impl Client {
    /// Follows the changes of a thread, of which none is missed: those after a position, and those to come. Without a
    /// position, those from now on.
    ///
    /// Errors: `position-invalid` for what is no position, and [`Error::Unavailable`] while Koe does not answer.
    pub async fn follow_changes(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        after: Option<&str>,
    ) -> Result<Changes, Error> {
        let connects = connects(&self.nats);
        // First the announcements, then the question, so that nothing falls between.
        let messages = self.nats.subscribe(subject::change(site, thread)).await.map_err(Error::unavailable)?;
        let (sure, ask_at) = match after {
            Some(after) => (position(after)?, Instant::now()),
            None => (self.now(site).await?, Instant::now() + CHANGES_CHECK),
        };
        let mut check = tokio::time::interval(RECONNECT_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (client, site, thread, told) = (self.clone(), site.clone(), thread.clone(), Told::new(sure));
        Ok(Changes { client, site, thread, messages, told, ask_at, connects, check })
    }

    /// The position that queries read at now.
    async fn now(&self, site: &SiteId) -> Result<Position, Error> {
        position(&self.counts(site, &[], "").await?.position)
    }
}

fn position(token: &str) -> Result<Position, Error> {
    token.parse().or(Err(Error::refused(Failure::PositionInvalid)))
}

impl Changes {
    /// The position to go on after, in another process or tomorrow: nothing after it was missed, though some of it may
    /// have been told. It trails the changes told by some seconds.
    pub fn position(&self) -> String {
        self.told.sure.to_string()
    }

    /// The next change. Waits for as long as nothing happens; safe to drop and call again.
    ///
    /// While Koe does not answer it goes on trying. Errors are refusals such as `thread-unknown`, and
    /// [`Error::Unavailable`] when the connection was closed for good.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if Instant::now() >= self.ask_at
                && let Some(change) = self.ask().await?
            {
                return Ok(change);
            }
            tokio::select! {
                biased;
                _ = self.check.tick() => {
                    let connects = connects(&self.client.nats);
                    if connects != self.connects {
                        (self.connects, self.ask_at) = (connects, Instant::now());
                    }
                }
                message = self.messages.next() => {
                    let message = message.ok_or_else(|| Error::unavailable("the connection was closed"))?;
                    let Ok(changed) = v1::ThreadChanged::decode(message.payload) else { continue };
                    match self.told.hear(&changed) {
                        Heard::Old => {}
                        Heard::Strange => self.ask_in(Duration::ZERO),
                        Heard::Tell => {
                            if self.told.comments.len() > TOLD_COMMENTS_MAX {
                                // The next answer may tell some of them again.
                                self.told.comments.clear();
                            }
                            return Ok(Change::Changed(changed));
                        }
                    }
                }
            }
        }
    }

    fn ask_in(&mut self, pause: Duration) {
        self.ask_at = Instant::now() + pause;
    }

    /// Asks what was missed. What is not answered in time is asked again later.
    async fn ask(&mut self) -> Result<Option<Change>, Error> {
        let since = self.told.sure.to_string();
        match self.client.changes_since(&self.site, &self.thread, &since).await {
            Ok(reply) => {
                let at = position(&reply.position)?;
                self.ask_in(CHANGES_CHECK);
                if !reply.complete {
                    self.told = Told::new(at);
                    return Ok(Some(Change::Gap { position: reply.position }));
                }
                let Some(comments) = self.told.answered(at, reply.comments) else {
                    self.ask_in(CHANGES_RETRY);
                    return Ok(None);
                };
                let changed = v1::ThreadChanged { position: reply.position, count: reply.count, comments };
                Ok((!changed.comments.is_empty()).then_some(Change::Changed(changed)))
            }
            Err(error) if error.is_position_lost() => match self.client.now(&self.site).await {
                Ok(at) => {
                    self.told = Told::new(at);
                    self.ask_in(CHANGES_CHECK);
                    Ok(Some(Change::Gap { position: at.to_string() }))
                }
                Err(error) => self.later(error),
            },
            Err(error) => self.later(error),
        }
    }

    fn later(&mut self, error: Error) -> Result<Option<Change>, Error> {
        self.ask_in(CHANGES_RETRY);
        if error.is_transient() { Ok(None) } else { Err(error) }
    }
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { site, thread, told, .. } = self;
        f.debug_struct("Changes")
            .field("site", site)
            .field("thread", thread)
            .field("told", told)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: u64) -> Position {
        Position { epoch: 1, sequence }
    }

    fn comment(id: &str, up: u32) -> v1::CommentChanged {
        v1::CommentChanged {
            id: id.into(),
            number: 1,
            state: v1::CommentState::Visible.into(),
            tally: Some(v1::Tally { up, down: 0 }),
        }
    }

    fn announced(position: Position, id: &str, up: u32) -> v1::ThreadChanged {
        v1::ThreadChanged { position: position.to_string(), count: 1, comments: vec![comment(id, up)] }
    }

    #[test]
    fn what_was_announced_is_not_told_again_by_the_answer() {
        let mut told = Told::new(at(10));
        assert_eq!(told.hear(&announced(at(12), "a", 1)), Heard::Tell);
        assert_eq!(told.hear(&announced(at(12), "b", 1)), Heard::Tell, "of the same step");
        let missed = vec![comment("a", 1), comment("b", 1), comment("c", 7)];
        assert_eq!(told.answered(at(14), missed), Some(vec![comment("c", 7)]));
        assert_eq!(told.hear(&announced(at(14), "c", 7)), Heard::Old, "the answer told it");
        assert_eq!(told.hear(&announced(at(15), "c", 8)), Heard::Tell);
    }

    #[test]
    fn nothing_is_told_backwards() {
        let mut told = Told::new(at(10));
        assert_eq!(told.hear(&announced(at(12), "a", 2)), Heard::Tell);
        assert_eq!(told.hear(&announced(at(11), "a", 1)), Heard::Old, "of a projector that is behind");
        assert_eq!(told.answered(at(11), vec![comment("a", 1)]), None, "an answer of one, too");
        assert_eq!(told.sure, at(10));
        assert_eq!(told.answered(at(12), vec![comment("a", 2)]), Some(vec![]));
    }

    #[test]
    fn another_log_is_asked_about() {
        let mut told = Told::new(at(10));
        assert_eq!(told.hear(&announced(Position { epoch: 2, sequence: 11 }, "a", 1)), Heard::Strange);
    }
}
