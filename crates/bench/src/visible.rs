//! `visible`: from a command on its way to the announcement of what it changed, at an even 1,000 commands a second; the
//! ceiling is one publish with an acknowledgement and one sled batch after it, at the same pace.
//!
//! Commands go out when they are due and not when earlier ones are answered, so that whatever stands still is seen by all
//! who would have come meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use client::Client;
use tokio::task::JoinSet;

use crate::Bench;
use crate::announced::{Times, Waiting, next, pace_of};
use crate::bare::Bare;
use crate::commands::accepted;
use crate::koe::{Kind, Koe};
use crate::limits::PUBLISHES_IN_FLIGHT;
use crate::report::{Figure, rate};
use crate::server::{Server, Sync};
use crate::work::{Facts, Work};

/// Commands a second: what a large site has at its worst moment.
const PACE: u32 = 1_000;
/// What a vote writes: five values of some hundred bytes.
const WRITES: u64 = 5;
const WRITE_BYTES: usize = 100;

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

async fn of_the_engine(server: &Server, bare: Bare, bench: &Bench<'_>) -> anyhow::Result<Times> {
    let db = sled::Config::new()
        .path(server.beside("bare"))
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(Some(500))
        .open()?;
    let (bare, mut pace, mut running) = (Arc::new(bare), pace_of(PACE), JoinSet::new());
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
            times.add(running.join_next().await.context("some are running")???);
        }
        bench.progress.one_more();
    }
    while let Some(took) = running.join_next().await {
        times.add(took??);
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
    let (mut pace, mut running, mut waiting) = (pace_of(PACE), JoinSet::new(), Waiting::default());
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
    ensure!(u64::try_from(waiting.times.len())? == bench.events, "not every command was announced");
    Ok((waiting.times, rate(bench.events, sent)))
}
