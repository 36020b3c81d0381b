//! The HTTP door of those who watch a process: its metrics as Prometheus reads them, whether it lives, whether it is ready.

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{TEXT_FORMAT, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Instruments, Listening};

/// Scrapers that are served at once; more wait in the kernel.
const CONNECTIONS_MAX: usize = 32;
/// A connection that is silent for longer is closed: two scrape intervals of a minute fit.
const IDLE_MAX: Duration = Duration::from_secs(150);
/// After a stop, a scrape that has begun is finished within this time.
const FINISH_MAX: Duration = Duration::from_millis(500);

/// Serves `/metrics`, `/livez` and `/readyz` until the stop, and whatever else there is to see.
pub async fn serve_vitals(
    listener: TcpListener,
    instruments: Instruments,
    more: Option<Router>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(instruments)
        .merge(more.unwrap_or_default());
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

async fn readyz(State(instruments): State<Instruments>) -> Response {
    match instruments.not_ready().await {
        None => "ok\n".into_response(),
        Some(reasons) => (StatusCode::SERVICE_UNAVAILABLE, reasons).into_response(),
    }
}

async fn metrics(State(instruments): State<Instruments>) -> Response {
    match TextEncoder::new().encode_to_string(&instruments.registry().gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
