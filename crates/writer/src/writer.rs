//! One command, at most one event.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use client::Client;
use domain::decide::event_of;
use domain::thread::mentions;
use domain::{Command, CommentId, Envelope, Event, Rejection, Timestamp, decide};
use journal::{Appended, Journal};
use prometheus::Registry;
use service::Refusal;
use wire::command::Asked;
use wire::error::Failure;
use wire::{Code, Position, v1};

use crate::facts::{FactSource, Known, KnownCommand};
use crate::looks::Looks;
use crate::metrics::Metrics;
use crate::rate::{RateOptions, Rates};

/// How a command's repetition is told once the broker may have forgotten its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// The fold keeps the id: whoever comes with an old one is asked for first.
    Remembered,
    /// Nobody keeps the id: it must be fresh, so that no late retry overturns a newer vote.
    MustBeFresh,
}

/// Turns commands into events.
pub struct Writer {
    journal: Journal,
    client: Client,
    facts: FactSource,
    looks: Looks,
    rates: Rates,
    metrics: Metrics,
    repeats: Repeats,
}

impl Writer {
    /// A writer of a role, which names its metrics.
    pub fn new(
        role: &str,
        (journal, client): (Journal, Client),
        rates: &RateOptions,
        repeats: Repeats,
        registry: &Registry,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            looks: Looks::new(journal.clone()),
            facts: FactSource::new(client.clone()),
            journal,
            client,
            rates: Rates::new(rates),
            metrics: Metrics::new(role, registry)?,
            repeats,
        })
    }

    /// Keeps what the writer knows fresh, until the connection is given up.
    pub async fn keep_fresh(&self) -> anyhow::Result<()> {
        tokio::select! {
            () = self.journal.watch() => Ok(()),
            heard = self.facts.hear() => heard.context("removals are not heard any more"),
        }
    }

    /// Carries a command out: recorded and acknowledged, or refused.
    pub async fn handle(&self, asked: Asked) -> Result<v1::CommandReply, Refusal> {
        let Asked { command, wait } = asked;
        if !self.rates.allow(&command.place.site, &command.actor.id) {
            return Err(Failure::RateLimited.into());
        }
        let time = now();
        let age = command.id.made_at_millis().map(|made| time.0.saturating_sub(made));
        let fresh = age.is_some_and(|age| self.is_fresh(age));
        if self.repeats == Repeats::MustBeFresh && !fresh {
            return Err(Failure::CommandExpired.into());
        }
        let until = age.filter(|_| self.repeats == Repeats::MustBeFresh).map(|age| self.fresh_until(age));
        let mentioned = mentions(&event_of(&command.body));
        let draft = Draft { command, time, wait, until };
        let facts = if fresh {
            self.facts.recent(&draft.command.place, &mentioned, &self.metrics).await.map_err(refusal_of)?
        } else {
            // The broker may have forgotten this id. The fold has not.
            match self.known(&draft, &mentioned, "").await? {
                Known { command: Some(command), .. } => return self.repeat(&draft, &command).await,
                Known { facts, command: None } => facts,
            }
        };
        match decide(&draft.command, &facts) {
            Ok(event) => self.append(&draft, event).await,
            Err(_) => self.look_again(&draft, &mentioned).await,
        }
    }

    async fn known(&self, draft: &Draft, mentioned: &[CommentId], at_least: &str) -> Result<Known, Refusal> {
        let (place, id) = (&draft.command.place, Some(draft.command.id));
        self.facts.asked(place, mentioned, id, at_least, &self.metrics).await.map_err(refusal_of)
    }

    /// A refusal is never stale: what a writer refuses, it refuses at the log's end as of now.
    async fn look_again(&self, draft: &Draft, mentioned: &[CommentId]) -> Result<v1::CommandReply, Refusal> {
        self.metrics.looked_again.inc();
        let head = self.looks.end().await.ok_or(Failure::Unavailable)?;
        let end = Position { epoch: head.epoch, sequence: head.sequence }.to_string();
        let known = self.known(draft, mentioned, &end).await?;
        if let Some(command) = known.command {
            // Accepted before: it stays accepted, though by now it would be refused.
            return self.repeat(draft, &command).await;
        }
        let event = decide(&draft.command, &known.facts)?;
        self.append(draft, event).await
    }

    async fn append(&self, draft: &Draft, event: Event) -> Result<v1::CommandReply, Refusal> {
        if !self.journal.head().borrow().clock_fits() {
            return Err(Failure::ClockSkewed.into());
        }
        let timer = self.metrics.publish.start_timer();
        let appended = self.journal.append(&draft.command.place, &draft.envelope(event), draft.until).await;
        timer.observe_duration();
        let sequence = match appended.map_err(|error| refused_by_log(&error))? {
            Appended::New { sequence } => sequence,
            Appended::Repeated { sequence } => {
                self.metrics.repeated.inc();
                sequence
            }
            Appended::Reused => return Err(Rejection::CommandIdReused.into()),
        };
        let epoch = self.journal.head().borrow().epoch;
        Ok(self.reply(draft, Position { epoch, sequence }.to_string()).await)
    }

    /// The same outcome again, unless it is another command under the same id.
    async fn repeat(&self, draft: &Draft, known: &KnownCommand) -> Result<v1::CommandReply, Refusal> {
        self.metrics.repeated.inc();
        let position: Position = known.position.parse().or(Err(Refusal::from(Failure::Internal)))?;
        let envelope = draft.envelope(event_of(&draft.command.body));
        let same = self.journal.holds(position.sequence, &draft.command.place, &envelope).await;
        if !same.map_err(|error| refused_by_log(&error))? {
            return Err(Rejection::CommandIdReused.into());
        }
        let (outcome, code) = match (draft.wait, &known.void) {
            (false, _) => (v1::Outcome::Accepted, ""),
            (true, None) => (v1::Outcome::Applied, ""),
            (true, Some(code)) => (v1::Outcome::Void, code.as_str()),
        };
        let (id, position) = (draft.command.id.to_string(), known.position.clone());
        Ok(v1::CommandReply { id, position, outcome: outcome.into(), code: code.to_owned() })
    }

    async fn reply(&self, draft: &Draft, position: String) -> v1::CommandReply {
        let id = draft.command.id;
        let accepted = |outcome: v1::Outcome| v1::CommandReply {
            id: id.to_string(),
            position: position.clone(),
            outcome: outcome.into(),
            code: String::new(),
        };
        if !draft.wait {
            return accepted(v1::Outcome::Accepted);
        }
        match self.client.command_status(&draft.command.place, id, &position, &position).await {
            Ok(status) if status.outcome != i32::from(v1::Outcome::Unspecified) => {
                v1::CommandReply { outcome: status.outcome, code: status.code, ..accepted(v1::Outcome::Pending) }
            }
            // Recorded it is, whatever the projector says or does not say in time.
            Ok(_) | Err(_) => accepted(v1::Outcome::Pending),
        }
    }

    /// Whether an id of this age cannot have been used before the broker's window began (law 4).
    fn is_fresh(&self, age_millis: i64) -> bool {
        let window = i64::try_from(self.journal.window().as_millis()).unwrap_or(i64::MAX);
        (-window / 4..=window / 2).contains(&age_millis)
    }

    fn fresh_until(&self, age_millis: i64) -> Instant {
        let left = self.journal.window() / 2;
        let age = Duration::from_millis(age_millis.unsigned_abs());
        Instant::now() + if age_millis < 0 { left + age } else { left.saturating_sub(age) }
    }
}

