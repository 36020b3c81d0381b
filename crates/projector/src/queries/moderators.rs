//! What moderators ask, and what a person may ask about themselves.

use domain::{AuthorId, Place, Rejection, SiteId, ThreadId, Timestamp};
use service::{Refusal, Request};
use views::{AuditQuery, QueueCursor, QueueKind, View, WaitingComment};
use wire::error::Failure;
use wire::values::optional_time_in;
use wire::{Position, v1};

use super::{Answer, limit, need_open, optional, place, read, read_settled};
use crate::answers;
use crate::answers::moderation;
use crate::limits::{FORMER_NAMES_MAX, PAGE_DEFAULT, PAGE_MAX};
use crate::shared::Shared;

/// A cursor of a thread and a number in it.
fn cursor(token: &str) -> Answer<Option<(ThreadId, u32)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (number, thread) = token.split_once('-')?;
        Some((thread.parse().ok()?, number.parse().ok()?))
    };
    read().map(Some).ok_or(Failure::CursorInvalid.into())
}

fn cursor_out(thread: &ThreadId, number: u32) -> String {
    format!("{number}-{thread}")
}

/// A cursor of one kind: since when the last comment waits, its number and thread. Ids hold no full stop.
fn kind_cursor(token: &str) -> Answer<Option<QueueCursor>> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (since, rest) = token.split_once('.')?;
        let (number, thread) = rest.split_once('.')?;
        Some((Timestamp(since.parse().ok()?), thread.parse().ok()?, number.parse().ok()?))
    };
    read().map(Some).ok_or(Failure::CursorInvalid.into())
}

fn kind_cursor_out(last: &WaitingComment) -> String {
    let since = last.since.map_or(0, |since| since.0);
    format!("{since}.{}.{}", last.comment.number, last.thread)
}

fn kind(kind: i32) -> Answer<Option<QueueKind>> {
    match v1::QueueKind::try_from(kind) {
        Ok(v1::QueueKind::Unspecified) => Ok(None),
        Ok(v1::QueueKind::Held) => Ok(Some(QueueKind::Held)),
        Ok(v1::QueueKind::Flagged) => Ok(Some(QueueKind::Flagged)),
        Ok(v1::QueueKind::Illegal) => Ok(Some(QueueKind::Illegal)),
        Err(_) => Err(Failure::KindInvalid.into()),
    }
}

/// Which page of which queue.
enum Queue {
    Of(QueueKind, Option<QueueCursor>),
    Any(Option<(ThreadId, u32)>),
}

impl Queue {
    fn of(body: &v1::QueueRequest) -> Answer<Self> {
        Ok(match kind(body.kind)? {
            Some(kind) => Self::Of(kind, kind_cursor(&body.after)?),
            None => Self::Any(cursor(&body.after)?),
        })
    }

    /// The page, and the cursor of the next.
    fn read(
        &self,
        view: &View<'_>,
        site: &SiteId,
        limit: usize,
    ) -> Result<(Vec<WaitingComment>, String), views::Error> {
        let (waiting, more) = match self {
            Self::Of(kind, after) => view.queue(site, *kind, after.as_ref(), limit)?,
            Self::Any(after) => {
                view.waiting(site, after.as_ref().map(|(thread, number)| (thread, *number)), limit)?
            }
        };
        let cursor_of = |last: &WaitingComment| match self {
            Self::Of(..) => kind_cursor_out(last),
            Self::Any(_) => cursor_out(&last.thread, last.comment.number),
        };
        let next = waiting.last().filter(|_| more).map_or_else(String::new, cursor_of);
        Ok((waiting, next))
    }
}

pub(super) async fn queue(shared: &Shared, request: Request<v1::QueueRequest>) -> Answer<v1::QueueReply> {
    let place = place(&request, "")?;
    let queue = Queue::of(&request.body)?;
    let limit = usize::try_from(limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?).expect("at most 200");
    let settled = place.clone();
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let (waiting, next) = queue.read(view, &place.site, limit)?;
        let entries = waiting.into_iter().map(moderation::waiting).collect();
        let counts = Some(moderation::queue_counts(view.queue_counts(&place.site)?));
        Ok(v1::QueueReply { position: position.to_string(), entries, next, counts })
    })
    .await
}

pub(super) async fn comment(shared: &Shared, request: Request<v1::CommentRequest>) -> Answer<v1::CommentReply> {
    let place = place(&request, &request.body.thread)?;
    if place.thread.is_none() {
        return Err(Rejection::ThreadInvalid.into());
    }
    let id = request.body.comment.parse()?;
    let settled = place.clone();
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let history = view.history(&place, id)?.ok_or(Rejection::CommentUnknown)?;
        Ok(moderation::history(history, position.to_string()))
    })
    .await
}

pub(super) async fn author(shared: &Shared, request: Request<v1::AuthorRequest>) -> Answer<v1::AuthorReply> {
    let place = place(&request, "")?;
    let author: AuthorId = request.body.author.parse()?;
    read(shared, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        Ok(moderation::author(view.author_history(&place.site, &author, FORMER_NAMES_MAX)?, position.to_string()))
    })
    .await
}

fn audit_query(request: &Request<v1::AuditRequest>, place: Place) -> Answer<AuditQuery> {
    let body = &request.body;
    let filters = [&body.comment, &body.author, &body.by].iter().filter(|filter| !filter.is_empty()).count();
    if filters > 1 {
        let detail = "ask for one of comment, author and by at most".to_owned();
        return Err(Refusal::with_detail(Failure::LimitExceeded, detail));
    }
    if !body.comment.is_empty() && place.thread.is_none() {
        return Err(Rejection::ThreadInvalid.into());
    }
    let before = match body.after.as_str() {
        "" => None,
        cursor => Some(cursor.parse().or(Err(Refusal::from(Failure::CursorInvalid)))?),
    };
    Ok(AuditQuery {
        place,
        comment: optional(&body.comment)?,
        author: optional(&body.author)?,
        by: optional(&body.by)?,
        since: optional_time_in(body.since.as_ref())?,
        until: optional_time_in(body.until.as_ref())?,
        before,
        limit: usize::try_from(limit(body.limit, PAGE_DEFAULT, PAGE_MAX)?).expect("at most 200"),
    })
}

pub(super) async fn audit(shared: &Shared, request: Request<v1::AuditRequest>) -> Answer<v1::AuditReply> {
    let query = audit_query(&request, place(&request, &request.body.thread)?)?;
    read(shared, &request.body.at_least, move |view, position| {
        need_open(view, &query.place)?;
        let (entries, next) = view.audit(&query)?;
        let at = |sequence| Position { sequence, ..position }.to_string();
        let entries = entries.into_iter().map(|entry| moderation::audit(at(entry.sequence), entry)).collect();
        let next = next.map_or_else(String::new, |next| next.to_string());
        Ok(v1::AuditReply { position: position.to_string(), entries, next })
    })
    .await
}

pub(super) async fn own_data(shared: &Shared, request: Request<v1::OwnDataRequest>) -> Answer<v1::OwnDataReply> {
    let place = place(&request, "")?;
    let author: AuthorId = request.body.author.parse()?;
    let after = cursor(&request.body.after)?;
    let settled = place.clone();
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let (items, next) = view.own_data(&place.site, &author, after.as_ref())?;
        let next = next.map_or_else(String::new, |(thread, number)| cursor_out(&thread, number));
        Ok(v1::OwnDataReply { position: position.to_string(), ndjson: answers::own_data::lines(items), next })
    })
    .await
}
