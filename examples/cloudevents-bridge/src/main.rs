//! Passes Koe's events on as CloudEvents: as lines of JSON, or by HTTP.
//!
//! Each is passed on at least once, in order: the position is saved after the event was taken. Whoever receives one twice
//! knows it by its `source` and `id`.

mod receiver;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use client::domain::SiteId;
use client::{Client, CloudEvent, EventStream, Events, Record, Start};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use receiver::Receiver;

/// How often the position is saved at most: after a kill, so much is passed on again.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// Passes Koe's events on as CloudEvents 1.0, in the JSON event format.
///
/// Each event is passed on at least once and in order, also what happened while the bridge was away. After a kill the last
/// second's events come again, with the same `source` and `id`.
#[derive(Parser)]
#[command(name = "koe-example-cloudevents-bridge", version)]
struct Options {
    /// Address of the nats-server.
    #[arg(long, env = "KOE_NATS", value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    nats: String,
    /// Who to be to the nats-server.
    #[arg(long, env = "KOE_NATS_USER", value_name = "USER", default_value = "operator")]
    nats_user: String,
    /// The password of that user.
    #[arg(long, env = "KOE_NATS_TOKEN", value_name = "PASSWORD", hide_env_values = true)]
    nats_token: Option<String>,
    /// Only this site; every site unless set.
    #[arg(long, value_name = "SITE")]
    site: Option<SiteId>,
    /// Only events of this kind, as in comment-posted; may be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Keep here how far it is; made if it is not there.
    #[arg(long, value_name = "FILE")]
    position: PathBuf,
    /// Send each event there with POST, http only; without it they go to standard output, one on each line.
    #[arg(long, value_name = "URL")]
    post: Option<String>,
    /// Where to begin when there is no position yet.
    #[arg(long, value_name = "WHERE", default_value = "beginning")]
    from: From,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum From {
    /// With the first event there is.
    Beginning,
    /// With what happens from now on.
    Now,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).with_ansi(colours).init();
    let options = Options::parse();
    let after = match (load(&options.position)?, options.from) {
        (Some(position), _) => Start::After(position),
        (None, From::Beginning) => Start::Beginning,
        (None, From::Now) => Start::Now,
    };
    let receiver = Receiver::new(options.post)?;
    let connect = async_nats::ConnectOptions::new().name("koe-example-cloudevents-bridge");
    let connect = match options.nats_token {
        Some(password) => connect.user_and_password(options.nats_user, password),
        None => connect,
    };
    let nats =
        connect.connect(&options.nats).await.with_context(|| format!("no connection to {}", options.nats))?;
    let kinds: Vec<&str> = options.kinds.iter().map(String::as_str).collect();
    let wanted = Events { site: options.site, kinds: &kinds, after, ..Events::default() };
    let mut events = Client::new(nats).events(wanted).await?;
    let mut progress = Progress { passed_on: events.position(), saved: String::new(), file: options.position };
    tracing::info!(position = progress.passed_on, "following");
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = follow(&mut events, &receiver, &mut progress) => ended,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    progress.save()?;
    ended
}

/// Passes events on until something is wrong that a restart may mend.
async fn follow(events: &mut EventStream, receiver: &Receiver, progress: &mut Progress) -> anyhow::Result<()> {
    let mut save_at = Instant::now();
    loop {
        if progress.saved != progress.passed_on && Instant::now() >= save_at {
            progress.save()?;
            save_at = Instant::now() + SAVE_INTERVAL;
        }
        let record = if progress.saved == progress.passed_on {
            events.next().await
        } else {
            match tokio::time::timeout_at(save_at, events.next()).await {
                Ok(record) => record,
                Err(_) => continue,
            }
        };
        let record = record?;
        let event = match &record {
            Record::Event(event) => Some(CloudEvent::from(event)),
            // Whoever receives it may be newer than we are.
            Record::Unreadable(unread) => CloudEvent::of_unreadable(unread),
        };
        if let Some(event) = event {
            receiver.take(&event).await?;
        } else {
            tracing::warn!(position = record.position(), "this is no event of Koe's");
        }
        record.position().clone_into(&mut progress.passed_on);
    }
}

/// How far it is.
struct Progress {
    passed_on: String,
    saved: String,
    file: PathBuf,
}

impl Progress {
    /// Replaces the file: whoever is killed meanwhile finds the old one or the new one.
    fn save(&mut self) -> anyhow::Result<()> {
        let mut name = self.file.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let beside = self.file.with_file_name(name);
        let write = || {
            let mut new = std::fs::File::create(&beside)?;
            writeln!(new, "{}", self.passed_on)?;
            new.sync_all()?;
            std::fs::rename(&beside, &self.file)
        };
        write().with_context(|| format!("{} cannot be written", self.file.display()))?;
        self.saved.clone_from(&self.passed_on);
        Ok(())
    }
}

fn load(file: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}
