//! What readers send from a thread's page. Each form is answered by a redirect, or by the page that says in words why
//! not and keeps what was typed.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{CommentId, Rejection, SiteId, ThreadId};
use serde::Deserialize;
use wire::command::actor_out;
use wire::{Code, v1};

use super::thread::Sight;
use super::view::{Draft, Notice, QuoteDraft};
use super::{Failed, address, problem_with, thread_path};
use crate::api::vote_of;
use crate::handler::{App, new_id};
use crate::input::{Params, unread};
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PostForm {
    id: String,
    after: String,
    text: String,
    parent: String,
    quote_comment: String,
    quote_start: u32,
    quote_end: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VoteForm {
    after: String,
    number: String,
    vote: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RemovalForm {
    after: String,
    number: String,
    reason: String,
}

type Sent<T> = Result<Form<T>, FormRejection>;
type OfThread = Result<Params<(SiteId, ThreadId)>, Problem>;
type OfComment = Result<Params<(SiteId, ThreadId, CommentId)>, Problem>;

fn read<T>(form: Sent<T>) -> Result<T, Failed> {
    match form {
        Ok(Form(form)) => Ok(form),
        Err(rejection) => Err(Failed(unread(rejection.status(), rejection.body_text()))),
    }
}

pub(super) async fn post_comment(
    State(app): State<App>,
    params: OfThread,
    visitor: Result<Visitor, Problem>,
    headers: HeaderMap,
    form: Sent<PostForm>,
) -> Result<Response, Failed> {
    let (Params((site, thread)), visitor, form) = (params?, visitor?, read(form)?);
    let place = Place { app: &app, site: &site, thread: &thread, visitor: &visitor, after: &form.after };
    let draft = form.draft();
    let actor = match visitor.actor(&headers, &site) {
        Ok(actor) => actor,
        Err(problem) => return Ok(place.refused_outright(&problem, form.text)),
    };
    let request = v1::PostCommentRequest {
        id: form.id,
        actor: Some(actor_out(&actor)),
        wait: true,
        thread: thread.to_string(),
        parent: form.parent,
        text: form.text,
        quotes: draft.quote.iter().map(quote_at_start).collect(),
    };
    match applied(app.send(&site, request).await) {
        Ok(reply) => Ok(place.to_comment(&reply).await),
        Err(problem) => Ok(place.refused(&problem, draft.for_retry(&problem)).await),
    }
}

pub(super) async fn cast_vote(
    State(app): State<App>,
    params: OfComment,
    visitor: Result<Visitor, Problem>,
    headers: HeaderMap,
    form: Sent<VoteForm>,
) -> Result<Response, Failed> {
    let (Params((site, thread, comment)), visitor, form) = (params?, visitor?, read(form)?);
    let place = Place { app: &app, site: &site, thread: &thread, visitor: &visitor, after: &form.after };
    let actor = match visitor.actor(&headers, &site) {
        Ok(actor) => Some(actor_out(&actor)),
        Err(problem) => return Ok(place.refused_outright(&problem, String::new())),
    };
    let (thread, comment) = (thread.to_string(), comment.to_string());
    let vote = vote_of(&form.vote);
    let request = v1::CastVoteRequest { id: new_id().to_string(), actor, wait: true, thread, comment, vote };
    let sent = applied(app.send(&site, request).await);
    Ok(place.after_change(sent, &form.number).await)
}

pub(super) async fn remove_comment(
    State(app): State<App>,
    params: OfComment,
    visitor: Result<Visitor, Problem>,
    headers: HeaderMap,
    form: Sent<RemovalForm>,
) -> Result<Response, Failed> {
    let (Params((site, thread, comment)), visitor, form) = (params?, visitor?, read(form)?);
    let place = Place { app: &app, site: &site, thread: &thread, visitor: &visitor, after: &form.after };
    let actor = match visitor.actor(&headers, &site) {
        Ok(actor) => Some(actor_out(&actor)),
        Err(problem) => return Ok(place.refused_outright(&problem, form.reason)),
    };
    let (thread, comment, reason) = (thread.to_string(), comment.to_string(), form.reason);
    let request =
        v1::RemoveCommentRequest { id: new_id().to_string(), actor, wait: true, thread, comment, reason };
    let sent = applied(app.send(&site, request).await);
    Ok(place.after_change(sent, &form.number).await)
}

/// A void command is recorded and has no effect: to a reader that is a refusal.
fn applied(sent: Result<v1::CommandReply, Problem>) -> Result<v1::CommandReply, Problem> {
    let reply = sent?;
    if reply.outcome() != v1::Outcome::Void {
        return Ok(reply);
    }
    Err(Code::from_word(&reply.code).unwrap_or(Rejection::NotPermitted.into()).into())
}

fn quote_at_start(quote: &QuoteDraft) -> v1::Quote {
    let QuoteDraft { comment, start, end } = quote.clone();
    v1::Quote { comment, revision: 0, start, end, at: 0 }
}

impl PostForm {
    fn draft(&self) -> Draft {
        let quote =
            QuoteDraft { comment: self.quote_comment.clone(), start: self.quote_start, end: self.quote_end };
        Draft {
            id: self.id.clone(),
            text: self.text.clone(),
            parent: self.parent.clone(),
            quote: Some(quote).filter(|quote| !quote.comment.is_empty()),
        }
    }
}

impl Draft {
    /// The same words again. The id stays where nobody knows whether the command was recorded, so that a second try
    /// cannot post twice; after an answer it is used up or was never good.
    fn for_retry(self, problem: &Problem) -> Self {
        let unanswered = problem.status.is_server_error();
        Self { id: if unanswered { self.id } else { new_id().to_string() }, ..self }
    }
}

/// Where a form was sent from.
struct Place<'a> {
    app: &'a App,
    site: &'a SiteId,
    thread: &'a ThreadId,
    visitor: &'a Visitor,
    after: &'a str,
}

impl Place<'_> {
    fn path(&self) -> String {
        thread_path(self.site, self.thread)
    }

    /// To the new comment on its page, so that its writer reads it at once.
    async fn to_comment(&self, reply: &v1::CommandReply) -> Response {
        let from = (self.after, reply.position.as_str());
        let found = self.app.find((self.site, self.thread), |comment| comment.id == reply.id, from).await;
        let (after, fragment) = match found {
            Ok(Some(found)) => (found.after, format!("comment-{}", found.number)),
            // Recorded, but not folded yet, or far away: the page says so, or shows the thread from where they were.
            Ok(None) | Err(_) => (self.after.to_owned(), "comments".to_owned()),
        };
        let parameters = [("after", after.as_str()), ("at_least", reply.position.as_str())];
        Redirect::to(&address(&self.path(), &parameters, &fragment)).into_response()
    }

    /// Back to the comment that was changed.
    async fn after_change(&self, sent: Result<v1::CommandReply, Problem>, number: &str) -> Response {
        let reply = match sent {
            Ok(reply) => reply,
            Err(problem) => {
                let draft = Draft { id: new_id().to_string(), ..Draft::default() };
                return self.refused(&problem, draft).await;
            }
        };
        let number: Option<u32> = number.parse().ok();
        let fragment = number.map_or_else(String::new, |number| format!("comment-{number}"));
        let parameters = [("after", self.after), ("at_least", reply.position.as_str())];
        Redirect::to(&address(&self.path(), &parameters, &fragment)).into_response()
    }

    /// The thread's page with the reason and the draft.
    async fn refused(&self, problem: &Problem, draft: Draft) -> Response {
        let sight =
            Sight { site: self.site, thread: self.thread, visitor: self.visitor, after: self.after, at_least: "" };
        match sight.read(self.app).await {
            Ok((page, _)) => problem.mark(sight.draw(page, draft, Some(Notice::of(problem)), problem.status)),
            Err(_) => self.refused_outright(problem, draft.text),
        }
    }

    /// A page of its own, where the thread's page would show no form: the typed words stay readable.
    fn refused_outright(&self, problem: &Problem, typed: String) -> Response {
        let back = address(&self.path(), &[("after", self.after)], "post");
        problem_with(problem, typed, (&back, "Back to the discussion"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::error::Failure;

    #[test]
    fn a_form_sent_again_keeps_its_id_only_while_nobody_knows_its_fate() {
        let draft = Draft { id: "one".into(), text: "words".into(), ..Draft::default() };
        let kept = draft.clone().for_retry(&Failure::Unavailable.into());
        assert_eq!((kept.id.as_str(), kept.text.as_str()), ("one", "words"));
        assert_ne!(draft.clone().for_retry(&Rejection::CommandIdReused.into()).id, "one");
        assert_ne!(draft.for_retry(&Rejection::TextTooLong.into()).id, "one");
    }

    #[test]
    fn a_void_command_is_a_refusal_with_its_code() {
        let reply = |outcome: v1::Outcome, code: &str| v1::CommandReply {
            outcome: outcome.into(),
            code: code.into(),
            ..v1::CommandReply::default()
        };
        let void = applied(Ok(reply(v1::Outcome::Void, "comment-removed"))).unwrap_err();
        assert_eq!((void.status.as_u16(), void.code.as_str()), (409, "comment-removed"));
        assert!(applied(Ok(reply(v1::Outcome::Pending, ""))).is_ok());
    }
}
