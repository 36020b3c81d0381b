//! The page of a thread.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use client::{PageOf, Reading, Viewer};
use domain::{Rejection, SiteId, ThreadId};
use serde::Deserialize;
use wire::error::Failure;
use wire::v1;

use super::place::Told;
use super::view::{Allowed, Asked, Draft, Notice, QuoteDraft, ThreadPage};
use super::way::Way;
use super::{Failed, address, html, is_private, problem_with, thread_path};
use crate::handler::{App, new_id};
use crate::input::{Parameters, Params};
use crate::limits::PAGE_COMMENTS;
use crate::problem::Problem;
use crate::visitor::{Visitor, is_moderator};

/// What stands behind the question mark. Others may add their own marks to a link, so unknown ones are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Marks {
    after: String,
    at_least: String,
    /// The word of an order; empty for the oldest first.
    order: String,
    /// `1` for replies below what they reply to.
    tree: String,
    /// The id of a comment to read around.
    around: String,
    /// The number of a comment on this page to quote.
    quote: String,
    /// The number of a comment on this page to reply to.
    reply: String,
    /// `1` to see what only moderators see, for those who are.
    moderate: String,
    /// What to tell about what was sent.
    told: String,
}

/// A thread's page, as somebody sees it.
pub(super) struct Sight<'a> {
    pub(super) site: &'a SiteId,
    pub(super) thread: &'a ThreadId,
    pub(super) visitor: &'a Visitor,
    pub(super) way: &'a Way,
    pub(super) at_least: &'a str,
    /// Whether what only moderators see is asked for; to readers it is not given.
    pub(super) moderate: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    params: Result<Params<(SiteId, ThreadId)>, Problem>,
    marks: Result<Parameters<Marks>, Problem>,
    visitor: Result<Visitor, Problem>,
) -> Result<Response, Failed> {
    let (Params((site, thread)), Parameters(marks), visitor) = (params?, marks?, visitor?);
    let Marks { after, at_least, order, tree, around, quote, reply, moderate, told } = marks;
    let moderate = moderate == "1";
    let way = Way { after, around, ..Way::of(&order, &tree)? };
    let sight =
        Sight { site: &site, thread: &thread, visitor: &visitor, way: &way, at_least: &at_least, moderate };
    let (page, notice) = match sight.read(&app).await {
        Ok(read) => read,
        // The way on has an end, and the discussion has not.
        Err(problem) if problem.is(Failure::CursorExpired) || problem.is(Failure::CursorInvalid) => {
            let start = way.start().address(&thread_path(&site, &thread), &[], "comments");
            return Ok(problem_with(&problem, String::new(), (&start, "Begin again")));
        }
        Err(problem) => return Err(problem.into()),
    };
    let draft = draft_about(&page, quote.parse().ok(), reply.parse().ok());
    Ok(sight.draw(page, draft, notice.or_else(|| Told::notice(&told)), StatusCode::OK))
}

/// Leads to the page on which a comment stands.
pub(super) async fn show_comment(
    State(app): State<App>,
    params: Result<Params<(SiteId, ThreadId, u32)>, Problem>,
    marks: Result<Parameters<Marks>, Problem>,
    visitor: Result<Visitor, Problem>,
) -> Result<Redirect, Failed> {
    let (Params((site, thread, number)), Parameters(marks), visitor) = (params?, marks?, visitor?);
    let viewer = Viewer { id: None, moderator: marks.moderate == "1" && visitor.moderator(&site).is_ok() };
    let found = app.find((&site, &thread), |comment| comment.number == number, ("", ""), &viewer).await?;
    let found = found.ok_or(Rejection::CommentUnknown)?;
    let fragment = format!("comment-{}", found.number);
    let moderate = if viewer.moderator { "1" } else { "" };
    let parameters = [("after", found.after.as_str()), ("moderate", moderate)];
    Ok(Redirect::to(&address(&thread_path(&site, &thread), &parameters, &fragment)))
}

