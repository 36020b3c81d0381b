//! The form that posts a comment. It is answered by a redirect, or by the page that says in words why not and keeps
//! what was typed. The forms about a comment that is there are in `deeds`.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::{SiteId, ThreadId};
use serde::Deserialize;
use wire::v1;
use wire::values::actor_out;

use super::Failed;
use super::place::{Back, Place, applied};
use super::view::{Draft, QuoteDraft};
use super::way::Way;
use crate::handler::{App, new_id};
use crate::input::{Params, unread};
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PostForm {
    id: String,
    after: String,
    order: String,
    tree: String,
    around: String,
    back: String,
    text: String,
    parent: String,
    quote_comment: String,
    quote_revision: u32,
    quote_start: u32,
    quote_end: u32,
}

type Sent<T> = Result<Form<T>, FormRejection>;
type OfThread = Result<Params<(SiteId, ThreadId)>, Problem>;

/// What a form holds.
pub(super) fn read<T>(form: Sent<T>) -> Result<T, Failed> {
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
    let back = Back::of(&form.back);
    let draft = form.draft();
    let way = Way { after: form.after, around: form.around, ..Way::of(&form.order, &form.tree)? };
    // What does not stay is left for what is replied to, or for the beginning.
    let way = if way.stays() { way } else { way.around(&form.parent) };
    let place = Place { app: &app, site: &site, thread: &thread, visitor: &visitor, way, back };
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

fn quote_at_start(quote: &QuoteDraft) -> v1::Quote {
    let QuoteDraft { comment, revision, start, end } = quote.clone();
    v1::Quote { comment, revision, start, end, at: 0 }
}

impl PostForm {
    fn draft(&self) -> Draft {
        let quote = QuoteDraft {
            comment: self.quote_comment.clone(),
            revision: self.quote_revision,
            start: self.quote_start,
            end: self.quote_end,
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Rejection;
    use wire::error::Failure;

    #[test]
    fn a_form_sent_again_keeps_its_id_only_while_nobody_knows_its_fate() {
        let draft = Draft { id: "one".into(), text: "words".into(), ..Draft::default() };
        let kept = draft.clone().for_retry(&Failure::Unavailable.into());
        assert_eq!((kept.id.as_str(), kept.text.as_str()), ("one", "words"));
        assert_ne!(draft.clone().for_retry(&Rejection::CommandIdReused.into()).id, "one");
        assert_ne!(draft.for_retry(&Rejection::TextTooLong.into()).id, "one");
    }
}
