//! What people and scripts read: results on standard output, errors on standard error, one line each.

use std::io::Write as _;

/// Prints a line. A reader that went away is no error.
pub(crate) fn line(text: impl std::fmt::Display) {
    if writeln!(std::io::stdout().lock(), "{text}").is_err() {
        tracing::debug!("nobody reads the output");
    }
}

/// Prints an error and its causes on one line.
pub(crate) fn error(error: &anyhow::Error) {
    if writeln!(std::io::stderr().lock(), "koe: {error:#}").is_err() {
        tracing::debug!("nobody reads the errors");
    }
}
