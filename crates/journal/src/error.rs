//! What can go wrong with the log, by what the caller does about it.

use thiserror::Error;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong with the log.
#[derive(Debug, Error)]
pub enum Error {
    /// A message cannot be deleted: the stream or the broker's permissions forbid it.
    #[error("a message of the log cannot be deleted: {0}")]
    Undeletable(String),
    /// The broker has no room: nothing was recorded. An operator makes room.
    #[error("the broker has no room for another event")]
    Full(#[source] Source),
    /// The broker does not answer, or not in time: the same call again is safe.
    #[error("the broker does not answer")]
    Unavailable(#[source] Source),
    /// The time in which the event may be published is over. It may have been recorded by an earlier attempt.
    #[error("the event's time to be published is over")]
    Late,
    /// The stream cannot be Koe's log as it is. An operator looks.
    #[error("the stream cannot serve as Koe's log: {0}")]
    Misconfigured(String),
}

impl Error {
    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// An error and its causes on one line, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
