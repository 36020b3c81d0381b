//! One comment on a page, with the forms that fit its state and its reader.

use domain::{Actor, Tally};
use wire::v1;
use wire::values::time_in;

use super::thread::Allowed;
use crate::handler::new_id;
use crate::page::way::Way;
use crate::render::{self, Links, name_of};
use crate::session::Session;
use crate::time::{self, Shown};
use crate::visitor::is_moderator;

/// Levels that the page draws apart; what stands deeper (below a comment that is linked to) is drawn at the last.
const LEVEL_MAX: u32 = 6;

/// Where comments are drawn.
pub(super) struct Here<'a> {
    pub(super) path: &'a str,
    pub(super) way: &'a Way,
    /// Whether what only moderators see is here.
    pub(super) moderate: bool,
    pub(super) now: jiff::Timestamp,
    pub(super) allowed: Allowed,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the template asks each on its own")]
pub(super) struct CommentView {
    pub(super) number: u32,
    /// How deep it stands in a tree, as far as a page shows it.
    pub(super) level: u32,
    /// Where it can be linked to.
    pub(super) href: String,
    /// Where the replies to it go on; empty for nowhere.
    pub(super) more_href: String,
    pub(super) more_line: String,
    /// Where forms about it go.
    pub(super) path: String,
    /// What it is called for those who do not see the page: `comment 3 by Ann`.
    pub(super) label: String,
    /// What is told of one that not everybody may read; empty for one that is visible.
    pub(super) state_line: String,
    /// Whether the words are here.
    pub(super) readable: bool,
    pub(super) author: String,
    pub(super) time: Shown,
    pub(super) edited: Option<Shown>,
    pub(super) featured: bool,
    pub(super) in_reply_to: Option<ParentView>,
    pub(super) html: String,
    pub(super) score: String,
    /// Empty where no reply can be made.
    pub(super) reply_href: String,
    pub(super) quote_href: String,
    pub(super) votes: Option<VotesView>,
    pub(super) edit: Option<EditView>,
    pub(super) delete: bool,
    /// The id of the command that would flag it.
    pub(super) flag: Option<String>,
    pub(super) withdraw: bool,
    pub(super) desk: Option<DeskView>,
}

#[derive(Debug)]
pub(super) struct ParentView {
    pub(super) id: String,
    pub(super) author: String,
    /// Empty where the parent is on another page.
    pub(super) href: String,
}

/// Which vote is one's own.
#[derive(Debug)]
pub(super) struct VotesView {
    pub(super) up: bool,
    pub(super) down: bool,
}

#[derive(Debug)]
pub(super) struct EditView {
    /// The command's id, so that a form sent twice edits once.
    pub(super) id: String,
    pub(super) revision: u32,
    pub(super) text: String,
    /// The quotes, as JSON: they stay.
    pub(super) quotes: String,
}

/// What a moderator may do with a comment.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the template asks each on its own")]
pub(super) struct DeskView {
    /// Tells its fields from those of other comments on the page.
    pub(super) key: String,
    pub(super) path: String,
    pub(super) label: String,
    pub(super) number: u32,
    pub(super) after: String,
    /// What its forms carry along beside.
    pub(super) fields: Vec<(&'static str, &'static str)>,
    /// Where its forms lead back to.
    pub(super) back: &'static str,
    pub(super) hold: bool,
    /// The revision that an approval is of, where there may be one.
    pub(super) approve: Option<u32>,
    pub(super) remove: bool,
    pub(super) restore: bool,
    /// Whether it is featured, where it may be.
    pub(super) featured: Option<bool>,
    /// Flags that wait for a decision.
    pub(super) flags: u32,
    /// Whether the decision needs a statement of reasons.
    pub(super) reasons_needed: bool,
    /// The id of its author, where something can be done about them; else empty.
    pub(super) author: String,
}

impl CommentView {
    pub(super) fn all(here: &Here<'_>, session: Option<&Session>, reply: &v1::ThreadPageReply) -> Vec<Self> {
        let numbers: Vec<u32> = reply.comments.iter().map(|comment| comment.number).collect();
        let links = Links { thread: here.path, here: &numbers };
        let actor = session.map(|session| &session.actor);
        let view = |comment: &v1::Comment| Self::new(here, actor, (comment, reply), links);
        reply.comments.iter().map(view).collect()
    }

