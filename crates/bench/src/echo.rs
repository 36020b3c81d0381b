//! The ceiling of questions: a service that answers with as many bytes as it is asked for, and does nothing for them.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::task::JoinSet;

use crate::report::rate;
use crate::server::Server;

/// The subject of the service.
const ECHO: &str = "bench.echo";
/// No message of a nats-server has more, unless it is told otherwise.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The service, which answers until this is dropped, and somebody to ask it.
pub(crate) struct Echo {
    nats: async_nats::Client,
    _serving: JoinSet<()>,
}

impl Echo {
    pub(crate) async fn start(server: &Server) -> anyhow::Result<Self> {
        let (serving, nats) = (server.connect("koe-bench-echo").await?, server.connect("koe-bench-ask").await?);
        let mut questions = serving.subscribe(ECHO).await?;
        // Nobody asks before the server knows of it.
        serving.flush().await?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let all = Bytes::from(vec![b'x'; ANSWER_BYTES_MAX]);
            while let Some(question) = questions.next().await {
                let Some(reply) = question.reply else { continue };
                let asked: Option<usize> =
                    std::str::from_utf8(&question.payload).ok().and_then(|n| n.parse().ok());
                let bytes = asked.unwrap_or_default().min(ANSWER_BYTES_MAX);
                if let Err(error) = serving.publish(reply, all.slice(..bytes)).await {
                    tracing::debug!(%error, "the echo cannot reply");
                }
            }
        });
        Ok(Self { nats, _serving: task })
    }

    /// Answers of so many bytes a second, so many in flight.
    pub(crate) async fn answers(&self, bytes: usize, count: u64, in_flight: usize) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut answers = stream::iter(0..count)
            .map(|_| self.nats.request(ECHO, bytes.to_string().into()))
            .buffer_unordered(in_flight);
        while let Some(answer) = answers.next().await {
            let answer = answer.context("the echo does not answer")?.payload.len();
            ensure!(answer == bytes, "the echo answers {answer} bytes and not {bytes}");
        }
        Ok(rate(count, began.elapsed()))
    }
}