impl Sight<'_> {
    /// The page, as of `at_least`; if that takes too long, as it stands, with a notice.
    pub(super) async fn read(&self, app: &App) -> Result<(v1::ThreadPageReply, Option<Notice>), Problem> {
        let viewer = Viewer { id: self.visitor.id_at(self.site), moderator: self.is_moderated() };
        let reading = self.way.reading()?;
        let ask = async |at_least: String| {
            // A comment that was just posted may not be there yet, where the page is a moment behind.
            let behind = at_least.is_empty() && !self.at_least.is_empty();
            let around = reading.around.filter(|_| !behind);
            let page = PageOf { after: self.way.after.clone(), limit: PAGE_COMMENTS, at_least };
            let reading = Reading { around, ..reading.clone() };
            let read = app.koe.read_thread((self.site, self.thread), page, reading, &viewer).await;
            read.map_err(Problem::from)
        };
        as_of(self.at_least, ask).await
    }

    fn is_moderated(&self) -> bool {
        let session = self.visitor.session_at(self.site);
        self.moderate && session.is_some_and(|session| is_moderator(&session.actor))
    }

    /// Whether this page would show the form that posts.
    pub(super) fn has_form(&self, page: &v1::ThreadPageReply) -> bool {
        self.visitor.session_at(self.site).is_some() && Allowed::of(page, jiff::Timestamp::now()).take_part
    }

    pub(super) fn draw(
        &self,
        page: v1::ThreadPageReply,
        draft: Draft,
        notice: Option<Notice>,
        status: StatusCode,
    ) -> Response {
        let asked = Asked {
            site: self.site,
            thread: self.thread,
            way: self.way,
            session: self.visitor.session_at(self.site),
            moderate: self.is_moderated(),
            draft,
            notice,
            now: jiff::Timestamp::now(),
        };
        // Drawing is work, and others' requests go on meanwhile.
        let drawn = || html(&ThreadPage::new(asked, page), is_private(self.visitor));
        let mut response = tokio::task::block_in_place(drawn);
        *response.status_mut() = status;
        response
    }
}

/// What is asked for, as of `at_least`; if that takes too long, as it stands, with a notice.
pub(super) async fn as_of<R, F>(at_least: &str, ask: impl Fn(String) -> F) -> Result<(R, Option<Notice>), Problem>
where
    F: Future<Output = Result<R, Problem>>,
{
    match ask(at_least.to_owned()).await {
        Ok(reply) => Ok((reply, None)),
        Err(problem) if at_least.is_empty() => Err(problem),
        Err(problem) if problem.is(Failure::Behind) => {
            let notice = "what you sent is recorded, and this page is a moment behind: load it again soon";
            Ok((ask(String::new()).await?, Some(Notice::saying(notice))))
        }
        // An old address: the position in it is of no more use.
        Err(problem) if problem.is(Failure::PositionLost) || problem.is(Failure::PositionInvalid) => {
            Ok((ask(String::new()).await?, None))
        }
        Err(problem) => Err(problem),
    }
}

/// A new draft that quotes or replies to comments of this page by their numbers.
fn draft_about(page: &v1::ThreadPageReply, quote: Option<u32>, reply: Option<u32>) -> Draft {
    let visible = |number: Option<u32>| {
        let is_it = |comment: &&v1::Comment| {
            Some(comment.number) == number && comment.state() == v1::CommentState::Visible
        };
        page.comments.iter().find(is_it)
    };
    Draft {
        id: new_id().to_string(),
        text: String::new(),
        parent: visible(reply).map(|comment| comment.id.clone()).unwrap_or_default(),
        quote: visible(quote).map(|comment| QuoteDraft {
            comment: comment.id.clone(),
            revision: comment.revision,
            start: 0,
            end: u32::try_from(comment.body.chars().count()).unwrap_or(u32::MAX),
        }),
    }
}
