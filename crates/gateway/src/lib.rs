//! The gateway: the HTTP door for readers and programs.
//!
//! A JSON API under `/v1`, and the readers' pages, drawn on the server and whole without any script. It parses, asks
//! Koe through `client`, and maps the answer; it holds no state but the key that signs sessions. Deliberately not
//! here: rules (they are the writers' and the fold's), the log, and the read models.

mod api;
mod handler;
mod http;
mod input;
mod limits;
mod metrics;
mod page;
mod problem;
mod render;
pub mod session;
pub mod still;
mod time;
mod visitor;
mod words;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

pub use problem::HttpCode;

/// What the gateway needs to know.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where NATS is.
    #[command(flatten)]
    pub nats: service::NatsOptions,
    /// Address to serve HTTP on; port 0 takes any free one.
    #[arg(long, env = "KOE_HTTP", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// File with the key that signs sessions: 64 hexadecimal characters.
    #[arg(long, env = "KOE_SESSION_KEY_FILE", value_name = "PATH")]
    pub session_key_file: PathBuf,
}

/// A gateway that has its port and its key, and serves nobody yet.
#[derive(Debug)]
pub struct Gateway {
    options: Options,
    key: session::Key,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
}

/// Checks the configuration, reads the key and takes the port. Connects to nothing.
pub async fn bind(options: &Options) -> anyhow::Result<Gateway> {
    let key = session::Key::load(&options.session_key_file)?;
    let listener = service::listen(options.http, "--http").await?;
    let address = listener.local_addr().context("the port that was taken has no address")?;
    Ok(Gateway { options: options.clone(), key, listener, address })
}

impl Gateway {
    /// The address that was really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the stop, then finishes what was taken.
    pub async fn run(self, instruments: &service::Instruments, stop: CancellationToken) -> anyhow::Result<()> {
        let metrics = metrics::Metrics::new(instruments.registry())?;
        let connecting = instruments.connect(&self.options.nats, "koe-gateway");
        let Some(nats) = stop.run_until_cancelled(connecting).await else {
            return Ok(());
        };
        let app = handler::App::new(client::Client::new(nats?), self.key, metrics);
        let ready = app.clone();
        instruments.ready_when(move || {
            let app = ready.clone();
            async move { app.ready().await }
        });
        tracing::info!(address = %self.address, "the gateway serves");

        let serving = axum::serve(
            service::Listening::new(self.listener, limits::CONNECTIONS_MAX, limits::IDLE_MAX),
            http::router(app),
        )
        .with_graceful_shutdown(stop.clone().cancelled_owned());
        let given_up = async {
            stop.cancelled().await;
            tokio::time::sleep(limits::FINISH_MAX).await;
        };
        tokio::select! {
            served = serving => served.context("HTTP is served no longer"),
            () = given_up => {
                tracing::warn!("requests were given up at the stop");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_and_a_missing_key_say_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let session_key_file = directory.path().join("key");
        let nats = service::NatsOptions { nats: "nats://127.0.0.1:1".into(), ..service::NatsOptions::default() };
        let options = Options { nats, http: "127.0.0.1:0".parse().unwrap(), session_key_file };
        let message = bind(&options).await.unwrap_err().to_string();
        assert!(message.contains("--session-key-file"), "{message}");

        session::Key::create_new(&options.session_key_file).unwrap();
        let first = bind(&options).await.unwrap();
        assert_ne!(first.address().port(), 0);
        let second = Options { http: first.address(), ..options };
        let message = bind(&second).await.unwrap_err().to_string();
        assert!(
            message.contains("is taken by another process: stop it or choose another with --http"),
            "{message}"
        );
    }
}
