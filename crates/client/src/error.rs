//! Why a call has no answer, by what the caller does about it.

use thiserror::Error;
use wire::error::Failure;
use wire::{Code, v1};

/// Why a call has no answer. [`Error::is_transient`] says whether to try again, [`Error::code`] which refusal it is.
#[derive(Debug, Error)]
pub enum Error {
    /// Koe said no, and why; `proto/README.md` lists the codes. Subscriptions refuse in the same words: a position of a
    /// log that has lost its tail since is `position-lost`, and what is no position at all `position-invalid`.
    #[error("{message}")]
    Refused {
        /// The stable code.
        code: Code,
        /// The reason, for people.
        message: String,
    },
    /// Koe said no with a code that this release does not know.
    #[error("refused with the unknown code {code}: {message}")]
    Unknown {
        /// The code.
        code: String,
        /// The reason, for people.
        message: String,
    },
    /// Nobody answered in time. The same command may be sent again.
    #[error("Koe does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not what this subject gives.
    #[error("the answer cannot be read")]
    Malformed(#[source] prost::DecodeError),
}

impl Error {
    pub(crate) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// A refusal that the client itself makes, in the words that Koe would use.
    pub(crate) fn refused(failure: Failure) -> Self {
        let code = Code::from(failure);
        Self::Refused { code, message: code.body().message }
    }

    pub(crate) fn from_body(body: &v1::Error) -> Self {
        let message = body.message.clone();
        match Code::from_word(&body.code) {
            Some(code) => Self::Refused { code, message },
            None => Self::Unknown { code: body.code.clone(), message },
        }
    }

    /// The code of a refusal.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Unknown { .. } | Self::Unavailable(_) | Self::Malformed(_) => None,
        }
    }

    /// Whether a position was given that the log does not have any more (code `position-lost`): begin again without it.
    pub fn is_position_lost(&self) -> bool {
        self.code() == Some(Code::Failed(Failure::PositionLost))
    }

    /// Whether the same call may have an answer in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused { code: Code::Failed(failure), .. } => {
                use Failure::{Behind, Overloaded, StoreUnreadable, Unavailable};
                matches!(failure, Unavailable | Behind | Overloaded | StoreUnreadable)
            }
            Self::Refused { .. } | Self::Unknown { .. } | Self::Malformed(_) => false,
        }
    }
}
