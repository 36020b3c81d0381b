//! What operators ask.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use domain::{Place, Timestamp};
use service::{Refusal, Request};
use tokio::sync::oneshot;
use tokio::time::Instant;
use views::{SCHEMA, Store, View, Voters};
use wire::error::Failure;
use wire::values::time_out;
use wire::{Position, v1};

use super::{Answer, Failed, at_least, limit, need_all, next_part, read, read_of, whole_view};
use crate::answers;
use crate::generations::{Lying, lying};
use crate::limits::{AT_LEAST_WAIT_MAX, DIGEST_COMMENTS_MAX, DIGEST_DEFAULT, DIGEST_MAX, FROZEN_NAMED_MAX};
use crate::shared::{Generation, Order, Shared};

pub(super) async fn status(shared: &Shared, request: Request<v1::StatusRequest>) -> Answer<v1::StatusReply> {
    need_all(&request, "status")?;
    let generation = shared.serving.borrow().as_ref().map_or(0, |generation| generation.number);
    let head = *shared.head.borrow();
    let seen = SystemTime::now() - head.seen.elapsed();
    let seen = seen.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let generations = stored(shared, generation).await;
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
        store_state: shared.store_state.borrow().as_str().to_owned(),
        generations,
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
            erased_sequence: view.erased_up_to()?,
            ..base
        })
    })
    .await
}

/// What lies on the disk; nothing if that cannot be seen, since the rest of the status is needed then.
async fn stored(shared: &Shared, serving: u32) -> Vec<v1::StoredGeneration> {
    let dir = shared.dir.clone();
    let found = match tokio::task::spawn_blocking(move || lying(&dir)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the generations on the disk cannot be listed");
            return Vec::new();
        }
        Err(_) => return Vec::new(),
    };
    let rebuilding = shared.rebuilding.load(Ordering::Relaxed);
    let stored = found.into_iter().map(|lying| {
        let state = match lying.number {
            _ if lying.unusable => "unusable",
            number if number == serving => "serving",
            number if number == rebuilding => "rebuilding",
            _ if lying.unfinished => "unfinished",
            _ => "kept",
        };
        let Lying { number, bytes, schema, begun_at, .. } = lying;
        v1::StoredGeneration { number, state: state.to_owned(), bytes, schema, begun_sequence: begun_at }
    });
    stored.collect()
}

fn place_of(place: &v1::Place) -> Answer<Place> {
    let thread = if place.thread.is_empty() { None } else { Some(place.thread.parse()?) };
    Ok(Place { site: place.site.parse()?, thread })
}

pub(super) async fn digest(shared: &Shared, request: Request<v1::DigestRequest>) -> Answer<v1::DigestReply> {
    need_all(&request, "digest")?;
    let asked = request.body;
    let after = asked.after.filter(|place| !place.site.is_empty()).as_ref().map(place_of).transpose()?;
    let only = asked.only.as_ref().map(place_of).transpose()?;
    if only.is_none() && (asked.comments_after > 0 || asked.fields_of > 0) {
        return Err(Refusal::with_detail(
            Failure::Malformed,
            "comments_after and fields_of go with only".to_owned(),
        ));
    }
    let (default, max) = match only {
        Some(_) => (DIGEST_COMMENTS_MAX, DIGEST_COMMENTS_MAX),
        None => (DIGEST_DEFAULT, DIGEST_MAX),
    };
    let limit = limit(asked.limit, default, max)?;
    let (generation, _) = at_least(shared, &asked.at_least).await?;
    // What is carried out in parts has one digest before it and one after it.
    let (mut parts, until) = (generation.parts.subscribe(), Instant::now() + AT_LEAST_WAIT_MAX);
    while generation.store.is_open() {
        next_part(&mut parts, until).await?;
    }
    read_of(shared, &generation, move |generation| match only {
        Some(place) => digest_of(generation, &place, (asked.comments_after, limit), asked.fields_of),
        None => digests(generation, after.as_ref(), limit),
    })
    .await
}

