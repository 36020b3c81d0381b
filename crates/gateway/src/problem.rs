//! Why a request has no answer, in the words of HTTP: a status and a body `{code, message}`.
//!
//! The codes of the contract come from `wire`; the few that only HTTP knows are here. The chain of causes goes to the
//! log here, once, and never to the reader.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::Rejection;
use serde::Serialize;
use wire::Code;
use wire::error::Failure;

/// What only the HTTP door refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpCode {
    /// `unauthenticated`, 401: no session, or one that is no longer good.
    Unauthenticated,
    /// `origin-refused`, 403: a change was asked for with a cookie from another site's page.
    OriginRefused,
    /// `not-found`, 404: no such address.
    NotFound,
    /// `method-not-allowed`, 405: the address exists, the method does not.
    MethodNotAllowed,
    /// `unsupported-media-type`, 415: the body is not `application/json`, or of a form not form-encoded.
    UnsupportedMediaType,
}

impl HttpCode {
    /// Every code that only HTTP has.
    pub const EVERY: &[Self] = &[
        Self::Unauthenticated,
        Self::OriginRefused,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::OriginRefused => "origin-refused",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::UnsupportedMediaType => "unsupported-media-type",
        }
    }

    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::OriginRefused => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::UnsupportedMediaType => 415,
        }
    }

    /// What is wrong and what to do.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unauthenticated => "this needs a session that is still good: log in, or send a Bearer token",
            Self::OriginRefused => "the request came from the page of another site; nothing was done",
            Self::NotFound => "there is nothing at this address",
            Self::MethodNotAllowed => "this address does not take this method",
            Self::UnsupportedMediaType => "the body of this request must be application/json",
        }
    }
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The code for metrics: one of a fixed set, whatever a newer peer answered.
    label: &'static str,
}

/// The code of an answer, for whoever counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeLabel(pub(crate) &'static str);

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
}

impl Problem {
    fn new(status: u16, label: &'static str, message: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: label.to_owned(), message, label }
    }

    /// The same with other words.
    pub(crate) fn saying(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Whether it is this code of the contract.
    pub(crate) fn is(&self, code: impl Into<Code>) -> bool {
        self.code == code.into().as_str()
    }

    /// The message as a sentence for readers.
    pub(crate) fn sentence(&self) -> String {
        sentence(&self.message)
    }

    /// Marks an answer as this problem, for whoever counts it.
    pub(crate) fn mark(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        response.extensions_mut().insert(CodeLabel(self.label));
        response
    }
}

/// A message as a sentence: a capital first, a full stop last.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}

/// The answer for programs.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(Body { code: &self.code, message: &self.message });
        self.mark(body.into_response())
    }
}

impl From<HttpCode> for Problem {
    fn from(code: HttpCode) -> Self {
        Self::new(code.status(), code.as_str(), code.message().to_owned())
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code.status(), code.as_str(), code.body().message)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Code::from(rejection).into()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Code::from(failure).into()
    }
}

impl From<client::Error> for Problem {
    fn from(error: client::Error) -> Self {
        match error {
            client::Error::Refused { code, message } => Self::from(code).saying(message),
            // A newer writer's refusal: its words are passed on, its class is not known here.
            client::Error::Unknown { code, message } => {
                Self { code, message, ..Self::new(500, "unknown", String::new()) }
            }
            client::Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "Koe does not answer");
                Failure::Unavailable.into()
            }
            client::Error::Malformed(cause) => {
                tracing::error!(error = %cause, "an answer cannot be read");
                Failure::Internal.into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_http_are_not_codes_of_the_contract() {
        for code in HttpCode::EVERY {
            assert_eq!(Code::from_word(code.as_str()), None, "{}", code.as_str());
            assert_eq!(Problem::from(*code).status.as_u16(), code.status());
        }
    }

    #[test]
    fn a_refusal_keeps_its_code_status_and_words() {
        let refused = client::Error::Refused {
            code: Rejection::CommentRemoved.into(),
            message: "the comment was removed".into(),
        };
        let problem = Problem::from(refused);
        assert_eq!((problem.status.as_u16(), problem.code.as_str()), (409, "comment-removed"));
        assert_eq!(problem.sentence(), "The comment was removed.");
        let newer = client::Error::Unknown { code: "thread-closed".into(), message: "closed".into() };
        let problem = Problem::from(newer);
        assert_eq!((problem.code.as_str(), problem.label), ("thread-closed", "unknown"));
    }
}
