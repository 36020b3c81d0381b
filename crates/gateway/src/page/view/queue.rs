//! The page of what waits for a moderator.

use askama::Template;
use domain::SiteId;
use wire::v1;
use wire::values::time_in;

use super::comment::{DeskView, state_line};
use super::{Frame, Notice};
use crate::page::address;
use crate::page::place::Back;
use crate::render::{self, Links, name_of};
use crate::session::Session;
use crate::time::{self, Shown};
use crate::words;

#[derive(Debug, Template)]
#[template(path = "queue.html")]
pub(in crate::page) struct QueuePage {
    frame: Frame,
    notice: Option<Notice>,
    kinds: Vec<KindView>,
    entries: Vec<WaitingView>,
    first_href: String,
    next_href: String,
}

/// A link to one of the queues.
#[derive(Debug)]
struct KindView {
    title: &'static str,
    /// How many comments wait there, where that is counted.
    count: Option<u32>,
    /// Empty for the one that is shown.
    href: String,
}

impl KindView {
    fn all(path: &str, shown: v1::QueueKind, counts: v1::QueueCounts) -> Vec<Self> {
        let v1::QueueCounts { held, flagged, illegal } = counts;
        let kinds = [
            (v1::QueueKind::Unspecified, "Everything", None),
            (v1::QueueKind::Held, "Held", Some(held)),
            (v1::QueueKind::Flagged, "Flagged", Some(flagged)),
            (v1::QueueKind::Illegal, "Reported as illegal", Some(illegal)),
        ];
        let view = |(kind, title, count)| {
            let href = if kind == shown { String::new() } else { queue_address(path, kind, "") };
            Self { title, count, href }
        };
        kinds.into_iter().map(view).collect()
    }
}

fn queue_address(path: &str, kind: v1::QueueKind, after: &str) -> String {
    address(path, &[("kind", words::queue_word(kind).unwrap_or_default()), ("after", after)], "")
}

#[derive(Debug)]
struct WaitingView {
    key: String,
    thread: String,
    thread_href: String,
    author: String,
    author_id: String,
    time: Shown,
    since: Option<Shown>,
    edited: Option<Shown>,
    state_line: String,
    html: String,
    flag_line: String,
    flags: Vec<FlagView>,
    desk: DeskView,
}

#[derive(Debug)]
struct FlagView {
    author: String,
    category: &'static str,
    words: String,
    time: Shown,
}

/// What waits, each with its flags.
pub(in crate::page) struct Queue {
    pub(in crate::page) reply: v1::QueueReply,
    /// The flags of each entry, in order.
    pub(in crate::page) flags: Vec<Vec<v1::Flag>>,
    pub(in crate::page) kind: v1::QueueKind,
    pub(in crate::page) after: String,
    pub(in crate::page) settings: v1::SiteSettings,
    pub(in crate::page) notice: Option<Notice>,
}

impl QueuePage {
    pub(in crate::page) fn new(site: &SiteId, session: &Session, queue: Queue, now: jiff::Timestamp) -> Self {
        let path = format!("/sites/{site}/queue");
        let Queue { reply, mut flags, kind, after, settings, notice } = queue;
        let kinds = KindView::all(&path, kind, reply.counts.unwrap_or_default());
        flags.resize_with(reply.entries.len(), Vec::new);
        let zone = time::zone(settings.zone());
        let shown = |time| time::shown(time, now, &zone);
        let entries = reply.entries.into_iter().zip(flags).zip(1_u32..);
        let entries = entries
            .map(|((entry, flags), key)| WaitingView::new(site, (entry, flags), (key, kind, &after), &shown));
        let frame = Frame::plain("What waits for a moderator", &path).seen_by(Some(session));
        Self {
            frame: Frame {
                masthead: settings.name().to_owned(),
                masthead_href: format!("/sites/{site}"),
                ..frame
            },
            notice,
            kinds,
            entries: entries.collect(),
            first_href: if after.is_empty() { String::new() } else { queue_address(&path, kind, "") },
            next_href: if reply.next.is_empty() { String::new() } else { queue_address(&path, kind, &reply.next) },
        }
    }
}

impl WaitingView {
    fn new(
        site: &SiteId,
        (entry, flags): (v1::QueueEntry, Vec<v1::Flag>),
        (key, kind, after): (u32, v1::QueueKind, &str),
        shown: &impl Fn(domain::Timestamp) -> Shown,
    ) -> Self {
        let comment = entry.comment.unwrap_or_default();
        let thread_href = format!("/sites/{site}/threads/{}", entry.thread);
        let path = format!("{thread_href}/comments/{}", comment.id);
        let label = format!("comment {} by {}", comment.number, name_of(comment.author.as_ref()));
        let desk = DeskView::new(&comment, (&path, &label), key.to_string());
        let links = Links { thread: &thread_href, here: &[comment.number] };
        let at = |time: Option<domain::Timestamp>| time.map(shown);
        let flag = |flag: v1::Flag| FlagView {
            category: words::category(flag.category()).unwrap_or("other"),
            author: flag.author,
            words: flag.words,
            time: at(flag.time.as_ref().and_then(time_in)).unwrap_or_default(),
        };
        Self {
            key: key.to_string(),
            thread: entry.thread,
            thread_href: address(&format!("{thread_href}/comments/{}", comment.number), &[("moderate", "1")], ""),
            author: name_of(comment.author.as_ref()).to_owned(),
            author_id: comment.author.as_ref().map_or_else(String::new, |author| author.id.clone()),
            time: at(comment.time.as_ref().and_then(time_in)).unwrap_or_default(),
            since: at(entry.since.as_ref().and_then(time_in)),
            edited: at(comment.edited.as_ref().and_then(time_in)),
            state_line: state_line(&comment, true),
            html: if comment.state() == v1::CommentState::Erased {
                String::new()
            } else {
                render::comment(&comment.body, &comment.quotes, links)
            },
            flag_line: flag_line(comment.flags, entry.flags_illegal),
            flags: flags.into_iter().filter(|flag| flag.resolution.is_none()).map(flag).collect(),
            desk: DeskView {
                after: after.to_owned(),
                back: Back::Queue(kind).word(),
                reasons_needed: entry.flags_illegal > 0,
                ..desk
            },
        }
    }
}

/// How many flags wait, in words; empty for none.
fn flag_line(flags: u32, illegal: u32) -> String {
    let readers = if flags == 1 { "1 reader".to_owned() } else { format!("{flags} readers") };
    match (flags, illegal) {
        (0, _) => String::new(),
        (_, 0) => format!("Flagged by {readers}."),
        (_, illegal) => {
            format!("Flagged by {readers}, as illegal by {illegal}: the decision needs a statement of reasons.")
        }
    }
}
