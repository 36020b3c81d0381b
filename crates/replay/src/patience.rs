//! Waiting for a projector that is not ready, for as long as it gets on.

use std::time::Instant;

use anyhow::bail;
use client::Client;
use wire::v1::StatusReply;

use crate::limits::{ASK_PAUSE, PATIENCE};
use crate::progress::Progress;

/// How long a projector has not got on.
pub(crate) struct Patience {
    since: Instant,
    last: Option<(u32, u64, u64)>,
    has_said: bool,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), last: None, has_said: false }
    }

    /// Waits a moment; gives up a projector that stood still or was away for too long.
    pub(crate) async fn wait(&mut self, koe: &Client, progress: &Progress) -> anyhow::Result<()> {
        let status = koe.status().await.ok();
        let at = status.as_ref().map(|status| (status.generation, status.sequence, status.rebuilding_sequence));
        if at.is_some() && at != self.last {
            (self.last, self.since) = (at, Instant::now());
        }
        let what = describe(status.as_ref());
        if self.since.elapsed() > PATIENCE {
            bail!("{what}, for {} s now: is a projector running, and what does it log?", PATIENCE.as_secs());
        }
        if !self.has_said {
            self.has_said = true;
            progress.say(&format!("waiting: {what}"));
        }
        tokio::time::sleep(ASK_PAUSE).await;
        Ok(())
    }
}

fn describe(status: Option<&StatusReply>) -> String {
    match status {
        None => "no projector answers".to_owned(),
        Some(status) if status.generation == 0 => {
            format!("the projector serves nothing yet, it is at {} of {}", status.rebuilding_sequence, status.end)
        }
        Some(status) => format!("the projector is at {} of {}", status.sequence, status.end),
    }
}
