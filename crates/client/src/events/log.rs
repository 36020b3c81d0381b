//! The log in JetStream, for those who only read it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_nats::jetstream::{context::ContextBuilder, kv};
use wire::envelope::MESSAGE_ID;
use wire::subject::{EPOCH, STATE, STREAM};

use crate::Error;
use crate::limits::{CONSUMER_INACTIVE, HEARTBEAT, PULL_EXPIRES, PULL_MESSAGES_MAX};

pub(super) struct Log {
    stream: Stream<()>,
    state: kv::Store,
}

/// The log's end, and which log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    pub(super) created_nanos: i128,
}

impl Head {
    /// Whether a head seen later can be of the same log.
    pub(super) fn goes_on_as(&self, later: &Self) -> bool {
        self.epoch == later.epoch && self.created_nanos == later.created_nanos
    }
}

impl Log {
    pub(super) async fn open(nats: &async_nats::Client, timeout: Duration) -> Result<Self, Error> {
        let context = ContextBuilder::new().timeout(timeout).build(nats.clone());
        let stream = context.get_stream_no_info(STREAM).await.map_err(Error::unavailable)?;
        let state = context.get_key_value(STATE).await.map_err(Error::unavailable)?;
        Ok(Self { stream, state })
    }

    pub(super) async fn head(&self) -> Result<Head, Error> {
        let info = async { self.stream.get_info().await.map_err(Error::unavailable) };
        let (info, epoch) = tokio::try_join!(info, self.epoch())?;
        let created_nanos = info.created.unix_timestamp_nanos();
        Ok(Head { epoch, sequence: info.state.last_sequence, created_nanos })
    }

    pub(super) async fn epoch(&self) -> Result<u64, Error> {
        let value = self.state.get(EPOCH).await.map_err(Error::unavailable)?;
        let value = value.ok_or_else(|| Error::unavailable("the log has no epoch yet"))?;
        let text = std::str::from_utf8(&value).unwrap_or_default();
        u64::from_str_radix(text, 16).or(Err(Error::unavailable("the key `epoch` of KOE_STATE is not a number")))
    }

    /// The id of a message; `None` if the message is gone.
    pub(super) async fn message_id(&self, sequence: u64) -> Result<Option<String>, Error> {
        match self.stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message.headers.get(MESSAGE_ID).map(ToString::to_string).unwrap_or_default())),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::unavailable(error)),
        }
    }

    pub(super) async fn consume(&self, filters: &[String], after: u64) -> Result<pull::Stream, Error> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            ack_policy: AckPolicy::None,
            filter_subjects: filters.to_vec(),
            inactive_threshold: CONSUMER_INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..Default::default()
        };
        let consumer = self.stream.create_consumer(config).await.map_err(Error::unavailable)?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES_MAX)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await;
        messages.map_err(Error::unavailable)
    }
}
