//! The JSON door under `/v1`: everybody's questions in `questions` and `lists`, moderators' in `moderators`, commands in
//! `commands`. Every answer is `application/json`, but for one's own data, which is a line for each thing.

mod ask;
mod commands;
mod lists;
mod moderators;
mod own_data;
mod questions;
pub(crate) mod shape;

use axum::Router;
use axum::routing::{get, post, put};

use crate::handler::App;
use commands::{comments, decisions, settings, undoing};

pub(crate) fn router() -> Router<App> {
    Router::new().merge(sites()).merge(threads()).merge(of_comments())
}

fn sites() -> Router<App> {
    Router::new()
        .route("/v1/sites", get(questions::sites).post(commands::open_site))
        .route("/v1/sites/{site}", get(moderators::site).patch(settings::set_site))
        .route("/v1/sites/{site}/mode", put(commands::set_site_mode))
        .route("/v1/sites/{site}/counts", get(questions::counts))
        .route("/v1/sites/{site}/resolve", get(questions::resolve))
        .route("/v1/sites/{site}/commands/{id}", get(questions::command))
        .route("/v1/sites/{site}/queue", get(moderators::queue))
        .route("/v1/sites/{site}/audit", get(moderators::audit))
        .route("/v1/sites/{site}/authors", post(commands::name_author))
        .route("/v1/sites/{site}/authors/{author}", get(moderators::author))
        .route("/v1/sites/{site}/authors/{author}/comments", get(lists::author_comments))
        .route("/v1/sites/{site}/authors/{author}/ban", post(commands::ban_author))
        .route("/v1/sites/{site}/authors/{author}/unban", post(commands::unban_author))
        .route("/v1/sites/{site}/authors/{author}/own-data", get(own_data::own_data))
        .route("/v1/sites/{site}/authors/{author}/erasure", post(undoing::erase_author))
        .route("/v1/sites/{site}/votes/void", post(undoing::void_votes))
        .route("/v1/sites/{site}/votes/unvoid", post(undoing::unvoid_votes))
        .route("/v1/sites/{site}/removals", post(undoing::remove_of_site))
        .route("/v1/sites/{site}/removals/{removal}/undo", post(undoing::undo_of_site))
}

fn threads() -> Router<App> {
    Router::new()
        .route("/v1/sites/{site}/threads", get(lists::threads).post(commands::open_thread))
        .route("/v1/sites/{site}/threads/{thread}", get(questions::thread).patch(commands::update_thread))
        .route("/v1/sites/{site}/threads/{thread}/mode", put(commands::set_thread_mode))
        .route("/v1/sites/{site}/threads/{thread}/address", put(commands::move_thread))
        .route("/v1/sites/{site}/threads/{thread}/changes", get(questions::changes))
        .route("/v1/sites/{site}/threads/{thread}/activity", get(lists::activity))
        .route("/v1/sites/{site}/threads/{thread}/removals", post(undoing::remove_of_thread))
        .route("/v1/sites/{site}/threads/{thread}/removals/{removal}/undo", post(undoing::undo_of_thread))
}

fn of_comments() -> Router<App> {
    let at = |rest: &str| format!("/v1/sites/{{site}}/threads/{{thread}}/comments{rest}");
    Router::new()
        .route(&at(""), post(comments::post))
        .route(&at("/{comment}"), get(moderators::comment).patch(comments::edit).delete(comments::delete))
        .route(&at("/{comment}/view"), get(lists::comment_view))
        .route(&at("/{comment}/vote"), put(comments::vote))
        .route(&at("/{comment}/flags"), post(comments::flag).delete(comments::withdraw_flag))
        .route(&at("/{comment}/flags/resolution"), post(decisions::resolve_flags))
        .route(&at("/{comment}/hold"), post(decisions::hold))
        .route(&at("/{comment}/approve"), post(decisions::approve))
        .route(&at("/{comment}/removal"), post(decisions::remove))
        .route(&at("/{comment}/restore"), post(decisions::restore))
        .route(&at("/{comment}/erasure"), post(undoing::erase_comment))
        .route(&at("/{comment}/feature"), post(decisions::feature))
}
