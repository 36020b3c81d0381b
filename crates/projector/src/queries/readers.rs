//! What readers' pages are made of.

use std::sync::Arc;

use domain::{Place, Rejection};
use service::{Refusal, Request};
use views::Viewer;
use wire::error::Failure;
use wire::{Position, v1};

use super::{Answer, limit, need_all, need_open, optional, place, position, read, read_after};
use crate::answers;
use crate::limits::{COUNTS_MAX, PAGE_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX, SITES_MAX};
use crate::shared::Shared;

pub(super) async fn thread_page(
    shared: &Shared,
    request: Request<v1::ThreadPageRequest>,
) -> Answer<v1::ThreadPageReply> {
    // An empty thread is no thread here.
    let Place { site, thread: Some(thread) } = place(&request, &request.body.thread)? else {
        return Err(Rejection::ThreadInvalid.into());
    };
    let after = match request.body.after.as_str() {
        "" => 0,
        cursor => cursor.parse().or(Err(Refusal::from(Failure::PositionInvalid)))?,
    };
    let limit = limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?;
    let viewer = Viewer { id: optional(&request.body.viewer)?, moderator: request.body.moderator };
    read(shared, &request.body.at_least, move |view, position| {
        let page = view.comments(&site, &thread, &viewer, after, (limit, PAGE_BYTES_MAX))??;
        Ok(answers::page(page, position.to_string()))
    })
    .await
}

pub(super) async fn counts(shared: &Shared, request: Request<v1::CountsRequest>) -> Answer<v1::CountsReply> {
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

pub(super) async fn sites(shared: &Shared, request: Request<v1::SitesRequest>) -> Answer<v1::SitesReply> {
    need_all(&request, "sites")?;
    read(shared, &request.body.at_least, move |view, position| {
        let sites = view.sites(SITES_MAX)?.into_iter().map(|(site, name)| v1::SiteEntry { site, name }).collect();
        Ok(v1::SitesReply { position: position.to_string(), sites })
    })
    .await
}

pub(super) async fn resolve(shared: &Shared, request: Request<v1::ResolveRequest>) -> Answer<v1::ResolveReply> {
    let place = place(&request, "")?;
    let address = domain::text::address(&request.body.address)?;
    if address.is_empty() {
        return Err(Rejection::AddressInvalid.into());
    }
    read(shared, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let (thread, address) = view.resolve(&place.site, &address)?.unwrap_or_default();
        Ok(v1::ResolveReply { position: position.to_string(), thread, address })
    })
    .await
}

pub(super) async fn changes(shared: &Shared, request: Request<v1::ChangesRequest>) -> Answer<v1::ChangesReply> {
    let place = place(&request, &request.body.thread)?;
    if place.thread.is_none() {
        return Err(Rejection::ThreadInvalid.into());
    }
    let since = position(&request.body.since)?.ok_or(Failure::PositionInvalid)?;
    let at_least = if request.body.at_least.is_empty() { &request.body.since } else { &request.body.at_least };
    let recent = Arc::clone(&shared.recent);
    read_after(shared, at_least, move |view, position, known| {
        // The view may hold a step that is not remembered yet: the answer is as of what is, and the step comes after it.
        let position = Position { sequence: known, ..position };
        let numbers = recent.since(since.sequence, &place).filter(|_| since.epoch == position.epoch);
        let complete = numbers.is_some();
        let numbers = numbers.unwrap_or_default();
        let change = view.now(&place, &numbers)?.ok_or(Rejection::ThreadUnknown)?;
        Ok(v1::ChangesReply {
            position: position.to_string(),
            complete,
            count: change.count,
            comments: change.comments.iter().map(answers::changed).collect(),
        })
    })
    .await
}
