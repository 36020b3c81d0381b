//! Lists of threads, what happened in one, one comment and an author's comments: what everybody may ask beside pages.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use client::{PageOf, Viewer};
use domain::{AuthorId, CommentId, SiteId, ThreadId};
use serde::Deserialize;

use super::questions::{Page, Since, private};
use super::shape;
use super::shape::lists as lists_shape;
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::words;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ThreadsOf {
    order: String,
    after: String,
    limit: u32,
    at_least: String,
}

pub(super) async fn threads(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    Parameters(of): Parameters<ThreadsOf>,
) -> Result<Response, Problem> {
    let ThreadsOf { order, after, limit, at_least } = of;
    let page = PageOf { after, limit, at_least };
    let reply = app.koe.threads_in(&site, words::order(&order)?, page).await?;
    Ok(Json(shape::threads(&site, reply)).into_response())
}

pub(super) async fn activity(
    State(app): State<App>,
    Params((site, thread)): Params<(SiteId, ThreadId)>,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    let reply = app.koe.activity(&site, &thread, &since.at_least).await?;
    Ok(Json(lists_shape::activity((&site, &thread), reply)).into_response())
}

pub(super) async fn comment_view(
    State(app): State<App>,
    Params((site, thread, comment)): Params<(SiteId, ThreadId, CommentId)>,
    Parameters(since): Parameters<Since>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let viewer = Viewer { id: visitor.id_at(&site), moderator: false };
    let of = (viewer.id.as_ref(), since.at_least.as_str());
    let reply = app.koe.comment_view(&site, &thread, comment, of).await?;
    // Drawing is work, and others' requests go on meanwhile.
    Ok(tokio::task::block_in_place(|| {
        let view = lists_shape::comment((&site, &thread), reply, &viewer);
        if viewer.id.is_some() { private(view) } else { Json(view).into_response() }
    }))
}

pub(super) async fn author_comments(
    State(app): State<App>,
    Params((site, author)): Params<(SiteId, AuthorId)>,
    Parameters(page): Parameters<Page>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let viewer = Viewer { id: visitor.id_at(&site), moderator: false };
    let reply = app.koe.author_comments(&site, &author, viewer.id.as_ref(), page.into()).await?;
    Ok(tokio::task::block_in_place(|| {
        let comments = lists_shape::author_comments((&site, &author), reply, &viewer);
        if viewer.id.is_some() { private(comments) } else { Json(comments).into_response() }
    }))
}
