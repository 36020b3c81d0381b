//! A thread's page as a file by itself, for tools that show what it was at some moment: drawn by what draws the living one.

use client::Viewer;
use domain::{Order, SiteId, ThreadId};
use wire::v1;

use crate::{api, page};

/// The page as HTML with its style inside, without forms and without links to a server. `moment` says in a sentence what it
/// shows, `now` is the moment from which times are told.
pub fn html(
    place: (&SiteId, &ThreadId),
    reply: v1::ThreadPageReply,
    moment: String,
    now: jiff::Timestamp,
) -> anyhow::Result<String> {
    Ok(page::still(place, reply, moment, now)?)
}

/// The page as the JSON that `GET /v1/sites/<site>/threads/<thread>` answers to readers.
pub fn json(place: (&SiteId, &ThreadId), reply: v1::ThreadPageReply) -> anyhow::Result<serde_json::Value> {
    let viewer = Viewer { id: None, moderator: false };
    Ok(serde_json::to_value(api::shape::thread(place, reply, (&viewer, Order::default(), false)))?)
}

/// Why a comment is not shown, as its place on the page says it; empty for one that is.
pub fn state_line(comment: &v1::Comment) -> String {
    page::state_line(comment)
}
