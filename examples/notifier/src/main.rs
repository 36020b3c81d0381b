//! Tells authors of replies to their comments, each exactly once, however often it is killed.
//!
//! Which events are about whom is a function of the log ([`replies`]); whether readers see a reply, Koe is asked; what was
//! told is in the output itself ([`output`]); what spares reading the log from its beginning is in a small file
//! ([`state`]). Deliberately not here: how a person is reached. Whoever sends mails reads the output.

mod output;
mod replies;
mod state;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use client::domain::SiteId;
use client::wire::v1::{CommandStatusReply, CommentState, Outcome};
use client::{Client, EventAt, EventStream, Events, Record, Start};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use output::Output;
use replies::{KINDS, Replies, Reply};
use state::State;

/// How often the state is saved at most: after a kill, so much of the log is read again.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// How often Koe is asked about one command. Whoever starts this service again after that begins where it stood.
const ATTEMPTS_MAX: u32 = 60;
/// The pause between two such questions.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Tells authors of replies to their comments: one line of JSON each, exactly once.
///
/// It follows the log, so it tells of what happened while it was away too. A reply that is held is told of when a
/// moderator approves it. Nobody is told of their own replies.
#[derive(Parser)]
#[command(name = "koe-example-notifier", version)]
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
    /// Keep here how far it is and who wrote what; made if it is not there.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Append a line for each notification here. Without it they go to standard output, and the last second's may be
    /// told again after a kill: nobody can look there for what was told.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where to begin when there is no state yet. Replies to comments from before are not told of.
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
    let mut state = State::load(&options.state)?;
    let mut output = Output::open(options.output.as_deref(), state.sequence)?;
    let connect = async_nats::ConnectOptions::new().name("koe-example-notifier");
    let connect = match options.nats_token {
        Some(password) => connect.user_and_password(options.nats_user, password),
        None => connect,
    };
    let nats =
        connect.connect(&options.nats).await.with_context(|| format!("no connection to {}", options.nats))?;
    let koe = Client::new(nats);
    let after = match (&state.position, options.from) {
        (Some(position), _) => Start::After(position.clone()),
        (None, From::Beginning) => Start::Beginning,
        (None, From::Now) => Start::Now,
    };
    let events = koe.events(Events { site: options.site, kinds: KINDS, after, ..Events::default() }).await;
    let events = events.map_err(advise)?;
    state.position = Some(events.position());
    tracing::info!(position = events.position(), "following");
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = follow(&koe, events, &mut state, &mut output, &options.state) => ended,
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    output.sync()?;
    state.save(&options.state)?;
    ended
}

/// Follows until something is wrong that a restart may mend.
async fn follow(
    koe: &Client,
    mut events: EventStream,
    state: &mut State,
    output: &mut Output,
    file: &std::path::Path,
) -> anyhow::Result<()> {
    let mut save_at = Instant::now();
    loop {
        let dirty = state.position.as_deref() != Some(state.saved.as_str());
        let record = if dirty {
            if Instant::now() >= save_at {
                output.sync()?;
                state.save(file)?;
                save_at = Instant::now() + SAVE_INTERVAL;
                continue;
            }
            match tokio::time::timeout_at(save_at, events.next()).await {
                Ok(record) => record,
                Err(_) => continue,
            }
        } else {
            events.next().await
        };
        let record = record.map_err(advise)?;
        take(koe, &record, &mut state.replies, output).await?;
        (state.position, state.sequence) = (Some(record.position().to_owned()), record.sequence());
    }
}

/// Deals with one message of the log. Nothing is remembered of it before everything is done.
async fn take(koe: &Client, record: &Record, replies: &mut Replies, output: &mut Output) -> anyhow::Result<()> {
    let event = match record {
        Record::Event(event) => event,
        Record::Unreadable(unread) => {
            let (position, subject) = (&unread.position, &unread.subject);
            tracing::warn!(position, subject, reason = unread.reason, "this event needs a newer release of me");
            return Ok(());
        }
    };
    if let Some(reply) = replies.reply(event) {
        let notification = &reply.notification;
        // First of all: how a reply stands may have changed since it was told of.
        if output.was_told(notification) {
            replies.settle(notification);
        } else {
            match standing(koe, event, &reply).await? {
                Standing::Visible => {
                    output.tell(notification)?;
                    replies.settle(notification);
                }
                Standing::Waits => replies.wait(reply.notification),
                Standing::Gone => replies.settle(notification),
                Standing::Unchanged => {}
            }
        }
    }
    replies.remember(event);
    Ok(())
}

/// How a reply stands, once the fold is past an event about it. It may be later than that.
enum Standing {
    /// Everybody sees it.
    Visible,
    /// A moderator may yet let it be seen: it is held, whether or not its event says so, or removed.
    Waits,
    /// Its author took it back, it was erased, or it never came to be.
    Gone,
    /// The event had no effect: it lost a race, or it is the repetition of another.
    Unchanged,
}

impl Standing {
    fn of(status: &CommandStatusReply, position: &str) -> Self {
        if status.outcome() == Outcome::Void || status.at_position != position {
            return Self::Unchanged;
        }
        match status.state() {
            CommentState::Visible => Self::Visible,
            CommentState::Held | CommentState::Removed => Self::Waits,
            CommentState::Deleted | CommentState::Erased | CommentState::Unspecified => Self::Gone,
        }
    }
}

/// Asks the fold, the only one that knows.
async fn standing(koe: &Client, event: &EventAt, reply: &Reply) -> anyhow::Result<Standing> {
    let EventAt { position, place, envelope, .. } = event;
    let mut attempt = 1;
    loop {
        match koe.command_status(place, (envelope.id, position), (Some(reply.comment), None), position).await {
            Ok(status) => return Ok(Standing::of(&status, position)),
            Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => {
                tracing::info!(%error, attempt, "asking again");
                attempt += 1;
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(error) => return Err(advise(error)),
        }
    }
}

fn advise(error: client::Error) -> anyhow::Error {
    let lost = error.is_position_lost();
    let error = anyhow::Error::new(error);
    if lost {
        error.context("the log begins anew: move the state and the output aside, then start again")
    } else {
        error
    }
}
