//! `visible`: from a command on its way to the announcement of what it changed, at an even 1,000 commands a second; the
//! ceiling is one publish with an acknowledgement and one sled batch after it, at the same pace.
//!
//! Commands go out when they are due and not when earlier ones are answered, so that whatever stands still is seen by all
//! who would have come meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use client::Client;
use domain::CommentId;
use futures::{Stream, StreamExt as _};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use wire::v1::ThreadChanged;

use crate::Bench;
use crate::bare::Bare;
use crate::commands::accepted;
use crate::koe::{Kind, Koe};
use crate::limits::{PUBLISHES_IN_FLIGHT, STALLED_MAX};
use crate::report::{Figure, rate};
use crate::server::{Server, Sync};
use crate::work::{Facts, Work};

/// Commands a second: what a large site has at its worst moment.
const PACE: u32 = 1_000;
/// What a vote writes: five values of some hundred bytes.
const WRITES: u64 = 5;
const WRITE_BYTES: usize = 100;

/// How long things took, to be told by percentiles.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    /// Milliseconds within which so many of a hundred were done.
    fn percentile(&mut self, percent: usize) -> anyhow::Result<f64> {
        self.0.sort_unstable();
        let rank = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        Ok(self.0.get(rank).context("nothing was timed")?.as_secs_f64() * 1_000.0)
    }
}

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in [Kind::Votes, Kind::Posts] {
        let name = format!("visible: {}", kind.as_str());
        bench.progress.begin(format!("{name}, bare"), bench.events);
        let prepared = bench.unless_stopped(Box::pin(prepare(bench, kind)));
        let (server, mut work, mut ceiling) = prepared.await?;
        let mut koe = Koe::start(&server, kind, bench).await?;
        bench.progress.begin(name.clone(), bench.events);
        let measured = bench.unless_stopped(of_koe(koe.client.clone(), &mut work, bench)).await;
        let checked = match measured {
            Ok(measured) => work.plant_and_check(&server, &mut koe, bench).await.map(|()| measured),
            failed => failed,
        };
        koe.end().await?;
        let (mut times, pace) = checked?;
        for percent in [50, 99] {
            let (value, ceiling) = (times.percentile(percent)?, ceiling.percentile(percent)?);
            figures.push(Figure::new(format!("{name}, p{percent}"), value, Some(ceiling), "ms"));
        }
        figures.push(Figure::new(format!("{name}, sent"), pace, Some(f64::from(PACE)), "commands/s"));
    }
    Ok(figures)
}

/// A server with a thread, and the ceiling.
async fn prepare(bench: &Bench<'_>, kind: Kind) -> anyhow::Result<(Server, Work, Times)> {
    // As Koe's own files set it.
    let server = Server::start(bench.nats_server, Sync::Always).await?;
    let work = Work::begin(&server, kind, 0, bench).await?;
    let bare = Bare::start(&server, work.request_bytes()?).await?;
    let ceiling = of_the_engine(&server, bare, bench).await?;
    Ok((server, work, ceiling))
}

/// Ticks when the next one is due. What is late comes at once.
fn pace() -> tokio::time::Interval {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    pace
}

async fn of_the_engine(server: &Server, bare: Bare, bench: &Bench<'_>) -> anyhow::Result<Times> {
    let db = sled::Config::new()
        .path(server.beside("bare"))
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(Some(500))
        .open()?;
    let (bare, mut pace, mut running) = (Arc::new(bare), pace(), JoinSet::new());
    let mut times = Times::default();
    for number in 0..bench.events {
        pace.tick().await;
        let (bare, db) = (Arc::clone(&bare), db.clone());
        running.spawn(async move {
            let began = Instant::now();
            bare.publish().await?;
            tokio::task::spawn_blocking(move || write(&db, number)).await??;
            anyhow::Ok(began.elapsed())
        });
        while running.len() > PUBLISHES_IN_FLIGHT {
            times.0.push(running.join_next().await.context("some are running")???);
        }
        bench.progress.one_more();
    }
    while let Some(took) = running.join_next().await {
        times.0.push(took??);
    }
    let written = WRITES * bench.events;
    ensure!(u64::try_from(db.len())? == written, "sled has {} values and not {written}", db.len());
    Ok(times)
}

fn write(db: &sled::Db, number: u64) -> sled::Result<()> {
    let mut batch = sled::Batch::default();
    for part in 0..WRITES {
        batch.insert(&(number * WRITES + part).to_be_bytes(), [b'x'; WRITE_BYTES].as_slice());
    }
    db.apply_batch(batch)
}

/// How long each command took until it was seen, and how many went out a second.
async fn of_koe(koe: Client, work: &mut Work, bench: &Bench<'_>) -> anyhow::Result<(Times, f64)> {
    let place = work.place();
    let thread = place.thread.context("commands are about a thread")?;
    let mut announced = koe.changes(&place.site, &thread).await?;
    // Nobody announces anything before the server knows who listens: an answer came the same way.
    koe.status().await?;
    let (mut pace, mut running, mut waiting) = (pace(), JoinSet::new(), Waiting::default());
    let (mut left, began, mut sent) = (bench.events, Instant::now(), Duration::ZERO);
    while left > 0 || !waiting.is_empty() || !running.is_empty() {
        tokio::select! {
            _ = pace.tick(), if left > 0 && running.len() < PUBLISHES_IN_FLIGHT => {
                let command = work.next(Facts::Cached)?;
                waiting.sent(Work::about(&command));
                let koe = koe.clone();
                running.spawn(async move { accepted(&koe, command).await });
                (left, sent) = (left - 1, began.elapsed());
            }
            Some(answer) = running.join_next() => {
                answer??;
                bench.progress.one_more();
            }
            seen = next(&mut announced) => waiting.seen(&seen?, work.kind())?,
        }
    }
    ensure!(u64::try_from(waiting.times.0.len())? == bench.events, "not every command was announced");
    Ok((waiting.times, rate(bench.events, sent)))
}

async fn next(announced: &mut (impl Stream<Item = ThreadChanged> + Unpin)) -> anyhow::Result<ThreadChanged> {
    let next = tokio::time::timeout(STALLED_MAX, announced.next()).await;
    next.context("what was accepted is never announced")?.context("announcements have ended")
}

/// Commands that were not seen yet, by the comment that they are about, in the order in which they went out.
#[derive(Default)]
struct Waiting {
    sent: HashMap<CommentId, VecDeque<Instant>>,
    seen: HashMap<CommentId, u32>,
    times: Times,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    fn sent(&mut self, comment: CommentId) {
        self.sent.entry(comment).or_default().push_back(Instant::now());
    }

    /// An announcement tells how many votes a comment has, or that it is there.
    fn seen(&mut self, changed: &ThreadChanged, kind: Kind) -> anyhow::Result<()> {
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
                self.times.0.push(now - began.context("more is announced than was sent")?);
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
