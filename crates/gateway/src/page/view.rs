//! What the templates show, as plain values: built from the contract's messages, testable without anybody to ask.

mod comment;
mod queue;
mod thread;

use askama::Template;
use wire::v1;

use super::{address, assets};
use crate::problem::{Problem, sentence};
use crate::session::Session;
use crate::visitor::is_moderator;

pub(super) use comment::state_line;
pub(super) use queue::{Queue, QueuePage};
pub(super) use thread::{Allowed, Asked, Draft, QuoteDraft, ThreadPage};

/// What surrounds every page.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) stylesheet: &'static str,
    pub(super) masthead: String,
    pub(super) masthead_href: String,
    /// What the reader is called, if they have a session here.
    pub(super) reader: Option<String>,
    /// Where a logout leads.
    pub(super) next: String,
    pub(super) login_href: String,
    /// What waits for the moderator who reads; empty for readers.
    pub(super) queue_href: String,
    /// Of a page that is a file by itself: the moment that it shows. Empty for pages that live.
    pub(super) moment: String,
}

impl Frame {
    pub(super) fn plain(title: &str, next: &str) -> Self {
        Self {
            title: title.to_owned(),
            stylesheet: assets::stylesheet(),
            masthead: "Koe".to_owned(),
            masthead_href: "/".to_owned(),
            reader: None,
            next: next.to_owned(),
            login_href: address("/login", &[("next", next)], ""),
            queue_href: String::new(),
            moment: String::new(),
        }
    }

    pub(super) fn seen_by(self, session: Option<&Session>) -> Self {
        let moderator = session.filter(|session| is_moderator(&session.actor));
        let queue_href = moderator.map_or_else(String::new, |session| format!("/sites/{}/queue", session.site));
        Self { reader: session.map(reader_name), queue_href, ..self }
    }
}

/// What a reader is called on their own pages.
fn reader_name(session: &Session) -> String {
    session.name.clone().unwrap_or_else(|| session.actor.id.to_string())
}

/// Something that the reader must be told.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) code: String,
}

impl Notice {
    pub(super) fn of(problem: &Problem) -> Self {
        Self { text: problem.sentence(), code: problem.code.clone() }
    }

    pub(super) fn saying(text: &str) -> Self {
        Self { text: sentence(text), code: String::new() }
    }
}

#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage {
    pub(super) frame: Frame,
    pub(super) heading: &'static str,
    pub(super) notice: Notice,
    pub(super) typed: String,
    pub(super) back_href: String,
    pub(super) back_text: String,
}

#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage {
    pub(super) frame: Frame,
    pub(super) notice: Option<Notice>,
    pub(super) next: String,
}

#[derive(Debug, Template)]
#[template(path = "front.html")]
pub(super) struct FrontPage {
    pub(super) frame: Frame,
    pub(super) sites: Vec<SiteView>,
}

#[derive(Debug)]
pub(super) struct SiteView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) threads: Vec<EntryView>,
    pub(super) more_href: String,
}

#[derive(Debug)]
pub(super) struct EntryView {
    pub(super) id: String,
    pub(super) headline: String,
    pub(super) count_line: String,
}

impl SiteView {
    pub(super) fn new(site: v1::SiteEntry, reply: v1::ThreadsReply) -> Self {
        let entry = |entry: v1::ThreadEntry| EntryView {
            id: entry.thread,
            headline: entry.headline,
            count_line: count_line(entry.count),
        };
        let more = if reply.next.is_empty() {
            String::new()
        } else {
            address(&format!("/sites/{}", site.site), &[("after", &reply.next)], "")
        };
        Self {
            id: site.site,
            name: site.name,
            threads: reply.threads.into_iter().map(entry).collect(),
            more_href: more,
        }
    }
}

/// `22 Comments`.
fn count_line(count: u32) -> String {
    if count == 1 { "1 Comment".to_owned() } else { format!("{count} Comments") }
}

#[cfg(test)]
mod tests;
