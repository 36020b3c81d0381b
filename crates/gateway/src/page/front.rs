//! The ways to a thread: the front page and the list of a site.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use client::PageOf;
use domain::{SiteId, ThreadId};
use serde::Deserialize;
use wire::v1::SiteEntry;

use super::view::{Frame, FrontPage, SiteView};
use super::{Failed, html, is_private, thread_path};
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::limits::{FRONT_SITES_MAX, FRONT_THREADS, SITE_THREADS};
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Marks {
    after: String,
}

/// Every site with its first threads; where there is but one thread, that thread.
pub(super) async fn front(State(app): State<App>, visitor: Result<Visitor, Problem>) -> Result<Response, Failed> {
    let visitor = visitor?;
    let reply = app.koe.sites("").await?;
    let mut sites = Vec::new();
    for entry in reply.sites.into_iter().take(FRONT_SITES_MAX) {
        let site: SiteId = entry.site.parse()?;
        let page = PageOf { limit: FRONT_THREADS, ..PageOf::default() };
        sites.push(SiteView::new(entry, app.koe.threads(&site, page).await?));
    }
    if let Some((site, thread)) = only_thread(&sites) {
        return Ok(Redirect::to(&thread_path(&site, &thread)).into_response());
    }
    let frame = Frame::plain("Discussions", "/").seen_by(visitor.session.as_ref());
    Ok(html(&FrontPage { frame, sites }, is_private(&visitor)))
}

fn only_thread(sites: &[SiteView]) -> Option<(SiteId, ThreadId)> {
    let [site] = sites else { return None };
    let [thread] = site.threads.as_slice() else {
        return None;
    };
    Some((site.id.parse().ok()?, thread.id.parse().ok()?))
}

/// The threads of a site, page by page.
pub(super) async fn site(
    State(app): State<App>,
    params: Result<Params<SiteId>, Problem>,
    marks: Result<Parameters<Marks>, Problem>,
    visitor: Result<Visitor, Problem>,
) -> Result<Response, Failed> {
    let (Params(site), Parameters(marks), visitor) = (params?, marks?, visitor?);
    let page = PageOf { after: marks.after, limit: SITE_THREADS, ..PageOf::default() };
    let threads = app.koe.threads(&site, page).await?;
    let entry = SiteEntry { site: site.to_string(), name: threads.site_name.clone() };
    let frame = Frame::plain(&entry.name, &format!("/sites/{site}")).seen_by(visitor.session_at(&site));
    let frame = Frame { masthead: entry.name.clone(), ..frame };
    Ok(html(&FrontPage { frame, sites: vec![SiteView::new(entry, threads)] }, is_private(&visitor)))
}
