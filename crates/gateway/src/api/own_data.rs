//! Everything that is kept of one author, as lines of JSON. It is asked for in parts and sent on as they come, so that
//! nothing large is ever held.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use domain::{AuthorId, Rejection, Role, SiteId};
use futures::stream;
use wire::error::Failure;
use wire::v1;

use super::questions::Since;
use crate::handler::App;
use crate::input::{Parameters, Params};
use crate::limits::OWN_DATA_WAIT_MAX;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Where a reading stands.
struct Reading {
    app: App,
    site: SiteId,
    author: AuthorId,
}

/// What comes next: a part that was read, the cursor of the next, or nothing more.
enum Next {
    Part(v1::OwnDataReply),
    After { cursor: String, position: String },
    End,
}

pub(super) async fn own_data(
    State(app): State<App>,
    Params((site, author)): Params<(SiteId, AuthorId)>,
    visitor: Visitor,
    Parameters(since): Parameters<Since>,
) -> Result<Response, Problem> {
    let asker = visitor.asker(&site)?;
    if asker.id != author && !asker.roles.has(Role::Administrator) {
        return Err(Rejection::NotPermitted.into());
    }
    let reading = Reading { app, site, author };
    // The first part is read before the answer begins, so that a refusal is one.
    let first = reading.part("", &since.at_least).await?;
    let parts = stream::try_unfold((reading, Next::Part(first)), async |(reading, next)| {
        let part = match next {
            Next::End => return Ok::<_, std::io::Error>(None),
            Next::Part(part) => part,
            Next::After { cursor, position } => {
                // The answer has begun: it breaks off, and whoever reads it sees that it is not whole.
                let part = reading.part(&cursor, &position).await;
                part.map_err(|problem| {
                    tracing::warn!(code = problem.code, "somebody's own data broke off");
                    std::io::Error::other(problem.message)
                })?
            }
        };
        let v1::OwnDataReply { position, ndjson, next } = part;
        let next = if next.is_empty() { Next::End } else { Next::After { cursor: next, position } };
        Ok(Some((Bytes::from(ndjson), (reading, next))))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(Box::pin(parts))).into_response())
}

impl Reading {
    /// The part after a cursor. Each goes through thousands of comments, so only some are read at once.
    async fn part(&self, cursor: &str, at_least: &str) -> Result<v1::OwnDataReply, Problem> {
        let place = tokio::time::timeout(OWN_DATA_WAIT_MAX, self.app.readings.acquire()).await;
        let _place = place.or(Err(Failure::Overloaded))?.or(Err(Failure::Unavailable))?;
        Ok(self.app.koe.own_data(&self.site, &self.author, cursor, at_least).await?)
    }
}
