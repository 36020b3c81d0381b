//! What programs are answered. The names and the order of the fields are the API: fields are only added.

pub(super) mod lists;
pub(super) mod moderation;

use client::Viewer;
use domain::{CommandId, Order, SiteId, Tally, ThreadId};
use serde::Serialize;
use wire::v1;
use wire::values::time_in;

use crate::render::{self, Links};
use crate::time::rfc_3339;
use crate::words;

#[derive(Debug, Serialize)]
pub(crate) struct ThreadPage {
    site: String,
    thread: String,
    headline: String,
    count: u32,
    position: String,
    comments: Vec<Comment>,
    next: Option<String>,
    address: Option<String>,
    category: Option<String>,
    published: Option<String>,
    closes_at: Option<String>,
    mode: &'static str,
    mode_reason: Option<String>,
    successor: Option<String>,
    locale: Option<String>,
    edit_window_secs: u32,
    text_chars_max: u32,
    order: &'static str,
    tree: bool,
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
    parent: Option<String>,
    revision: u32,
    edited: Option<String>,
    featured: bool,
    rule: Option<String>,
    own_vote: Option<&'static str>,
    own_flag: Option<bool>,
    held: Option<&'static str>,
    flags: Option<u32>,
    quotes: Vec<Quote>,
    own: Option<bool>,
    own_flag_waits: Option<bool>,
    flags_illegal: Option<u32>,
    depth: Option<u32>,
    replies: Option<u32>,
    more: Option<String>,
}

/// As a command has it, so that an edit can send it again.
#[derive(Debug, Serialize)]
struct Quote {
    comment: String,
    revision: u32,
    start: u32,
    end: u32,
    at: u32,
}

impl From<v1::DrawnQuote> for Quote {
    fn from(drawn: v1::DrawnQuote) -> Self {
        let v1::DrawnQuote { comment, revision, start, end, at, .. } = drawn;
        Self { comment, revision, start, end, at }
    }
}

#[derive(Debug, Default, Serialize)]
struct Author {
    id: Option<String>,
    name: Option<String>,
    erased: bool,
}

impl From<v1::Author> for Author {
    fn from(v1::Author { id, name, erased }: v1::Author) -> Self {
        Self { id: some(id), name: some(name), erased }
    }
}

#[derive(Debug, Serialize)]
struct Both {
    up: u32,
    down: u32,
}

impl From<v1::Tally> for Both {
    fn from(v1::Tally { up, down }: v1::Tally) -> Self {
        Self { up, down }
    }
}

/// A cursor, name or code that may be missing.
fn some(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

/// An answer of an older projector names no mode, and all its threads are open.
fn mode(mode: v1::Mode) -> &'static str {
    words::mode(mode).unwrap_or("open")
}

pub(crate) fn thread(
    (site, thread): (&SiteId, &ThreadId),
    reply: v1::ThreadPageReply,
    (viewer, order, tree): (&Viewer, Order, bool),
) -> ThreadPage {
    ThreadPage {
        site: site.to_string(),
        thread: thread.to_string(),
        mode: mode(reply.mode()),
        headline: reply.headline,
        count: reply.count,
        position: reply.position,
        comments: reply.comments.into_iter().map(|row| comment(row, viewer, tree)).collect(),
        next: some(reply.next),
        address: some(reply.address),
        category: some(reply.category),
        published: reply.published.as_ref().and_then(time_in).map(rfc_3339),
        closes_at: reply.closes_at.as_ref().and_then(time_in).map(rfc_3339),
        mode_reason: some(reply.mode_reason),
        successor: some(reply.successor),
        locale: some(reply.locale),
        edit_window_secs: reply.edit_window_secs,
        text_chars_max: reply.text_chars_max,
        order: order.as_str(),
        tree,
    }
}

