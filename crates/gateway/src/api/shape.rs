//! What programs are answered. The names and the order of the fields are the API: fields are only added.

use domain::{CommandId, SiteId, Tally, ThreadId, Timestamp};
use serde::Serialize;
use wire::envelope::time_in;
use wire::v1;

use crate::handler::outcome_word;
use crate::render::{self, Links};
use crate::time::rfc_3339;

#[derive(Debug, Serialize)]
pub(super) struct ThreadPage {
    site: String,
    thread: String,
    headline: String,
    count: u32,
    position: String,
    comments: Vec<Comment>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Comment {
    number: u32,
    id: String,
    author: Author,
    time: Option<String>,
    state: &'static str,
    body: Option<String>,
    html: Option<String>,
    tally: Both,
    score: String,
}

#[derive(Debug, Default, Serialize)]
struct Author {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Serialize)]
struct Both {
    up: u32,
    down: u32,
}

/// A cursor, name or code that may be missing.
fn some(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

pub(super) fn thread(site: &SiteId, thread: &ThreadId, reply: v1::ThreadPageReply) -> ThreadPage {
    ThreadPage {
        site: site.to_string(),
        thread: thread.to_string(),
        headline: reply.headline,
        count: reply.count,
        position: reply.position,
        comments: reply.comments.into_iter().map(comment).collect(),
        next: some(reply.next),
    }
}

fn comment(comment: v1::Comment) -> Comment {
    let v1::Tally { up, down } = comment.tally.unwrap_or_default();
    let visible = comment.state() == v1::CommentState::Visible;
    let html = visible.then(|| render::comment(&comment.body, &comment.quotes, Links::ANCHORS));
    let author = comment.author.filter(|_| visible);
    Comment {
        number: comment.number,
        id: comment.id,
        author: author.map(|author| Author { id: some(author.id), name: some(author.name) }).unwrap_or_default(),
        time: comment.time.as_ref().and_then(time_in).map(|time: Timestamp| rfc_3339(time)),
        state: if visible { "visible" } else { "removed" },
        body: visible.then_some(comment.body),
        html,
        tally: Both { up, down },
        score: Tally { up, down }.to_string(),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct SiteList {
    position: String,
    sites: Vec<SiteEntry>,
}

#[derive(Debug, Serialize)]
struct SiteEntry {
    site: String,
    name: String,
}

impl From<v1::SitesReply> for SiteList {
    fn from(reply: v1::SitesReply) -> Self {
        let site = |v1::SiteEntry { site, name }| SiteEntry { site, name };
        Self { position: reply.position, sites: reply.sites.into_iter().map(site).collect() }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ThreadList {
    site: String,
    position: String,
    threads: Vec<ThreadEntry>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct ThreadEntry {
    thread: String,
    headline: String,
    count: u32,
}

pub(super) fn threads(site: &SiteId, reply: v1::ThreadsReply) -> ThreadList {
    let entry = |v1::ThreadEntry { thread, headline, count }| ThreadEntry { thread, headline, count };
    ThreadList {
        site: site.to_string(),
        position: reply.position,
        threads: reply.threads.into_iter().map(entry).collect(),
        next: some(reply.next),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct CountList {
    site: String,
    position: String,
    counts: Vec<ThreadCount>,
}

#[derive(Debug, Serialize)]
struct ThreadCount {
    thread: String,
    count: u32,
}

pub(super) fn counts(site: &SiteId, reply: v1::CountsReply) -> CountList {
    let count = |v1::ThreadCount { thread, count }| ThreadCount { thread, count };
    let counts = reply.counts.into_iter().map(count).collect();
    CountList { site: site.to_string(), position: reply.position, counts }
}

/// What came of a command: `position` is the place of its event, for `at_least`.
#[derive(Debug, Serialize)]
pub(super) struct Command {
    id: String,
    position: Option<String>,
    outcome: &'static str,
    code: Option<String>,
}

impl From<v1::CommandReply> for Command {
    fn from(reply: v1::CommandReply) -> Self {
        let outcome = outcome_word(reply.outcome());
        Self { id: reply.id, position: some(reply.position), outcome, code: some(reply.code) }
    }
}

pub(super) fn status(id: CommandId, reply: v1::CommandStatusReply) -> Command {
    let outcome = outcome_word(reply.outcome());
    Command { id: id.to_string(), position: some(reply.at_position), outcome, code: some(reply.code) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wire::envelope::time_out;

    fn page() -> v1::ThreadPageReply {
        let visible = v1::Comment {
            number: 1,
            id: "019a3c5e-7d00-7000-8000-000000000001".into(),
            author: Some(v1::Author { id: "ann".into(), name: "Ann".into() }),
            time: Some(time_out(Timestamp(1_700_000_000_123))),
            state: v1::CommentState::Visible.into(),
            body: "a *b*".into(),
            tally: Some(v1::Tally { up: 7, down: 16 }),
            ..v1::Comment::default()
        };
        let removed = v1::Comment {
            number: 2,
            id: "019a3c5e-7d00-7000-8000-000000000002".into(),
            author: None,
            state: v1::CommentState::Removed.into(),
            body: String::new(),
            tally: Some(v1::Tally::default()),
            ..visible.clone()
        };
        let unnamed = v1::Comment {
            number: 3,
            id: "019a3c5e-7d00-7000-8000-000000000003".into(),
            author: Some(v1::Author { id: "ben".into(), name: String::new() }),
            ..visible.clone()
        };
        v1::ThreadPageReply {
            position: "0-1-9".into(),
            site_name: "Demo".into(),
            zone: "Asia/Tokyo".into(),
            headline: "Headline".into(),
            count: 3,
            comments: vec![visible, removed, unnamed],
            ..v1::ThreadPageReply::default()
        }
    }

    #[test]
    fn a_page_has_exactly_the_fields_of_the_api() {
        let shape = thread(&"demo".parse().unwrap(), &"t".parse().unwrap(), page());
        let mut value = serde_json::to_value(&shape).unwrap();
        let unnamed = value["comments"].as_array_mut().unwrap().pop().unwrap();
        assert_eq!(unnamed["author"], json!({"id": "ben", "name": null}));
        let expected = json!({
            "site": "demo", "thread": "t", "headline": "Headline", "count": 3, "position": "0-1-9",
            "comments": [{
                "number": 1, "id": "019a3c5e-7d00-7000-8000-000000000001",
                "author": {"id": "ann", "name": "Ann"}, "time": "2023-11-14T22:13:20.123Z",
                "state": "visible", "body": "a *b*", "html": "<p>a <em>b</em></p>\n",
                "tally": {"up": 7, "down": 16}, "score": "-9 ( +7 / -16 )"
            }, {
                "number": 2, "id": "019a3c5e-7d00-7000-8000-000000000002",
                "author": {"id": null, "name": null}, "time": "2023-11-14T22:13:20.123Z",
                "state": "removed", "body": null, "html": null,
                "tally": {"up": 0, "down": 0}, "score": "0 ( +0 / -0 )"
            }],
            "next": null
        });
        assert_eq!(value, expected);
        let text = serde_json::to_string(&shape).unwrap();
        assert!(text.starts_with(r#"{"site":"demo","thread":"t","headline":"Headline","count":3,"position":"#));
    }

    #[test]
    fn what_came_of_a_command_has_a_word() {
        let reply = v1::CommandReply {
            id: "i".into(),
            position: "0-1-9".into(),
            outcome: v1::Outcome::Void.into(),
            code: "own-comment".into(),
        };
        let value = serde_json::to_value(Command::from(reply)).unwrap();
        assert_eq!(value, json!({"id": "i", "position": "0-1-9", "outcome": "void", "code": "own-comment"}));
        let unknown = status(CommandId::from_u128(1), v1::CommandStatusReply::default());
        let value = serde_json::to_value(unknown).unwrap();
        assert_eq!((&value["outcome"], &value["position"]), (&json!("unknown"), &json!(null)));
    }
}
