//! What moderators are answered.

use client::Viewer;
use domain::{AuthorId, SiteId, ThreadId};
use serde::Serialize;
use wire::v1;
use wire::values::time_in;

use super::lists::Revision;
use super::{Comment, mode, some};
use crate::time::rfc_3339;
use crate::words;

/// A moderator, who asks for no votes of their own.
const MODERATOR: Viewer = Viewer { id: None, moderator: true };

#[derive(Debug, Serialize)]
pub(in crate::api) struct SiteAnswer {
    site: String,
    position: String,
    version: String,
    mode: &'static str,
    mode_reason: Option<String>,
    settings: Settings,
}

#[derive(Debug, Serialize)]
struct Settings {
    name: Option<String>,
    zone: Option<String>,
    locale: Option<String>,
    edit_window_secs: Option<u32>,
    text_chars_max: Option<u32>,
    report_threshold: Option<u32>,
    premoderate_first: Option<u32>,
    premoderate_links: Option<bool>,
    premoderate_words: Vec<String>,
    reserved_names: Vec<String>,
    comments_per_minute: Option<u32>,
    votes_per_minute: Option<u32>,
}

impl From<v1::SiteSettings> for Settings {
    fn from(settings: v1::SiteSettings) -> Self {
        Self {
            name: settings.name,
            zone: settings.zone,
            locale: settings.locale.and_then(some),
            edit_window_secs: settings.edit_window_secs,
            text_chars_max: settings.text_chars_max,
            report_threshold: settings.report_threshold,
            premoderate_first: settings.premoderate_first,
            premoderate_links: settings.premoderate_links,
            premoderate_words: settings.premoderate_words.unwrap_or_default().words,
            reserved_names: settings.reserved_names.unwrap_or_default().words,
            comments_per_minute: settings.comments_per_minute,
            votes_per_minute: settings.votes_per_minute,
        }
    }
}

pub(in crate::api) fn site(site: &SiteId, reply: v1::SiteReply) -> SiteAnswer {
    SiteAnswer {
        site: site.to_string(),
        mode: mode(reply.mode()),
        position: reply.position,
        version: reply.version,
        mode_reason: some(reply.mode_reason),
        settings: reply.settings.unwrap_or_default().into(),
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct Queue {
    site: String,
    position: String,
    entries: Vec<Waiting>,
    next: Option<String>,
    counts: QueueCounts,
}

#[derive(Debug, Serialize)]
struct QueueCounts {
    held: u32,
    flagged: u32,
    illegal: u32,
}

#[derive(Debug, Serialize)]
struct Waiting {
    thread: String,
    comment: Comment,
    flags_illegal: u32,
    flagged: Option<String>,
    since: Option<String>,
}

pub(in crate::api) fn queue(site: &SiteId, reply: v1::QueueReply) -> Queue {
    let waiting = |entry: v1::QueueEntry| Waiting {
        thread: entry.thread,
        comment: super::comment(entry.comment.unwrap_or_default(), &MODERATOR, false),
        flags_illegal: entry.flags_illegal,
        flagged: entry.flagged.as_ref().and_then(time_in).map(rfc_3339),
        since: entry.since.as_ref().and_then(time_in).map(rfc_3339),
    };
    let v1::QueueCounts { held, flagged, illegal } = reply.counts.unwrap_or_default();
    Queue {
        site: site.to_string(),
        position: reply.position,
        entries: reply.entries.into_iter().map(waiting).collect(),
        next: some(reply.next),
        counts: QueueCounts { held, flagged, illegal },
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct Audit {
    site: String,
    position: String,
    entries: Vec<Entry>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    at_position: String,
    time: Option<String>,
    by: String,
    r#type: String,
    thread: Option<String>,
    comment: Option<String>,
    author: Option<String>,
    reason: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

pub(in crate::api) fn audit(site: &SiteId, reply: v1::AuditReply) -> Audit {
    let entry = |entry: v1::AuditEntry| Entry {
        at_position: entry.at_position,
        time: entry.time.as_ref().and_then(time_in).map(rfc_3339),
        by: entry.by,
        r#type: entry.r#type,
        thread: some(entry.thread),
        comment: some(entry.comment),
        author: some(entry.author),
        reason: some(entry.reason),
        before: some(entry.before),
        after: some(entry.after),
    };
    Audit {
        site: site.to_string(),
        position: reply.position,
        entries: reply.entries.into_iter().map(entry).collect(),
        next: some(reply.next),
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct AuthorAnswer {
    site: String,
    author: String,
    position: String,
    name: Option<String>,
    names: Vec<FormerName>,
    ban: Option<Ban>,
    shown: u32,
    erased: bool,
}

#[derive(Debug, Serialize)]
struct FormerName {
    name: String,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ban {
    until: Option<String>,
    reason: String,
}

pub(in crate::api) fn author((site, author): (&SiteId, &AuthorId), reply: v1::AuthorReply) -> AuthorAnswer {
    let former = |v1::FormerName { name, until }| FormerName {
        name,
        until: until.as_ref().and_then(time_in).map(rfc_3339),
    };
    let ban = |v1::Ban { until, reason }| Ban { until: until.as_ref().and_then(time_in).map(rfc_3339), reason };
    AuthorAnswer {
        site: site.to_string(),
        author: author.to_string(),
        position: reply.position,
        name: some(reply.name),
        names: reply.names.into_iter().map(former).collect(),
        ban: reply.ban.map(ban),
        shown: reply.shown,
        erased: reply.erased,
    }
}

#[derive(Debug, Serialize)]
pub(in crate::api) struct History {
    site: String,
    thread: String,
    position: String,
    comment: Comment,
    revisions: Vec<Revision>,
    flags: Vec<Flag>,
}

#[derive(Debug, Serialize)]
struct Flag {
    author: String,
    category: Option<&'static str>,
    words: Option<String>,
    time: Option<String>,
    resolution: Option<Resolution>,
}

#[derive(Debug, Serialize)]
struct Resolution {
    upheld: bool,
    statement: Option<String>,
    by: String,
    time: Option<String>,
}

pub(in crate::api) fn comment((site, thread): (&SiteId, &ThreadId), reply: v1::CommentReply) -> History {
    History {
        site: site.to_string(),
        thread: thread.to_string(),
        position: reply.position,
        comment: super::comment(reply.comment.unwrap_or_default(), &MODERATOR, false),
        revisions: reply.revisions.into_iter().map(Into::into).collect(),
        flags: reply.flags.into_iter().map(flag).collect(),
    }
}

fn flag(flag: v1::Flag) -> Flag {
    let resolution = |v1::FlagResolution { upheld, statement, by, time }| Resolution {
        upheld,
        statement: some(statement),
        by,
        time: time.as_ref().and_then(time_in).map(rfc_3339),
    };
    Flag {
        category: words::category(flag.category()),
        author: flag.author,
        words: some(flag.words),
        time: flag.time.as_ref().and_then(time_in).map(rfc_3339),
        resolution: flag.resolution.map(resolution),
    }
}
