//! How long commands take until their effects are announced.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use domain::CommentId;
use futures::{Stream, StreamExt as _};
use tokio::time::MissedTickBehavior;
use wire::v1::ThreadChanged;

use crate::koe::Kind;
use crate::limits::STALLED_MAX;

/// How long things took, to be told by percentiles.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Milliseconds within which so many of a hundred were done.
    pub(crate) fn percentile(&mut self, percent: usize) -> anyhow::Result<f64> {
        self.0.sort_unstable();
        let rank = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        Ok(self.0.get(rank).context("nothing was timed")?.as_secs_f64() * 1_000.0)
    }
}

/// Ticks when the next one of so many a second is due. What is late comes at once.
pub(crate) fn pace_of(a_second: u32) -> tokio::time::Interval {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / a_second);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    pace
}

/// The next announcement, which must come.
pub(crate) async fn next(
    announced: &mut (impl Stream<Item = ThreadChanged> + Unpin),
) -> anyhow::Result<ThreadChanged> {
    let next = tokio::time::timeout(STALLED_MAX, announced.next()).await;
    next.context("what was accepted is never announced")?.context("announcements have ended")
}

/// Commands that were not seen yet, by the comment that they are about, in the order in which they went out.
#[derive(Default)]
pub(crate) struct Waiting {
    sent: HashMap<CommentId, VecDeque<Instant>>,
    seen: HashMap<CommentId, u32>,
    pub(crate) times: Times,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// So many effects on a comment are nobody's who waits.
    pub(crate) fn pass_over(&mut self, comment: CommentId, effects: u32) {
        self.seen.insert(comment, effects);
    }

    pub(crate) fn sent(&mut self, comment: CommentId) {
        self.sent.entry(comment).or_default().push_back(Instant::now());
    }

    /// An announcement tells how many votes a comment has, or that it is there.
    pub(crate) fn seen(&mut self, changed: &ThreadChanged, kind: Kind) -> anyhow::Result<()> {
        let now = Instant::now();
        for comment in &changed.comments {
            let effects = match kind {
                Kind::Votes => comment.tally.as_ref().map_or(0, |tally| tally.up),
                Kind::Posts => 1,
            };
            let comment = comment.id.parse()?;
            let seen = self.seen.entry(comment).or_default();
            while *seen < effects {
                let began = self.sent.get_mut(&comment).and_then(VecDeque::pop_front);
                self.times.add(now - began.context("more is announced than was sent")?);
                *seen += 1;
            }
            if self.sent.get(&comment).is_some_and(VecDeque::is_empty) {
                self.sent.remove(&comment);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_within_which_so_many_were_done() {
        let mut times = Times((1..=200).rev().map(Duration::from_millis).collect());
        let near = |figure: f64, right: f64| (figure - right).abs() < 1e-9;
        assert!(near(times.percentile(50).unwrap(), 100.0) && near(times.percentile(99).unwrap(), 198.0));
        assert!(Times::default().percentile(50).is_err());
    }
}
