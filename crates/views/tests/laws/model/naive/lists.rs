//! What lists and queues are made of, noted as it happens by looking at the thread before and after.

use std::collections::HashMap;

use domain::{CommentId, Envelope, Event, State, Vote};

use super::{Comment, Naive, Thread};

/// What happened, in the order of the log.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// Threads, the one opened first first.
    pub(crate) opened: Vec<String>,
    /// By thread, and when.
    pub(crate) happened: Vec<(String, i64, Did)>,
    /// Who posted what where.
    pub(crate) posts: Vec<(String, String, CommentId)>,
    /// Since when a comment is held, flagged, reported as illegal.
    pub(crate) waits: HashMap<CommentId, [Option<i64>; 3]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Post,
    Show,
    Vote,
}

/// How a thread stood before an event: whether it was open, and each comment's row and votes.
pub(super) struct Before {
    opened: bool,
    comments: Vec<(bool, (u32, u32))>,
}

impl Before {
    pub(super) fn of(thread: Option<&Thread>) -> Self {
        let comments = thread.iter().flat_map(|thread| &thread.comments);
        Self {
            opened: thread.is_some_and(|thread| thread.opened),
            comments: comments.map(|comment| (comment.has_row, comment.counted())).collect(),
        }
    }
}

impl Naive {
    /// Notes what an event that was applied changed.
    pub(super) fn note(&mut self, name: &str, before: &Before, envelope: &Envelope, now: i64) {
        let thread = &self.threads[name];
        let lists = &mut self.lists;
        if thread.opened && !before.opened {
            lists.opened.push(name.to_owned());
        }
        for (at, comment) in thread.comments.iter().enumerate() {
            let mut did = |did| lists.happened.push((name.to_owned(), now, did));
            let (had_row, counted) = before.comments.get(at).copied().unwrap_or_default();
            if at == before.comments.len() {
                did(Did::Post);
            }
            if comment.has_row && !had_row {
                did(Did::Show);
            }
            if let Event::VoteCast { comment: on, vote } = &envelope.event
                && (*on, *vote != Vote::None) == (comment.id, true)
                && comment.counted() != counted
            {
                did(Did::Vote);
            }
            if at == before.comments.len() {
                lists.posts.push((comment.author.clone(), name.to_owned(), comment.id));
            }
            lists.queue(comment, now);
        }
    }
}

impl Lists {
    /// Since when a comment waits, if it does.
    pub(super) fn queue(&mut self, comment: &Comment, now: i64) {
        let waits = [comment.state == State::Held, comment.waiting_flags() > 0, comment.illegal_flags() > 0];
        let since = self.waits.entry(comment.id).or_default();
        for (since, waits) in since.iter_mut().zip(waits) {
            *since = if waits { since.or(Some(now)) } else { None };
        }
    }
}
