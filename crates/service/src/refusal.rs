//! Why a request has no reply.

use domain::Rejection;
use wire::error::Failure;
use wire::{Code, v1};

/// Bytes of words that a refusal adds to its code: some lines for people.
const DETAIL_BYTES_MAX: usize = 1_024;

/// Why a request has no reply: a stable code, and more words where they help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    detail: Option<String>,
}

impl Refusal {
    /// A refusal that says more than its code does. What is long is cut: the words may be the caller's own.
    pub fn with_detail(code: impl Into<Code>, mut detail: String) -> Self {
        if detail.len() > DETAIL_BYTES_MAX {
            detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
            detail.push('\u{2026}');
        }
        Self { code: code.into(), detail: Some(detail) }
    }

    /// The body of the answer.
    pub fn body(&self) -> v1::Error {
        let mut body = self.code.body();
        if let Some(detail) = &self.detail {
            body.message.clone_from(detail);
        }
        body
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self { code, detail: None }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Code::from(rejection).into()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Code::from(failure).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_does_not_repeat_what_is_long() {
        let refusal = Refusal::with_detail(Failure::Malformed, "\u{58f0}".repeat(10_000));
        assert!(refusal.body().message.len() < 1_100);
    }
}
