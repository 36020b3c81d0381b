//! What everybody may ask. A session only adds one's own votes and flags.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use client::{PageOf, Reading, Viewer};
use domain::{CommandId, CommentId, Order, Place, SiteId, ThreadId};
use serde::{Deserialize, Serialize};
use wire::error::Failure;
use wire::values::optional_comment;

use super::shape;
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::limits::{COUNTS_MAX, JSON_COMMENTS};
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Since {
    pub(super) at_least: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Page {
    after: String,
    limit: u32,
    at_least: String,
}

impl From<Page> for PageOf {
    fn from(Page { after, limit, at_least }: Page) -> Self {
        Self { after, limit, at_least }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ThreadOf {
    after: String,
    limit: u32,
    at_least: String,
    /// Whether to show what only moderators see.
    moderate: bool,
    /// The word of an order; empty for the oldest first.
    order: String,
    /// Whether replies stand below what they reply to.
    tree: bool,
    /// The id of a comment to read around; empty for none.
    around: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CommandOf {
    thread: String,
    comment: String,
    at_position: String,
    at_least: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AddressOf {
    address: String,
    at_least: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangesOf {
    since: String,
}

/// An answer that is for one person and kept nowhere.
pub(super) fn private(answer: impl Serialize) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(answer)).into_response()
}

pub(super) async fn sites(
    State(app): State<App>,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    let reply = app.koe.sites(&since.at_least).await?;
    Ok(Json(shape::SiteList::from(reply)).into_response())
}

pub(super) async fn thread(
    State(app): State<App>,
    Params((site, thread)): Params<(SiteId, ThreadId)>,
    Parameters(of): Parameters<ThreadOf>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let ThreadOf { after, limit, at_least, moderate, order, tree, around } = of;
    let order = if order.is_empty() { Some(Order::default()) } else { Order::from_word(&order) };
    let order = order.ok_or(Failure::OrderInvalid)?;
    let around = optional_comment(&around)?;
    if around.is_some() && !after.is_empty() {
        return Err(Problem::from(Failure::Malformed).saying("a page is `after` a cursor or `around` a comment"));
    }
    if moderate {
        visitor.moderator(&site)?;
    }
    let limit = if limit == 0 { JSON_COMMENTS } else { limit };
    let viewer = Viewer { id: visitor.id_at(&site), moderator: moderate };
    let page = PageOf { after, limit, at_least };
    let reading = Reading { order, tree, around };
    let reply = app.koe.read_thread((&site, &thread), page, reading, &viewer).await?;
    // Drawing is work, and others' requests go on meanwhile.
    Ok(tokio::task::block_in_place(|| {
        let page = shape::thread((&site, &thread), reply, (&viewer, order, tree));
        if viewer.id.is_some() { private(page) } else { Json(page).into_response() }
    }))
}

pub(super) async fn counts(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    Parameters(pairs): Parameters<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (mut threads, mut at_least) = (Vec::new(), String::new());
    for (name, value) in pairs {
        match name.as_str() {
            "thread" if threads.len() == COUNTS_MAX => return Err(Failure::LimitExceeded.into()),
            "thread" => threads.push(value.parse::<ThreadId>()?),
            "at_least" => at_least = value,
            _ => {
                let message = format!("unknown parameter `{name}`, expected `thread` or `at_least`");
                return Err(Problem::from(Failure::Malformed).saying(message));
            }
        }
    }
    let reply = app.koe.counts(&site, &threads, &at_least).await?;
    Ok(Json(shape::counts(&site, reply)).into_response())
}

pub(super) async fn resolve(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    Parameters(of): Parameters<AddressOf>,
) -> Result<Response, Problem> {
    let reply = app.koe.resolve(&site, &of.address, &of.at_least).await?;
    Ok(Json(shape::resolved(&site, reply)).into_response())
}

pub(super) async fn changes(
    State(app): State<App>,
    Params((site, thread)): Params<(SiteId, ThreadId)>,
    Parameters(of): Parameters<ChangesOf>,
) -> Result<Response, Problem> {
    let reply = app.koe.changes_since(&site, &thread, &of.since).await?;
    Ok(Json(shape::changes((&site, &thread), reply)).into_response())
}

/// What came of a command; of a comment that is named too, how it stands and one's own vote on it.
pub(super) async fn command(
    State(app): State<App>,
    Params((site, id)): Params<(SiteId, CommandId)>,
    Parameters(of): Parameters<CommandOf>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let thread = if of.thread.is_empty() { None } else { Some(of.thread.parse()?) };
    let comment: Option<CommentId> = if of.comment.is_empty() { None } else { Some(of.comment.parse()?) };
    // How somebody else voted is nobody's business.
    let voter = visitor.id_at(&site).filter(|_| comment.is_some());
    let place = Place { site, thread };
    let of_comment = (comment, voter.as_ref());
    let reply = app.koe.command_status(&place, (id, &of.at_position), of_comment, &of.at_least).await?;
    let status = shape::status(id, reply);
    Ok(if voter.is_some() { private(status) } else { Json(status).into_response() })
}