    fn new(
        here: &Here<'_>,
        actor: Option<&Actor>,
        (comment, reply): (&v1::Comment, &v1::ThreadPageReply),
        links: Links<'_>,
    ) -> Self {
        let zone = time::zone(&reply.zone);
        let shown = |time| time::shown(time, here.now, &zone);
        let visible = comment.state() == v1::CommentState::Visible;
        let own = actor.is_some() && comment.own;
        // What an author may still edit and delete.
        let own_kept = own && (visible || comment.state() == v1::CommentState::Held);
        let readable = visible || here.moderate || own_kept;
        // Of an erased one moderators learn who wrote it, and nobody what it said.
        let worded = readable && comment.state() != v1::CommentState::Erased;
        let author = comment.author.as_ref().filter(|_| readable);
        let v1::Tally { up, down } = comment.tally.unwrap_or_default();
        let number = comment.number.to_string();
        let moderate = if here.moderate { "1" } else { "" };
        let form_about = |name| {
            let way = here.way.back_to(&comment.id);
            let parameters = [("moderate", moderate), (name, number.as_str())];
            if visible && here.allowed.take_part {
                way.address(here.path, &parameters, "post")
            } else {
                String::new()
            }
        };
        let others = actor.is_some() && visible && !own;
        let label = if readable {
            format!("comment {number} by {}", name_of(author))
        } else {
            format!("comment {number}")
        };
        let path = format!("{}/comments/{}", here.path, comment.id);
        let back = if here.moderate { "moderate" } else { "" };
        let desk = actor.filter(|actor| is_moderator(actor)).map(|_| {
            let desk = DeskView::new(comment, (&path, &label), number.clone());
            DeskView { after: here.way.kept_cursor().to_owned(), fields: here.way.fields(), back, ..desk }
        });
        Self {
            number: comment.number,
            level: comment.depth.min(LEVEL_MAX),
            href: here.way.around(&comment.id).address(here.path, &[], &format!("comment-{number}")),
            more_href: if comment.more.is_empty() {
                String::new()
            } else {
                here.way.after(&comment.more).address(here.path, &[("moderate", moderate)], "comments")
            },
            more_line: more_line(comment, reply),
            state_line: state_line(comment, here.moderate),
            readable,
            author: name_of(author).to_owned(),
            time: comment.time.as_ref().and_then(time_in).map(shown).unwrap_or_default(),
            edited: comment.edited.as_ref().and_then(time_in).map(shown).filter(|_| readable),
            featured: comment.featured && visible,
            in_reply_to: parent(&comment.parent, reply),
            html: if worded { render::comment(&comment.body, &comment.quotes, links) } else { String::new() },
            score: Tally { up, down }.to_string(),
            reply_href: form_about("reply"),
            quote_href: form_about("quote"),
            votes: (others && here.allowed.take_part).then(|| VotesView::new(comment.own_vote())),
            edit: if own_kept { EditView::new(comment, reply, here) } else { None },
            delete: own_kept && here.allowed.take_back,
            flag: (others && here.allowed.flag && !comment.own_flag).then(|| new_id().to_string()),
            withdraw: actor.is_some() && comment.own_flag_waits && here.allowed.take_back,
            desk: desk.filter(DeskView::has_something),
            path,
            label,
        }
    }
}

/// How many replies to a comment are not on its page.
fn more_line(comment: &v1::Comment, reply: &v1::ThreadPageReply) -> String {
    let here = reply.comments.iter().filter(|other| other.parent == comment.id).count();
    let here = u32::try_from(here).unwrap_or(u32::MAX);
    match comment.replies.saturating_sub(here) {
        1 => "1 more reply".to_owned(),
        more => format!("{more} more replies"),
    }
}

