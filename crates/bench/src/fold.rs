//! `fold`: the log into an empty store, by the real projector; the ceiling is reading the same log raw.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use client::Client;
use journal::{Contents, Journal, Step};

use crate::catch_up::start_and_fold;
use crate::limits::STALLED_MAX;
use crate::load::{LOAD_MIN, Load};
use crate::progress::Progress;
use crate::report::{Figure, number, rate};
use crate::server::{Server, Sync};
use crate::{Bench, check};

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let (events, progress) = (bench.events, bench.progress);
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
    let mut load = Load::new();
    let end = load.fill(&server, events.max(LOAD_MIN), bench).await?;
    progress.begin("reading it raw", end);
    let raw = rate(end, read(&journal, end, progress).await?);
    progress.begin("folding it", end);
    let data = server.beside("projector");
    let (projector, course) = start_and_fold(&server, &data, end, progress).await?;
    let client = Client::new(server.connect("koe-bench-ask").await?);
    check::tallies(&client, &load, &course.position).await?;
    projector.stop().await?;
    let fold = Figure::new("fold", rate(end, course.took()), Some(raw), "events/s");
    let bytes = number(size_of(&data)?) / number(end);
    Ok(vec![fold, Figure::new("fold: disk", bytes, None, "bytes/event")])
}

/// Reads the log to its end with the projector's own settings and does nothing with it.
pub(crate) async fn read(journal: &Journal, end: u64, progress: &Progress) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut follower = journal.follow(0, Contents::Whole);
    let (mut at, mut count) = (0, 0);
    while at < end {
        let step = tokio::time::timeout(STALLED_MAX, follower.next()).await.context("the log stands still")?;
        if let Step::Batch(entries) = step {
            at = entries.last().map_or(at, |entry| entry.sequence);
            count += entries.len();
            progress.at(at);
        }
    }
    let took = began.elapsed();
    ensure!(u64::try_from(count)? == end, "the log has {end} events and {count} were read");
    Ok(took)
}

/// Bytes of everything below a directory.
pub(crate) fn size_of(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
