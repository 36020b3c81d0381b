//! One connection to NATS, from options.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_nats::{ConnectOptions, Event};
use prometheus::{IntCounter, IntGauge};

/// A broker that starts beside us may take this long to listen.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);
/// Whoever waits for a broker says so this often.
const TELL_PAUSE: Duration = Duration::from_secs(5);
/// The pause between attempts to connect, before all but the first: first and again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);
/// The NATS user of people and tools, whom our configuration lets do everything.
pub const OPERATOR: &str = "operator";
/// A seed file holds a seed of 58 characters, with room for the lines of a credentials file around it.
const SEED_FILE_BYTES_MAX: u64 = 4_096;

/// Where NATS is, and who we are to it.
#[derive(Clone, Default, clap::Args)]
pub struct NatsOptions {
    /// Address of the nats-server, or of several, separated by commas; tls:// asks for TLS.
    #[arg(long, env = "KOE_NATS", value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub nats: String,
    /// File with the seed of the NATS user's key (nkey): who we are to the nats-server. See docs/security.md.
    #[arg(long, env = "KOE_NATS_NKEY_FILE", value_name = "FILE", conflicts_with = "nats_token")]
    pub nats_nkey_file: Option<PathBuf>,
    /// File with the certificates that the nats-server's own is signed by, for a tls:// address. Without it: those of this
    /// machine.
    #[arg(long, env = "KOE_NATS_CA_FILE", value_name = "FILE")]
    pub nats_ca_file: Option<PathBuf>,
    /// Password of the NATS user `operator`, who may do everything, or the token that a nats-server without users asks for.
    #[arg(long, env = "KOE_NATS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub nats_token: Option<String>,
}

// The token stays out of every log line.
impl std::fmt::Debug for NatsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsOptions").field("nats", &self.nats).finish_non_exhaustive()
    }
}

/// What is counted of one connection.
pub(crate) struct Counts {
    pub(crate) connected: IntGauge,
    pub(crate) reconnects: IntCounter,
    pub(crate) slow_consumers: IntCounter,
    pub(crate) was_connected: AtomicBool,
}

/// Connects under a name, and stays connected: a connection that breaks is made again for ever.
pub async fn connect(options: &NatsOptions, name: &str) -> anyhow::Result<async_nats::Client> {
    counted(options, name, None).await
}

pub(crate) async fn counted(
    options: &NatsOptions,
    name: &str,
    counts: Option<Arc<Counts>>,
) -> anyhow::Result<async_nats::Client> {
    let addresses = options.nats.split(',').map(|url| url.trim().parse()).collect::<Result<Vec<_>, _>>();
    let addresses: Vec<async_nats::ServerAddr> =
        addresses.with_context(|| format!("`{}` is not the address of a nats-server", options.nats))?;
    // The command line refuses both; one may come from the configuration file.
    ensure!(
        options.nats_nkey_file.is_none() || options.nats_token.is_none(),
        "both nats-nkey-file and nats-token are set, one of them in the configuration file: leave one out (`koe config show`)"
    );
    let seed = options.nats_nkey_file.as_deref().map(seed_in).transpose()?;
    let (began, mut told) = (Instant::now(), None);
    loop {
        let connect = connect_options(options, seed.as_deref(), name, counts.clone());
        match connect.connect(addresses.as_slice()).await {
            Ok(client) => return Ok(client),
            Err(error) if error.kind() == async_nats::ConnectErrorKind::AuthorizationViolation => {
                bail!(
                    "{} does not let us in: check --nats-nkey-file or --nats-token, and that this user is in its configuration",
                    options.nats
                );
            }
            Err(error) if is_of_tls(&error) => {
                bail!("no TLS with {}: check --nats-ca-file ({error})", options.nats);
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

/// The library tells of a certificate that is not trusted as of any trouble of the connection, but for its words.
fn is_of_tls(error: &async_nats::ConnectError) -> bool {
    error.kind() == async_nats::ConnectErrorKind::Tls || error.to_string().contains("certificate")
}

/// The seed in a file: alone, or in the frame that credentials files have.
fn seed_in(file: &Path) -> anyhow::Result<String> {
    let read = || {
        let size = std::fs::metadata(file)?.len();
        if size > SEED_FILE_BYTES_MAX { Ok(String::new()) } else { std::fs::read_to_string(file) }
    };
    let text = read()
        .with_context(|| format!("{} cannot be read: name another with --nats-nkey-file", file.display()))?;
    let seed = text.lines().map(str::trim).find(|line| line.starts_with("SU"));
    ensure!(
        seed.is_some(),
        "{} holds no seed of a NATS user (a line that begins with SU): `koe nats-keys` makes one",
        file.display()
    );
    Ok(seed.unwrap_or_default().to_owned())
}

fn connect_options(
    options: &NatsOptions,
    seed: Option<&str>,
    name: &str,
    counts: Option<Arc<Counts>>,
) -> ConnectOptions {
    let role = name.to_owned();
    let mut connect = ConnectOptions::new()
        .name(name)
        // What a user may subscribe to is fenced, its answers too.
        .custom_inbox_prefix(format!("_INBOX.{name}"))
        .max_reconnects(None)
        .reconnect_delay_callback(|attempt| if attempt <= 1 { Duration::ZERO } else { RECONNECT_PAUSE })
        .event_callback(move |event| {
            report(&role, &event);
            if let Some(counts) = &counts {
                counts.count(&event);
            }
            async {}
        });
    if let Some(file) = &options.nats_ca_file {
        connect = connect.add_root_certificates(file.clone());
    }
    if let Some(seed) = seed {
        connect = connect.nkey(seed.to_owned());
    }
    match &options.nats_token {
        // A server with users knows it as the operator's password, one without as the token of everybody.
        Some(token) => connect.token(token.clone()).user_and_password(OPERATOR.to_owned(), token.clone()),
        None => connect,
    }
}

impl Counts {
    fn count(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.connected.set(1);
                if self.was_connected.swap(true, Ordering::Relaxed) {
                    self.reconnects.inc();
                }
            }
            Event::Disconnected | Event::Closed => self.connected.set(0),
            Event::SlowConsumer(_) => self.slow_consumers.inc(),
            Event::Draining | Event::LameDuckMode | Event::ServerError(_) | Event::ClientError(_) => {}
        }
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
