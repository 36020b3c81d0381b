//! Commands of readers about comments: post, edit, delete, vote, flag.

use axum::http::StatusCode;
use axum::response::Response;
use domain::{CommentId, SiteId, ThreadId};
use serde::Deserialize;
use wire::v1;
use wire::values::actor_out;

use super::OfThread;
use crate::api::ask::{Ask, Plain, answer};
use crate::handler::id_or_new;
use crate::problem::Problem;
use crate::words::{category_of, vote_of};

pub(super) type OfComment<T> = Ask<(SiteId, ThreadId, CommentId), T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PostComment {
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
pub(in crate::api) struct EditComment {
    id: Option<String>,
    revision: u32,
    text: String,
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
pub(in crate::api) struct CastVote {
    id: Option<String>,
    vote: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Flag {
    id: Option<String>,
    category: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    wait: bool,
}

impl From<Quote> for v1::Quote {
    fn from(Quote { comment, revision, start, end, at }: Quote) -> Self {
        Self { comment, revision, start, end, at }
    }
}

pub(in crate::api) async fn post(ask: OfThread<PostComment>) -> Result<Response, Problem> {
    let PostComment { id, text, parent, quotes, wait } = ask.body;
    let (site, thread) = ask.ids;
    let request = v1::PostCommentRequest {
        id: id_or_new(id),
        actor: Some(actor_out(&ask.actor)),
        wait,
        thread: thread.to_string(),
        parent: parent.unwrap_or_default(),
        text,
        quotes: quotes.into_iter().map(Into::into).collect(),
    };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn edit(ask: OfComment<EditComment>) -> Result<Response, Problem> {
    let EditComment { id, revision, text, quotes, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let request = v1::EditCommentRequest {
        id: id_or_new(id),
        actor: Some(actor_out(&ask.actor)),
        wait,
        thread: thread.to_string(),
        comment: comment.to_string(),
        revision,
        text,
        quotes: quotes.into_iter().map(Into::into).collect(),
    };
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(in crate::api) async fn delete(ask: OfComment<Plain>) -> Result<Response, Problem> {
    let Plain { id, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::DeleteCommentRequest { id, actor, wait, thread, comment };
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(in crate::api) async fn vote(ask: OfComment<CastVote>) -> Result<Response, Problem> {
    let CastVote { id, vote, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::CastVoteRequest { id, actor, wait, thread, comment, vote: vote_of(&vote) };
    answer(&ask.app, &site, request, StatusCode::OK).await
}

pub(in crate::api) async fn flag(ask: OfComment<Flag>) -> Result<Response, Problem> {
    let Flag { id, category, words, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let request = v1::FlagCommentRequest {
        id: id_or_new(id),
        actor: Some(actor_out(&ask.actor)),
        wait,
        thread: thread.to_string(),
        comment: comment.to_string(),
        category: category_of(&category),
        words,
    };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn withdraw_flag(ask: OfComment<Plain>) -> Result<Response, Problem> {
    let Plain { id, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::WithdrawFlagRequest { id, actor, wait, thread, comment };
    answer(&ask.app, &site, request, StatusCode::OK).await
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
        let blind = serde_json::from_str::<EditComment>(r#"{"text":"a"}"#).unwrap_err().to_string();
        assert!(blind.contains("revision"), "who edits says what they saw: {blind}");
    }
}
