//! Commands of programs: the actor is the session's, the id is the caller's or a new one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{CommentId, SiteId, ThreadId, Vote};
use serde::Deserialize;
use wire::command::{Request, actor_out, vote_out};
use wire::v1;

use super::shape;
use crate::handler::{App, id_or_new};
use crate::input::{Body, Params};
use crate::problem::Problem;
use crate::visitor::Visitor;

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
struct OpenThread {
    id: Option<String>,
    thread: String,
    headline: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameAuthor {
    id: Option<String>,
    author: Option<String>,
    name: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PostComment {
    id: Option<String>,
    text: String,
    parent: Option<String>,
    #[serde(default)]
    quotes: Vec<Quote>,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    comment: String,
    #[serde(default)]
    revision: u32,
    start: u32,
    end: u32,
    at: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveComment {
    id: Option<String>,
    reason: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CastVote {
    id: Option<String>,
    vote: String,
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

pub(super) async fn open_thread(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = Some(actor_out(&visitor.actor(&headers, &site)?));
    let OpenThread { id, thread, headline, address, category, wait } = body.read().await?;
    let id = id_or_new(id);
    let request = v1::OpenThreadRequest { id, actor, wait, thread, headline, address, category };
    answer(&app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn name_author(
    State(app): State<App>,
    Params(site): Params<SiteId>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = visitor.actor(&headers, &site)?;
    let NameAuthor { id, author, name, wait } = body.read().await?;
    let author = author.unwrap_or_else(|| actor.id.to_string());
    let request = v1::NameAuthorRequest { id: id_or_new(id), actor: Some(actor_out(&actor)), wait, author, name };
    answer(&app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn post_comment(
    State(app): State<App>,
    Params((site, thread)): Params<(SiteId, ThreadId)>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = Some(actor_out(&visitor.actor(&headers, &site)?));
    let PostComment { id, text, parent, quotes, wait } = body.read().await?;
    let quote = |Quote { comment, revision, start, end, at }| v1::Quote { comment, revision, start, end, at };
    let request = v1::PostCommentRequest {
        id: id_or_new(id),
        actor,
        wait,
        thread: thread.to_string(),
        parent: parent.unwrap_or_default(),
        text,
        quotes: quotes.into_iter().map(quote).collect(),
    };
    answer(&app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn remove_comment(
    State(app): State<App>,
    Params((site, thread, comment)): Params<(SiteId, ThreadId, CommentId)>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = Some(actor_out(&visitor.actor(&headers, &site)?));
    let RemoveComment { id, reason, wait } = body.read().await?;
    let (thread, comment) = (thread.to_string(), comment.to_string());
    let request = v1::RemoveCommentRequest { id: id_or_new(id), actor, wait, thread, comment, reason };
    answer(&app, &site, request, StatusCode::CREATED).await
}

pub(super) async fn cast_vote(
    State(app): State<App>,
    Params((site, thread, comment)): Params<(SiteId, ThreadId, CommentId)>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let actor = Some(actor_out(&visitor.actor(&headers, &site)?));
    let CastVote { id, vote, wait } = body.read().await?;
    let (thread, comment) = (thread.to_string(), comment.to_string());
    let request = v1::CastVoteRequest { id: id_or_new(id), actor, wait, thread, comment, vote: vote_of(&vote) };
    answer(&app, &site, request, StatusCode::OK).await
}

/// A vote's word as it stands in requests; another word is unspecified, which the parser of requests refuses.
pub(crate) fn vote_of(word: &str) -> i32 {
    match word {
        "up" => vote_out(Vote::Up),
        "down" => vote_out(Vote::Down),
        "none" => vote_out(Vote::None),
        _ => v1::Vote::Unspecified.into(),
    }
}

async fn answer<R: Request>(
    app: &App,
    site: &SiteId,
    request: R,
    status: StatusCode,
) -> Result<Response, Problem> {
    let reply = app.send(site, request).await?;
    Ok((status, Json(shape::Command::from(reply))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_named() {
        let typo = serde_json::from_str::<PostComment>(r#"{"text":"a","qoutes":[]}"#).unwrap_err().to_string();
        assert!(typo.contains("qoutes"), "{typo}");
        let actor = r#"{"text":"a","actor":{"id":"somebody-else"}}"#;
        assert!(serde_json::from_str::<PostComment>(actor).is_err(), "the actor is the session's");
        assert!(serde_json::from_str::<OpenSite>(r#"{"site":"s","name":"n"}"#).is_err(), "a zone is needed");
    }

    #[test]
    fn a_vote_is_one_of_three_words() {
        assert_eq!(vote_of("up"), i32::from(v1::Vote::Up));
        assert_eq!(vote_of("none"), i32::from(v1::Vote::None));
        assert_eq!(vote_of("Up"), i32::from(v1::Vote::Unspecified));
    }
}
