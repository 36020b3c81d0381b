//! Koe to send commands to: writers in processes of their own, a projector in this one, whose fold can be made to stand
//! still, and somebody to ask.

use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use client::Client;
use futures::StreamExt as _;
use journal::Journal;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::Bench;
use crate::limits::{LOOK_PAUSE, STALLED_MAX, START_MAX, STATISTICS_WAIT};
use crate::process::{CACHE_MIB, Process};
use crate::server::Server;

/// Which commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Votes,
    Posts,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Votes => "votes",
            Self::Posts => "posts",
        }
    }

    /// The role that takes them.
    fn role(self) -> &'static str {
        match self {
            Self::Votes => "votes",
            Self::Posts => "comments",
        }
    }

    /// Its NATS service, and the endpoint.
    fn endpoint(self) -> (&'static str, &'static str) {
        match self {
            Self::Votes => ("koe-votes", "cast-vote"),
            Self::Posts => ("koe-comments", "post-comment"),
        }
    }
}

/// The projector of this process.
struct Projector {
    fold_paused: watch::Sender<bool>,
    stop: CancellationToken,
    task: JoinSet<anyhow::Result<()>>,
}

impl Projector {
    fn start(server: &Server) -> Self {
        let (fold_paused, stop) = (watch::Sender::new(false), CancellationToken::new());
        let options = projector::Options {
            nats: server.options(),
            data: server.beside("projector"),
            cache_mib: CACHE_MIB,
            forget_after_secs: 3_600,
            fold_paused: Some(fold_paused.subscribe()),
        };
        let (mut task, stopping) = (JoinSet::new(), stop.clone());
        task.spawn(async move {
            let instruments = service::Instruments::of_process("projector")?;
            projector::run(options, &instruments, stopping).await
        });
        Self { fold_paused, stop, task }
    }

    /// One that ends before the benchmark has failed.
    fn need_running(&mut self) -> anyhow::Result<()> {
        match self.task.try_join_next() {
            None => Ok(()),
            Some(ended) => ended?.and_then(|()| bail!("the projector ended before the benchmark did")),
        }
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.task.join_next().await.map_or(Ok(()), |ended| ended?)
    }
}

/// A writer or two, the projector, and connections to them.
pub(crate) struct Koe {
    pub(crate) client: Client,
    nats: async_nats::Client,
    journal: Journal,
    kind: Kind,
    projector: Projector,
    writers: Vec<Process>,
}

impl Koe {
    /// Starts the roles, and waits until what the log has is folded and commands are taken.
    pub(crate) async fn start(server: &Server, kind: Kind, bench: &Bench<'_>) -> anyhow::Result<Self> {
        let nats = server.connect("koe-bench-ask").await?;
        let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
        let writers = vec![Process::writer(kind.role(), server)?];
        let (client, projector) = (Client::new(nats.clone()), Projector::start(server));
        let mut koe = Self { client, nats, journal, kind, projector, writers };
        match bench.unless_stopped(koe.need_ready()).await {
            Ok(()) => Ok(koe),
            Err(error) => koe.end().await.and(Err(error)),
        }
    }

    async fn need_ready(&mut self) -> anyhow::Result<()> {
        self.need_writers(1).await?;
        self.caught_up().await
    }

    /// Makes the fold stand still, or go on. Queries are answered all the same, from what is folded.
    pub(crate) fn pause_fold(&self, paused: bool) {
        self.projector.fold_paused.send_replace(paused);
    }

    /// The last sequence that is folded and served.
    pub(crate) async fn folded(&self) -> anyhow::Result<u64> {
        Ok(self.client.status().await?.sequence)
    }

    /// The log's end as of now: its sequence, and a token for `at_least`.
    pub(crate) async fn end_of_log(&self) -> anyhow::Result<(u64, String)> {
        let head = self.journal.look().await?;
        Ok((head.sequence, wire::Position { epoch: head.epoch, sequence: head.sequence }.to_string()))
    }