/// One place and its comments, as of one position.
fn digest_of(
    generation: &Generation,
    place: &Place,
    (after, limit): (u32, u32),
    fields_of: u32,
) -> Result<v1::DigestReply, Failed> {
    let view = settled_view(&generation.store, place)?;
    let (position, mut voters) = (position_of(generation, &view), Voters::default());
    let (comments, more) = view.comment_digests(place, after, limit, &mut voters)?;
    // The place's own covers all its comments: once is enough.
    let places = if after == 0 { vec![place_digest(&view, place, &position, &mut voters)?] } else { Vec::new() };
    let comments = comments.iter().map(|digest| digest.to_vec().into()).collect();
    let fields = if fields_of == 0 { Vec::new() } else { view.comment_fields(place, fields_of)? };
    let fields = fields.into_iter().map(|(name, value)| v1::NamedValue { name: name.to_owned(), value });
    Ok(v1::DigestReply { position, places, done: !more, comments, fields: fields.collect() })
}

/// Places as of one position, and each one's digest in a view of its own: folding waits for one place at most.
fn digests(generation: &Generation, after: Option<&Place>, limit: u32) -> Result<v1::DigestReply, Failed> {
    let limit = usize::try_from(limit).expect("at most 200");
    let view = whole_view(&generation.store)?;
    let (position, places) = (position_of(generation, &view), view.places(after, limit)?);
    drop(view);
    let (done, mut voters) = (places.len() < limit, Voters::default());
    let mut digests = Vec::with_capacity(places.len());
    for place in places {
        let view = settled_view(&generation.store, &place)?;
        digests.push(place_digest(&view, &place, &position_of(generation, &view), &mut voters)?);
    }
    Ok(v1::DigestReply { position, places: digests, done, comments: Vec::new(), fields: Vec::new() })
}

/// The store as of now, if the place has come to what was decided a moment ago.
fn settled_view<'s>(store: &'s Store, place: &Place) -> Result<View<'s>, Failed> {
    let view = whole_view(store)?;
    if view.is_settled(place)? { Ok(view) } else { Err(Failed::Refused(Failure::Behind.into())) }
}

/// A digest is of what is folded, so its position is the store's own.
fn position_of(generation: &Generation, view: &View<'_>) -> String {
    Position { epoch: generation.epoch(), sequence: view.sequence() }.to_string()
}

fn place_digest(
    view: &View<'_>,
    place: &Place,
    position: &str,
    voters: &mut Voters,
) -> Result<v1::PlaceDigest, views::Error> {
    let digest = view.digest(place, voters)?.to_vec().into();
    let thread = place.thread.as_ref().map_or_else(String::new, ToString::to_string);
    let place = Some(v1::Place { site: place.site.to_string(), thread });
    Ok(v1::PlaceDigest { place, digest, position: position.to_owned() })
}

pub(super) async fn rebuild(shared: &Shared, request: Request<v1::RebuildRequest>) -> Answer<v1::RebuildReply> {
    need_all(&request, "rebuild")?;
    let (answer, begun) = oneshot::channel();
    shared.orders.try_send(Order::Rebuild(answer)).or(Err(Refusal::from(Failure::Overloaded)))?;
    let generation = begun.await.or(Err(Refusal::from(Failure::Unavailable)))??;
    Ok(v1::RebuildReply { generation })
}

pub(super) async fn switch(shared: &Shared, request: Request<v1::SwitchRequest>) -> Answer<v1::SwitchReply> {
    need_all(&request, "switch")?;
    let generation = request.body.generation;
    if generation == 0 {
        return Err(Refusal::with_detail(Failure::Malformed, "generations count from 1".to_owned()));
    }
    let (answer, begun) = oneshot::channel();
    let order = Order::Switch(generation, answer);
    shared.orders.try_send(order).or(Err(Refusal::from(Failure::Overloaded)))?;
    begun.await.or(Err(Refusal::from(Failure::Unavailable)))??;
    Ok(v1::SwitchReply { generation })
}

pub(super) async fn drop_generation(
    shared: &Shared,
    request: Request<v1::DropGenerationRequest>,
) -> Answer<v1::DropGenerationReply> {
    need_all(&request, "drop-generation")?;
    if request.body.generation == 0 {
        return Err(Refusal::with_detail(Failure::Malformed, "generations count from 1".to_owned()));
    }
    let (answer, dropped) = oneshot::channel();
    let order = Order::Drop(request.body.generation, answer);
    shared.orders.try_send(order).or(Err(Refusal::from(Failure::Overloaded)))?;
    let bytes = dropped.await.or(Err(Refusal::from(Failure::Unavailable)))??;
    Ok(v1::DropGenerationReply { bytes })
}
