//! `fold`: the log into an empty store, by the real projector; the ceiling is reading the same log raw.

use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use client::Client;
use futures::StreamExt as _;
use futures::stream;
use journal::{Contents, Journal, Step};
use tokio_util::sync::CancellationToken;

use crate::limits::{LOOK_PAUSE, PUBLISHES_IN_FLIGHT, STALLED_MAX};
use crate::load::Load;
use crate::report::Figure;
use crate::server::{Server, Sync};
use crate::{Progress, check};

/// The cache that the figures are for, in MiB.
const CACHE_MIB: u64 = 256;

pub(crate) async fn run(nats_server: &Path, events: u64, progress: &Progress) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(nats_server, Sync::Default).await?;
    let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
    let mut load = Load::new();
    progress.begin("making the log", events);
    fill(&server, &mut load, events, progress).await?;
    let end = journal.look().await?.sequence;
    ensure!(end == events, "the log has {end} events and not {events}");
    progress.begin("reading it raw", events);
    let raw = rate(events, read(&journal, events, progress).await?);
    progress.begin("folding it", events);
    let data = server.beside("projector");
    let (folded, koe) = fold(&server, &data, end, progress).await?;
    check::tallies(&koe.client, &load, &koe.end).await?;
    koe.stop().await?;
    let fold = Figure::new("fold", rate(events, folded), Some(raw), "events/s");
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "bytes of a disk, for a figure")]
    let bytes = size_of(&data)? as f64;
    Ok(vec![fold, Figure::new("fold: disk", bytes / number(events), None, "bytes/event")])
}

/// Publishes the load, many at once and in order.
async fn fill(server: &Server, load: &mut Load, events: u64, progress: &Progress) -> anyhow::Result<()> {
    let nats = server.connect("koe-bench-fill").await?;
    let context =
        async_nats::jetstream::context::ContextBuilder::new().max_ack_inflight(PUBLISHES_IN_FLIGHT).build(nats);
    let acks = stream::iter(0..events)
        .then(|_| {
            let (place, envelope) = load.next();
            let subject = wire::subject::event(&place, envelope.event.kind());
            let mut headers = async_nats::HeaderMap::new();
            headers.insert(wire::envelope::MESSAGE_ID, envelope.id.to_string().as_str());
            let payload = wire::envelope::encode(&envelope);
            let context = context.clone();
            async move { context.publish_with_headers(subject, headers, payload.into()).await }
        })
        .map(|sent| async { anyhow::Ok(sent?.await?) })
        .buffered(PUBLISHES_IN_FLIGHT);
    let (mut acks, mut done) = (pin!(acks), 0);
    while let Some(ack) = acks.next().await {
        ack.context("the log does not take the load")?;
        done += 1;
        progress.at(done);
    }
    Ok(())
}

/// Reads the log to its end with the projector's own settings and does nothing with it.
async fn read(journal: &Journal, end: u64, progress: &Progress) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut follower = journal.follow(0, Contents::Whole);
    let mut at = 0;
    while at < end {
        let step = tokio::time::timeout(STALLED_MAX, follower.next()).await.context("the log stands still")?;
        if let Step::Batch(entries) = step {
            at = entries.last().map_or(at, |entry| entry.sequence);
            progress.at(at);
        }
    }
    Ok(began.elapsed())
}

/// A projector that has folded everything, and somebody to ask it.
struct Folded {
    client: Client,
    end: String,
    stop: CancellationToken,
    task: tokio::task::JoinSet<anyhow::Result<()>>,
}

impl Folded {
    async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.task.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// Starts the role and waits for the end, as whoever starts it would.
async fn fold(server: &Server, data: &Path, end: u64, progress: &Progress) -> anyhow::Result<(Duration, Folded)> {
    let client = Client::new(server.connect("koe-bench-ask").await?);
    let options = projector::Options { nats: server.options(), data: data.to_owned(), cache_mib: CACHE_MIB };
    let stop = CancellationToken::new();
    let mut task = tokio::task::JoinSet::new();
    let (registry, stopping) = (prometheus::Registry::new(), stop.clone());
    let began = Instant::now();
    task.spawn(async move { projector::run(options, &registry, stopping).await });
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        if let Some(ended) = task.try_join_next() {
            ended??;
            bail!("the projector ended before it had folded the log");
        }
        if let Ok(status) = client.status().await {
            let at = status.sequence.max(status.rebuilding_sequence);
            if at > last {
                (last, moved) = (at, Instant::now());
                progress.at(at);
            }
            if status.sequence >= end {
                return Ok((began.elapsed(), Folded { client, end: status.position, stop, task }));
            }
        }
        ensure!(moved.elapsed() < STALLED_MAX, "the fold stands still at {last} of {end}");
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

fn rate(events: u64, took: Duration) -> f64 {
    number(events) / took.as_secs_f64()
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
fn number(events: u64) -> f64 {
    events as f64
}

/// Bytes of everything below a directory.
fn size_of(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
