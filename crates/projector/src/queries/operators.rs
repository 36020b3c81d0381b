//! What operators ask.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use domain::{Place, Timestamp};
use service::{Refusal, Request};
use tokio::sync::oneshot;
use views::SCHEMA;
use wire::error::Failure;
use wire::values::time_out;
use wire::{Position, v1};

use super::{Answer, limit, need_all, read};
use crate::answers;
use crate::limits::{DIGEST_DEFAULT, DIGEST_MAX, FROZEN_NAMED_MAX};
use crate::shared::Shared;

pub(super) async fn status(shared: &Shared, request: Request<v1::StatusRequest>) -> Answer<v1::StatusReply> {
    need_all(&request, "status")?;
    let generation = shared.serving.borrow().as_ref().map_or(0, |generation| generation.number);
    let head = *shared.head.borrow();
    let seen = SystemTime::now() - head.seen.elapsed();
    let seen = seen.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let base = v1::StatusReply {
        end: head.sequence,
        end_seen: Some(time_out(Timestamp(i64::try_from(seen).unwrap_or(i64::MAX)))),
        generation,
        rebuilding: shared.rebuilding.load(Ordering::Relaxed),
        rebuilding_sequence: shared.rebuilding_sequence.load(Ordering::Relaxed),
        schema: SCHEMA,
        folded: shared
            .metrics
            .folded()
            .map(|(name, count)| v1::NamedCount { name: name.to_owned(), count })
            .collect(),
        log_regressions: shared.metrics.regressions.get(),
        ..v1::StatusReply::default()
    };
    if generation == 0 {
        return Ok(base);
    }
    read(shared, "", move |view, position| {
        let void = view.void()?.into_iter().map(|(name, count)| v1::NamedCount { name, count });
        let frozen = view.frozen(FROZEN_NAMED_MAX)?.into_iter().map(answers::frozen);
        Ok(v1::StatusReply {
            position: position.to_string(),
            sequence: position.sequence,
            void_events: void.collect(),
            frozen: frozen.collect(),
            ..base
        })
    })
    .await
}

fn place_of(place: &v1::Place) -> Answer<Place> {
    let thread = if place.thread.is_empty() { None } else { Some(place.thread.parse()?) };
    Ok(Place { site: place.site.parse()?, thread })
}

pub(super) async fn digest(shared: &Shared, request: Request<v1::DigestRequest>) -> Answer<v1::DigestReply> {
    need_all(&request, "digest")?;
    let limit = usize::try_from(limit(request.body.limit, DIGEST_DEFAULT, DIGEST_MAX)?).expect("at most 200");
    let after = request.body.after.filter(|place| !place.site.is_empty()).as_ref().map(place_of).transpose()?;
    let only = request.body.only.as_ref().map(place_of).transpose()?;
    read(shared, &request.body.at_least, move |view, position| {
        // A digest is of what is folded, so its position is the store's own.
        let position = Position { sequence: view.sequence(), ..position }.to_string();
        let (places, comments) = match only {
            Some(place) => (vec![place.clone()], view.comment_digests(&place)?),
            None => (view.places(after.as_ref(), limit)?, Vec::new()),
        };
        let done = places.len() < limit;
        let mut digests = Vec::with_capacity(places.len());
        for place in places {
            let digest = view.digest(&place)?.to_vec().into();
            let thread = place.thread.map_or_else(String::new, |thread| thread.to_string());
            let place = Some(v1::Place { site: place.site.to_string(), thread });
            digests.push(v1::PlaceDigest { place, digest });
        }
        let comments = comments.iter().map(|digest| digest.to_vec().into()).collect();
        Ok(v1::DigestReply { position, places: digests, done, comments })
    })
    .await
}

pub(super) async fn rebuild(shared: &Shared, request: Request<v1::RebuildRequest>) -> Answer<v1::RebuildReply> {
    need_all(&request, "rebuild")?;
    let (answer, begun) = oneshot::channel();
    shared.rebuild.try_send(answer).or(Err(Refusal::from(Failure::Overloaded)))?;
    let generation = begun.await.or(Err(Refusal::from(Failure::Unavailable)))?;
    Ok(v1::RebuildReply { generation })
}
