//! What moderators and administrators of a site may ask. The roles are the session's.

use axum::extract::State;
use axum::response::Response;
use client::PageOf;
use domain::{AuthorId, CommentId, SiteId, ThreadId};
use serde::Deserialize;
use wire::v1;
use wire::values::time_out;

use super::questions::{Since, private};
use super::shape::moderation as shape;
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::problem::Problem;
use crate::time;
use crate::visitor::Visitor;
use crate::words;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuditOf {
    thread: String,
    comment: String,
    author: String,
    by: String,
    since: Option<String>,
    until: Option<String>,
    after: String,
    limit: u32,
    at_least: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct QueueOf {
    kind: String,
    after: String,
    limit: u32,
    at_least: String,
}

pub(super) async fn site(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    visitor: Visitor,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    visitor.moderator(&site)?;
    let reply = app.koe.site(&site, "", &since.at_least).await?;
    Ok(private(shape::site(&site, reply)))
}

pub(super) async fn queue(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    visitor: Visitor,
    Parameters(of): Parameters<QueueOf>,
) -> Result<Response, Problem> {
    visitor.moderator(&site)?;
    let QueueOf { kind, after, limit, at_least } = of;
    let page = PageOf { after, limit, at_least };
    let reply = app.koe.queue_of(&site, words::queue_kind(&kind)?, page).await?;
    Ok(tokio::task::block_in_place(|| private(shape::queue(&site, reply))))
}

pub(super) async fn audit(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    visitor: Visitor,
    Parameters(of): Parameters<AuditOf>,
) -> Result<Response, Problem> {
    visitor.moderator(&site)?;
    let AuditOf { thread, comment, author, by, since, until, after, limit, at_least } = of;
    if !thread.is_empty() {
        thread.parse::<ThreadId>()?;
    }
    let since = since.as_deref().map(time::parse).transpose()?.map(time_out);
    let until = until.as_deref().map(time::parse).transpose()?.map(time_out);
    let question = v1::AuditRequest { thread, comment, author, by, since, until, after, limit, at_least };
    let reply = app.koe.audit(&site, &question).await?;
    Ok(private(shape::audit(&site, reply)))
}

pub(super) async fn author(
    State(app): State<App>,
    Params((site, author)): Params<(SiteId, AuthorId)>,
    visitor: Visitor,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    visitor.moderator(&site)?;
    let reply = app.koe.author(&site, &author, &since.at_least).await?;
    Ok(private(shape::author((&site, &author), reply)))
}

pub(super) async fn comment(
    State(app): State<App>,
    Params((site, thread, comment)): Params<(SiteId, ThreadId, CommentId)>,
    visitor: Visitor,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    visitor.moderator(&site)?;
    let reply = app.koe.comment(&site, &thread, comment, &since.at_least).await?;
    Ok(tokio::task::block_in_place(|| private(shape::comment((&site, &thread), reply))))
}
