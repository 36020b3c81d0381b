//! The HTTP door of the exporter's own page: what one looks at when there is no other tool.

use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::history::History;

/// Nothing but our own script runs, and it asks nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page at `/`, its parts, and what it draws.
pub(crate) fn router(history: History) -> Router {
    Router::new()
        .route("/", get(async || asset("text/html; charset=utf-8", include_str!("../assets/page.html"))))
        .route("/page.css", get(async || asset("text/css; charset=utf-8", include_str!("../assets/page.css"))))
        .route(
            "/page.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("../assets/page.js"))),
        )
        .route("/history.json", get(since))
        .with_state(history)
}

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A newer release has another page at the same address.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
}

async fn since(State(history): State<History>, Query(Since { after }): Query<Since>) -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-store")], Json(history.since(after)))
}
