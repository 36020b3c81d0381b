//! The queries, one method each. What an answer holds is in `proto/koe/v1/query.proto`, `read.proto`,
//! `moderate.proto` and `operate.proto`, under the name of its type.
//!
//! `at_least` is a position out of an earlier answer, or empty. With one, the answer is as of then or later; after two
//! seconds in vain it is the refusal `behind`, and for a position of a log that lost its tail since, `position-lost`. What
//! is no position is `position-invalid`, and what is no cursor of the list or page that is asked for `cursor-invalid`.

mod lists;

use domain::thread::Needs;
use domain::{AuthorId, CommandId, CommentId, Order, Place, SiteId, ThreadId};
use wire::values::order_out;
use wire::{subject, v1};

use crate::{Client, Error};

/// Which page of a list.
#[derive(Clone, Debug, Default)]
pub struct PageOf {
    /// The cursor `next` of the page before; empty for the first.
    pub after: String,
    /// Entries on the page: 1 to 200; 0 for 50.
    pub limit: u32,
    /// A position; empty for any.
    pub at_least: String,
}

/// How a thread is read: its comments in an order, flat or as a tree.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The order.
    pub order: Order,
    /// Whether replies stand below what they reply to; rows then have `depth`, `replies` and `more`.
    pub tree: bool,
    /// The comment to read around, on the page that it stands on; none for the page at the cursor.
    pub around: Option<CommentId>,
}

/// Whom a page is for. Koe trusts the caller: who shows pages to readers knows who is a moderator.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    /// The reader, whose own votes and flags the page then names.
    pub id: Option<AuthorId>,
    /// Whether that is a moderator, from whom nothing is kept.
    pub moderator: bool,
}

fn of_thread(site: &SiteId, thread: &ThreadId) -> Place {
    Place { site: site.clone(), thread: Some(thread.clone()) }
}

fn of_site(site: &SiteId) -> Place {
    Place { site: site.clone(), thread: None }
}

impl Client {
    /// A page of a thread, as anybody sees it: comments oldest first, as Markdown, all as of one position. `thread-unknown`
    /// if it was never opened.
    pub async fn thread_page(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        page: PageOf,
    ) -> Result<v1::ThreadPageReply, Error> {
        self.thread_page_for(site, thread, page, &Viewer::default()).await
    }

    /// A page of a thread, as somebody sees it: with their own votes and flags, and for moderators with everything that is
    /// kept from others.
    pub async fn thread_page_for(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        page: PageOf,
        viewer: &Viewer,
    ) -> Result<v1::ThreadPageReply, Error> {
        self.read_thread((site, thread), page, Reading::default(), viewer).await
    }

    /// A page of a thread in any order, as somebody sees it. The cursors of its answer go on in the same order and shape;
    /// whoever follows them sees every comment once, also while votes move them. `comment-unknown` if there is no row to
    /// read around, `cursor-expired` for who has seen about 100,000 comments.
    pub async fn read_thread(
        &self,
        (site, thread): (&SiteId, &ThreadId),
        page: PageOf,
        reading: Reading,
        viewer: &Viewer,
    ) -> Result<v1::ThreadPageReply, Error> {
        let place = of_thread(site, thread);
        let PageOf { after, limit, at_least } = page;
        let question = v1::ThreadPageRequest {
            thread: thread.to_string(),
            after,
            limit,
            at_least,
            viewer: viewer.id.as_ref().map_or_else(String::new, ToString::to_string),
            moderator: viewer.moderator,
            order: order_out(reading.order),
            tree: reading.tree,
            around: reading.around.map_or_else(String::new, |comment| comment.to_string()),
        };
        self.ask(subject::query(Some(&place), "thread-page"), &question).await
    }

    /// How many comments up to 100 threads have, `limit-exceeded` for more. A thread that is unknown has no entry.
    pub async fn counts(
        &self,
        site: &SiteId,
        threads: &[ThreadId],
        at_least: &str,
    ) -> Result<v1::CountsReply, Error> {
        let threads = threads.iter().map(ToString::to_string).collect();
        let question = v1::CountsRequest { threads, at_least: at_least.to_owned() };
        self.ask(subject::query(Some(&of_site(site)), "counts"), &question).await
    }

    /// The threads of a site, by id.
    pub async fn threads(&self, site: &SiteId, page: PageOf) -> Result<v1::ThreadsReply, Error> {
        self.threads_in(site, v1::ThreadOrder::Id, page).await
    }

    /// The sites there are, by id, at most 200.
    pub async fn sites(&self, at_least: &str) -> Result<v1::SitesReply, Error> {
        let question = v1::SitesRequest { at_least: at_least.to_owned() };
        self.ask(subject::query(None, "sites"), &question).await
    }

    /// Whether a command was accepted, and what came of it: by its id and the position of its answer, which votes need,
    /// or empty. A comment tells how that stands as well, and a voter how they voted on it. `place` is that of the command.
    ///
    /// The outcome is applied or void, for ever, once the fold is past its event; unspecified if no such command is known.
    pub async fn command_status(
        &self,
        place: &Place,
        (id, at_position): (CommandId, &str),
        (comment, voter): (Option<CommentId>, Option<&AuthorId>),
        at_least: &str,
    ) -> Result<v1::CommandStatusReply, Error> {
        let question = v1::CommandStatusRequest {
            id: id.to_string(),
            thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
            at_position: at_position.to_owned(),
            at_least: at_least.to_owned(),
            comment: comment.map_or_else(String::new, |comment| comment.to_string()),
            voter: voter.map_or_else(String::new, ToString::to_string),
        };
        self.ask(subject::query(Some(place), "command"), &question).await
    }

