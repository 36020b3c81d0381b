//! What is kept of an author, as lines of JSON. The fields are part of the contract: proto/README.md describes them.

use domain::{Timestamp, Vote};
use serde::Serialize;
use views::OwnItem;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line {
    Author { name: String, former_names: Vec<FormerName>, banned: Option<Banned> },
    Comment { thread: String, id: String, state: &'static str, parent: Option<String>, revisions: Vec<Revision> },
    Vote { thread: String, comment: String, vote: &'static str },
    Flag { thread: String, comment: String, category: &'static str, words: String, time: String },
}

#[derive(Serialize)]
struct FormerName {
    name: String,
    until: String,
}

#[derive(Serialize)]
struct Banned {
    until: Option<String>,
    reason: String,
}

#[derive(Serialize)]
struct Revision {
    time: String,
    text: String,
}

/// A line for each item, ended by LF.
pub(crate) fn lines(items: Vec<OwnItem>) -> String {
    let mut lines = String::new();
    for item in items {
        lines.push_str(&serde_json::to_string(&line(item)).expect("a line has string keys and no maps"));
        lines.push('\n');
    }
    lines
}

fn line(item: OwnItem) -> Line {
    match item {
        OwnItem::Author(author) => Line::Author {
            name: author.name,
            former_names: author
                .names
                .into_iter()
                .map(|(name, until)| FormerName { name, until: time(until) })
                .collect(),
            banned: author.ban.map(|ban| Banned { until: ban.until.map(time), reason: ban.reason.into() }),
        },
        OwnItem::Comment { thread, id, state, parent, revisions } => Line::Comment {
            thread,
            id: id.to_string(),
            state: state.as_str(),
            parent: parent.map(|parent| parent.to_string()),
            revisions: revisions.into_iter().map(|(at, text)| Revision { time: time(at), text }).collect(),
        },
        OwnItem::Vote { thread, comment, vote } => Line::Vote {
            thread,
            comment: comment.to_string(),
            vote: match vote {
                Vote::Up => "up",
                Vote::Down => "down",
                Vote::None => "none",
            },
        },
        OwnItem::Flag { thread, comment, category, words, time: at } => {
            Line::Flag { thread, comment: comment.to_string(), category: category.as_str(), words, time: time(at) }
        }
    }
}

/// RFC 3339, in UTC.
fn time(time: Timestamp) -> String {
    // `wire` lets no event have a time that cannot be written; a writer's clock could.
    jiff::Timestamp::from_millisecond(time.0).map_or_else(|_| time.0.to_string(), |time| time.to_string())
}
