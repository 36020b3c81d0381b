//! The NATS door: `koe.v1.command.<site>.cast-vote` and `koe.v1.command.<site>.cast-votes`.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use service::{Door, Refusal, Request};
use wire::command::{Asked, CAST_VOTES, Request as _, ballots};
use wire::error::Failure;
use wire::v1::ballot_reply::Result as Answer;
use wire::v1::{BallotReply, CastVoteRequest, CastVotesReply, CastVotesRequest, CommandReply, Outcome};
use wire::{Position, subject};
use writer::{Judge, Writer};

use domain::thread::Facts;
use domain::{Command, Event, Rejection, Role, SiteId};

/// Votes in one request.
const BALLOTS_MAX: usize = 500;
/// Votes of one request that are on their way at once: enough to keep the broker busy, few enough to leave room.
const BALLOTS_AT_ONCE: usize = 64;

/// Takes votes from now on.
pub(crate) async fn serve(door: &mut Door, writer: Arc<Writer>) -> anyhow::Result<()> {
    let one = Arc::clone(&writer);
    let serve = move |request: Request<CastVoteRequest>| {
        let writer = Arc::clone(&one);
        async move {
            let site = subject::site_token(&request.subject).parse().map_err(Refusal::from)?;
            cast(&writer, request.body.parse(site)?).await
        }
    };
    door.serve(CastVoteRequest::VERB, subject::commands(CastVoteRequest::VERB), serve).await?;
    let serve = move |request: Request<CastVotesRequest>| {
        let writer = Arc::clone(&writer);
        async move { cast_many(&writer, request).await }
    };
    door.serve(CAST_VOTES, subject::commands(CAST_VOTES), serve).await
}

/// The rules of the fold are all that there is to say of a vote.
struct NothingMore;

impl Judge for NothingMore {
    async fn judge(&self, _: &Facts, _: &mut Event, _: &str) -> Result<(), Refusal> {
        Ok(())
    }
}

async fn cast(writer: &Writer, asked: Asked) -> Result<CommandReply, Refusal> {
    let settings = writer.settings(&asked.command.place.site).await?;
    let per_minute = settings.settings.votes_per_minute.unwrap_or_default();
    writer.handle(asked, per_minute, &NothingMore).await
}

/// Each vote is a command of its own, with its own event and its own answer.
async fn cast_many(writer: &Writer, request: Request<CastVotesRequest>) -> Result<CastVotesReply, Refusal> {
    let site = subject::site_token(&request.subject).parse().map_err(Refusal::from)?;
    if !(1..=BALLOTS_MAX).contains(&request.body.ballots.len()) {
        let detail = format!("1 to {BALLOTS_MAX} ballots at once");
        return Err(Refusal::with_detail(Failure::LimitExceeded, detail));
    }
    let ballots = ballots(request.body, &site)?;
    if !ballots.actor.roles.has(Role::Service) {
        return Err(Rejection::NotPermitted.into());
    }
    let wait = ballots.asked.iter().flatten().any(|asked| asked.wait);
    let answers = stream::iter(ballots.asked).map(|asked| async move {
        let asked = Asked { wait: false, ..asked? };
        let command = asked.command.clone();
        Ok::<_, Refusal>((command, cast(writer, asked).await?))
    });
    let mut answers: Vec<_> = answers.buffered(BALLOTS_AT_ONCE).collect().await;
    if wait {
        answers = told(writer, &site, answers).await;
    }
    let reply = |answer: Cast| {
        let result =
            answer.map_or_else(|refusal| Answer::Refused(refusal.body()), |(_, reply)| Answer::Accepted(reply));
        BallotReply { result: Some(result) }
    };
    Ok(CastVotesReply { replies: answers.into_iter().map(reply).collect() })
}

type Cast = Result<(Command, CommandReply), Refusal>;

/// What came of the votes, all as of the last of them: one wait, and not one for each.
async fn told(writer: &Writer, site: &SiteId, answers: Vec<Cast>) -> Vec<Cast> {
    let positions = answers.iter().flatten().filter_map(|(_, reply)| reply.position.parse::<Position>().ok());
    let Some(last) = positions.max_by_key(|position| position.sequence).map(|last| last.to_string()) else {
        return answers;
    };
    let reached = writer.reaches(site, &last).await;
    let answers = stream::iter(answers).map(|answer| async {
        let (command, reply) = answer?;
        let reply = if reached {
            writer.told(&command, reply, "").await
        } else {
            CommandReply { outcome: Outcome::Pending.into(), ..reply }
        };
        Ok((command, reply))
    });
    answers.buffered(BALLOTS_AT_ONCE).collect().await
}
