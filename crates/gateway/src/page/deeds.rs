//! What readers and moderators do with a comment from its page or from the queue: a form each. It is answered by a
//! redirect back, or by the page that says in words why not.

use axum::extract::{Form, FromRequest, FromRequestParts as _, Request};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::text::Text;
use domain::{CommentId, SiteId, ThreadId};
use serde::Deserialize;
use wire::command::Request as Asked;
use wire::error::Failure;
use wire::v1;
use wire::values::actor_out;

use super::Failed;
use super::forms::read;
use super::place::{Back, Place, Told, applied};
use super::way::Way;
use crate::handler::{App, id_or_new};
use crate::input::Params;
use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::words::{category_of, vote_of};

/// What the forms hold, each some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeedForm {
    id: String,
    after: String,
    order: String,
    tree: String,
    around: String,
    back: String,
    number: String,
    vote: String,
    revision: u32,
    text: String,
    quotes: String,
    category: String,
    words: String,
    reason: String,
    rule: String,
    statement: String,
    upheld: bool,
    featured: bool,
    author: String,
    /// Whether it is about the whole site, and not only about this thread.
    everywhere: bool,
}

/// Somebody's form about a comment.
pub(super) struct Deed {
    app: App,
    site: SiteId,
    thread: ThreadId,
    comment: CommentId,
    visitor: Visitor,
    headers: HeaderMap,
    form: DeedForm,
}

/// What every request about a comment says.
struct About {
    id: String,
    actor: Option<v1::Actor>,
    thread: String,
    comment: String,
}

impl FromRequest<App> for Deed {
    type Rejection = Failed;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let ids = Params::<(SiteId, ThreadId, CommentId)>::from_request_parts(&mut parts, app).await;
        let Params((site, thread, comment)) = ids?;
        let visitor = Visitor::of(&parts.headers, &app.key)?;
        let headers = parts.headers.clone();
        let form = read(Form::from_request(Request::from_parts(parts, body), &()).await)?;
        Ok(Self { app: app.clone(), site, thread, comment, visitor, headers, form })
    }
}

impl Deed {
    /// Asks for it, keeps what was typed if it is refused, and leads back otherwise.
    async fn ask<R: Asked>(
        mut self,
        typed: String,
        tell: impl Fn(&v1::CommandReply) -> Told,
        request: impl FnOnce(About, &mut DeedForm) -> Result<R, Problem>,
    ) -> Result<Response, Failed> {
        let (way, number) = (self.way()?, std::mem::take(&mut self.form.number));
        let place = Place {
            app: &self.app,
            site: &self.site,
            thread: &self.thread,
            visitor: &self.visitor,
            way,
            back: Back::of(&self.form.back),
        };
        let actor = match self.visitor.actor(&self.headers, &self.site) {
            Ok(actor) => Some(actor_out(&actor)),
            Err(problem) => return Ok(place.refused_outright(&problem, typed)),
        };
        let id = Some(std::mem::take(&mut self.form.id)).filter(|id| !id.is_empty());
        let (thread, comment) = (self.thread.to_string(), self.comment.to_string());
        let about = About { id: id_or_new(id), actor, thread, comment };
        let sent = match request(about, &mut self.form) {
            Ok(request) => applied(self.app.send(&self.site, request).await),
            Err(problem) => Err(problem),
        };
        match sent {
            Ok(reply) => Ok(place.to_changed(&reply, &number, tell(&reply))),
            Err(problem) => Ok(place.not_changed(&problem, typed).await),
        }
    }

    fn way(&mut self) -> Result<Way, Problem> {
        let (after, around) = (std::mem::take(&mut self.form.after), std::mem::take(&mut self.form.around));
        let way = Way { after, around, ..Way::of(&self.form.order, &self.form.tree)? };
        Ok(way.back_to(&self.comment.to_string()))
    }

    /// The same, with nothing typed and nothing told.
    async fn plainly<R: Asked>(self, request: impl FnOnce(About, &mut DeedForm) -> R) -> Result<Response, Failed> {
        self.ask(String::new(), |_| Told::Nothing, |about, form| Ok(request(about, form))).await
    }
}

pub(super) async fn cast_vote(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, form| v1::CastVoteRequest {
        id,
        actor,
        wait: true,
        thread,
        comment,
        vote: vote_of(&form.vote),
    })
    .await
}

pub(super) async fn edit(deed: Deed) -> Result<Response, Failed> {
    let typed = deed.form.text.clone();
    deed.ask(typed, Told::of_own, |About { id, actor, thread, comment }, form| {
        let text = std::mem::take(&mut form.text);
        let quotes = quotes_of(&form.quotes, &text)?;
        let revision = form.revision;
        Ok(v1::EditCommentRequest { id, actor, wait: true, thread, comment, revision, text, quotes })
    })
    .await
}

