//! Why a request has no reply.

use domain::Rejection;
use wire::error::Failure;
use wire::{Code, v1};

/// Why a request has no reply: a stable code, and more words where they help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    detail: Option<String>,
}

impl Refusal {
    /// A refusal that says more than its code does.
    pub fn with_detail(code: impl Into<Code>, detail: String) -> Self {
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
