//! The router: which address leads to which line of which door, and what surrounds every request.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use wire::codec::REQUEST_BYTES_MAX;
use wire::error::Failure;

use crate::handler::App;
use crate::limits::REQUEST_MAX;
use crate::problem::{CodeLabel, HttpCode, Problem};
use crate::{api, page};

/// Addresses that nobody made are counted as one.
const NO_ROUTE: &str = "other";

/// What every answer carries: no script runs on our pages, whatever gets into them.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Everything that is served.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .merge(api::router())
        .merge(page::router())
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(readyz))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

async fn readyz(State(app): State<App>) -> Response {
    match app.ready().await {
        Ok(()) => "ok".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason).into_response(),
    }
}

async fn not_found(uri: Uri) -> Response {
    refuse(uri.path(), &HttpCode::NotFound.into())
}

async fn method_not_allowed(uri: Uri) -> Response {
    refuse(uri.path(), &HttpCode::MethodNotAllowed.into())
}

/// A problem in the manner of the door that was knocked at.
fn refuse(path: &str, problem: &Problem) -> Response {
    if path.starts_with("/v1/") { problem.clone().into_response() } else { page::problem(problem) }
}

async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = route_of(request.method(), request.extensions().get());
    let path = request.uri().path().to_owned();
    let mut response = match app.places.try_acquire() {
        Err(_) => refuse(&path, &Failure::Overloaded.into()),
        Ok(_place) => match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
            Ok(response) => response,
            Err(_) => refuse(&path, &Failure::Unavailable.into()),
        },
    };
    secure(response.headers_mut());
    let code = response.extensions().get::<CodeLabel>().map_or("ok", |label| label.0);
    app.metrics.requests.with_label_values(&[route.as_str(), code]).inc();
    app.metrics.durations.with_label_values(&[&route]).observe(began.elapsed().as_secs_f64());
    response
}

/// The pattern of the address, never the address: the list of routes is fixed.
fn route_of(method: &Method, matched: Option<&MatchedPath>) -> String {
    let method = match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => return NO_ROUTE.to_owned(),
    };
    matched.map_or_else(|| NO_ROUTE.to_owned(), |matched| format!("{method} {}", matched.as_str()))
}

fn secure(headers: &mut HeaderMap) {
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, value);
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
}

#[cfg(test)]
mod tests;
