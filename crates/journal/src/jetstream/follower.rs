//! Reading the stream from a place on, for ever.
//!
//! The broker's consumer is a convenience and never the checkpoint: it is short-lived, without acknowledgements,
//! started by sequence, and made anew whenever anything about it looks odd.

use std::sync::Arc;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{Message, stream};
use futures::{FutureExt, StreamExt};
use tokio::task::unconstrained;
use tokio::time::MissedTickBehavior;
use wire::envelope::MESSAGE_ID;

use super::erasures::Erasures;
use super::millis;
use crate::erased::shows_erased;
use crate::error::chain;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, CONSUMER_INACTIVE, HEARTBEAT, PULL_BYTES_MAX, PULL_EXPIRES,
    PULL_MESSAGES_MAX, RECONNECT_CHECK, REOPEN_PAUSE,
};
use crate::{Contents, Entry, Error, Step};

pub(crate) struct Follower {
    client: async_nats::Client,
    stream: stream::Stream,
    erasures: Arc<Erasures>,
    contents: Contents,
    after: u64,
    open: Option<Open>,
    /// What was delivered and not given on yet: whoever waits may stop waiting at any time.
    taken: Vec<Entry>,
}

/// One consumer's life.
struct Open {
    messages: pull::Stream,
    /// Messages that this consumer delivered, to notice one that got lost on the way.
    delivered: u64,
    /// Connections the client had made when this began, to notice that it made another.
    connects: u64,
}

/// Why a consumer is given up.
enum Broken {
    Ended,
    Lost,
    Reconnected,
    Failed(String),
}

impl Follower {
    pub(crate) fn new(
        client: async_nats::Client,
        (stream, erasures): (stream::Stream, Arc<Erasures>),
        after: u64,
        contents: Contents,
    ) -> Self {
        Self { client, stream, erasures, contents, after, open: None, taken: Vec::new() }
    }

    pub(crate) async fn next(&mut self) -> Step {
        loop {
            if !self.taken.is_empty() {
                self.look_for_erased().await;
                let batch = std::mem::take(&mut self.taken);
                return Step::Batch(self.without_erased(batch));
            }
            let Some(open) = &mut self.open else {
                match self.open().await {
                    Ok(open) => {
                        self.open = Some(open);
                        return Step::Opened;
                    }
                    Err(error) => {
                        tracing::warn!(error = chain(&error), "the log cannot be opened; trying again");
                        tokio::time::sleep(REOPEN_PAUSE).await;
                        continue;
                    }
                }
            };
            match open.batch(&self.client).await {
                Ok(batch) => self.taken = batch,
                Err(broken) => {
                    self.open = None;
                    match broken {
                        Broken::Reconnected => tracing::info!("reconnected; opening the log again"),
                        Broken::Ended => tracing::info!("the consumer ended; opening the log again"),
                        Broken::Lost => {
                            tracing::warn!("a message got lost on the way; opening the log again");
                        }
                        Broken::Failed(error) => {
                            tracing::warn!(error, "the consumer failed; opening the log again");
                        }
                    }
                    tokio::time::sleep(REOPEN_PAUSE).await;
                }
            }
        }
    }

    /// What was deleted is known once the log was looked at after it was missed: before a message goes, the log says what stands in
    /// its place.
    async fn look_for_erased(&self) {
        while self.contents == Contents::Whole && shows_erased(self.after, &self.taken) {
            match self.erasures.look(&self.stream).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "what was erased cannot be seen; trying again");
                    tokio::time::sleep(REOPEN_PAUSE).await;
                }
            }
        }
    }

    /// What was erased does not get past here, whether it is deleted already or not.
    fn without_erased(&mut self, batch: Vec<Entry>) -> Vec<Entry> {
        let after = self.after;
        self.after = batch.last().map_or(after, |entry| entry.sequence);
        match self.contents {
            Contents::Whole => self.erasures.known().read_batch(after, batch),
            Contents::HeadersOnly => batch,
        }
    }

    async fn open(&self) -> Result<Open, Error> {
        let connects = connects(&self.client);
        if self.contents == Contents::Whole {
            self.erasures.look(&self.stream).await?;
        }
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.after + 1 },
            ack_policy: AckPolicy::None,
            headers_only: self.contents == Contents::HeadersOnly,
            inactive_threshold: CONSUMER_INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Default::default()
        };
        let consumer = self.stream.create_consumer(config).await.map_err(Error::unavailable)?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES_MAX)
            .max_bytes_per_batch(PULL_BYTES_MAX)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(Error::unavailable)?;
        Ok(Open { messages, delivered: 0, connects })
    }
}

impl Open {
    /// Whatever is there, or the first that comes.
    async fn batch(&mut self, client: &async_nats::Client) -> Result<Vec<Entry>, Broken> {
        let mut check = tokio::time::interval(RECONNECT_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let first = loop {
            tokio::select! {
                biased;
                _ = check.tick() => {
                    if connects(client) != self.connects {
                        return Err(Broken::Reconnected);
                    }
                }
                message = self.messages.next() => break message,
            }
        };
        let first = self.take(first)?;
        let mut bytes = first.payload.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_MESSAGES_MAX && bytes < BATCH_BYTES_MAX {
            // Tokio lets a task take some 128 messages before it must yield, which would make that the size of every batch.
            let Some(message) = unconstrained(self.messages.next()).now_or_never() else {
                break;
            };
            // What came before a break is good; the break shows itself again at the next call.
            let Ok(entry) = self.take(message) else { break };
            bytes += entry.payload.len();
            batch.push(entry);
        }
        Ok(batch)
    }

    fn take(&mut self, message: Option<Result<Message, pull::MessagesError>>) -> Result<Entry, Broken> {
        let message = message.ok_or(Broken::Ended)?.map_err(|error| Broken::Failed(chain(&error)))?;
        let info = message.info().map_err(|error| Broken::Failed(error.to_string()))?;
        self.delivered += 1;
        if info.consumer_sequence != self.delivered {
            return Err(Broken::Lost);
        }
        let (sequence, stored) = (info.stream_sequence, millis(info.published.unix_timestamp_nanos()));
        let message = message.message;
        let id = message.headers.as_ref().and_then(|headers| headers.get(MESSAGE_ID));
        Ok(Entry {
            sequence,
            subject: message.subject.to_string(),
            message_id: id.map(ToString::to_string).unwrap_or_default(),
            payload: message.payload,
            stored,
        })
    }
}

fn connects(client: &async_nats::Client) -> u64 {
    client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
}
