//! The queries, one method each. `at_least` is a position out of an earlier answer, or empty.

use domain::{CommandId, CommentId, Place, SiteId, ThreadId};
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

fn of_site(site: &SiteId) -> Place {
    Place { site: site.clone(), thread: None }
}

impl Client {
    /// A page of a thread.
    pub async fn thread_page(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        page: PageOf,
    ) -> Result<v1::ThreadPageReply, Error> {
        let place = Place { site: site.clone(), thread: Some(thread.clone()) };
        let PageOf { after, limit, at_least } = page;
        let question = v1::ThreadPageRequest { thread: thread.to_string(), after, limit, at_least };
        self.ask(subject::query(Some(&place), "thread-page"), &question).await
    }

    /// How many comments up to 100 threads have.
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
        let PageOf { after, limit, at_least } = page;
        let question = v1::ThreadsRequest { after, limit, at_least };
        self.ask(subject::query(Some(&of_site(site)), "threads"), &question).await
    }

    /// The sites there are, by id.
    pub async fn sites(&self, at_least: &str) -> Result<v1::SitesReply, Error> {
        let question = v1::SitesRequest { at_least: at_least.to_owned() };
        self.ask(subject::query(None, "sites"), &question).await
    }

    /// Whether a command was accepted, and what came of it. `at_position` is the position of its answer, which votes
    /// need, or empty.
    pub async fn command_status(
        &self,
        place: &Place,
        id: CommandId,
        at_position: &str,
        at_least: &str,
    ) -> Result<v1::CommandStatusReply, Error> {
        let question = v1::CommandStatusRequest {
            id: id.to_string(),
            thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
            at_position: at_position.to_owned(),
            at_least: at_least.to_owned(),
        };
        self.ask(subject::query(Some(place), "command"), &question).await
    }

    /// What a writer decides on.
    pub async fn facts(
        &self,
        place: &Place,
        comments: &[CommentId],
        id: Option<CommandId>,
        at_least: &str,
    ) -> Result<v1::FactsReply, Error> {
        let question = v1::FactsRequest {
            thread: place.thread.as_ref().map_or_else(String::new, ToString::to_string),
            comments: comments.iter().map(ToString::to_string).collect(),
            id: id.map_or_else(String::new, |id| id.to_string()),
            at_least: at_least.to_owned(),
        };
        self.ask(subject::query(Some(place), "facts"), &question).await
    }

    /// How far the projector is and what it met.
    pub async fn status(&self) -> Result<v1::StatusReply, Error> {
        self.ask(subject::query(None, "status"), &v1::StatusRequest {}).await
    }

    /// Digests of what is stored, to compare with another fold of the same log.
    pub async fn digest(&self, question: &v1::DigestRequest) -> Result<v1::DigestReply, Error> {
        self.ask(subject::query(None, "digest"), question).await
    }

    /// Begins to fold the log again beside the living view.
    pub async fn rebuild(&self) -> Result<v1::RebuildReply, Error> {
        self.ask(subject::query(None, "rebuild"), &v1::RebuildRequest {}).await
    }
}
