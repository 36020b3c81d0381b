//! What a person at a terminal sees meanwhile: a bar on stderr, and a line where something is waited for.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{msg} {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left";

/// A bar, or nothing where no terminal is.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is a constant"));
        Self { bar }
    }

    /// Nothing, for callers that show their own.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// Begins to count from nothing to a new end.
    pub(crate) fn begin(&self, what: &'static str, end: u64) {
        self.bar.reset();
        self.bar.set_message(what);
        self.bar.set_length(end);
    }

    /// Shows how far it is; the end may have moved on.
    pub(crate) fn at(&self, sequence: u64, end: u64) {
        self.bar.set_length(end.max(sequence));
        self.bar.set_position(sequence);
    }

    /// Says why nothing happens.
    pub(crate) fn say(&self, line: &str) {
        // Whoever closed stderr does not want to know.
        self.bar.suspend(|| writeln!(std::io::stderr().lock(), "{line}").ok());
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
