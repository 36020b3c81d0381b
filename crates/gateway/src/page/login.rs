//! Login and logout. In this release a session is a token that `koe token` made; accounts follow.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::v1;
use wire::values::actor_out;

use super::view::{Frame, LoginPage, Notice};
use super::{Failed, html};
use crate::handler::App;
use crate::input::{Parameters, unread};
use crate::limits::NAMING_MAX;
use crate::problem::{HttpCode, Problem};
use crate::session::Session;
use crate::visitor::{local_path, need_same_origin, no_session_cookie, session_cookie};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Login {
    next: String,
    token: String,
}

fn page(next: &str, notice: Option<Notice>) -> LoginPage {
    let next = local_path(next).to_owned();
    LoginPage { frame: Frame::plain("Login", &next), notice, next }
}

pub(super) async fn show(login: Result<Parameters<Login>, Problem>) -> Result<Response, Failed> {
    let Parameters(login) = login?;
    Ok(html(&page(&login.next, None), true))
}

pub(super) async fn begin(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Form<Login>, FormRejection>,
) -> Result<Response, Failed> {
    let login = read(form)?;
    // Another site's page must not log a reader in as somebody else.
    need_same_origin(&headers)?;
    let token = login.token.trim();
    let Some(session) = app.key.verify(token) else {
        let problem = Problem::from(HttpCode::Unauthenticated);
        let problem =
            problem.saying("this token is not good, or no longer good: copy it whole, or ask for a new one");
        return Ok(problem.mark(html(&page(&login.next, Some(Notice::of(&problem))), true)));
    };
    make_name_known(&app, &session).await;
    let seconds = session.expires.saturating_sub(jiff::Timestamp::now().as_second());
    let cookie = session_cookie(&headers, token, seconds);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local_path(&login.next))).into_response())
}

pub(super) async fn end(headers: HeaderMap, form: Result<Form<Login>, FormRejection>) -> Result<Response, Failed> {
    let login = read(form)?;
    need_same_origin(&headers)?;
    Ok(([(SET_COOKIE, no_session_cookie(&headers))], Redirect::to(local_path(&login.next))).into_response())
}

fn read(form: Result<Form<Login>, FormRejection>) -> Result<Login, Failed> {
    match form {
        Ok(Form(login)) => Ok(login),
        Err(rejection) => Err(Failed(unread(rejection.status(), rejection.body_text()))),
    }
}

/// Asks that the author be called what the token says. The session is good without it.
async fn make_name_known(app: &App, session: &Session) {
    let Some(name) = session.name.clone() else { return };
    let request = v1::NameAuthorRequest {
        id: session.naming.to_string(),
        actor: Some(actor_out(&session.actor)),
        wait: true,
        author: session.actor.id.to_string(),
        name,
    };
    match tokio::time::timeout(NAMING_MAX, app.send(&session.site, request)).await {
        Ok(Ok(_)) => {}
        Ok(Err(problem)) => tracing::warn!(code = problem.code, "a reader's name was not recorded"),
        Err(_) => tracing::warn!("a reader's name was not recorded in time"),
    }
}
