//! The ceilings of commands: a bare program that takes a request, publishes as many bytes with an acknowledgement and
//! replies, and publishing alone. What a writer would be without anything of Koe.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::HeaderMap;
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::jetstream::stream::Config;
use bytes::Bytes;
use client::new_command_id;
use futures::{StreamExt as _, stream};
use tokio::task::JoinSet;

use crate::limits::PUBLISHES_IN_FLIGHT;
use crate::progress::Progress;
use crate::report::rate;
use crate::server::Server;

/// The subject of the bare program, and where it publishes.
const BARE: &str = "bench.bare";
const BARE_LOG: &str = "bench.log";

/// The bare program, which serves until this is dropped, and somebody to ask it.
pub(crate) struct Bare {
    nats: async_nats::Client,
    context: Context,
    payload: Bytes,
    _serving: JoinSet<()>,
}

impl Bare {
    /// `bytes` is what a request carries.
    pub(crate) async fn start(server: &Server, bytes: usize) -> anyhow::Result<Self> {
        let (serving, nats) = (server.connect("koe-bench-bare").await?, server.connect("koe-bench-ask").await?);
        let context = |nats| ContextBuilder::new().max_ack_inflight(PUBLISHES_IN_FLIGHT).build(nats);
        let (publishing, own) = (context(serving.clone()), context(nats.clone()));
        let config = Config {
            name: "BENCH".into(),
            subjects: vec![BARE_LOG.into()],
            duplicate_window: Duration::from_mins(1),
            ..Config::default()
        };
        own.create_stream(config).await.context("the bare program's stream cannot be made")?;
        let mut requests = serving.queue_subscribe(BARE, "bare".into()).await?;
        // Nobody asks before the server knows of it.
        serving.flush().await?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut answering = JoinSet::new();
            while let Some(request) = requests.next().await {
                answering.spawn(answer(publishing.clone(), serving.clone(), request));
                while answering.try_join_next().is_some() {}
            }
        });
        Ok(Self { nats, context: own, payload: Bytes::from(vec![b'x'; bytes]), _serving: task })
    }

    /// Requests a second, so many in flight.
    pub(crate) async fn requests(&self, count: u64, in_flight: usize, progress: &Progress) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut answers = stream::iter(0..count)
            .map(|_| self.nats.request_with_headers(BARE, under_new_id(), self.payload.clone()))
            .buffer_unordered(in_flight);
        while let Some(answer) = answers.next().await {
            let answer = answer.context("the bare program does not answer")?;
            ensure!(answer.payload.as_ref() == b"ok", "the bare program could not publish");
            progress.one_more();
        }
        Ok(rate(count, began.elapsed()))
    }

    /// Publishes a second, so many in flight, without any request.
    pub(crate) async fn publishes(
        &self,
        count: u64,
        in_flight: usize,
        progress: &Progress,
    ) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut publishes = stream::iter(0..count).map(|_| self.publish()).buffer_unordered(in_flight);
        while let Some(published) = publishes.next().await {
            published?;
            progress.one_more();
        }
        Ok(rate(count, began.elapsed()))
    }

    /// Publishes once and waits for the acknowledgement.
    pub(crate) async fn publish(&self) -> anyhow::Result<()> {
        let sent = self.context.publish_with_headers(BARE_LOG, under_new_id(), self.payload.clone()).await?;
        let ack = sent.await?;
        ensure!(!ack.duplicate, "the bare program publishes the same twice");
        Ok(())
    }
}

fn under_new_id() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(wire::envelope::MESSAGE_ID, new_command_id().to_string().as_str());
    headers
}

async fn answer(context: Context, nats: async_nats::Client, request: async_nats::Message) {
    let (Some(reply), Some(headers)) = (request.reply, request.headers) else { return };
    let published = match context.publish_with_headers(BARE_LOG, headers, request.payload).await {
        Ok(ack) => ack.await.is_ok(),
        Err(_) => false,
    };
    let said: &'static [u8] = if published { b"ok" } else { b"no" };
    if let Err(error) = nats.publish(reply, Bytes::from_static(said)).await {
        tracing::debug!(%error, "the bare program cannot reply");
    }
}
