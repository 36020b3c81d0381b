//! What moderators decide on comments, and what they and services hold. Who may is the writer's to judge.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use wire::v1;
use wire::values::actor_out;

use super::comments::OfComment;
use crate::api::ask::answer;
use crate::handler::id_or_new;
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Remove {
    id: Option<String>,
    reason: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Reasoned {
    pub(super) id: Option<String>,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Approve {
    id: Option<String>,
    revision: Option<u32>,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Feature {
    id: Option<String>,
    featured: bool,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Resolve {
    id: Option<String>,
    upheld: bool,
    #[serde(default)]
    statement: String,
    #[serde(default)]
    wait: bool,
}

pub(in crate::api) async fn remove(ask: OfComment<Remove>) -> Result<Response, Problem> {
    let Remove { id, reason, rule, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::RemoveCommentRequest { id, actor, wait, thread, comment, reason, rule };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn hold(ask: OfComment<Reasoned>) -> Result<Response, Problem> {
    let Reasoned { id, reason, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::HoldCommentRequest { id, actor, wait, thread, comment, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn approve(ask: OfComment<Approve>) -> Result<Response, Problem> {
    let Approve { id, revision, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::ApproveCommentRequest { id, actor, wait, thread, comment, revision };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn restore(ask: OfComment<Reasoned>) -> Result<Response, Problem> {
    let Reasoned { id, reason, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::RestoreCommentRequest { id, actor, wait, thread, comment, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn feature(ask: OfComment<Feature>) -> Result<Response, Problem> {
    let Feature { id, featured, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::FeatureCommentRequest { id, actor, wait, thread, comment, featured };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn resolve_flags(ask: OfComment<Resolve>) -> Result<Response, Problem> {
    let Resolve { id, upheld, statement, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::ResolveFlagsRequest { id, actor, wait, thread, comment, upheld, statement };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}
