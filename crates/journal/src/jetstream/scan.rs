//! Reading some subjects once, as they are stored, up to the log's end.

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream;
use futures::StreamExt as _;
use tokio::time::timeout;

use super::millis;
use crate::error::chain;
use crate::limits::{
    BATCH_BYTES_MAX, CONSUMER_INACTIVE, HEARTBEAT, PULL_BYTES_MAX, PULL_EXPIRES, SCAN_MESSAGES_MAX,
};
use crate::{Entry, Error};

/// A scan on its way.
pub(crate) struct Scan {
    stream: stream::Stream,
    consumer: String,
    messages: pull::Stream,
    /// Messages that are still to come, of those that there were at the last look.
    pending: u64,
}

impl Scan {
    pub(crate) async fn begin(stream: &stream::Stream, subjects: Vec<String>, after: u64) -> Result<Self, Error> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            filter_subjects: subjects,
            ack_policy: AckPolicy::None,
            inactive_threshold: CONSUMER_INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(Error::unavailable)?;
        let pending = consumer.cached_info().num_pending;
        let name = consumer.cached_info().name.clone();
        let messages = consumer
            .stream()
            .max_messages_per_batch(SCAN_MESSAGES_MAX)
            .max_bytes_per_batch(PULL_BYTES_MAX)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(Error::unavailable)?;
        Ok(Self { stream: stream.clone(), consumer: name, messages, pending })
    }

    /// The next messages in log order; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.pending == 0 {
            // The broker drops it by itself after a while; whoever scans each second would leave many by then.
            if let Err(error) = self.stream.delete_consumer(&self.consumer).await {
                tracing::debug!(error = chain(&error), "a consumer is left to the broker");
            }
            return Ok(None);
        }
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while self.pending > 0 && batch.len() < SCAN_MESSAGES_MAX && bytes < BATCH_BYTES_MAX {
            // A broker that says nothing for as long as it may is gone.
            let next = timeout(2 * HEARTBEAT, self.messages.next()).await;
            let message = next.map_err(Error::unavailable)?.ok_or_else(ended)?.map_err(Error::unavailable)?;
            let info = message.info().map_err(|error| Error::Misconfigured(chain(&*error)))?;
            let (sequence, stored) = (info.stream_sequence, millis(info.published.unix_timestamp_nanos()));
            self.pending = info.pending;
            let message = message.message;
            let id = message.headers.as_ref().and_then(|headers| headers.get(wire::envelope::MESSAGE_ID));
            bytes += message.payload.len();
            batch.push(Entry {
                sequence,
                subject: message.subject.to_string(),
                message_id: id.map(ToString::to_string).unwrap_or_default(),
                payload: message.payload,
                stored,
            });
        }
        Ok(Some(batch))
    }
}

fn ended() -> Error {
    Error::unavailable(std::io::Error::other("the consumer ended before the log did"))
}
