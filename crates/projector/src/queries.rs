//! The queries: each waits for its position, reads the store at one position, and answers.

mod lists;
mod moderators;
mod operators;
mod readers;
mod writers;

use std::str::FromStr;
use std::sync::Arc;

use domain::{Place, Rejection};
use service::{Door, Refusal, Request};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use views::{CursorFailed, Store, View};
use wire::error::Failure;
use wire::{Position, subject};

use crate::limits::AT_LEAST_WAIT_MAX;
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
    serve!("thread-page", readers::thread_page);
    serve!("counts", readers::counts);
    serve!("threads", lists::threads);
    serve!("activity", lists::activity);
    serve!("comment-view", lists::comment_view);
    serve!("author-comments", lists::author_comments);
    serve!("sites", readers::sites);
    serve!("resolve", readers::resolve);
    serve!("changes", readers::changes);
    serve!("site", writers::site);
    serve!("command", writers::command);
    serve!("facts", writers::facts);
    serve!("queue", moderators::queue);
    serve!("comment", moderators::comment);
    serve!("author", moderators::author);
    serve!("audit", moderators::audit);
    serve!("own-data", moderators::own_data);
    serve!("status", operators::status);
    serve!("digest", operators::digest);
    serve!("rebuild", operators::rebuild);
    serve!("drop-generation", operators::drop_generation);
    serve!("switch", operators::switch);
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
    read_after(shared, token, |view, position, _| read(view, position)).await
}

/// The same, for what the store does not hold: with the sequence up to which everything was made known beforehand, which
/// the view may be ahead of.
async fn read_after<R, F>(shared: &Shared, token: &str, read: F) -> Answer<R>
where
    R: Send + 'static,
    F: FnOnce(&View<'_>, Position, u64) -> Result<R, Failed> + Send + 'static,
{
    let (generation, passed) = at_least(shared, token).await?;
    read_of(shared, &generation, move |generation| {
        let view = whole_view(&generation.store)?;
        // What was passed before the view began is in it.
        let sequence = passed.max(view.sequence());
        read(&view, Position { epoch: generation.epoch(), sequence }, passed)
    })
    .await
}

/// The same, once a thread has come to what was decided for its site, or, where the place is a site, once all of its threads
/// have.
async fn read_settled<R, F>(shared: &Shared, place: &Place, token: &str, read: F) -> Answer<R>
where
    R: Send + 'static,
    F: FnOnce(&View<'_>, Position) -> Result<R, Failed> + Send + 'static,
{
    read_settled_after(shared, place, token, |view, position, _| read(view, position)).await
}

/// The same, with the sequence up to which everything was made known beforehand.
async fn read_settled_after<R, F>(shared: &Shared, place: &Place, token: &str, mut read: F) -> Answer<R>
where
    R: Send + 'static,
    F: FnOnce(&View<'_>, Position, u64) -> Result<R, Failed> + Send + 'static,
{
    let until = Instant::now() + AT_LEAST_WAIT_MAX;
    loop {
        let (generation, passed) = at_least(shared, token).await?;
        let mut parts = generation.parts.subscribe();
        let settled = place.clone();
        let done = read_of(shared, &generation, move |generation| {
            let view = whole_view(&generation.store)?;
            if !view.is_settled(&settled)? {
                return Ok(Err(read));
            }
            let sequence = passed.max(view.sequence());
            read(&view, Position { epoch: generation.epoch(), sequence }, passed).map(Ok)
        });
        match done.await? {
            Ok(answer) => return Ok(answer),
            Err(not_read) => read = not_read,
        }
        if place.thread.is_some() {
            generation.store.want(place);
        }
        next_part(&mut parts, until).await?;
    }
}

/// Waits for the next part of what is carried out in parts.
async fn next_part(parts: &mut watch::Receiver<u64>, until: Instant) -> Answer<()> {
    let part = timeout_at(until, parts.changed()).await.or(Err(Failure::Behind))?;
    // The generation is gone: another one serves, or soon will.
    part.or(Err(Failure::Behind.into()))
}

/// The store as of now. One in which a batch broke halfway is whole again when it is opened again, which its fold sees to.
fn whole_view(store: &Store) -> Result<View<'_>, Failed> {
    let view = store.view();
    if view.is_whole() { Ok(view) } else { Err(Failed::Refused(Failure::Behind.into())) }
}

/// Reads a generation, in as many views as it takes, off the threads that answer.
async fn read_of<R, F>(shared: &Shared, generation: &Arc<Generation>, read: F) -> Answer<R>
where
    R: Send + 'static,
    F: FnOnce(&Generation) -> Result<R, Failed> + Send + 'static,
{
    let _reader = shared.readers.acquire().await.expect("the semaphore is never closed");
    let read_from = Arc::clone(generation);
    let done = tokio::task::spawn_blocking(move || read(&read_from));
    let done = done.await.map_err(|error| {
        tracing::error!(%error, "a query broke");
        if !error.is_panic() {
            return Refusal::from(Failure::Internal);
        }
        // sled panics over some damage, which is damage like any other here.
        tell_damage(shared, generation);
        Failure::StoreUnreadable.into()
    })?;
    done.map_err(|failed| match failed {
        Failed::Refused(refusal) => refusal,
        Failed::Store(error) => {
            tracing::error!(%error, "the store cannot be read");
            if !error.is_of_the_disk() {
                tell_damage(shared, generation);
            }
            Failure::StoreUnreadable.into()
        }
    })
}

fn tell_damage(shared: &Shared, generation: &Arc<Generation>) {
    // Whoever finds it next would say the same.
    shared.finds.try_send(Arc::downgrade(generation)).ok();
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

/// What a cursor that leads nowhere is told.
fn cursor_refused(failed: CursorFailed) -> Failure {
    match failed {
        CursorFailed::Invalid => Failure::CursorInvalid,
        CursorFailed::Expired => Failure::CursorExpired,
    }
}

impl From<CursorFailed> for Failed {
    fn from(failed: CursorFailed) -> Self {
        Self::Refused(cursor_refused(failed).into())
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

fn optional<T: FromStr<Err = Rejection>>(id: &str) -> Answer<Option<T>> {
    Ok(if id.is_empty() { None } else { Some(id.parse()?) })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What a query is told that meets damage.
    pub(crate) async fn meets_damage(shared: &Shared, generation: &Arc<Generation>) -> Refusal {
        let read = read_of(shared, generation, |_| Err::<(), _>(views::Error::Damaged("a test says so").into()));
        read.await.unwrap_err()
    }

    /// What a query is told in which sled panics.
    pub(crate) async fn breaks(shared: &Shared, generation: &Arc<Generation>) -> Refusal {
        read_of(shared, generation, |_| -> Result<(), _> { panic!("a test says so") }).await.unwrap_err()
    }
}
