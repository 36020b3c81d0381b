//! The queries: each waits for its position, reads the store at one position, and answers.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use domain::{Place, Rejection, Timestamp};
use service::{Door, Refusal, Request};
use tokio::sync::oneshot;
use tokio::time::timeout;
use views::{SCHEMA, View};
use wire::error::Failure;
use wire::{Position, envelope, subject, v1};

use crate::answers;
use crate::limits::{
    AT_LEAST_WAIT_MAX, COUNTS_MAX, DIGEST_DEFAULT, DIGEST_MAX, FACTS_COMMENTS_MAX, FROZEN_NAMED_MAX,
    PAGE_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX, SITES_MAX,
};
use crate::shared::{Generation, Shared};

/// Answers every query of the contract from now on.
pub(crate) async fn serve(door: &mut Door, shared: &Arc<Shared>) -> anyhow::Result<()> {
    macro_rules! serve {
        ($name:literal, $handler:expr) => {{
            let shared = Arc::clone(shared);
            let handler = move |request| {
                let shared = Arc::clone(&shared);
                async move { $handler(&shared, request).await }
            };
            door.serve($name, subject::queries($name), handler).await?;
        }};
    }
    serve!("thread-page", thread_page);
    serve!("counts", counts);
    serve!("threads", threads);
    serve!("sites", sites);
    serve!("command", command);
    serve!("facts", facts);
    serve!("status", status);
    serve!("digest", digest);
    serve!("rebuild", rebuild);
    Ok(())
}

type Answer<R> = Result<R, Refusal>;

/// A query about everything comes to `all` alone: whoever may ask of one site may not ask of all.
fn need_all<Q>(request: &Request<Q>, name: &str) -> Answer<()> {
    if request.subject == subject::query(None, name) { Ok(()) } else { Err(Rejection::PartitionWrong.into()) }
}

/// The place that a query is about; its subject must name that place's partition.
fn place<Q>(request: &Request<Q>, thread: &str) -> Answer<Place> {
    let site = subject::site_token(&request.subject).parse()?;
    let thread = if thread.is_empty() { None } else { Some(thread.parse()?) };
    let place = Place { site, thread };
    if subject::query_fits(&request.subject, &place) { Ok(place) } else { Err(Rejection::PartitionWrong.into()) }
}

fn limit(asked: u32, default: u32, max: u32) -> Answer<u32> {
    match asked {
        0 => Ok(default),
        asked if asked <= max => Ok(asked),
        _ => Err(Refusal::with_detail(Failure::LimitExceeded, format!("at most {max} at once"))),
    }
}

fn position(token: &str) -> Answer<Option<Position>> {
    if token.is_empty() {
        return Ok(None);
    }
    Position::from_str(token).map(Some).or(Err(Failure::PositionInvalid.into()))
}

/// The serving generation, once it is as far as the asker needs.
async fn at_least(shared: &Shared, token: &str) -> Answer<(Arc<Generation>, u64)> {
    let asked = position(token)?;
    let reached = timeout(AT_LEAST_WAIT_MAX, async {
        let mut serving = shared.serving.subscribe();
        loop {
            let found = serving.wait_for(Option::is_some).await.or(Err(Failure::Unavailable))?.clone();
            let Some(generation) = found else { continue };
            if asked.is_some_and(|asked| asked.epoch != generation.epoch()) {
                return Err(Failure::PositionLost);
            }
            let sequence = asked.map_or(0, |asked| asked.sequence);
            let mut position = generation.position.subscribe();
            let waited = tokio::select! {
                reached = position.wait_for(|position| *position >= sequence) => reached.ok().map(|reached| *reached),
                // Another generation serves now: that one's position counts.
                _ = serving.changed() => None,
            };
            if let Some(reached) = waited {
                return Ok((generation, reached));
            }
        }
    });
    Ok(reached.await.or(Err(Failure::Behind))??)
}

/// Reads the store at one position, off the threads that answer.
async fn read<R, F>(shared: &Shared, token: &str, read: F) -> Answer<R>
where
    R: Send + 'static,
    F: FnOnce(&View<'_>, Position) -> Result<R, Failed> + Send + 'static,
{
    let (generation, passed) = at_least(shared, token).await?;
    let _reader = shared.readers.acquire().await.expect("the semaphore is never closed");
    let (epoch, store) = (generation.epoch(), Arc::clone(&generation.store));
    let done = tokio::task::spawn_blocking(move || {
        let view = store.view();
        // What was passed before the view began is in it.
        let sequence = passed.max(view.sequence());
        read(&view, Position { epoch, sequence })
    });
    let done = done.await.map_err(|error| {
        tracing::error!(%error, "a query broke");
        Refusal::from(Failure::Internal)
    })?;
    done.map_err(|failed| match failed {
        Failed::Refused(refusal) => refusal,
        Failed::Store(error) => {
            tracing::error!(%error, "the store cannot be read");
            Failure::Internal.into()
        }
    })
}

/// Why a reading gave nothing.
enum Failed {
    Refused(Refusal),
    Store(views::Error),
}

impl From<views::Error> for Failed {
    fn from(error: views::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Rejection> for Failed {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection.into())
    }
}

fn need_open(view: &View<'_>, place: &Place) -> Result<(), Failed> {
    if view.is_open(&place.site)? { Ok(()) } else { Err(Rejection::SiteUnknown.into()) }
}

async fn thread_page(shared: &Shared, request: Request<v1::ThreadPageRequest>) -> Answer<v1::ThreadPageReply> {
    // An empty thread is no thread here.
    let Place { site, thread: Some(thread) } = place(&request, &request.body.thread)? else {
        return Err(Rejection::ThreadInvalid.into());
    };
    let after = match request.body.after.as_str() {
        "" => 0,
        cursor => cursor.parse().or(Err(Refusal::from(Failure::PositionInvalid)))?,
    };
    let limit = limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?;
    read(shared, &request.body.at_least, move |view, position| {
        let page = view.comments(&site, &thread, after, (limit, PAGE_BYTES_MAX))??;
        Ok(answers::page(page, position.to_string()))
    })
    .await
}

async fn counts(shared: &Shared, request: Request<v1::CountsRequest>) -> Answer<v1::CountsReply> {
    let place = place(&request, "")?;
    if request.body.threads.len() > COUNTS_MAX {
        return Err(Refusal::with_detail(Failure::LimitExceeded, format!("at most {COUNTS_MAX} threads at once")));
    }
    let threads = request.body.threads.iter().map(|id| id.parse()).collect::<Result<Vec<_>, _>>()?;
    read(shared, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let mut counts = Vec::with_capacity(threads.len());
        for thread in threads {
            if let Some(count) = view.count(&place.site, &thread)? {
                counts.push(v1::ThreadCount { thread: thread.to_string(), count });
            }
        }
        Ok(v1::CountsReply { position: position.to_string(), counts })
    })
    .await
}

