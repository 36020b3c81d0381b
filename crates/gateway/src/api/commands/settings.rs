//! What a site has set.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use wire::v1;
use wire::values::actor_out;

use super::OfSite;
use crate::api::ask::answer;
use crate::handler::id_or_new;
use crate::problem::Problem;

/// What is left out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::api) struct SetSite {
    id: Option<String>,
    name: Option<String>,
    zone: Option<String>,
    locale: Option<String>,
    edit_window_secs: Option<u32>,
    text_chars_max: Option<u32>,
    report_threshold: Option<u32>,
    premoderate_first: Option<u32>,
    premoderate_links: Option<bool>,
    premoderate_words: Option<Vec<String>>,
    reserved_names: Option<Vec<String>>,
    comments_per_minute: Option<u32>,
    votes_per_minute: Option<u32>,
    wait: bool,
}

pub(in crate::api) async fn set_site(ask: OfSite<SetSite>) -> Result<Response, Problem> {
    let body = ask.body;
    let list = |words: Option<Vec<String>>| words.map(|words| v1::WordList { words });
    let settings = v1::SiteSettings {
        name: body.name,
        zone: body.zone,
        locale: body.locale,
        edit_window_secs: body.edit_window_secs,
        text_chars_max: body.text_chars_max,
        report_threshold: body.report_threshold,
        premoderate_first: body.premoderate_first,
        premoderate_links: body.premoderate_links,
        premoderate_words: list(body.premoderate_words),
        reserved_names: list(body.reserved_names),
        comments_per_minute: body.comments_per_minute,
        votes_per_minute: body.votes_per_minute,
    };
    let (id, actor) = (id_or_new(body.id), Some(actor_out(&ask.actor)));
    let request = v1::SetSiteRequest { id, actor, wait: body.wait, settings: Some(settings) };
    answer(&ask.app, &ask.ids, request, StatusCode::OK).await
}
