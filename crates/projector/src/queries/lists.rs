//! What readers ask beside pages of a thread: lists of threads, what happened in one, one comment, an author's comments.

use domain::{AuthorId, CommentId, Place, Rejection, SiteId, ThreadId};
use service::Request;
use views::{ThreadOrder, Viewer};
use wire::error::Failure;
use wire::v1;

use super::{Answer, limit, need_open, optional, place, read, read_settled};
use crate::answers;
use crate::answers::lists as shape;
use crate::limits::{PAGE_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX};
use crate::shared::Shared;

fn order(order: i32) -> Answer<ThreadOrder> {
    match v1::ThreadOrder::try_from(order) {
        Ok(v1::ThreadOrder::Unspecified | v1::ThreadOrder::Id) => Ok(ThreadOrder::Id),
        Ok(v1::ThreadOrder::Newest) => Ok(ThreadOrder::Newest),
        Ok(v1::ThreadOrder::Comments) => Ok(ThreadOrder::Comments),
        Ok(v1::ThreadOrder::Trending) => Ok(ThreadOrder::Trending),
        Err(_) => Err(Failure::OrderInvalid.into()),
    }
}

/// A site and a thread of it, where an empty thread is none.
fn of_thread<Q>(request: &Request<Q>, thread: &str) -> Answer<(SiteId, ThreadId)> {
    match place(request, thread)? {
        Place { site, thread: Some(thread) } => Ok((site, thread)),
        Place { thread: None, .. } => Err(Rejection::ThreadInvalid.into()),
    }
}

pub(super) async fn threads(shared: &Shared, request: Request<v1::ThreadsRequest>) -> Answer<v1::ThreadsReply> {
    let place = place(&request, "")?;
    let order = order(request.body.order)?;
    let limit = usize::try_from(limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?).expect("at most 200");
    let after = request.body.after;
    read(shared, &request.body.at_least, move |view, position| {
        let site_name = view.site_name(&place.site)?.ok_or(Rejection::SiteUnknown)?;
        let page = view.threads_in(&place.site, order, (&after, limit))??;
        let threads = page.threads.into_iter().map(answers::thread).collect();
        let next = page.next.unwrap_or_default();
        Ok(v1::ThreadsReply { position: position.to_string(), threads, next, site_name })
    })
    .await
}

pub(super) async fn activity(shared: &Shared, request: Request<v1::ActivityRequest>) -> Answer<v1::ActivityReply> {
    let (site, thread) = of_thread(&request, &request.body.thread)?;
    let settled = Place { site: site.clone(), thread: Some(thread.clone()) };
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        if !view.is_open(&site)? {
            return Err(Rejection::SiteUnknown.into());
        }
        let activity = view.activity(&site, &thread)?.ok_or(Rejection::ThreadUnknown)?;
        Ok(shape::activity(activity, position.to_string()))
    })
    .await
}

pub(super) async fn comment_view(
    shared: &Shared,
    request: Request<v1::CommentViewRequest>,
) -> Answer<v1::CommentViewReply> {
    let (site, thread) = of_thread(&request, &request.body.thread)?;
    let comment: CommentId = request.body.comment.parse()?;
    let viewer = Viewer { id: optional(&request.body.viewer)?, moderator: false };
    let settled = Place { site: site.clone(), thread: Some(thread.clone()) };
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        let comment = view.readers_comment(&site, &thread, comment, &viewer)??;
        Ok(shape::comment(comment, position.to_string()))
    })
    .await
}

/// The cursor is the place in the log before which the next page begins.
pub(super) async fn author_comments(
    shared: &Shared,
    request: Request<v1::AuthorCommentsRequest>,
) -> Answer<v1::AuthorCommentsReply> {
    let place = place(&request, "")?;
    let author: AuthorId = request.body.author.parse()?;
    let viewer = Viewer { id: optional(&request.body.viewer)?, moderator: false };
    let before = match request.body.after.as_str() {
        "" => None,
        cursor => Some(cursor.parse::<u64>().or(Err(Failure::CursorInvalid))?),
    };
    let limit = usize::try_from(limit(request.body.limit, PAGE_DEFAULT, PAGE_MAX)?).expect("at most 200");
    let settled = place.clone();
    read_settled(shared, &settled, &request.body.at_least, move |view, position| {
        need_open(view, &place)?;
        let limits = (limit, PAGE_BYTES_MAX);
        let page = view.author_comments(&place.site, &author, &viewer, before, limits)?;
        let score = if before.is_none() { Some(view.author_score(&place.site, &author)?) } else { None };
        Ok(shape::author_comments(page, score, position.to_string()))
    })
    .await
}