fn comment(comment: v1::Comment, viewer: &Viewer, tree: bool) -> Comment {
    let tally = comment.tally.unwrap_or_default();
    let v1::Tally { up, down } = tally;
    let state = comment.state();
    let own = viewer.id.as_ref().map(|_| comment.own);
    let own_held = own == Some(true) && state == v1::CommentState::Held;
    let readable = viewer.moderator || state == v1::CommentState::Visible || own_held;
    // Of an erased one moderators learn who wrote it, and nobody what it said.
    let worded = readable && state != v1::CommentState::Erased;
    let html = worded.then(|| render::comment(&comment.body, &comment.quotes, Links::ANCHORS));
    let (own_vote, held) = (comment.own_vote(), comment.held());
    let quotes = if worded { comment.quotes } else { Vec::new() };
    let author = comment.author.filter(|_| readable);
    Comment {
        number: comment.number,
        id: comment.id,
        author: author.map(Into::into).unwrap_or_default(),
        time: comment.time.as_ref().and_then(time_in).map(rfc_3339),
        state: words::state(state).unwrap_or("removed"),
        body: worded.then_some(comment.body),
        html,
        tally: tally.into(),
        score: Tally { up, down }.to_string(),
        parent: some(comment.parent),
        revision: comment.revision,
        edited: comment.edited.as_ref().and_then(time_in).map(rfc_3339),
        featured: comment.featured,
        rule: some(comment.rule),
        own_vote: viewer.id.as_ref().and_then(|_| words::vote(own_vote)),
        own_flag: viewer.id.as_ref().map(|_| comment.own_flag),
        held: words::hold(held).filter(|_| viewer.moderator),
        flags: viewer.moderator.then_some(comment.flags),
        quotes: quotes.into_iter().map(Into::into).collect(),
        own,
        own_flag_waits: viewer.id.as_ref().map(|_| comment.own_flag_waits),
        flags_illegal: viewer.moderator.then_some(comment.flags_illegal),
        depth: tree.then_some(comment.depth),
        replies: tree.then_some(comment.replies),
        more: some(comment.more),
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
    address: Option<String>,
    category: Option<String>,
    published: Option<String>,
    closes_at: Option<String>,
    mode: &'static str,
    last_comment: Option<String>,
}

pub(super) fn threads(site: &SiteId, reply: v1::ThreadsReply) -> ThreadList {
    let entry = |entry: v1::ThreadEntry| ThreadEntry {
        mode: mode(entry.mode()),
        thread: entry.thread,
        headline: entry.headline,
        count: entry.count,
        address: some(entry.address),
        category: some(entry.category),
        published: entry.published.as_ref().and_then(time_in).map(rfc_3339),
        closes_at: entry.closes_at.as_ref().and_then(time_in).map(rfc_3339),
        last_comment: entry.last_comment.as_ref().and_then(time_in).map(rfc_3339),
    };
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

#[derive(Debug, Serialize)]
pub(super) struct Resolved {
    site: String,
    position: String,
    thread: Option<String>,
    address: Option<String>,
}

pub(super) fn resolved(site: &SiteId, reply: v1::ResolveReply) -> Resolved {
    let v1::ResolveReply { position, thread, address } = reply;
    Resolved { site: site.to_string(), position, thread: some(thread), address: some(address) }
}

#[derive(Debug, Serialize)]
pub(super) struct Changes {
    site: String,
    thread: String,
    position: String,
    complete: bool,
    count: u32,
    comments: Vec<Changed>,
}

#[derive(Debug, Serialize)]
struct Changed {
    number: u32,
    id: String,
    state: &'static str,
    tally: Both,
    score: String,
}

pub(super) fn changes((site, thread): (&SiteId, &ThreadId), reply: v1::ChangesReply) -> Changes {
    let changed = |comment: v1::CommentChanged| {
        let tally = comment.tally.unwrap_or_default();
        Changed {
            number: comment.number,
            state: words::state(comment.state()).unwrap_or("removed"),
            id: comment.id,
            tally: tally.into(),
            score: Tally { up: tally.up, down: tally.down }.to_string(),
        }
    };
    Changes {
        site: site.to_string(),
        thread: thread.to_string(),
        position: reply.position,
        complete: reply.complete,
        count: reply.count,
        comments: reply.comments.into_iter().map(changed).collect(),
    }
}

/// What came of a command: `position` is the place of its event, for `at_least`. The rest is of the comment that it is
/// about, where that is known.
#[derive(Debug, Serialize)]
pub(super) struct Command {
    id: String,
    position: Option<String>,
    outcome: &'static str,
    code: Option<String>,
    state: Option<&'static str>,
    tally: Option<Both>,
    own_vote: Option<&'static str>,
}

impl From<v1::CommandReply> for Command {
    fn from(reply: v1::CommandReply) -> Self {
        Self {
            outcome: words::outcome(reply.outcome()),
            state: words::state(reply.state()),
            own_vote: words::vote(reply.vote()),
            tally: reply.tally.map(Into::into),
            id: reply.id,
            position: some(reply.position),
            code: some(reply.code),
        }
    }
}

pub(super) fn status(id: CommandId, reply: v1::CommandStatusReply) -> Command {
    Command {
        id: id.to_string(),
        outcome: words::outcome(reply.outcome()),
        state: words::state(reply.state()),
        own_vote: words::vote(reply.vote()),
        tally: reply.tally.map(Into::into),
        position: some(reply.at_position),
        code: some(reply.code),
    }
}

#[cfg(test)]
mod tests;
