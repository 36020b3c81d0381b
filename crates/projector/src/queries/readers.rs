//! What readers' pages are made of.

use std::sync::Arc;

use domain::{Place, Rejection};
use service::{Refusal, Request};
use views::{Cursor, Reading, Viewer};
use wire::error::Failure;
use wire::values::{optional_comment, order_in};
use wire::{Position, v1};

use super::{
    Answer, cursor_refused, limit, need_all, need_open, optional, place, position, read, read_settled,
    read_settled_after,
};
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
    let place = Place { site: site.clone(), thread: Some(thread.clone()) };
    let reading = reading(&request.body, &place)?;
    let limit = limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?;
    let viewer = Viewer { id: optional(&request.body.viewer)?, moderator: request.body.moderator };
    let settled = place.clone();
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        let page = view.comments(&site, &thread, &viewer, reading, (limit, PAGE_BYTES_MAX))??;
        Ok(answers::page(page, &place, position.to_string()))
    })
    .await
}

/// Which part of a thread is asked for.
fn reading(asked: &v1::ThreadPageRequest, place: &Place) -> Answer<Reading> {
    let order = order_in(asked.order).ok_or(Failure::OrderInvalid)?;
    let tree = asked.tree;
    match (optional_comment(&asked.around)?, asked.after.as_str()) {
        (Some(comment), "") => Ok(Reading::Around { comment, order, tree }),
        (Some(_), _) => {
            Err(Refusal::with_detail(Failure::Malformed, "a page is after a cursor or around a comment".into()))
        }
        (None, "") => Ok(Reading::first(order, tree)),
        (None, cursor) => {
            let cursor = Cursor::parse(cursor, place, order, tree).map_err(cursor_refused)?;
            Ok(Reading::From(cursor))
        }
    }
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
    let settled = place.clone();
    read_settled_after(shared, &settled, at_least, move |view, position, known| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(asked: &v1::ThreadPageRequest) -> wire::Code {
        let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        reading(asked, &place).unwrap_err().code
    }

    #[test]
    fn a_page_is_asked_for_in_an_order_and_by_a_cursor_that_there_is() {
        let asked =
            |order, after: &str| v1::ThreadPageRequest { order, after: after.into(), ..Default::default() };
        assert_eq!(refused(&asked(99, "")), Failure::OrderInvalid.into());
        assert_eq!(refused(&asked(0, "x")), Failure::CursorInvalid.into());
        assert_eq!(refused(&asked(v1::Order::Top.into(), "7")), Failure::CursorInvalid.into());
        let long = "A".repeat(views::CURSOR_BYTES_MAX + 1);
        assert_eq!(refused(&asked(0, &long)), Failure::CursorInvalid.into());
        let around = v1::ThreadPageRequest { around: "x".into(), ..asked(0, "") };
        assert_eq!(refused(&around), Rejection::CommentInvalid.into());
    }
}