    /// Waits until the fold is at the log's end.
    pub(crate) async fn caught_up(&mut self) -> anyhow::Result<()> {
        let (end, _) = self.end_of_log().await?;
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            self.need_running()?;
            if let Ok(status) = self.client.status().await {
                if status.sequence >= end {
                    return Ok(());
                }
                let at = status.sequence.max(status.rebuilding_sequence);
                if at > last {
                    (last, moved) = (at, Instant::now());
                }
            }
            ensure!(moved.elapsed() < STALLED_MAX, "the fold stands still at {last} of {end}");
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    fn need_running(&mut self) -> anyhow::Result<()> {
        self.projector.need_running()?;
        self.writers.iter_mut().try_for_each(Process::need_running)
    }

    /// Starts a role for the commands of another kind beside, and waits until it takes them.
    pub(crate) async fn add(&mut self, server: &Server, kind: Kind) -> anyhow::Result<()> {
        self.writers.push(Process::writer(kind.role(), server)?);
        self.need_instances(kind, 1).await
    }

    /// Starts one more writer, and waits until it takes commands.
    pub(crate) async fn add_writer(&mut self, server: &Server) -> anyhow::Result<()> {
        self.writers.push(Process::writer(self.kind.role(), server)?);
        self.need_writers(2).await
    }

    /// Ends it again.
    pub(crate) async fn remove_writer(&mut self) -> anyhow::Result<()> {
        self.writers.pop().context("a writer was added")?.stop().await?;
        self.need_writers(1).await
    }

    async fn need_writers(&mut self, count: usize) -> anyhow::Result<()> {
        self.need_instances(self.kind, count).await
    }

    async fn need_instances(&mut self, kind: Kind, count: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let (service, endpoint) = kind.endpoint();
        loop {
            let there = self.requests_of(service, endpoint).await?.len();
            if there == count {
                return Ok(());
            }
            self.need_running()?;
            let waited = began.elapsed();
            ensure!(waited < START_MAX, "{there} of {count} writers are there after {} s", waited.as_secs());
        }
    }

    /// How many commands each writer has taken.
    pub(crate) async fn commands_taken(&self) -> anyhow::Result<Vec<u64>> {
        let (service, endpoint) = self.kind.endpoint();
        self.requests_of(service, endpoint).await
    }

    /// How often facts were asked for.
    pub(crate) async fn facts_asked(&self) -> anyhow::Result<u64> {
        Ok(self.requests_of("koe-queries", "facts").await?.iter().sum())
    }

    /// The requests that each instance of a service has taken at one of its endpoints, by its own statistics.
    async fn requests_of(&self, service: &str, endpoint: &str) -> anyhow::Result<Vec<u64>> {
        let inbox = self.nats.new_inbox();
        let mut answers = self.nats.subscribe(inbox.clone()).await?;
        self.nats.publish_with_reply(format!("$SRV.STATS.{service}"), inbox, Bytes::new()).await?;
        let mut taken = Vec::new();
        // How many there are is not known beforehand.
        while let Ok(Some(answer)) = timeout(STATISTICS_WAIT, answers.next()).await {
            let Ok(statistics) = serde_json::from_slice::<Statistics>(&answer.payload) else { continue };
            let endpoints = statistics.endpoints.into_iter();
            taken.extend(endpoints.filter(|stats| stats.name == endpoint).map(|stats| stats.num_requests));
        }
        Ok(taken)
    }

    /// Ends the roles in order: a store that is dropped while it is written to may never be done.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        let mut ended = Ok(());
        for writer in self.writers {
            ended = ended.and(writer.stop().await);
        }
        self.projector.end().await.and(ended)
    }
}

/// What of a NATS service's statistics is used.
#[derive(Deserialize)]
struct Statistics {
    endpoints: Vec<EndpointStatistics>,
}

#[derive(Deserialize)]
struct EndpointStatistics {
    name: String,
    num_requests: u64,
}
