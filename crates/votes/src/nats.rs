//! The NATS door: `koe.v1.command.<site>.cast-vote` and `koe.v1.command.<site>.cast-votes`.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use service::{Door, Refusal, Request};
use wire::command::{Asked, CAST_VOTES, Request as _, ballots};
use wire::error::Failure;
use wire::subject;
use wire::v1::ballot_reply::Result as Answer;
use wire::v1::{BallotReply, CastVoteRequest, CastVotesReply, CastVotesRequest, CommandReply};
use writer::{Judge, Writer};

use domain::thread::Facts;
use domain::{Event, Rejection, Role};

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
    let answers = stream::iter(ballots.asked).map(|asked| async move {
        let answer = match asked {
            Ok(asked) => cast(writer, asked).await,
            Err(rejection) => Err(rejection.into()),
        };
        let result = answer.map_or_else(|refusal| Answer::Refused(refusal.body()), Answer::Accepted);
        BallotReply { result: Some(result) }
    });
    Ok(CastVotesReply { replies: answers.buffered(BALLOTS_AT_ONCE).collect().await })
}
