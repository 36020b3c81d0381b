//! What moderators see, as the messages of the contract.

use views::{AuditEntry, AuthorHistory, CommentHistory, FlagResolution, FlagView, QueueCounts, WaitingComment};
use wire::v1;
use wire::values::{category_out, time_out};

use super::{ban, comment};

/// A comment that waits.
pub(crate) fn waiting(waiting: WaitingComment) -> v1::QueueEntry {
    v1::QueueEntry {
        thread: waiting.thread.to_string(),
        comment: Some(comment(waiting.comment)),
        flags_illegal: waiting.flags_illegal,
        flagged: waiting.flagged.map(time_out),
        since: waiting.since.map(time_out),
    }
}

/// How many comments wait, of each kind.
pub(crate) fn queue_counts(QueueCounts { held, flagged, illegal }: QueueCounts) -> v1::QueueCounts {
    v1::QueueCounts { held, flagged, illegal }
}

/// One comment with its history.
pub(crate) fn history(history: CommentHistory, position: String) -> v1::CommentReply {
    let revision = |(number, (time, body))| v1::Revision { number, time: Some(time_out(time)), body };
    v1::CommentReply {
        position,
        comment: Some(comment(history.comment)),
        revisions: (0..).zip(history.revisions).map(revision).collect(),
        flags: history.flags.into_iter().map(flag).collect(),
    }
}

fn flag(flag: FlagView) -> v1::Flag {
    let resolution = |resolution: FlagResolution| v1::FlagResolution {
        upheld: resolution.upheld,
        statement: resolution.statement,
        by: resolution.by,
        time: Some(time_out(resolution.time)),
    };
    v1::Flag {
        author: flag.author.to_string(),
        category: category_out(flag.category),
        words: flag.words,
        time: Some(time_out(flag.time)),
        resolution: flag.resolution.map(resolution),
    }
}

/// An author.
pub(crate) fn author(author: AuthorHistory, position: String) -> v1::AuthorReply {
    let former = |(name, until)| v1::FormerName { name, until: Some(time_out(until)) };
    v1::AuthorReply {
        position,
        name: author.name,
        names: author.names.into_iter().map(former).collect(),
        ban: author.ban.as_ref().map(ban),
        shown: author.shown,
        erased: author.erased,
    }
}

/// A decision.
pub(crate) fn audit(at_position: String, entry: AuditEntry) -> v1::AuditEntry {
    v1::AuditEntry {
        at_position,
        time: Some(time_out(entry.time)),
        by: entry.by,
        r#type: entry.kind,
        thread: entry.thread,
        comment: entry.comment.map_or_else(String::new, |comment| comment.to_string()),
        author: entry.author,
        reason: entry.reason,
        before: entry.before,
        after: entry.after,
    }
}
