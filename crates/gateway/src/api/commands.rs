//! Commands of programs about sites, threads and authors. Those about comments are in `comments`, what staff decide
//! on comments in `decisions`, what undoes and forgets in `undoing`.

pub(super) mod comments;
pub(super) mod decisions;
pub(super) mod settings;
pub(super) mod undoing;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{AuthorId, SiteId, ThreadId};
use serde::Deserialize;
use wire::v1;
use wire::values::{actor_out, time_out};

use super::ask::{Ask, answer};
use crate::handler::{App, id_or_new};
use crate::input::Body;
use crate::problem::Problem;
use crate::time;
use crate::visitor::Visitor;
use crate::words::mode_of;

type OfSite<T> = Ask<SiteId, T>;
type OfThread<T> = Ask<(SiteId, ThreadId), T>;
type OfAuthor<T> = Ask<(SiteId, AuthorId), T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenSite {
    id: Option<String>,
    site: String,
    name: String,
    zone: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenThread {
    id: Option<String>,
    thread: String,
    headline: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    category: String,
    published: Option<String>,
    closes_at: Option<String>,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UpdateThread {
    id: Option<String>,
    headline: Option<String>,
    category: Option<String>,
    published: Option<String>,
    closes_at: Option<String>,
    closes_never: bool,
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetMode {
    id: Option<String>,
    mode: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    successor: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    id: Option<String>,
    address: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameAuthor {
    id: Option<String>,
    author: Option<String>,
    name: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BanAuthor {
    id: Option<String>,
    reason: String,
    until: Option<String>,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnbanAuthor {
    id: Option<String>,
    reason: String,
    #[serde(default)]
    wait: bool,
}

pub(super) async fn open_site(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    // The body names the site, so that somebody without any session is told so before it is read.
    visitor.need_session()?;
    let OpenSite { id, site, name, zone, wait } = body.read().await?;
    let site: SiteId = site.parse()?;
    let actor = Some(actor_out(&visitor.actor(&headers, &site)?));
    let request = v1::OpenSiteRequest { id: id_or_new(id), actor, wait, name, zone };
    answer(&app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn open_thread(ask: OfSite<OpenThread>) -> Result<Response, Problem> {
    let OpenThread { id, thread, headline, address, category, published, closes_at, wait } = ask.body;
    let request = v1::OpenThreadRequest {
        id: id_or_new(id),
        actor: Some(actor_out(&ask.actor)),
        wait,
        thread,
        headline,
        address,
        category,
        published: published.as_deref().map(time::parse).transpose()?.map(time_out),
        closes_at: closes_at.as_deref().map(time::parse).transpose()?.map(time_out),
    };
    answer(&ask.app, &ask.ids, request, StatusCode::CREATED).await
}

pub(super) async fn update_thread(ask: OfThread<UpdateThread>) -> Result<Response, Problem> {
    let UpdateThread { id, headline, category, published, closes_at, closes_never, wait } = ask.body;
    let (site, thread) = ask.ids;
    let request = v1::UpdateThreadRequest {
        id: id_or_new(id),
        actor: Some(actor_out(&ask.actor)),
        wait,
        thread: thread.to_string(),
        headline,
        category,
        published: published.as_deref().map(time::parse).transpose()?.map(time_out),
        closes_at: closes_at.as_deref().map(time::parse).transpose()?.map(time_out),
        closes_never,
    };
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(super) async fn set_thread_mode(ask: OfThread<SetMode>) -> Result<Response, Problem> {
    let (site, thread) = ask.ids;
    let request = mode_request(ask.body, &ask.actor, thread.to_string());
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(super) async fn set_site_mode(ask: OfSite<SetMode>) -> Result<Response, Problem> {
    let request = mode_request(ask.body, &ask.actor, String::new());
    answer(&ask.app, &ask.ids, request, StatusCode::OK).await
}

fn mode_request(body: SetMode, actor: &domain::Actor, thread: String) -> v1::SetThreadModeRequest {
    let SetMode { id, mode, reason, successor, wait } = body;
    let (id, actor, mode) = (id_or_new(id), Some(actor_out(actor)), mode_of(&mode));
    v1::SetThreadModeRequest { id, actor, wait, thread, mode, reason, successor }
}

pub(super) async fn move_thread(ask: OfThread<Move>) -> Result<Response, Problem> {
    let Move { id, address, wait } = ask.body;
    let (site, thread) = ask.ids;
    let (id, actor, thread) = (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string());
    let request = v1::MoveThreadRequest { id, actor, wait, thread, address };
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(super) async fn name_author(ask: OfSite<NameAuthor>) -> Result<Response, Problem> {
    let NameAuthor { id, author, name, wait } = ask.body;
    let author = author.unwrap_or_else(|| ask.actor.id.to_string());
    let request =
        v1::NameAuthorRequest { id: id_or_new(id), actor: Some(actor_out(&ask.actor)), wait, author, name };
    answer(&ask.app, &ask.ids, request, StatusCode::CREATED).await
}

pub(super) async fn ban_author(ask: OfAuthor<BanAuthor>) -> Result<Response, Problem> {
    let BanAuthor { id, reason, until, wait } = ask.body;
    let (site, author) = ask.ids;
    let until = until.as_deref().map(time::parse).transpose()?.map(time_out);
    let (id, actor, author) = (id_or_new(id), Some(actor_out(&ask.actor)), author.to_string());
    let request = v1::BanAuthorRequest { id, actor, wait, author, until, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn unban_author(ask: OfAuthor<UnbanAuthor>) -> Result<Response, Problem> {
    let UnbanAuthor { id, reason, wait } = ask.body;
    let (site, author) = ask.ids;
    let (id, actor, author) = (id_or_new(id), Some(actor_out(&ask.actor)), author.to_string());
    let request = v1::UnbanAuthorRequest { id, actor, wait, author, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_named() {
        let site = serde_json::from_str::<OpenSite>(r#"{"site":"s","name":"n"}"#);
        assert!(site.is_err(), "a zone is needed");
        let typo = serde_json::from_str::<UpdateThread>(r#"{"closes_a":"2026-11-23T00:00:00Z"}"#);
        assert!(typo.unwrap_err().to_string().contains("closes_a"));
        assert!(serde_json::from_str::<SetMode>(r#"{"reason":"r"}"#).is_err(), "a mode is needed");
    }
}
