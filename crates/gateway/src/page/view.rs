//! What the templates show, as plain values: built from the contract's messages, testable without anybody to ask.

use askama::Template;
use domain::{Role, SiteId, Tally, ThreadId, text};
use wire::envelope::time_in;
use wire::v1;

use super::{address, assets, thread_path};
use crate::problem::{Problem, sentence};
use crate::render::{self, Links, name_of};
use crate::session::Session;
use crate::time::{self, Shown};

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
        }
    }

    pub(super) fn seen_by(self, session: Option<&Session>) -> Self {
        Self { reader: session.map(reader_name), ..self }
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

/// What a reader has begun to write.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The command's id, made with the form, so that a form sent twice posts once.
    pub(super) id: String,
    pub(super) text: String,
    /// The comment that it replies to; empty for none.
    pub(super) parent: String,
    pub(super) quote: Option<QuoteDraft>,
}

/// The quote that a comment will begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuoteDraft {
    pub(super) comment: String,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What a thread's page is made from.
pub(super) struct Asked<'a> {
    pub(super) site: &'a SiteId,
    pub(super) thread: &'a ThreadId,
    pub(super) after: &'a str,
    /// The reader's session, good for this site.
    pub(super) session: Option<&'a Session>,
    pub(super) draft: Draft,
    pub(super) notice: Option<Notice>,
    pub(super) now: jiff::Timestamp,
}

#[derive(Debug, Template)]
#[template(path = "thread.html")]
pub(super) struct ThreadPage {
    frame: Frame,
    path: String,
    after: String,
    category: String,
    headline: String,
    address: String,
    count_line: String,
    notice: Option<Notice>,
    frozen: bool,
    comments: Vec<CommentView>,
    first_href: String,
    next_href: String,
    moderator: bool,
    form: Option<FormView>,
}

#[derive(Debug)]
struct CommentView {
    number: u32,
    id: String,
    removed: bool,
    author: String,
    own: bool,
    time: Shown,
    in_reply_to: Option<ParentView>,
    html: String,
    score: String,
    reply_href: String,
    quote_href: String,
}

#[derive(Debug)]
struct ParentView {
    id: String,
    author: String,
    /// Empty where the parent is on another page.
    href: String,
}

#[derive(Debug)]
struct FormView {
    id: String,
    name: String,
    text: String,
    parent: Option<ParentView>,
    quote: Option<QuoteView>,
    plain_href: String,
}

#[derive(Debug)]
struct QuoteView {
    comment: String,
    start: u32,
    end: u32,
    html: String,
}

impl ThreadPage {
    pub(super) fn new(asked: Asked<'_>, reply: v1::ThreadPageReply) -> Self {
        let path = thread_path(asked.site, asked.thread);
        let here = |fragment| address(&path, &[("after", asked.after)], fragment);
        let comments = CommentView::all(&asked, &path, &reply);
        let form = asked.session.map(|session| FormView::new(session, &asked.draft, &path, here("post"), &reply));
        let may_remove = |session: &Session| {
            [Role::Moderator, Role::Administrator].into_iter().any(|role| session.actor.roles.has(role))
        };
        let web = ["https://", "http://"].iter().any(|scheme| reply.address.starts_with(scheme));
        let frame = Frame {
            title: format!("{} – {}", reply.headline, reply.site_name),
            masthead: reply.site_name,
            masthead_href: format!("/sites/{}", asked.site),
            ..Frame::plain("", &here("post"))
        };
        Self {
            frame: frame.seen_by(asked.session),
            first_href: if asked.after.is_empty() { String::new() } else { address(&path, &[], "comments") },
            next_href: if reply.next.is_empty() {
                String::new()
            } else {
                address(&path, &[("after", &reply.next)], "comments")
            },
            after: asked.after.to_owned(),
            category: reply.category,
            headline: reply.headline,
            address: if web { reply.address } else { String::new() },
            count_line: count_line(reply.count),
            notice: asked.notice,
            frozen: reply.frozen,
            comments,
            moderator: asked.session.is_some_and(may_remove),
            form,
            path,
        }
    }
}

impl CommentView {
    fn all(asked: &Asked<'_>, path: &str, reply: &v1::ThreadPageReply) -> Vec<Self> {
        let zone = time::zone(&reply.zone);
        let number = |comment: Option<&v1::Comment>| comment.map_or(0, |comment| comment.number);
        let here = (number(reply.comments.first()), number(reply.comments.last()));
        let links = Links { thread: path, here };
        let view = |comment: &v1::Comment| {
            let v1::Tally { up, down } = comment.tally.unwrap_or_default();
            let number = comment.number.to_string();
            let author = comment.author.as_ref();
            let me = asked.session.map(|session| session.actor.id.as_str());
            let asking = |name| address(path, &[("after", asked.after), (name, &number)], "post");
            let removed = comment.state() != v1::CommentState::Visible;
            let shown = |time| time::shown(time, asked.now, &zone);
            Self {
                number: comment.number,
                id: comment.id.clone(),
                removed,
                author: name_of(author).to_owned(),
                own: me.is_some() && me == author.map(|author| author.id.as_str()),
                time: comment.time.as_ref().and_then(time_in).map(shown).unwrap_or_default(),
                in_reply_to: parent(&comment.parent, reply),
                html: if removed { String::new() } else { render::comment(&comment.body, &comment.quotes, links) },
                score: Tally { up, down }.to_string(),
                reply_href: asking("reply"),
                quote_href: asking("quote"),
            }
        };
        reply.comments.iter().map(view).collect()
    }
}

fn on_page<'a>(id: &str, reply: &'a v1::ThreadPageReply) -> Option<&'a v1::Comment> {
    reply.comments.iter().find(|comment| comment.id == id)
}

fn parent(id: &str, reply: &v1::ThreadPageReply) -> Option<ParentView> {
    if id.is_empty() {
        return None;
    }
    let parent = on_page(id, reply);
    Some(ParentView {
        id: id.to_owned(),
        author: parent.map_or("", |parent| name_of(parent.author.as_ref())).to_owned(),
        href: parent.map_or_else(String::new, |parent| format!("#comment-{}", parent.number)),
    })
}

impl FormView {
    fn new(session: &Session, draft: &Draft, path: &str, plain_href: String, reply: &v1::ThreadPageReply) -> Self {
        let quote = draft.quote.as_ref().map(|QuoteDraft { comment, start, end }| {
            let drawn = on_page(comment, reply).map(|quoted| v1::DrawnQuote {
                comment: quoted.id.clone(),
                number: quoted.number,
                state: quoted.state,
                author: quoted.author.clone(),
                body: text::slice(&quoted.body, *start, *end).to_owned(),
                ..v1::DrawnQuote::default()
            });
            let links = Links { thread: path, ..Links::ANCHORS };
            let html = drawn.map(|drawn| render::comment("", &[drawn], links));
            let html = html.unwrap_or_else(|| "<p>A quote of a comment on another page.</p>".to_owned());
            QuoteView { comment: comment.clone(), start: *start, end: *end, html }
        });
        Self {
            id: draft.id.clone(),
            name: reader_name(session),
            text: draft.text.clone(),
            parent: parent(&draft.parent, reply),
            quote,
            plain_href,
        }
    }
}

#[cfg(test)]
mod tests;
