//! The JSON door under `/v1`: questions here, commands in `commands`. Every answer is `application/json`.

mod commands;
mod shape;

pub(crate) use commands::vote_of;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use client::PageOf;
use domain::{CommandId, Place, SiteId, ThreadId};
use serde::Deserialize;

use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::limits::{COUNTS_MAX, JSON_COMMENTS};
use crate::problem::Problem;
use wire::error::Failure;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/v1/sites", get(sites).post(commands::open_site))
        .route("/v1/sites/{site}/threads", get(threads).post(commands::open_thread))
        .route("/v1/sites/{site}/counts", get(counts))
        .route("/v1/sites/{site}/authors", post(commands::name_author))
        .route("/v1/sites/{site}/commands/{id}", get(command))
        .route("/v1/sites/{site}/threads/{thread}", get(thread))
        .route("/v1/sites/{site}/threads/{thread}/comments", post(commands::post_comment))
        .route("/v1/sites/{site}/threads/{thread}/comments/{comment}/removal", post(commands::remove_comment))
        .route("/v1/sites/{site}/threads/{thread}/comments/{comment}/vote", put(commands::cast_vote))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Since {
    at_least: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Page {
    after: String,
    limit: u32,
    at_least: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CommandOf {
    thread: String,
    at_position: String,
    at_least: String,
}

async fn sites(State(app): State<App>, Parameters(since): Parameters<Since>) -> Result<Response, Problem> {
    let reply = app.koe.sites(&since.at_least).await?;
    Ok(Json(shape::SiteList::from(reply)).into_response())
}

async fn threads(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let Page { after, limit, at_least } = page;
    let reply = app.koe.threads(&site, PageOf { after, limit, at_least }).await?;
    Ok(Json(shape::threads(&site, reply)).into_response())
}

async fn thread(
    State(app): State<App>,
    Params((site, thread)): Params<(SiteId, ThreadId)>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let Page { after, limit, at_least } = page;
    let limit = if limit == 0 { JSON_COMMENTS } else { limit };
    let reply = app.koe.thread_page(&site, &thread, PageOf { after, limit, at_least }).await?;
    // Drawing is work, and others' requests go on meanwhile.
    Ok(tokio::task::block_in_place(|| Json(shape::thread(&site, &thread, reply)).into_response()))
}

async fn counts(
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

async fn command(
    State(app): State<App>,
    Params((site, id)): Params<(SiteId, CommandId)>,
    Parameters(of): Parameters<CommandOf>,
) -> Result<Response, Problem> {
    let thread = if of.thread.is_empty() { None } else { Some(of.thread.parse()?) };
    let place = Place { site, thread };
    let reply = app.koe.command_status(&place, id, &of.at_position, &of.at_least).await?;
    Ok(Json(shape::status(id, reply)).into_response())
}