async fn threads(shared: &Shared, request: Request<v1::ThreadsRequest>) -> Answer<v1::ThreadsReply> {
    let place = place(&request, "")?;
    let limit = usize::try_from(limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?).expect("at most 200");
    let after = request.body.after;
    if !after.is_empty() {
        after.parse::<domain::ThreadId>().or(Err(Refusal::from(Failure::PositionInvalid)))?;
    }
    read(shared, &request.body.at_least, move |view, position| {
        let site_name = view.site_name(&place.site)?.ok_or(Rejection::SiteUnknown)?;
        let mut found = view.threads(&place.site, &after, limit + 1)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map_or_else(String::new, |last| last.thread.clone());
        let threads = found.into_iter().map(|entry| v1::ThreadEntry {
            thread: entry.thread,
            headline: entry.headline,
            count: entry.count,
        });
        Ok(v1::ThreadsReply { position: position.to_string(), threads: threads.collect(), next, site_name })
    })
    .await
}

async fn sites(shared: &Shared, request: Request<v1::SitesRequest>) -> Answer<v1::SitesReply> {
    need_all(&request, "sites")?;
    read(shared, &request.body.at_least, move |view, position| {
        let sites = view.sites(SITES_MAX)?.into_iter().map(|(site, name)| v1::SiteEntry { site, name }).collect();
        Ok(v1::SitesReply { position: position.to_string(), sites })
    })
    .await
}

async fn command(shared: &Shared, request: Request<v1::CommandStatusRequest>) -> Answer<v1::CommandStatusReply> {
    let place = place(&request, &request.body.thread)?;
    let id = request.body.id.parse()?;
    let at_position = position(&request.body.at_position)?;
    let (known, read_at) =
        read(shared, &request.body.at_least, move |view, position| Ok((view.command(&place, id)?, position)))
            .await?;
    let epoch = read_at.epoch;
    let (at, (outcome, code)) = match (known, at_position) {
        (Some(known), _) => (Some(known.sequence), answers::outcome(known.void)),
        (None, Some(at)) if at.epoch == epoch => {
            let outcome = shared.ring.outcome(at.sequence).map(|judged| answers::outcome(judged.err()));
            (Some(at.sequence), outcome.unwrap_or((v1::Outcome::Pending.into(), String::new())))
        }
        (None, _) => (None, (v1::Outcome::Unspecified.into(), String::new())),
    };
    let at_position = at.map_or_else(String::new, |sequence| Position { epoch, sequence }.to_string());
    Ok(v1::CommandStatusReply { position: read_at.to_string(), outcome, code, at_position })
}

async fn facts(shared: &Shared, request: Request<v1::FactsRequest>) -> Answer<v1::FactsReply> {
    let place = place(&request, &request.body.thread)?;
    if request.body.comments.len() > FACTS_COMMENTS_MAX {
        return Err(Failure::LimitExceeded.into());
    }
    let comments = request.body.comments.iter().map(|id| id.parse()).collect::<Result<Vec<_>, _>>()?;
    let id = if request.body.id.is_empty() { None } else { Some(request.body.id.parse()?) };
    read(shared, &request.body.at_least, move |view, position| {
        let known = match id {
            Some(id) => view.command(&place, id)?,
            None => None,
        };
        Ok(answers::facts(view.facts(&place, &comments)?, known, position))
    })
    .await
}

async fn status(shared: &Shared, request: Request<v1::StatusRequest>) -> Answer<v1::StatusReply> {
    need_all(&request, "status")?;
    let generation = shared.serving.borrow().as_ref().map_or(0, |generation| generation.number);
    let head = *shared.head.borrow();
    let seen = SystemTime::now() - head.seen.elapsed();
    let seen = seen.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let base = v1::StatusReply {
        end: head.sequence,
        end_seen: Some(envelope::time_out(Timestamp(i64::try_from(seen).unwrap_or(i64::MAX)))),
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

async fn digest(shared: &Shared, request: Request<v1::DigestRequest>) -> Answer<v1::DigestReply> {
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

async fn rebuild(shared: &Shared, request: Request<v1::RebuildRequest>) -> Answer<v1::RebuildReply> {
    need_all(&request, "rebuild")?;
    let (answer, begun) = oneshot::channel();
    shared.rebuild.try_send(answer).or(Err(Refusal::from(Failure::Overloaded)))?;
    let generation = begun.await.or(Err(Refusal::from(Failure::Unavailable)))?;
    Ok(v1::RebuildReply { generation })
}
