//! The HTTP door: a registry as Prometheus reads it.

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use service::Listening;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::limits::{CONNECTIONS_MAX, FINISH_MAX, IDLE_MAX};

/// Serves a registry under `/metrics` until the stop, for any role. `/livez` says that the process lives.
pub async fn serve_metrics(
    listener: TcpListener,
    registry: Registry,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/", get(async || "Koe's metrics are at /metrics, in Prometheus's text format.\n"))
        .route("/livez", get(async || "ok\n"))
        .route("/metrics", get(metrics))
        .with_state(registry);
    let serving = axum::serve(Listening::new(listener, CONNECTIONS_MAX, IDLE_MAX), router)
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let given_up = async {
        stop.cancelled().await;
        tokio::time::sleep(FINISH_MAX).await;
    };
    tokio::select! {
        served = serving => served.context("metrics are served no longer"),
        () = given_up => Ok(()),
    }
}

async fn metrics(State(registry): State<Registry>) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