/// A command on its way to its event.
struct Draft {
    command: Command,
    time: Timestamp,
    wait: bool,
    until: Option<Instant>,
}

impl Draft {
    fn envelope(&self, event: Event) -> Envelope {
        Envelope { id: self.command.id, time: self.time, actor: self.command.actor.clone(), event }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn refused_by_log(error: &journal::Error) -> Refusal {
    tracing::warn!(%error, cause = std::error::Error::source(error).map(ToString::to_string), "the log refuses");
    match error {
        journal::Error::Full(_) => Failure::LogFull,
        journal::Error::Late => Failure::CommandExpired,
        journal::Error::Unavailable(_) => Failure::Unavailable,
        journal::Error::Misconfigured(_) => Failure::Internal,
    }
    .into()
}

/// What the projector's refusal means for the command.
fn refusal_of(error: client::Error) -> Refusal {
    match error {
        client::Error::Refused { code: code @ Code::Failed(Failure::Behind), .. } => code.into(),
        // The log lost its tail between the look and the question: the next try sees the new epoch.
        client::Error::Refused { code: Code::Failed(Failure::PositionLost), .. } => Failure::Behind.into(),
        client::Error::Unavailable(_) => Failure::Unavailable.into(),
        error => {
            tracing::error!(%error, "the projector's answer cannot be used");
            Failure::Internal.into()
        }
    }
}
