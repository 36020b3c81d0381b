//! The page of a thread: its comments, what may be done here now, and the form.

use askama::Template;
use domain::{Ban, Order, SiteId, ThreadId, Timestamp, text};
use wire::v1;
use wire::values::time_in;

use super::comment::{CommentView, Here, ParentView, parent};
use super::{Frame, Notice, count_line, reader_name};
use crate::page::thread_path;
use crate::page::way::Way;
use crate::problem::sentence;
use crate::render::{self, Links};
use crate::session::Session;
use crate::time::{self, Shown};
use crate::visitor::is_moderator;

/// What a reader has begun to write.
#[derive(Clone, Debug, Default)]
pub(in crate::page) struct Draft {
    /// The command's id, made with the form, so that a form sent twice posts once.
    pub(in crate::page) id: String,
    pub(in crate::page) text: String,
    /// The comment that it replies to; empty for none.
    pub(in crate::page) parent: String,
    pub(in crate::page) quote: Option<QuoteDraft>,
}

/// The quote that a comment will begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct QuoteDraft {
    pub(in crate::page) comment: String,
    pub(in crate::page) revision: u32,
    pub(in crate::page) start: u32,
    pub(in crate::page) end: u32,
}

/// What a thread's page is made from.
pub(in crate::page) struct Asked<'a> {
    pub(in crate::page) site: &'a SiteId,
    pub(in crate::page) thread: &'a ThreadId,
    pub(in crate::page) way: &'a Way,
    /// The reader's session, good for this site.
    pub(in crate::page) session: Option<&'a Session>,
    /// Whether it shows what only moderators see.
    pub(in crate::page) moderate: bool,
    pub(in crate::page) draft: Draft,
    pub(in crate::page) notice: Option<Notice>,
    pub(in crate::page) now: jiff::Timestamp,
}

/// What somebody with a session may do here now. The rules are the writers': this only leaves out forms that they would
/// refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::page) struct Allowed {
    /// Post, reply, quote, edit and vote.
    pub(in crate::page) take_part: bool,
    pub(super) flag: bool,
    /// Take one's own words or flag back.
    pub(super) take_back: bool,
}

impl Allowed {
    pub(in crate::page) fn of(reply: &v1::ThreadPageReply, now: jiff::Timestamp) -> Self {
        let shown = !reply.frozen && reply.mode() != v1::Mode::Hidden;
        let open = reply.mode() != v1::Mode::ReadOnly && !is_closed(reply, now);
        let banned = ban_at(reply, now).is_some();
        Self { take_part: shown && open && !banned, flag: shown && !banned, take_back: !reply.frozen }
    }
}

/// The ban of the reader, if it holds.
fn ban_at(reply: &v1::ThreadPageReply, now: jiff::Timestamp) -> Option<Ban> {
    let v1::Ban { until, reason } = reply.viewer_ban.as_ref()?;
    let ban = Ban { until: until.as_ref().and_then(time_in), reason: reason.as_str().into() };
    ban.holds_at(Timestamp(now.as_millisecond())).then_some(ban)
}

fn is_closed(reply: &v1::ThreadPageReply, now: jiff::Timestamp) -> bool {
    let closes_at = reply.closes_at.as_ref().and_then(time_in);
    closes_at.is_some_and(|closes_at| closes_at.0 <= now.as_millisecond())
}

#[derive(Debug, Template)]
#[template(path = "thread.html")]
#[expect(clippy::struct_excessive_bools, reason = "the template asks each on its own")]
pub(in crate::page) struct ThreadPage {
    frame: Frame,
    path: String,
    after: String,
    /// What forms carry along beside.
    fields: Vec<(&'static str, &'static str)>,
    orders: Vec<OrderView>,
    tree: bool,
    /// Where it is drawn as a tree, or flat again.
    tree_href: String,
    category: String,
    headline: String,
    address: String,
    count_line: String,
    notice: Option<Notice>,
    standing: Vec<Standing>,
    frozen: bool,
    hidden: bool,
    comments: Vec<CommentView>,
    first_href: String,
    next_href: String,
    /// Where a moderator sees what waits, or sees what readers see; empty for readers.
    moderate_href: String,
    moderate: bool,
    form: Option<FormView>,
    /// Whether a login would bring a form.
    login: bool,
}

/// An order that the page can be read in.
#[derive(Debug)]
struct OrderView {
    text: &'static str,
    href: String,
    current: bool,
}

/// Why not everything may be done here.
#[derive(Debug)]
struct Standing {
    text: &'static str,
    /// Until when or since when, as the text begins to say.
    time: Option<Shown>,
    reason: String,
    /// Where the discussion goes on; empty for nowhere.
    successor_href: String,
}

#[derive(Debug)]
struct FormView {
    id: String,
    name: String,
    text: String,
    parent: Option<ParentView>,
    quote: Option<QuoteView>,
    plain_href: String,
    premoderated: bool,
    chars_max: String,
}

#[derive(Debug)]
struct QuoteView {
    comment: String,
    revision: u32,
    start: u32,
    end: u32,
    html: String,
}

