//! One command, at most one event.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use client::Client;
use domain::decide::event_of;
use domain::thread::{Facts, Needs, PersonFacts, needs};
use domain::{AuthorId, Command, CommandBody, Envelope, Event, Place, Rejection, SiteId, Timestamp, decide};
use journal::{Appended, Journal};
use prometheus::Registry;
use service::Refusal;
use tracing::Instrument as _;
use wire::command::Asked;
use wire::error::Failure;
use wire::{Code, Position, v1};

use crate::facts::{FactSource, Known};
use crate::limits::VOTERS_TOLD_MAX;
use crate::looks::Looks;
use crate::metrics::Metrics;
use crate::rate::{RateOptions, Rates};
use crate::settings::{SettingsSource, SiteSettings};

/// How a command's repetition is told once the broker may have forgotten its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// The fold keeps the id: whoever comes with an old one is asked for first.
    Remembered,
    /// Nobody keeps the id: it must be fresh, so that no late retry overturns a newer vote.
    MustBeFresh,
}

/// What a service says of its commands beyond the rules of the fold.
pub trait Judge: Sync {
    /// Completes an event with what only the writer can say, or refuses it. `at_least` is the position of the facts that
    /// it may use: empty at first, and the log's end of now before a refusal that counts.
    fn judge(
        &self,
        facts: &Facts,
        event: &mut Event,
        at_least: &str,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Turns commands into events.
pub struct Writer {
    journal: Journal,
    client: Client,
    facts: FactSource,
    settings: SettingsSource,
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
            facts: FactSource::new(client.clone(), repeats == Repeats::Remembered),
            settings: SettingsSource::new(client.clone()),
            journal,
            client,
            rates: Rates::new(rates),
            metrics: Metrics::new(role, registry)?,
            repeats,
        })
    }

    /// The log that it writes.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Keeps what the writer knows fresh, until the connection is given up.
    pub async fn keep_fresh(&self) -> anyhow::Result<()> {
        tokio::select! {
            () = self.journal.watch() => Ok(()),
            heard = self.facts.hear(&self.settings) => heard.context("events are not heard any more"),
        }
    }

    /// The settings of a site, a moment old at most.
    pub async fn settings(&self, site: &SiteId) -> Result<Arc<SiteSettings>, Refusal> {
        self.settings.recent(site).await.map_err(refusal_of)
    }

    /// The settings of a site at a position.
    pub async fn settings_at(&self, site: &SiteId, at_least: &str) -> Result<Arc<SiteSettings>, Refusal> {
        self.settings.asked(site, at_least).await.map_err(refusal_of)
    }

    /// Whether a thread exists at a position.
    pub async fn has_thread(&self, place: &Place, at_least: &str) -> Result<bool, Refusal> {
        let known =
            self.facts.asked(place, &Needs::default(), None, at_least, &self.metrics).await.map_err(refusal_of)?;
        Ok(known.facts.thread.is_some())
    }

    /// Waits (bounded) for the fold to reach a position.
    pub async fn reaches(&self, site: &SiteId, position: &str) -> bool {
        self.client.counts(site, &[], position).await.is_ok()
    }

    /// Carries a command out: recorded and acknowledged, or refused. `per_minute` is the rate that the site has set for
    /// it, 0 for none; `judge` says what no rule of the fold says.
    pub async fn handle(
        &self,
        asked: Asked,
        per_minute: u32,
        judge: &impl Judge,
    ) -> Result<v1::CommandReply, Refusal> {
        let command = &asked.command;
        let span = tracing::info_span!(
            "command",
            command.id = %command.id,
            site.id = %command.place.site,
            thread.id = command.place.thread.as_ref().map(tracing::field::display)
        );
        self.decide_and_record(asked, per_minute, judge).instrument(span).await
    }

    async fn decide_and_record(
        &self,
        asked: Asked,
        per_minute: u32,
        judge: &impl Judge,
    ) -> Result<v1::CommandReply, Refusal> {
        let Asked { command, wait } = asked;
        if !self.rates.allow(&command.place.site, &command.actor.id, per_minute) {
            return Err(Failure::RateLimited.into());
        }
        let time = now();
        let age = command.id.made_at_millis().map(|made| time.0.saturating_sub(made));
        let fresh = age.is_some_and(|age| self.is_fresh(age));
        if self.repeats == Repeats::MustBeFresh && !fresh {
            return Err(Failure::CommandExpired.into());
        }
        let until = age.filter(|_| self.repeats == Repeats::MustBeFresh).map(|age| self.fresh_until(age));
        let needs = needs(&event_of(&command.body), &command.actor);
        let draft = Draft { command, time, wait, until };
        let facts = if fresh {
            self.facts.recent(&draft.command.place, &needs, &self.metrics).await.map_err(refusal_of)?
        } else {
            // The broker may have forgotten this id. The fold has not.
            match self.known(&draft, &needs, "").await? {
                Known { accepted_at: Some(position), .. } => return self.repeat(&draft, position).await,
                Known { facts, accepted_at: None } => facts,
            }
        };
        let facts = Facts { time, ..facts };
        match decided(&draft, &facts, judge, "").await {
            Ok(event) => self.append(&draft, event).await,
            Err(_) => self.look_again(&draft, &needs, judge).await,
        }
    }

    async fn known(&self, draft: &Draft, needs: &Needs, at_least: &str) -> Result<Known, Refusal> {
        let (place, id) = (&draft.command.place, Some(draft.command.id));
        self.facts.asked(place, needs, id, at_least, &self.metrics).await.map_err(refusal_of)
    }

    /// A refusal is never stale: what a writer refuses, it refuses at the log's end as of now.
    async fn look_again(
        &self,
        draft: &Draft,
        needs: &Needs,
        judge: &impl Judge,
    ) -> Result<v1::CommandReply, Refusal> {
        self.metrics.looked_again.inc();
        let head = self.looks.end().await.ok_or(Failure::Unavailable)?;
        let end = Position { epoch: head.epoch, sequence: head.sequence }.to_string();
        match self.known(draft, needs, &end).await? {
            // Accepted before: it stays accepted, though by now it would be refused.
            Known { accepted_at: Some(position), .. } => self.repeat(draft, position).await,
            Known { facts, accepted_at: None } => {
                let facts = Facts { time: draft.time, ..facts };
                let event = decided(draft, &facts, judge, &end).await?;
                self.append(draft, event).await
            }
        }
    }

    async fn append(&self, draft: &Draft, event: Event) -> Result<v1::CommandReply, Refusal> {
        need_clock(*self.journal.head().borrow())?;
        let timer = self.metrics.publish.start_timer();
        let appended = self.journal.append(&draft.command.place, &draft.envelope(event), draft.until).await;
        timer.observe_duration();
        self.metrics.count_grouped(self.journal.grouped());
        let sequence = match appended.map_err(|error| refused_by_log(&error))? {
            Appended::New { sequence } => sequence,
            Appended::Repeated { sequence } => {
                self.metrics.repeated.inc();
                sequence
            }
            Appended::Reused => return Err(Rejection::CommandIdReused.into()),
        };
        tracing::debug!(event.sequence = sequence, "the command is recorded");
        let epoch = self.journal.head().borrow().epoch;
        Ok(self.reply(draft, Position { epoch, sequence }.to_string()).await)
    }

    /// The same outcome again, unless it is another command under the same id.
    async fn repeat(&self, draft: &Draft, at: String) -> Result<v1::CommandReply, Refusal> {
        self.metrics.repeated.inc();
        let position: Position = at.parse().or(Err(Refusal::from(Failure::Internal)))?;
        let envelope = draft.envelope(event_of(&draft.command.body));
        let same = self.journal.holds(position.sequence, &draft.command.place, &envelope).await;
        if !same.map_err(|error| refused_by_log(&error))? {
            return Err(Rejection::CommandIdReused.into());
        }
        Ok(self.reply(draft, at).await)
    }

    async fn reply(&self, draft: &Draft, position: String) -> v1::CommandReply {
        let id = draft.command.id.to_string();
        let outcome = v1::Outcome::Accepted.into();
        let accepted = v1::CommandReply { id, position, outcome, ..v1::CommandReply::default() };
        if !draft.wait {
            return accepted;
        }
        let at_least = accepted.position.clone();
        self.told(&draft.command, accepted, &at_least).await
    }

    /// What came of an accepted command, as of a position, which this waits for (bounded).
    pub async fn told(&self, command: &Command, accepted: v1::CommandReply, at_least: &str) -> v1::CommandReply {
        let event = event_of(&command.body);
        let comment = event.comment_under(command.id);
        let voter = matches!(event, Event::VoteCast { .. }).then_some(&command.actor.id);
        let asked = (command.id, accepted.position.as_str());
        match self.client.command_status(&command.place, asked, (comment, voter), at_least).await {
            Ok(status) if status.outcome != i32::from(v1::Outcome::Unspecified) => v1::CommandReply {
                outcome: status.outcome,
                code: status.code,
                // Everybody may see a vote's tally; of another command it says nothing.
                tally: status.tally.filter(|_| voter.is_some()),
                vote: status.vote,
                state: status.state,
                as_of: if comment.is_some() { status.position } else { String::new() },
                ..accepted
            },
            // Recorded it is, whatever the projector says or does not say in time.
            Ok(_) | Err(_) => v1::CommandReply { outcome: v1::Outcome::Pending.into(), ..accepted },
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

/// Times are judged for ever, so a writer whose clock is off writes nothing (law 7).
fn need_clock(head: journal::Head) -> Result<(), Failure> {
    if head.clock_fits() { Ok(()) } else { Err(Failure::ClockSkewed) }
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

/// The event of a command, by the rules of the domain and those of the service.
async fn decided(draft: &Draft, facts: &Facts, judge: &impl Judge, at_least: &str) -> Result<Event, Refusal> {
    let mut event =
        decide(&draft.command, facts).map_err(|rejection| refusal_for(rejection, &draft.command.body, facts))?;
    judge.judge(facts, &mut event, at_least).await?;
    Ok(event)
}

/// A refusal, which tells a banned person until when and why, and whoever names many voters which of them it is about.
fn refusal_for(rejection: Rejection, body: &CommandBody, facts: &Facts) -> Refusal {
    match (rejection, &facts.author.ban) {
        (Rejection::Banned, Some(ban)) => {
            let until = ban.until.and_then(|until| jiff::Timestamp::from_millisecond(until.0).ok());
            let until = until.map_or_else(|| "for good".to_owned(), |until| format!("until {until}"));
            Refusal::with_detail(rejection, format!("banned from this site {until}: {}", ban.reason))
        }
        (Rejection::VoterUnknown, _) => {
            let voters = those_of(body, |voter| known_as(facts, voter).is_none());
            Refusal::with_detail(rejection, format!("these never took part in this site: {voters}"))
        }
        (Rejection::VotesNotVoid, _) => {
            let voters = those_of(body, |voter| known_as(facts, voter).is_some_and(|person| !person.votes_void));
            Refusal::with_detail(rejection, format!("the votes of these are not void: {voters}"))
        }
        _ => rejection.into(),
    }
}

fn known_as(facts: &Facts, id: &AuthorId) -> Option<PersonFacts> {
    facts.people.iter().find(|(known, _)| known == id).map(|(_, person)| *person)
}

/// Some of the voters that a command names, in words.
fn those_of(body: &CommandBody, are: impl Fn(&AuthorId) -> bool) -> String {
    let voters = match body {
        CommandBody::VoidVotes { voters, .. } | CommandBody::UnvoidVotes { voters, .. } => voters.as_slice(),
        _ => &[],
    };
    let voters: Vec<&str> = voters.iter().filter(|voter| are(voter)).map(AuthorId::as_str).collect();
    let told = voters.iter().take(VOTERS_TOLD_MAX).copied().collect::<Vec<_>>().join(", ");
    match voters.len().saturating_sub(VOTERS_TOLD_MAX) {
        0 => told,
        more => format!("{told}, and {more} more"),
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
        journal::Error::Misconfigured(_) | journal::Error::Undeletable(_) => Failure::Internal,
    }
    .into()
}

/// What the projector's refusal means for the command.
fn refusal_of(error: client::Error) -> Refusal {
    match error {
        client::Error::Refused { code: code @ Code::Failed(Failure::Behind), .. } => code.into(),
        // The log lost its tail between the look and the question, and the next try sees the new epoch; or what is stored
        // is damaged, and the log is being folded again.
        client::Error::Refused {
            code: Code::Failed(Failure::PositionLost | Failure::StoreUnreadable), ..
        } => Failure::Behind.into(),
        client::Error::Unavailable(_) => Failure::Unavailable.into(),
        error => {
            tracing::error!(%error, "the projector's answer cannot be used");
            Failure::Internal.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::command::Voters;

    use super::*;

    #[test]
    fn a_writer_whose_clock_is_off_writes_nothing() {
        let journal = Journal::in_memory(Duration::from_mins(1));
        let head = *journal.head().borrow();
        assert_eq!(need_clock(head), Ok(()));
        assert_eq!(need_clock(journal::Head { clock_skew_millis: 2_001, ..head }), Err(Failure::ClockSkewed));
    }

    #[test]
    fn an_answer_of_the_projector_that_cannot_be_used_is_our_defect() {
        let unknown = client::Error::Unknown { code: "of-a-newer-release".into(), message: String::new() };
        assert_eq!(refusal_of(unknown), Refusal::from(Failure::Internal));
    }

    #[test]
    fn who_names_many_voters_is_told_which_of_them_it_is_about() {
        let ids = |numbers: std::ops::Range<u32>| numbers.map(|n| format!("v{n}").parse::<AuthorId>().unwrap());
        let unvoid = |numbers| {
            let voters = Voters::parse(ids(numbers).collect()).unwrap();
            CommandBody::UnvoidVotes { voters, reason: "r".into() }
        };
        // Void are the votes of the even ones.
        let people =
            ids(0..40).zip(0..).map(|(id, n)| (id, PersonFacts { votes_void: n % 2 == 0, erased: false }));
        let facts = Facts { people: people.collect(), ..Facts::default() };
        let told = |rejection, numbers| refusal_for(rejection, &unvoid(numbers), &facts).body().message;
        assert_eq!(told(Rejection::VoterUnknown, 38..42), "these never took part in this site: v40, v41");
        assert_eq!(told(Rejection::VotesNotVoid, 36..42), "the votes of these are not void: v37, v39");
        let many =
            "these never took part in this site: v40, v41, v42, v43, v44, v45, v46, v47, v48, v49, and 5 more";
        assert_eq!(told(Rejection::VoterUnknown, 0..55), many);
        assert_eq!(told(Rejection::NotPermitted, 0..55), Rejection::NotPermitted.to_string());
    }
}
