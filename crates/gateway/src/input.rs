//! What requests carry, read into domain types or refused with a stable code.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use domain::{AuthorId, CommandId, CommentId, Rejection, SiteId, ThreadId};
use serde::de::DeserializeOwned;
use wire::Format;
use wire::error::Failure;

use crate::handler::App;
use crate::problem::{HttpCode, Problem};
use crate::visitor::Visitor;

/// The ids in the address.
pub(crate) struct Params<T>(pub(crate) T);

/// Ids that stand in an address, in order.
pub(crate) trait Ids: Sized {
    /// The ids as strings.
    type Raw: DeserializeOwned + Send;
    fn parse(raw: Self::Raw) -> Result<Self, Rejection>;
    /// The site, which stands first in every address.
    fn site(&self) -> &SiteId;
}

impl Ids for SiteId {
    type Raw = String;

    fn parse(site: String) -> Result<Self, Rejection> {
        site.parse()
    }

    fn site(&self) -> &SiteId {
        self
    }
}

impl Ids for (SiteId, ThreadId) {
    type Raw = (String, String);

    fn parse((site, thread): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, thread.parse()?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

impl Ids for (SiteId, CommandId) {
    type Raw = (String, String);

    fn parse((site, id): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, id.parse()?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

impl Ids for (SiteId, AuthorId) {
    type Raw = (String, String);

    fn parse((site, author): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, author.parse()?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

impl Ids for (SiteId, ThreadId, CommentId) {
    type Raw = (String, String, String);

    fn parse((site, thread, comment): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, thread.parse()?, comment.parse()?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

impl Ids for (SiteId, ThreadId, CommandId) {
    type Raw = (String, String, String);

    fn parse((site, thread, id): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, thread.parse()?, id.parse()?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

/// A comment of a thread by its number.
impl Ids for (SiteId, ThreadId, u32) {
    type Raw = (String, String, String);

    fn parse((site, thread, number): Self::Raw) -> Result<Self, Rejection> {
        Ok((site.parse()?, thread.parse()?, number.parse().or(Err(Rejection::CommentUnknown))?))
    }

    fn site(&self) -> &SiteId {
        &self.0
    }
}

impl<T: Ids, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = Path::<T::Raw>::from_request_parts(parts, state).await;
        let Path(raw) = raw.or(Err(HttpCode::NotFound))?;
        Ok(Self(T::parse(raw)?))
    }
}

/// The parameters behind the question mark.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parameters(&parts.uri).map(Self)
    }
}

/// What stands behind the question mark of an address.
pub(crate) fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let Query(parameters) = Query::try_from_uri(uri).map_err(|rejection| malformed(rejection.body_text()))?;
    Ok(parameters)
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Self::of(&parts.headers, &app.key)
    }
}

/// A body of JSON, not read yet: who sends it is asked first.
pub(crate) struct Body(Request);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self::new(request))
    }
}

impl Body {
    pub(crate) fn new(request: Request) -> Self {
        Self(request)
    }

    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let content_type = self.0.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if Format::of(content_type) != Format::Json {
            return Err(HttpCode::UnsupportedMediaType.into());
        }
        let bytes = Bytes::from_request(self.0, &()).await;
        let bytes = bytes.map_err(|rejection| unread(rejection.status(), rejection.body_text()))?;
        // serde takes a list for a struct, by position; the contract has names.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed("the body is not a JSON object".to_owned()));
        }
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
    }
}

/// Why a body could not be read at all.
pub(crate) fn unread(status: StatusCode, message: String) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge.into(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::from(HttpCode::UnsupportedMediaType).saying(message),
        _ => malformed(message),
    }
}

fn malformed(message: String) -> Problem {
    Problem::from(Failure::Malformed).saying(message)
}
