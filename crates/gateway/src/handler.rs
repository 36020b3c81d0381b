//! What the gateway is about, whatever the door: commands go to the writers, questions to the projector.

use std::sync::Arc;

use client::{Client, PageOf, Viewer};
use domain::{CommandId, SiteId, ThreadId};
use tokio::sync::Semaphore;
use wire::command::Request;
use wire::v1;

use crate::limits::{
    IN_FLIGHT_MAX, OWN_DATA_AT_ONCE_MAX, PAGE_COMMENTS, PROBE_MAX, SEARCH_COMMENTS, SEARCH_PAGES_MAX,
};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::session::Key;

/// Everything that a request needs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) koe: Client,
    pub(crate) key: Arc<Key>,
    pub(crate) metrics: Metrics,
    /// Requests served at once.
    pub(crate) places: Arc<Semaphore>,
    /// Parts of somebody's own data read at once.
    pub(crate) readings: Arc<Semaphore>,
}

/// A comment on some page of its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The cursor of the page that it stands on; empty for the first.
    pub(crate) after: String,
    /// Its number.
    pub(crate) number: u32,
}

impl App {
    pub(crate) fn new(koe: Client, key: Key, metrics: Metrics) -> Self {
        let [places, readings] = [IN_FLIGHT_MAX, OWN_DATA_AT_ONCE_MAX].map(|max| Arc::new(Semaphore::new(max)));
        Self { koe, key: Arc::new(key), metrics, places, readings }
    }

    /// Asks for a command. The request is parsed by the same rules as on every other door.
    pub(crate) async fn send<R: Request>(&self, site: &SiteId, request: R) -> Result<v1::CommandReply, Problem> {
        let asked = request.parse(site.clone())?;
        Ok(self.koe.send(&asked.command, asked.wait).await?)
    }

    /// Whether the projector answers, and so the whole way to it.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        match tokio::time::timeout(PROBE_MAX, self.koe.status()).await {
            Ok(Ok(status)) if status.generation == 0 => Err(nothing_serves(&status)),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("the projector: {error}")),
            Err(_) => Err(format!("the projector did not answer within {} seconds", PROBE_MAX.as_secs())),
        }
    }

    /// The page of a comment, looked for from a cursor on: cursors are opaque, so the thread is walked, in large steps
    /// and then in those of the readers' pages. `None` if it is not within the bound.
    pub(crate) async fn find(
        &self,
        (site, thread): (&SiteId, &ThreadId),
        wanted: impl Fn(&v1::Comment) -> bool,
        (after, at_least): (&str, &str),
        viewer: &Viewer,
    ) -> Result<Option<Found>, Problem> {
        let mut after = after.to_owned();
        let mut limit = SEARCH_COMMENTS;
        for _ in 0..SEARCH_PAGES_MAX + SEARCH_COMMENTS / PAGE_COMMENTS {
            let page = PageOf { after: after.clone(), limit, at_least: at_least.to_owned() };
            let page = self.koe.thread_page_for(site, thread, page, viewer).await?;
            match page.comments.iter().position(&wanted) {
                Some(index) if u32::try_from(index).is_ok_and(|index| index < PAGE_COMMENTS) => {
                    let number = page.comments.get(index).map_or(0, |comment| comment.number);
                    return Ok(Some(Found { after, number }));
                }
                Some(_) => limit = PAGE_COMMENTS,
                None if page.next.is_empty() => return Ok(None),
                None => after = page.next,
            }
        }
        Ok(None)
    }
}

/// The id that a caller gave, or a new one.
pub(crate) fn id_or_new(id: Option<String>) -> String {
    id.unwrap_or_else(|| client::new_command_id().to_string())
}

/// A new id for a command of a browser.
pub(crate) fn new_id() -> CommandId {
    client::new_command_id()
}

/// Why no read model serves.
fn nothing_serves(status: &v1::StatusReply) -> String {
    match (status.store_state.as_str(), status.rebuilding) {
        ("disk-full", _) => "the projector's disk is full".to_owned(),
        (_, 0) => "no read model serves yet".to_owned(),
        // The log goes on meanwhile, and its end is looked at now and then.
        (_, _) => {
            let (at, end) = (status.rebuilding_sequence, status.end.max(status.rebuilding_sequence));
            format!("rebuilding, {at} of {end}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_whether_it_is_ready_is_told_how_far_it_is() {
        let status = |store_state: &str, rebuilding, rebuilding_sequence, end| v1::StatusReply {
            store_state: store_state.to_owned(),
            rebuilding,
            rebuilding_sequence,
            end,
            ..v1::StatusReply::default()
        };
        assert_eq!(nothing_serves(&status("ok", 3, 40, 100)), "rebuilding, 40 of 100");
        assert_eq!(nothing_serves(&status("unreadable", 3, 101, 100)), "rebuilding, 101 of 101");
        assert_eq!(nothing_serves(&status("disk-full", 3, 40, 100)), "the projector's disk is full");
        assert_eq!(nothing_serves(&status("ok", 0, 0, 100)), "no read model serves yet");
    }
}