    /// What a writer decides on: facts of a place, of up to 32 comments in it, of an author, and of up to 1,000 people. For
    /// Koe's own writers.
    pub async fn facts(
        &self,
        place: &Place,
        needs: &Needs,
        id: Option<CommandId>,
        at_least: &str,
    ) -> Result<v1::FactsReply, Error> {
        let question = v1::FactsRequest {
            thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
            comments: needs.comments.iter().map(ToString::to_string).collect(),
            id: id.map_or_else(String::new, |id| id.to_string()),
            at_least: at_least.to_owned(),
            author: needs.author.as_ref().map_or_else(String::new, ToString::to_string),
            people: needs.people.iter().map(ToString::to_string).collect(),
            removal: needs.removal.map_or_else(String::new, |removal| removal.to_string()),
        };
        self.ask(subject::query(Some(place), "facts"), &question).await
    }

    /// The settings of a site, unless they are those of `known_version`, which may be empty.
    pub async fn site(&self, site: &SiteId, known_version: &str, at_least: &str) -> Result<v1::SiteReply, Error> {
        let question = v1::SiteRequest { at_least: at_least.to_owned(), known_version: known_version.to_owned() };
        self.ask(subject::query(Some(&of_site(site)), "site"), &question).await
    }

    /// The thread of an address, also of one that its article had before. The address is compared as it was given; the
    /// answer's thread is empty if no article of the site had it.
    pub async fn resolve(&self, site: &SiteId, address: &str, at_least: &str) -> Result<v1::ResolveReply, Error> {
        let question = v1::ResolveRequest { address: address.to_owned(), at_least: at_least.to_owned() };
        self.ask(subject::query(Some(&of_site(site)), "resolve"), &question).await
    }

    /// What readers of a thread see otherwise since a position: up to 1,000 comments, as they are now. An answer that is
    /// not `complete` (more than those, or too long ago) tells none: ask the page again. [`Client::follow_changes`] asks
    /// this whenever it must.
    pub async fn changes_since(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        since: &str,
    ) -> Result<v1::ChangesReply, Error> {
        let (place, thread) = (of_thread(site, thread), thread.to_string());
        let question = v1::ChangesRequest { thread, since: since.to_owned(), at_least: String::new() };
        self.ask(subject::query(Some(&place), "changes"), &question).await
    }

    /// The comments of a site that wait for a moderator, held or flagged, by thread, and how many wait of each kind.
    pub async fn queue(&self, site: &SiteId, page: PageOf) -> Result<v1::QueueReply, Error> {
        self.queue_of(site, v1::QueueKind::Unspecified, page).await
    }

    /// One comment with all its revisions and at most 200 of its flags. For moderators. `comment-unknown` if there is none.
    pub async fn comment(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        comment: CommentId,
        at_least: &str,
    ) -> Result<v1::CommentReply, Error> {
        let (place, thread) = (of_thread(site, thread), thread.to_string());
        let question = v1::CommentRequest { thread, comment: comment.to_string(), at_least: at_least.to_owned() };
        self.ask(subject::query(Some(&place), "comment"), &question).await
    }

    /// An author as the site knows them.
    pub async fn author(
        &self,
        site: &SiteId,
        author: &AuthorId,
        at_least: &str,
    ) -> Result<v1::AuthorReply, Error> {
        let question = v1::AuthorRequest { author: author.to_string(), at_least: at_least.to_owned() };
        self.ask(subject::query(Some(&of_site(site)), "author"), &question).await
    }

    /// Who decided what, when and why, the latest first; of a thread if the question names one, else of the site.
    pub async fn audit(&self, site: &SiteId, question: &v1::AuditRequest) -> Result<v1::AuditReply, Error> {
        let thread = if question.thread.is_empty() { None } else { question.thread.parse().ok() };
        let place = Place { site: site.clone(), thread };
        self.ask(subject::query(Some(&place), "audit"), question).await
    }

    /// A part of what is kept of one author, as lines of JSON. `after` is the cursor of the part before, or empty.
    pub async fn own_data(
        &self,
        site: &SiteId,
        author: &AuthorId,
        after: &str,
        at_least: &str,
    ) -> Result<v1::OwnDataReply, Error> {
        let (author, after, at_least) = (author.to_string(), after.to_owned(), at_least.to_owned());
        let question = v1::OwnDataRequest { author, after, at_least };
        self.ask(subject::query(Some(&of_site(site)), "own-data"), &question).await
    }

    /// How far the projector is and what it met. For tools; may change with any release.
    pub async fn status(&self) -> Result<v1::StatusReply, Error> {
        self.ask(subject::query(None, "status"), &v1::StatusRequest {}).await
    }

    /// Digests of what is stored, to compare with another fold of the same log. For tools; may change with any release.
    pub async fn digest(&self, question: &v1::DigestRequest) -> Result<v1::DigestReply, Error> {
        self.ask(subject::query(None, "digest"), question).await
    }

    /// Begins to fold the log again beside the living view; `overloaded` while that is going on. For tools.
    pub async fn rebuild(&self) -> Result<v1::RebuildReply, Error> {
        self.ask(subject::query(None, "rebuild"), &v1::RebuildRequest {}).await
    }

    /// Lets a generation serve again that was kept; it folds what the log has since first. For tools.
    pub async fn switch(&self, generation: u32) -> Result<v1::SwitchReply, Error> {
        self.ask(subject::query(None, "switch"), &v1::SwitchRequest { generation }).await
    }

    /// Gives the room of a generation back that was replaced or set aside. For tools.
    pub async fn drop_generation(&self, generation: u32) -> Result<v1::DropGenerationReply, Error> {
        self.ask(subject::query(None, "drop-generation"), &v1::DropGenerationRequest { generation }).await
    }
}
