//! Service: throughput, lag and health of the whole, for Prometheus.
//!
//! It watches from outside: the log, the projector's `status` and the statistics that every NATS service keeps.
//! Nothing waits for it, and no poll that fails ends it: what cannot be seen keeps its last value, beside the time when
//! it was last seen. Deliberately not here: what a role counts of itself, which it serves with [`service::serve_vitals`].

mod deltas;
mod events;
mod history;
mod lag;
mod limits;
mod log;
mod metrics;
mod page;
mod projector;
mod services;
mod storage;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::Client;
use journal::Journal;
use service::{Instruments, NatsOptions};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use history::History;
use metrics::Metrics;

/// Measures throughput, lag and health of the whole, for Prometheus.
///
/// Watches from outside and keeps nothing. One is enough.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where NATS is.
    #[command(flatten)]
    pub nats: NatsOptions,
    /// Address to serve metrics on; port 0 takes any free one.
    #[arg(long, env = "KOE_METRICS", value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub metrics: SocketAddr,
}

/// An exporter that has its port and measures nothing yet.
#[derive(Debug)]
pub struct Exporter {
    nats: NatsOptions,
    listener: TcpListener,
    address: SocketAddr,
}

/// Takes the port. Connects to nothing.
pub async fn bind(options: &Options) -> anyhow::Result<Exporter> {
    let listener = service::listen(options.metrics, "--metrics").await?;
    let address = listener.local_addr().context("the port that was taken has no address")?;
    Ok(Exporter { nats: options.nats.clone(), listener, address })
}

impl Exporter {
    /// The address that was really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Measures into the registry, and serves it, until the stop.
    pub async fn run(self, instruments: &Instruments, stop: CancellationToken) -> anyhow::Result<()> {
        let metrics = Metrics::new(instruments.registry())?;
        tracing::info!(address = %self.address, "the exporter serves");
        let mut tasks = JoinSet::new();
        let history = History::default();
        let page = Some(page::router(history.clone()));
        tasks.spawn(service::serve_vitals(self.listener, instruments.clone(), page, stop.clone()));
        let (watching, instruments) = (stop.clone(), instruments.clone());
        tasks.spawn(async move {
            let watched = Box::pin(async {
                tokio::select! {
                    watched = watch(&self.nats, &metrics, &instruments) => watched,
                    () = history.record(instruments.registry()) => Ok(()),
                }
            });
            watching.run_until_cancelled(watched).await.unwrap_or(Ok(()))
        });
        while let Some(ended) = tasks.join_next().await {
            ended.context("a part of the exporter broke")??;
            if !stop.is_cancelled() {
                bail!("a part of the exporter ended");
            }
        }
        Ok(())
    }
}

/// Watches everything, for ever; fails only where NATS cannot be reached at the start.
async fn watch(nats: &NatsOptions, metrics: &Metrics, instruments: &Instruments) -> anyhow::Result<()> {
    // A flood of events and the polls share no connection, so that neither starves the other.
    let following = instruments.connect(nats, "koe-exporter-events").await?;
    let asking = instruments.connect(nats, "koe-exporter").await?;
    let followed = open(following, metrics).await;
    let journal = open(asking.clone(), metrics).await;
    let koe = Client::new(asking.clone());
    let head = journal.head();
    instruments.ready_when(move || {
        let age = head.borrow().seen.elapsed();
        async move {
            if age < limits::HEAD_AGE_MAX {
                return Ok(());
            }
            Err(format!("the log was last seen {} s ago: check that NATS runs and answers", age.as_secs()))
        }
    });
    tokio::join!(
        events::watch(&followed, metrics),
        log::watch(&journal, metrics),
        log::watch_storage(&journal, metrics),
        projector::watch(&koe, &journal, metrics),
        services::watch(&asking, metrics),
    );
    Ok(())
}

/// Opens the log, however long that takes: a broker that is there may not be ready.
async fn open(nats: async_nats::Client, metrics: &Metrics) -> Journal {
    // Who watches makes nothing.
    let options = journal::Options { provision: journal::Provision::Never, ..journal::Options::default() };
    loop {
        match Journal::open(nats.clone(), &options).await {
            Ok(journal) => return journal,
            Err(error) => metrics.poll_failed(metrics::Target::Log, &error),
        }
        tokio::time::sleep(limits::OPEN_PAUSE).await;
    }
}

/// A tick that never hurries to make up for time in which nobody listened.
fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_says_what_to_do() {
        let nats = NatsOptions { nats: "nats://127.0.0.1:1".into(), ..NatsOptions::default() };
        let options = Options { nats, metrics: "127.0.0.1:0".parse().unwrap() };
        let first = bind(&options).await.unwrap();
        assert_ne!(first.address().port(), 0);
        let second = Options { metrics: first.address(), ..options };
        let message = bind(&second).await.unwrap_err().to_string();
        let expected =
            "is taken by another process: stop it or choose another with --metrics (port 0 takes any free one)";
        assert!(message.contains(expected), "{message}");
    }
}