/// The quotes that the form kept, none beyond the end of the new words.
fn quotes_of(json: &str, text: &str) -> Result<Vec<v1::Quote>, Problem> {
    if json.is_empty() {
        return Ok(Vec::new());
    }
    let mut quotes: Vec<v1::Quote> = serde_json::from_str(json).or(Err(Failure::Malformed))?;
    let length = Text::parse(text)?.length();
    for quote in &mut quotes {
        quote.at = quote.at.min(length);
    }
    Ok(quotes)
}

pub(super) async fn delete(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, _| v1::DeleteCommentRequest {
        id,
        actor,
        wait: true,
        thread,
        comment,
    })
    .await
}

pub(super) async fn flag(deed: Deed) -> Result<Response, Failed> {
    let typed = deed.form.words.clone();
    deed.ask(
        typed,
        |_| Told::Flagged,
        |About { id, actor, thread, comment }, form| {
            let (category, words) = (category_of(&form.category), std::mem::take(&mut form.words));
            Ok(v1::FlagCommentRequest { id, actor, wait: true, thread, comment, category, words })
        },
    )
    .await
}

pub(super) async fn withdraw_flag(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, _| v1::WithdrawFlagRequest {
        id,
        actor,
        wait: true,
        thread,
        comment,
    })
    .await
}

pub(super) async fn hold(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, form| {
        let reason = std::mem::take(&mut form.reason);
        v1::HoldCommentRequest { id, actor, wait: true, thread, comment, reason }
    })
    .await
}

pub(super) async fn approve(deed: Deed) -> Result<Response, Failed> {
    // The revision that the moderator saw, and no other.
    deed.plainly(|About { id, actor, thread, comment }, form| v1::ApproveCommentRequest {
        id,
        actor,
        wait: true,
        thread,
        comment,
        revision: Some(form.revision),
    })
    .await
}

pub(super) async fn remove(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, form| {
        let (reason, rule) = (std::mem::take(&mut form.reason), std::mem::take(&mut form.rule));
        v1::RemoveCommentRequest { id, actor, wait: true, thread, comment, reason, rule }
    })
    .await
}

pub(super) async fn restore(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, form| {
        let reason = std::mem::take(&mut form.reason);
        v1::RestoreCommentRequest { id, actor, wait: true, thread, comment, reason }
    })
    .await
}

pub(super) async fn feature(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, comment }, form| v1::FeatureCommentRequest {
        id,
        actor,
        wait: true,
        thread,
        comment,
        featured: form.featured,
    })
    .await
}

pub(super) async fn resolve_flags(deed: Deed) -> Result<Response, Failed> {
    let typed = deed.form.statement.clone();
    deed.ask(
        typed,
        |_| Told::Nothing,
        |About { id, actor, thread, comment }, form| {
            let (upheld, statement) = (form.upheld, std::mem::take(&mut form.statement));
            Ok(v1::ResolveFlagsRequest { id, actor, wait: true, thread, comment, upheld, statement })
        },
    )
    .await
}

/// All comments of the author whose comment the form stands below.
pub(super) async fn remove_all(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, thread, .. }, form| {
        let thread = if form.everywhere { String::new() } else { thread };
        let (author, since) = (std::mem::take(&mut form.author), None);
        let (reason, rule) = (std::mem::take(&mut form.reason), std::mem::take(&mut form.rule));
        v1::RemoveCommentsRequest { id, actor, wait: true, thread, author, since, reason, rule }
    })
    .await
}

/// All votes of that author.
pub(super) async fn void_votes(deed: Deed) -> Result<Response, Failed> {
    deed.plainly(|About { id, actor, .. }, form| {
        let (voters, since) = (vec![std::mem::take(&mut form.author)], None);
        let reason = std::mem::take(&mut form.reason);
        v1::VoidVotesRequest { id, actor, wait: true, voters, since, reason }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_where_they_were_or_at_the_new_end() {
        let quote = |at| v1::Quote { comment: "c".into(), revision: 1, start: 2, end: 5, at };
        let kept = serde_json::to_string(&vec![quote(0), quote(7)]).unwrap();
        assert_eq!(quotes_of(&kept, "日本\r\n語 ").unwrap(), vec![quote(0), quote(4)]);
        assert_eq!(quotes_of("", "words").unwrap(), vec![]);
        assert_eq!(quotes_of("[{]", "words").unwrap_err().code, "malformed");
    }
}
