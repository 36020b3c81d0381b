//! What everybody is answered beside pages of a thread.

use client::Viewer;
use domain::{AuthorId, SiteId, ThreadId};
use serde::Serialize;
use wire::v1;
use wire::values::time_in;

use super::{Comment, mode, some};
use crate::time::rfc_3339;

#[derive(Debug, Serialize)]
pub(in crate::api) struct Activity {
    site: String,
    thread: String,
    position: String,
    count: u32,
    up: u64,
    down: u64,
    last_comment: Option<String>,
    hours: Vec<Hour>,
}

#[derive(Debug, Serialize)]
struct Hour {
    begin: Option<String>,
    rows: u32,
    comments: u32,
    votes: u32,
}

pub(in crate::api) fn activity((site, thread): (&SiteId, &ThreadId), reply: v1::ActivityReply) -> Activity {
    let hour = |v1::ActiveHour { begin, rows, comments, votes }| Hour {
        begin: begin.as_ref().and_then(time_in).map(rfc_3339),
        rows,
        comments,
        votes,
    };
    Activity {
        site: site.to_string(),
        thread: thread.to_string(),
        position: reply.position,
        count: reply.count,
        up: reply.up,
        down: reply.down,
        last_comment: reply.last_comment.as_ref().and_then(time_in).map(rfc_3339),
        hours: reply.hours.into_iter().map(hour).collect(),
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct CommentAnswer {
    site: String,
    thread: String,
    position: String,
    mode: &'static str,
    comment: Option<Comment>,
    revisions: Vec<Revision>,
}

#[derive(Debug, Serialize)]
pub(super) struct Revision {
    number: u32,
    time: Option<String>,
    body: String,
}

impl From<v1::Revision> for Revision {
    fn from(v1::Revision { number, time, body }: v1::Revision) -> Self {
        Self { number, time: time.as_ref().and_then(time_in).map(rfc_3339), body }
    }
}

pub(in crate::api) fn comment(
    (site, thread): (&SiteId, &ThreadId),
    reply: v1::CommentViewReply,
    viewer: &Viewer,
) -> CommentAnswer {
    CommentAnswer {
        site: site.to_string(),
        thread: thread.to_string(),
        mode: mode(reply.mode()),
        position: reply.position,
        comment: reply.comment.map(|row| super::comment(row, viewer, false)),
        revisions: reply.revisions.into_iter().map(Into::into).collect(),
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct AuthorComments {
    site: String,
    author: String,
    position: String,
    name: Option<String>,
    score: Option<Votes>,
    comments: Vec<AuthorComment>,
    next: Option<String>,
    erased: bool,
}

#[derive(Debug, Serialize)]
struct Votes {
    comments: u32,
    up: u64,
    down: u64,
    score: String,
    partial: bool,
}

#[derive(Debug, Serialize)]
struct AuthorComment {
    thread: String,
    headline: String,
    comment: Comment,
}

/// As a tally is displayed, of more votes than one has.
fn displayed(up: u64, down: u64) -> String {
    format!("{} ( +{up} / -{down} )", i128::from(up) - i128::from(down))
}

pub(in crate::api) fn author_comments(
    (site, author): (&SiteId, &AuthorId),
    reply: v1::AuthorCommentsReply,
    viewer: &Viewer,
) -> AuthorComments {
    let score = |v1::AuthorScore { comments, up, down, partial }| {
        let score = displayed(up, down);
        Votes { comments, up, down, score, partial }
    };
    let entry = |entry: v1::AuthorComment| AuthorComment {
        thread: entry.thread,
        headline: entry.headline,
        comment: super::comment(entry.comment.unwrap_or_default(), viewer, false),
    };
    AuthorComments {
        site: site.to_string(),
        author: author.to_string(),
        position: reply.position,
        name: some(reply.name),
        score: reply.score.map(score),
        comments: reply.comments.into_iter().map(entry).collect(),
        next: some(reply.next),
        erased: reply.erased,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shapes_of_lists_have_exactly_the_fields_of_the_api() {
        let (site, thread) = ("demo".parse().unwrap(), "t".parse().unwrap());
        let hour = v1::ActiveHour { begin: None, rows: 1, comments: 2, votes: 3 };
        let reply = v1::ActivityReply { count: 1, up: 9, hours: vec![hour], ..v1::ActivityReply::default() };
        let value = serde_json::to_value(activity((&site, &thread), reply)).unwrap();
        let hours = json!([{"begin": null, "rows": 1, "comments": 2, "votes": 3}]);
        let expected = json!({"site": "demo", "thread": "t", "position": "", "count": 1, "up": 9, "down": 0,
            "last_comment": null, "hours": hours});
        assert_eq!(value, expected);

        let revision = v1::Revision { number: 1, time: None, body: "words".into() };
        let reply = v1::CommentViewReply { revisions: vec![revision], ..v1::CommentViewReply::default() };
        let value = serde_json::to_value(comment((&site, &thread), reply, &Viewer::default())).unwrap();
        let revisions = json!([{"number": 1, "time": null, "body": "words"}]);
        let expected = json!({"site": "demo", "thread": "t", "position": "", "mode": "open", "comment": null,
            "revisions": revisions});
        assert_eq!(value, expected);

        let score = v1::AuthorScore { comments: 2, up: 7, down: 16, partial: false };
        let row = v1::AuthorComment { thread: "t".into(), headline: "H".into(), comment: None };
        let reply = v1::AuthorCommentsReply {
            score: Some(score),
            comments: vec![row],
            erased: true,
            ..v1::AuthorCommentsReply::default()
        };
        let author = "ann".parse().unwrap();
        let mut value =
            serde_json::to_value(author_comments((&site, &author), reply, &Viewer::default())).unwrap();
        assert!(value["comments"][0]["comment"].take().is_object());
        let score = json!({"comments": 2, "up": 7, "down": 16, "score": "-9 ( +7 / -16 )", "partial": false});
        let comments = json!([{"thread": "t", "headline": "H", "comment": null}]);
        let expected = json!({"site": "demo", "author": "ann", "position": "", "name": null, "score": score,
            "comments": comments, "next": null, "erased": true});
        assert_eq!(value, expected);
    }
}
