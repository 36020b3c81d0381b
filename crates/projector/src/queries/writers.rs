//! What writers ask: settings, facts, and what came of a command.

use std::sync::Arc;

use domain::limits::VOTERS_MAX;
use domain::thread::Needs;
use domain::{AuthorId, CommandId, CommentId, Place, Rejection};
use service::Request;
use tokio::time::Instant;
use views::{KnownCommand, View};
use wire::error::Failure;
use wire::values::{mode_out, settings_out, state_out, vote_out};
use wire::{Position, v1};

use super::{Answer, Failed, next_part, optional, place, position, read, read_settled};
use crate::answers;
use crate::limits::{AT_LEAST_WAIT_MAX, FACTS_COMMENTS_MAX};
use crate::shared::Shared;

pub(super) async fn site(shared: &Shared, request: Request<v1::SiteRequest>) -> Answer<v1::SiteReply> {
    let place = place(&request, "")?;
    // Numbers may be given out twice by a log that lost its tail, so that a version has the epoch too.
    let known: Option<Position> = request.body.known_version.parse().ok();
    read(shared, &request.body.at_least, move |view, position| {
        let known = known.filter(|known| known.epoch == position.epoch).map(|known| known.sequence);
        let site = view.settings(&place.site, known)?.ok_or(Rejection::SiteUnknown)?;
        Ok(v1::SiteReply {
            position: position.to_string(),
            version: Position { sequence: site.version, ..position }.to_string(),
            settings: site.settings.as_ref().map(settings_out),
            mode: mode_out(site.mode),
            mode_reason: site.mode_reason,
        })
    })
    .await
}

/// What a query about a command may ask besides.
struct Besides {
    comment: Option<CommentId>,
    voter: Option<AuthorId>,
}

impl Besides {
    fn read(&self, view: &View<'_>, place: &Place) -> Result<Option<views::CommentStanding>, Failed> {
        match self.comment {
            Some(comment) => Ok(view.standing(place, comment, self.voter.as_ref())?),
            None => Ok(None),
        }
    }
}

pub(super) async fn command(
    shared: &Shared,
    request: Request<v1::CommandStatusRequest>,
) -> Answer<v1::CommandStatusReply> {
    let place = place(&request, &request.body.thread)?;
    let id = request.body.id.parse()?;
    let at_position = position(&request.body.at_position)?;
    let besides = Besides { comment: optional(&request.body.comment)?, voter: optional(&request.body.voter)? };
    let (known, standing, read_at) = carried_out(shared, &request.body.at_least, &place, id, besides).await?;
    let epoch = read_at.epoch;
    let (at, (outcome, code)) = match (known, at_position) {
        (Some(known), _) if known.open => (Some(known.sequence), (v1::Outcome::Pending.into(), String::new())),
        (Some(known), _) => (Some(known.sequence), answers::outcome(known.void)),
        (None, Some(at)) if at.epoch == epoch => {
            let outcome = shared.ring.outcome(at.sequence).map(|judged| answers::outcome(judged.err()));
            (Some(at.sequence), outcome.unwrap_or((v1::Outcome::Pending.into(), String::new())))
        }
        (None, _) => (None, (v1::Outcome::Unspecified.into(), String::new())),
    };
    Ok(v1::CommandStatusReply {
        position: read_at.to_string(),
        outcome,
        code,
        at_position: at.map_or_else(String::new, |sequence| Position { epoch, sequence }.to_string()),
        tally: standing.map(|standing| answers::tally(standing.tally)),
        vote: standing.and_then(|standing| standing.vote).map_or(0, vote_out),
        state: standing.map_or(0, |standing| state_out(standing.state)),
    })
}

/// What came of a command, with what is asked besides. Who waits for its position waits (bounded) until every thread has come to
/// what it decided.
async fn carried_out(
    shared: &Shared,
    at_least: &str,
    place: &Place,
    id: CommandId,
    besides: Besides,
) -> Answer<(Option<KnownCommand>, Option<views::CommentStanding>, Position)> {
    let until = Instant::now() + AT_LEAST_WAIT_MAX;
    let besides = Arc::new(besides);
    loop {
        let (besides, about) = (Arc::clone(&besides), place.clone());
        let mut parts = shared.serving.borrow().as_ref().map(|generation| generation.parts.subscribe());
        let look = move |view: &View<'_>, position| {
            Ok((view.command(&about, id)?, besides.read(view, &about)?, position))
        };
        let found = match place.thread {
            Some(_) => read_settled(shared, place, at_least, look).await?,
            None => read(shared, at_least, look).await?,
        };
        let open = found.0.is_some_and(|known| known.open);
        let (true, false, Some(parts)) = (open, at_least.is_empty(), &mut parts) else { return Ok(found) };
        if next_part(parts, until).await.is_err() {
            return Ok(found);
        }
    }
}

pub(super) async fn facts(shared: &Shared, request: Request<v1::FactsRequest>) -> Answer<v1::FactsReply> {
    let place = place(&request, &request.body.thread)?;
    if request.body.comments.len() > FACTS_COMMENTS_MAX {
        return Err(Failure::LimitExceeded.into());
    }
    let comments = request.body.comments.iter().map(|id| id.parse()).collect::<Result<Vec<_>, _>>()?;
    let id = optional(&request.body.id)?;
    let author: Option<AuthorId> = optional(&request.body.author)?;
    if request.body.people.len() > VOTERS_MAX {
        return Err(Failure::LimitExceeded.into());
    }
    let people = request.body.people.iter().map(|id| id.parse()).collect::<Result<Vec<_>, _>>()?;
    let needs = Needs { comments, author, flag: true, people, removal: optional(&request.body.removal)? };
    let ring = Arc::clone(&shared.ring);
    let settled = place.clone();
    let look = move |view: &View<'_>, position| {
        let known = match id {
            // Of votes the store keeps no ids; a repetition that comes while they are fresh is found in the ring.
            Some(id) => view.command(&place, id)?.or_else(|| {
                let sequence = ring.sequence_of(id)?;
                Some(KnownCommand { sequence, void: ring.outcome(sequence)?.err(), open: false })
            }),
            None => None,
        };
        let (facts, bans) = view.facts(&place, &needs)?;
        Ok(answers::facts(facts, (bans, needs.author.is_some()), known, position))
    };
    match settled.thread {
        Some(_) => read_settled(shared, &settled, &request.body.at_least, look).await,
        // What is known of a site is known at once.
        None => read(shared, &request.body.at_least, look).await,
    }
}
