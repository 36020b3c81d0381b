//! What staff undo, and what is forgotten for good. Who may is the writer's to judge.

use axum::http::StatusCode;
use axum::response::Response;
use domain::{CommandId, SiteId, ThreadId};
use serde::Deserialize;
use wire::v1;
use wire::values::{actor_out, time_out};

use super::comments::OfComment;
use super::decisions::Reasoned;
use super::{OfAuthor, OfSite, OfThread};
use crate::api::ask::{Ask, answer};
use crate::handler::id_or_new;
use crate::problem::Problem;
use crate::time;

type OfSiteRemoval<T> = Ask<(SiteId, CommandId), T>;
type OfThreadRemoval<T> = Ask<(SiteId, ThreadId, CommandId), T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct VoidVotes {
    id: Option<String>,
    voters: Vec<String>,
    since: Option<String>,
    reason: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct UnvoidVotes {
    id: Option<String>,
    voters: Vec<String>,
    reason: String,
    #[serde(default)]
    wait: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RemoveComments {
    id: Option<String>,
    author: String,
    since: Option<String>,
    reason: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    wait: bool,
}

/// Whether the words stay is said, and never left out by mistake: nothing brings them back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct EraseAuthor {
    id: Option<String>,
    comments_kept: bool,
    reason: String,
    #[serde(default)]
    wait: bool,
}

pub(in crate::api) async fn void_votes(ask: OfSite<VoidVotes>) -> Result<Response, Problem> {
    let VoidVotes { id, voters, since, reason, wait } = ask.body;
    let since = since.as_deref().map(time::parse).transpose()?.map(time_out);
    let (id, actor) = (id_or_new(id), Some(actor_out(&ask.actor)));
    let request = v1::VoidVotesRequest { id, actor, wait, voters, since, reason };
    answer(&ask.app, &ask.ids, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn unvoid_votes(ask: OfSite<UnvoidVotes>) -> Result<Response, Problem> {
    let UnvoidVotes { id, voters, reason, wait } = ask.body;
    let (id, actor) = (id_or_new(id), Some(actor_out(&ask.actor)));
    let request = v1::UnvoidVotesRequest { id, actor, wait, voters, reason };
    answer(&ask.app, &ask.ids, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn remove_of_site(ask: OfSite<RemoveComments>) -> Result<Response, Problem> {
    let request = removal_request(ask.body, &ask.actor, String::new())?;
    answer(&ask.app, &ask.ids, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn remove_of_thread(ask: OfThread<RemoveComments>) -> Result<Response, Problem> {
    let (site, thread) = ask.ids;
    let request = removal_request(ask.body, &ask.actor, thread.to_string())?;
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

fn removal_request(
    body: RemoveComments,
    actor: &domain::Actor,
    thread: String,
) -> Result<v1::RemoveCommentsRequest, Problem> {
    let RemoveComments { id, author, since, reason, rule, wait } = body;
    let since = since.as_deref().map(time::parse).transpose()?.map(time_out);
    let (id, actor) = (id_or_new(id), Some(actor_out(actor)));
    Ok(v1::RemoveCommentsRequest { id, actor, wait, thread, author, since, reason, rule })
}

pub(in crate::api) async fn undo_of_site(ask: OfSiteRemoval<Reasoned>) -> Result<Response, Problem> {
    let (site, removal) = ask.ids;
    let request = undo_request(ask.body, &ask.actor, (String::new(), removal));
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn undo_of_thread(ask: OfThreadRemoval<Reasoned>) -> Result<Response, Problem> {
    let (site, thread, removal) = ask.ids;
    let request = undo_request(ask.body, &ask.actor, (thread.to_string(), removal));
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

fn undo_request(
    body: Reasoned,
    actor: &domain::Actor,
    (thread, removal): (String, CommandId),
) -> v1::UndoRemovalRequest {
    let Reasoned { id, reason, wait } = body;
    let (id, actor, removal) = (id_or_new(id), Some(actor_out(actor)), removal.to_string());
    v1::UndoRemovalRequest { id, actor, wait, thread, removal, reason }
}

pub(in crate::api) async fn erase_comment(ask: OfComment<Reasoned>) -> Result<Response, Problem> {
    let Reasoned { id, reason, wait } = ask.body;
    let (site, thread, comment) = ask.ids;
    let (id, actor, thread, comment) =
        (id_or_new(id), Some(actor_out(&ask.actor)), thread.to_string(), comment.to_string());
    let request = v1::EraseCommentRequest { id, actor, wait, thread, comment, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

pub(in crate::api) async fn erase_author(ask: OfAuthor<EraseAuthor>) -> Result<Response, Problem> {
    let EraseAuthor { id, comments_kept, reason, wait } = ask.body;
    let (site, author) = ask.ids;
    let (id, actor, author) = (id_or_new(id), Some(actor_out(&ask.actor)), author.to_string());
    let request = v1::EraseAuthorRequest { id, actor, wait, author, comments_kept, reason };
    answer(&ask.app, &site, request, StatusCode::CREATED).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_erases_words_because_a_field_was_left_out() {
        let said = serde_json::from_str::<EraseAuthor>(r#"{"reason":"r"}"#).unwrap_err().to_string();
        assert!(said.contains("comments_kept"), "{said}");
        assert!(serde_json::from_str::<EraseAuthor>(r#"{"comments_kept":false,"reason":"r"}"#).is_ok());
    }

    #[test]
    fn unknown_fields_are_named() {
        let typo = r#"{"voters":["ann"],"snice":"2026-11-23T00:00:00Z","reason":"r"}"#;
        let said = serde_json::from_str::<VoidVotes>(typo).unwrap_err().to_string();
        assert!(said.contains("snice"), "more votes than were meant would be void: {said}");
        let typo = r#"{"author":"ann","reason":"r","unitl":"x"}"#;
        assert!(serde_json::from_str::<RemoveComments>(typo).unwrap_err().to_string().contains("unitl"));
    }
}
