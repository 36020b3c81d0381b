//! Lists in an order, queues of a kind, what happened in a thread, one comment, and an author's comments.

use domain::{AuthorId, CommentId, SiteId, ThreadId};
use wire::{subject, v1};

use super::{PageOf, of_site, of_thread};
use crate::{Client, Error};

impl Client {
    /// The threads of a site in an order. Who pages on through an order that moves sees every thread once that was open when
    /// they began; `cursor-expired` if they come some thousand threads far.
    pub async fn threads_in(
        &self,
        site: &SiteId,
        order: v1::ThreadOrder,
        page: PageOf,
    ) -> Result<v1::ThreadsReply, Error> {
        let PageOf { after, limit, at_least } = page;
        let question = v1::ThreadsRequest { after, limit, at_least, order: order.into() };
        self.ask(subject::query(Some(&of_site(site)), "threads"), &question).await
    }

    /// The comments of a site that wait for a moderator as one kind, the oldest first, and how many wait of each.
    pub async fn queue_of(
        &self,
        site: &SiteId,
        kind: v1::QueueKind,
        page: PageOf,
    ) -> Result<v1::QueueReply, Error> {
        let PageOf { after, limit, at_least } = page;
        let question = v1::QueueRequest { after, limit, at_least, kind: kind.into() };
        self.ask(subject::query(Some(&of_site(site)), "queue"), &question).await
    }

    /// What happened in a thread, and in which hours lately.
    pub async fn activity(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        at_least: &str,
    ) -> Result<v1::ActivityReply, Error> {
        let (place, thread) = (of_thread(site, thread), thread.to_string());
        let question = v1::ActivityRequest { thread, at_least: at_least.to_owned() };
        self.ask(subject::query(Some(&place), "activity"), &question).await
    }

    /// One comment as readers see it, with the revisions that they saw, and the viewer's own vote and flag.
    /// `comment-unknown` if it has no row.
    pub async fn comment_view(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        comment: CommentId,
        (viewer, at_least): (Option<&AuthorId>, &str),
    ) -> Result<v1::CommentViewReply, Error> {
        let (place, thread) = (of_thread(site, thread), thread.to_string());
        let question = v1::CommentViewRequest {
            thread,
            comment: comment.to_string(),
            viewer: viewer.map_or_else(String::new, ToString::to_string),
            at_least: at_least.to_owned(),
        };
        self.ask(subject::query(Some(&place), "comment-view"), &question).await
    }

    /// The comments of an author that can be read, the newest first; with the first page the votes on them.
    pub async fn author_comments(
        &self,
        site: &SiteId,
        author: &AuthorId,
        viewer: Option<&AuthorId>,
        page: PageOf,
    ) -> Result<v1::AuthorCommentsReply, Error> {
        let PageOf { after, limit, at_least } = page;
        let question = v1::AuthorCommentsRequest {
            author: author.to_string(),
            viewer: viewer.map_or_else(String::new, ToString::to_string),
            after,
            limit,
            at_least,
        };
        self.ask(subject::query(Some(&of_site(site)), "author-comments"), &question).await
    }
}
