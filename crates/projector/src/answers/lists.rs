//! What readers see beside pages of a thread, as the messages of the contract.

use views::{ActiveHour, AuthorComment, AuthorComments, AuthorScore, ReadersComment, ThreadActivity};
use wire::v1;
use wire::values::{mode_out, time_out};

use super::comment as row;

/// What happened in a thread.
pub(crate) fn activity(activity: ThreadActivity, position: String) -> v1::ActivityReply {
    let ThreadActivity { count, up, down, last_comment, hours } = activity;
    let hour = |ActiveHour { begin, rows, comments, votes }| {
        let begin = Some(time_out(begin));
        v1::ActiveHour { begin, rows, comments, votes }
    };
    let (last_comment, hours) = (last_comment.map(time_out), hours.into_iter().map(hour).collect());
    v1::ActivityReply { position, count, up, down, last_comment, hours }
}

/// One comment as readers see it.
pub(crate) fn comment(view: ReadersComment, position: String) -> v1::CommentViewReply {
    let revision = |(number, time, body)| v1::Revision { number, time: Some(time_out(time)), body };
    v1::CommentViewReply {
        position,
        mode: mode_out(view.mode),
        comment: view.comment.map(row),
        revisions: view.revisions.into_iter().map(revision).collect(),
    }
}

/// Comments of an author.
pub(crate) fn author_comments(
    page: AuthorComments,
    score: Option<AuthorScore>,
    position: String,
) -> v1::AuthorCommentsReply {
    let score = score.map(|score| {
        let AuthorScore { comments, up, down, partial } = score;
        v1::AuthorScore { comments, up, down, partial }
    });
    let comment = |AuthorComment { thread, headline, comment }| v1::AuthorComment {
        thread: thread.to_string(),
        headline,
        comment: Some(row(comment)),
    };
    v1::AuthorCommentsReply {
        position,
        name: page.name,
        erased: page.erased,
        score,
        comments: page.comments.into_iter().map(comment).collect(),
        next: page.next.map_or_else(String::new, |next| next.to_string()),
    }
}
