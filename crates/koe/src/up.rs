//! `koe up`: all roles in one process, and a nats-server beside it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use client::Client;
use service::{Instruments, NatsOptions, connect};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::broker::{self, Broker};
use crate::data_dir::{Addresses, DataDir};
use crate::keys::Keys;
use crate::{demo, output};

/// The roles have this long to finish what they took; with the broker's own time it stays within five seconds.
const GRACE: Duration = Duration::from_millis(3_200);
/// Everything answers within this time after a start, unless the log is folded anew.
const READY_MAX: Duration = Duration::from_mins(10);
/// How often readiness is looked at.
const READY_POLL: Duration = Duration::from_millis(50);

/// Runs everything in one process: all roles, and a nats-server with its data beside ours.
///
/// Stops cleanly on Ctrl-C and SIGTERM; the data is there at the next start. While it runs, DIR/addresses.json says where
/// everything is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  koe up --demo
  koe up --data /var/lib/koe --http 0.0.0.0:8080
  koe up --data /tmp/try --http 127.0.0.1:0 --metrics 127.0.0.1:0 --nats 127.0.0.1:0")]
pub(crate) struct Options {
    /// Directory for the log, the read models and the secrets.
    #[arg(long, env = "KOE_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Address for readers and the API; port 0 takes any free one.
    #[arg(long, env = "KOE_HTTP", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Address for Prometheus; port 0 takes any free one.
    #[arg(long, env = "KOE_METRICS", value_name = "ADDR", default_value = "127.0.0.1:9464")]
    metrics: SocketAddr,
    /// Address for the nats-server; port 0 takes any free one.
    #[arg(long, env = "KOE_NATS_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:4222")]
    nats: SocketAddr,
    /// Post the demonstration: a thread with 22 comments and their votes. Once: a second start adds nothing.
    #[arg(long)]
    demo: bool,
    /// The nats-server to run, 2.15.1 or later. Without it: the first suitable one on the PATH, beside this executable,
    /// or in a `.tools` directory here or above it.
    #[arg(long, env = "KOE_NATS_SERVER", value_name = "FILE")]
    nats_server: Option<PathBuf>,
    /// Memory for the read models' cache, in MiB.
    #[arg(long, env = "KOE_CACHE_MIB", value_name = "MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u64).range(16..=65_536))]
    cache_mib: u64,
    /// Seconds after an erasure until the log is folded again, so that no store holds what was erased. Erasures of that time are
    /// gathered; readers do not see what was erased from the first moment on.
    #[arg(long, env = "KOE_FORGET_AFTER_SECS", value_name = "SECS", default_value_t = 3_600,
          value_parser = clap::value_parser!(u64).range(..=2_592_000))]
    forget_after_secs: u64,
    /// How often one actor may ask.
    #[command(flatten)]
    rates: comments::RateOptions,
}

pub(crate) async fn run(options: Options, stop: CancellationToken) -> anyhow::Result<()> {
    let dir = DataDir::open(&options.data)?;
    let server = broker::find(options.nats_server.as_deref()).await?;
    let (nats_token, session_key_file) = (dir.nats_token()?, dir.session_key()?);
    broker::stop_orphan(&dir.nats()).await?;
    let nats = dir.again(options.nats, |before| before.nats);
    let keys = Keys::open(&dir.nats_keys())?;
    let mut secrets = keys.variables().to_vec();
    secrets.push(("KOE_NATS_TOKEN".to_owned(), nats_token.clone()));
    let mut broker = Broker::start(server, dir.nats(), nats, secrets).await?;
    let nats = Nats { url: format!("nats://{}", broker.address()), keys, token: nats_token };
    let outcome = beside_broker(&options, &dir, (&mut broker, nats), session_key_file, &stop).await;
    broker.stop().await?;
    outcome
}

async fn beside_broker(
    options: &Options,
    dir: &DataDir,
    (broker, nats): (&mut Broker, Nats),
    session_key_file: PathBuf,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let http = dir.again(options.http, |before| before.http);
    let gateway_options = gateway::Options { nats: nats.of("gateway"), http, session_key_file };
    let gateway = gateway::bind(&gateway_options).await?;
    let metrics = dir.again(options.metrics, |before| before.metrics);
    let exporter = exporter::bind(&exporter::Options { nats: nats.of("exporter"), metrics }).await?;
    let addresses = Addresses {
        http: gateway.address(),
        metrics: exporter.address(),
        nats: broker.address(),
        nats_user: service::OPERATOR.to_owned(),
        nats_token: nats.token.clone(),
    };

    let mut roles = Roles::new(stop.child_token());
    let (comments, votes, projector) = role_options(options, dir, &nats);
    roles.run("comments", |instruments, stop| async move { comments::run(comments, &instruments, stop).await })?;
    roles.run("votes", |instruments, stop| async move { votes::run(votes, &instruments, stop).await })?;
    roles.run(
        "projector",
        |instruments, stop| async move { projector::run(projector, &instruments, stop).await },
    )?;
    roles.run("gateway", |instruments, stop| async move { gateway.run(&instruments, stop).await })?;
    roles.run("exporter", |instruments, stop| async move { exporter.run(&instruments, stop).await })?;

    let outcome = tokio::select! {
        // The roles' end is looked at first: why one ended says more than what others missed of it.
        biased;
        ended = roles.first_end() => ended,
        watched = broker.watch(stop) => watched,
        welcomed = welcome(options, dir, &nats, &addresses, stop) => welcomed,
    };
    dir.forget_addresses().context("addresses.json cannot be removed")?;
    roles.finish().await;
    outcome
}