/// What is told of a comment that not everybody may read: moderators are told why it is held, its author who sees it.
pub(in crate::page) fn state_line(comment: &v1::Comment, moderate: bool) -> String {
    let held = match comment.held() {
        v1::HoldReason::Unspecified => "",
        v1::HoldReason::Mode => " The thread or the site is premoderated.",
        v1::HoldReason::NewAuthor => " Its author is new.",
        v1::HoldReason::Link => " It holds a link.",
        v1::HoldReason::Word => " It holds a word out of the list.",
        v1::HoldReason::Flags => " Readers flagged it.",
        v1::HoldReason::Decision => " Somebody decided so.",
    };
    match comment.state() {
        v1::CommentState::Visible => String::new(),
        v1::CommentState::Deleted => "This comment was deleted by its author.".to_owned(),
        v1::CommentState::Erased => "This comment was erased.".to_owned(),
        v1::CommentState::Held if moderate => format!("This comment waits for a moderator.{held}"),
        v1::CommentState::Held if comment.own => {
            "This comment waits for a moderator. Other readers do not see it meanwhile.".to_owned()
        }
        v1::CommentState::Held => "This comment waits for a moderator.".to_owned(),
        v1::CommentState::Removed | v1::CommentState::Unspecified if comment.rule.is_empty() => {
            "This comment was removed by a moderator.".to_owned()
        }
        v1::CommentState::Removed | v1::CommentState::Unspecified => {
            format!("This comment was removed by a moderator. Rule: {}", comment.rule)
        }
    }
}

fn on_page<'a>(id: &str, reply: &'a v1::ThreadPageReply) -> Option<&'a v1::Comment> {
    reply.comments.iter().find(|comment| comment.id == id)
}

pub(super) fn parent(id: &str, reply: &v1::ThreadPageReply) -> Option<ParentView> {
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

impl VotesView {
    fn new(own: v1::Vote) -> Self {
        Self { up: own == v1::Vote::Up, down: own == v1::Vote::Down }
    }
}

impl EditView {
    /// The form that edits a comment, within the site's window.
    fn new(comment: &v1::Comment, reply: &v1::ThreadPageReply, here: &Here<'_>) -> Option<Self> {
        if !here.allowed.take_part || !in_edit_window(comment, reply, here.now) {
            return None;
        }
        let quotes: Vec<v1::Quote> = comment.quotes.iter().map(quote_of).collect();
        Some(Self {
            id: new_id().to_string(),
            revision: comment.revision,
            text: comment.body.clone(),
            quotes: serde_json::to_string(&quotes).ok()?,
        })
    }
}

fn in_edit_window(comment: &v1::Comment, reply: &v1::ThreadPageReply, now: jiff::Timestamp) -> bool {
    let posted = comment.time.as_ref().and_then(time_in);
    let window_millis = i64::from(reply.edit_window_secs) * 1_000;
    posted.is_some_and(|posted| now.as_millisecond().saturating_sub(posted.0) <= window_millis)
}

/// A quote as it was made, whatever became of the comment that it quotes.
fn quote_of(drawn: &v1::DrawnQuote) -> v1::Quote {
    let v1::DrawnQuote { comment, revision, start, end, at, .. } = drawn;
    v1::Quote { comment: comment.clone(), revision: *revision, start: *start, end: *end, at: *at }
}

impl DeskView {
    pub(super) fn new(comment: &v1::Comment, (path, label): (&str, &str), key: String) -> Self {
        let state = comment.state();
        let visible = state == v1::CommentState::Visible;
        let held = state == v1::CommentState::Held;
        Self {
            key,
            path: path.to_owned(),
            label: label.to_owned(),
            number: comment.number,
            after: String::new(),
            fields: Vec::new(),
            back: "",
            hold: visible,
            approve: (held).then_some(comment.revision),
            remove: visible || held,
            restore: state == v1::CommentState::Removed,
            featured: visible.then_some(comment.featured),
            flags: comment.flags,
            reasons_needed: comment.flags_illegal > 0,
            author: comment
                .author
                .iter()
                .find(|author| !author.erased)
                .map_or_else(String::new, |it| it.id.clone()),
        }
    }

    fn has_something(&self) -> bool {
        self.hold || self.approve.is_some() || self.remove || self.restore || self.flags > 0
    }
}
