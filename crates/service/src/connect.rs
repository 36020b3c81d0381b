//! One connection to NATS, from options.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use async_nats::{ConnectOptions, Event};

/// A broker that starts beside us may take this long to listen.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);
/// Whoever waits for a broker says so this often.
const TELL_PAUSE: Duration = Duration::from_secs(5);
/// The pause between attempts to connect, before all but the first: first and again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// Where NATS is.
#[derive(Clone, clap::Args)]
pub struct NatsOptions {
    /// Address of the nats-server, or of several, separated by commas.
    #[arg(long, env = "KOE_NATS", value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub nats: String,
    /// Token that the nats-server asks for.
    #[arg(long, env = "KOE_NATS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub nats_token: Option<String>,
}

// The token stays out of every log line.
impl std::fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsOptions").field("nats", &self.nats).finish_non_exhaustive()
    }
}

/// Connects under a name, and stays connected: a connection that breaks is made again for ever.
pub async fn connect(options: &NatsOptions, name: &str) -> anyhow::Result<async_nats::Client> {
    let addresses = options.nats.split(',').map(|url| url.trim().parse()).collect::<Result<Vec<_>, _>>();
    let addresses: Vec<async_nats::ServerAddr> =
        addresses.with_context(|| format!("`{}` is not the address of a nats-server", options.nats))?;
    let (began, mut told) = (Instant::now(), None);
    loop {
        match connect_options(options, name).connect(addresses.as_slice()).await {
            Ok(client) => return Ok(client),
            Err(error) if error.kind() == async_nats::ConnectErrorKind::AuthorizationViolation => {
                bail!("{} wants another token: check --nats-token", options.nats);
            }
            Err(error) => {
                if began.elapsed() > CONNECT_PATIENCE {
                    bail!("no connection to {}: check that it runs there ({error})", options.nats);
                }
                if told.is_none_or(|told: Instant| told.elapsed() > TELL_PAUSE) {
                    told = Some(Instant::now());
                    tracing::info!(server = options.nats, "waiting for NATS");
                }
            }
        }
        tokio::time::sleep(RECONNECT_PAUSE).await;
    }
}

fn connect_options(options: &NatsOptions, name: &str) -> ConnectOptions {
    let role = name.to_owned();
    let connect = ConnectOptions::new()
        .name(name)
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| if attempt <= 1 { Duration::ZERO } else { RECONNECT_PAUSE })
        .event_callback(move |event| {
            let role = role.clone();
            async move { report(&role, &event) }
        });
    match &options.nats_token {
        Some(token) => connect.token(token.clone()),
        None => connect,
    }
}

fn report(role: &str, event: &Event) {
    match event {
        Event::Connected => tracing::debug!(role, "connected to NATS"),
        Event::Closed | Event::Draining => tracing::debug!(role, %event, "NATS"),
        Event::SlowConsumer(_) => tracing::warn!(role, %event, "NATS dropped messages for us"),
        // It connects again by itself; whoever needs it says so louder.
        Event::Disconnected | Event::LameDuckMode => tracing::info!(role, %event, "NATS"),
        Event::ServerError(_) | Event::ClientError(_) => {
            tracing::warn!(role, %event, "NATS");
        }
    }
}