/// The broker, as its users see it.
struct Nats {
    url: String,
    keys: Keys,
    token: String,
}

impl Nats {
    /// As a role, which may do what it needs.
    fn of(&self, role: &str) -> NatsOptions {
        let nats_nkey_file = Some(self.keys.seed_file(role));
        NatsOptions { nats: self.url.clone(), nats_nkey_file, ..NatsOptions::default() }
    }

    /// As the operator, who may do everything.
    fn operator(&self) -> NatsOptions {
        NatsOptions { nats: self.url.clone(), nats_token: Some(self.token.clone()), ..NatsOptions::default() }
    }
}

fn role_options(
    options: &Options,
    dir: &DataDir,
    nats: &Nats,
) -> (comments::Options, votes::Options, projector::Options) {
    (
        comments::Options { nats: nats.of("comments"), rates: options.rates.clone() },
        votes::Options { nats: nats.of("votes"), rates: options.rates.clone() },
        projector::Options {
            nats: nats.of("projector"),
            data: dir.projector(),
            cache_mib: options.cache_mib,
            forget_after_secs: options.forget_after_secs,
            fold_paused: None,
        },
    )
}

/// Waits until everything answers, posts the demonstration, says where everything is, and then waits for the stop.
async fn welcome(
    options: &Options,
    dir: &DataDir,
    nats: &Nats,
    addresses: &Addresses,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let greeting = async {
        let connection = connect(&nats.operator(), "koe-up").await?;
        ready(&connection).await?;
        if options.demo {
            demo::post(&Client::new(connection)).await.context("the demonstration could not be posted")?;
        }
        dir.write_addresses(addresses)?;
        output::line(format_args!("koe {} is up", env!("CARGO_PKG_VERSION")));
        output::line(format_args!("  readers  http://{}/", addresses.http));
        output::line(format_args!("  metrics  http://{}/ (for Prometheus: /metrics)", addresses.metrics));
        output::line(format_args!(
            "  NATS     nats://{} (who to be there is in {})",
            addresses.nats,
            dir.addresses().display()
        ));
        output::line("Ctrl-C stops it.");
        anyhow::Ok(())
    };
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        greeted = greeting => greeted?,
    }
    stop.cancelled().await;
    Ok(())
}

/// Waits until every service answers and the read model has caught up.
async fn ready(connection: &async_nats::Client) -> anyhow::Result<()> {
    let client = Client::new(connection.clone());
    let began = Instant::now();
    let (mut told, mut end) = (Instant::now(), None);
    loop {
        let status = client.status().await.ok();
        // What others send meanwhile is no reason to wait for ever: the end is the one that was seen first.
        end = end.or(status.as_ref().map(|status| status.end));
        let serving = status.as_ref().is_some_and(|status| status.generation > 0 && Some(status.sequence) >= end);
        if serving && answers(connection, "koe-comments").await && answers(connection, "koe-votes").await {
            return Ok(());
        }
        if let Some(status) = status.filter(|_| told.elapsed() > Duration::from_secs(2)) {
            told = Instant::now();
            tracing::info!(folded = status.rebuilding_sequence, end = status.end, "folding the log");
        }
        if began.elapsed() > READY_MAX {
            bail!("not everything answers after {} s", READY_MAX.as_secs());
        }
        tokio::time::sleep(READY_POLL).await;
    }
}

async fn answers(connection: &async_nats::Client, service: &str) -> bool {
    connection.request(format!("$SRV.PING.{service}"), "".into()).await.is_ok()
}

/// The roles of this process, under one registry and one readiness.
struct Roles {
    process: Option<Instruments>,
    stop: CancellationToken,
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Roles {
    fn new(stop: CancellationToken) -> Self {
        Self { process: None, stop, running: JoinSet::new() }
    }

    fn run<F, R>(&mut self, name: &'static str, role: F) -> anyhow::Result<()>
    where
        F: FnOnce(Instruments, CancellationToken) -> R,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let instruments = match &self.process {
            Some(process) => process.beside(name)?,
            None => Instruments::of_process(name)?,
        };
        self.process.get_or_insert_with(|| instruments.clone());
        let role = role(instruments, self.stop.clone());
        self.running.spawn(async move { (name, role.await) });
        Ok(())
    }

    /// A role that ends, ends the process, unless it was told to.
    async fn first_end(&mut self) -> anyhow::Result<()> {
        let Some(ended) = self.running.join_next().await else {
            return Ok(());
        };
        let (name, outcome) = ended.context("a role broke")?;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        outcome.with_context(|| format!("the {name} ended"))?;
        bail!("the {name} ended");
    }

    /// Tells the roles to stop and waits for them, for as long as the grace lasts.
    async fn finish(mut self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(GRACE, async {
            while let Some(ended) = self.running.join_next().await {
                if let Ok((name, Err(error))) = ended {
                    tracing::warn!(name, error = format!("{error:#}"), "a role did not end well");
                }
            }
        });
        if ended.await.is_err() {
            tracing::warn!("roles were given up at the stop");
        }
    }
}
