//! A command as a program asks for it: where, who, and what. The actor is the session's, the id the caller's or a new one.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Actor, SiteId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wire::command::Request as Asked;

use super::shape;
use crate::handler::App;
use crate::input::{Body, Ids, Params, parameters};
use crate::problem::Problem;
use crate::visitor::Visitor;

/// A command about something in a site, by somebody with a session there.
pub(super) struct Ask<I, T> {
    pub(super) app: App,
    /// What it is about, as the address says.
    pub(super) ids: I,
    pub(super) actor: Actor,
    /// What the body says, or of a DELETE the parameters: not everything on the way lets its body through.
    pub(super) body: T,
}

/// What every command may say, and some say no more.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Plain {
    pub(super) id: Option<String>,
    pub(super) wait: bool,
}

impl<I: Ids + Send, T: DeserializeOwned + Send> FromRequest<App> for Ask<I, T> {
    type Rejection = Problem;

    /// Who asks is judged before the body is read.
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Params(ids) = Params::<I>::from_request_parts(&mut parts, app).await?;
        let actor = Visitor::of(&parts.headers, &app.key)?.actor(&parts.headers, ids.site())?;
        let body = if parts.method == Method::DELETE {
            parameters(&parts.uri)?
        } else {
            Body::new(Request::from_parts(parts, body)).read().await?
        };
        Ok(Self { app: app.clone(), ids, actor, body })
    }
}

/// Sends a command and answers what came of it.
pub(super) async fn answer<R: Asked>(
    app: &App,
    site: &SiteId,
    request: R,
    status: StatusCode,
) -> Result<Response, Problem> {
    let reply = app.send(site, request).await?;
    Ok((status, Json(shape::Command::from(reply))).into_response())
}