impl ThreadPage {
    pub(in crate::page) fn new(asked: Asked<'_>, reply: v1::ThreadPageReply) -> Self {
        let path = thread_path(asked.site, asked.thread);
        let moderate = if asked.moderate { "1" } else { "" };
        let at = |way: &Way, fragment| way.address(&path, &[("moderate", moderate)], fragment);
        let allowed = Allowed::of(&reply, asked.now);
        let Asked { way, moderate: moderated, now, .. } = asked;
        let here = Here { path: &path, way, moderate: moderated, now, allowed };
        let comments = CommentView::all(&here, asked.session, &reply);
        // Long cursors stay out of forms and of addresses that lead back.
        let again = if way.stays() || !way.around.is_empty() { way.clone() } else { way.start() };
        let session = asked.session.filter(|_| allowed.take_part);
        let form =
            session.map(|session| FormView::new(session, &asked.draft, (&path, at(&again, "post")), &reply));
        let moderator = asked.session.is_some_and(|session| is_moderator(&session.actor));
        let other = if asked.moderate { "" } else { "1" };
        let moderate_href = again.address(&path, &[("moderate", other)], "comments");
        let web = ["https://", "http://"].iter().any(|scheme| reply.address.starts_with(scheme));
        let standing = Standing::all(&asked, &reply);
        let frame = Frame {
            title: format!("{} – {}", reply.headline, reply.site_name),
            masthead: reply.site_name,
            masthead_href: format!("/sites/{}", asked.site),
            ..Frame::plain("", &at(&again, "post"))
        };
        Self {
            frame: frame.seen_by(asked.session),
            first_href: if *way == way.start() { String::new() } else { at(&way.start(), "comments") },
            next_href: if reply.next.is_empty() { String::new() } else { at(&way.after(&reply.next), "comments") },
            orders: OrderView::all(way, |way| at(way, "comments")),
            tree: way.tree,
            tree_href: at(&Way { tree: !way.tree, ..way.start() }, "comments"),
            fields: way.fields(),
            hidden: reply.mode == i32::from(v1::Mode::Hidden),
            after: way.kept_cursor().to_owned(),
            category: reply.category,
            headline: reply.headline,
            address: if web { reply.address } else { String::new() },
            count_line: count_line(reply.count),
            notice: asked.notice,
            standing,
            frozen: reply.frozen,
            comments,
            moderate_href: if moderator { moderate_href } else { String::new() },
            moderate: asked.moderate,
            login: asked.session.is_none() && allowed.take_part,
            form,
            path,
        }
    }
}

impl ThreadPage {
    /// The same as a file by itself, which shows a moment: nobody can do anything on it, and no link leads to this server.
    pub(in crate::page) fn still(self, moment: String) -> Self {
        let frame = Frame { moment, ..self.frame };
        let (orders, standing) = (Vec::new(), self.standing);
        let standing =
            standing.into_iter().map(|part| Standing { successor_href: String::new(), ..part }).collect();
        Self {
            frame,
            orders,
            standing,
            login: false,
            form: None,
            first_href: String::new(),
            next_href: String::new(),
            ..self
        }
    }
}

impl OrderView {
    fn all(way: &Way, href: impl Fn(&Way) -> String) -> Vec<Self> {
        let text = |order| match order {
            Order::Oldest => "Oldest",
            Order::Newest => "Newest",
            Order::Top => "Top",
            Order::Best => "Best",
            Order::Controversial => "Controversial",
            Order::Hot => "Hot",
        };
        let view = |order| Self {
            text: text(order),
            href: href(&Way { order, tree: way.tree, ..Way::default() }),
            current: order == way.order,
        };
        Order::EVERY.map(view).into()
    }
}

impl Standing {
    fn all(asked: &Asked<'_>, reply: &v1::ThreadPageReply) -> Vec<Self> {
        let text = match reply.mode() {
            v1::Mode::Unspecified | v1::Mode::Open => None,
            v1::Mode::Premoderated => Some("Comments are shown here once a moderator has read them."),
            v1::Mode::ReadOnly => Some("This discussion is read only."),
            v1::Mode::Hidden => Some("The comments of this discussion are hidden."),
        };
        let successor = reply.successor.parse().ok();
        let mode = text.map(|text| Self {
            text,
            time: None,
            reason: if reply.mode_reason.is_empty() { String::new() } else { sentence(&reply.mode_reason) },
            successor_href: successor.map_or_else(String::new, |thread| thread_path(asked.site, &thread)),
        });
        let closes_at = reply.closes_at.as_ref().and_then(time_in).filter(|_| is_closed(reply, asked.now));
        let zone = time::zone(&reply.zone);
        let closed = closes_at.map(|closes_at| Self {
            text: "This discussion is closed since",
            time: Some(time::shown(closes_at, asked.now, &zone)),
            reason: String::new(),
            successor_href: String::new(),
        });
        let ban = ban_at(reply, asked.now).map(|ban| Self {
            text: if ban.until.is_some() {
                "You may not take part here until"
            } else {
                "You may not take part here any more."
            },
            time: ban.until.map(|until| time::shown(until, asked.now, &zone)),
            reason: sentence(&ban.reason),
            successor_href: String::new(),
        });
        ban.into_iter().chain(mode).chain(closed).collect()
    }
}

impl FormView {
    fn new(
        session: &Session,
        draft: &Draft,
        (path, plain_href): (&str, String),
        reply: &v1::ThreadPageReply,
    ) -> Self {
        let quote = draft.quote.as_ref().map(|QuoteDraft { comment, revision, start, end }| {
            let quoted =
                reply.comments.iter().find(|quoted| quoted.id == *comment && quoted.revision == *revision);
            let drawn = quoted.map(|quoted| v1::DrawnQuote {
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
            QuoteView { comment: comment.clone(), revision: *revision, start: *start, end: *end, html }
        });
        let moderator = is_moderator(&session.actor);
        Self {
            id: draft.id.clone(),
            name: reader_name(session),
            text: draft.text.clone(),
            parent: parent(&draft.parent, reply),
            quote,
            plain_href,
            premoderated: reply.mode() == v1::Mode::Premoderated && !moderator,
            chars_max: thousands(reply.text_chars_max),
        }
    }
}

/// A number up to 10,000 as people read it.
fn thousands(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}
