//! The page of what waits for a moderator.

use axum::extract::State;
use axum::response::Response;
use client::PageOf;
use domain::SiteId;
use serde::Deserialize;
use wire::v1;

use super::thread::as_of;
use super::view::{Queue, QueuePage};
use super::{Failed, html};
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::limits::QUEUE_COMMENTS;
use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::words;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Marks {
    kind: String,
    after: String,
    at_least: String,
}

pub(super) async fn show(
    State(app): State<App>,
    params: Result<Params<SiteId>, Problem>,
    marks: Result<Parameters<Marks>, Problem>,
    visitor: Result<Visitor, Problem>,
) -> Result<Response, Failed> {
    let (Params(site), Parameters(Marks { kind, after, at_least }), visitor) = (params?, marks?, visitor?);
    visitor.moderator(&site)?;
    let session = visitor.need_session()?;
    let kind = words::queue_kind(&kind).map_err(Problem::from)?;
    let ask = async |at_least| {
        let page = PageOf { after: after.clone(), limit: QUEUE_COMMENTS, at_least };
        app.koe.queue_of(&site, kind, page).await.map_err(Problem::from)
    };
    let (reply, notice) = as_of(&at_least, ask).await?;
    let mut flags = Vec::with_capacity(reply.entries.len());
    for entry in &reply.entries {
        flags.push(flags_of(&app, &site, entry).await?);
    }
    let settings = app.koe.site(&site, "", "").await?.settings.unwrap_or_default();
    let queue = Queue { reply, flags, kind, after, settings, notice };
    let draw = || html(&QueuePage::new(&site, session, queue, jiff::Timestamp::now()), true);
    Ok(tokio::task::block_in_place(draw))
}

/// The flags of a comment that waits; one that is decided on meanwhile is shown without.
async fn flags_of(app: &App, site: &SiteId, entry: &v1::QueueEntry) -> Result<Vec<v1::Flag>, Problem> {
    let Some(comment) = entry.comment.as_ref().filter(|comment| comment.flags > 0) else { return Ok(Vec::new()) };
    let (thread, id) = (entry.thread.parse()?, comment.id.parse()?);
    Ok(app.koe.comment(site, &thread, id, "").await?.flags)
}
