//! One atomic batch of events: recorded by the broker together, or not at all.
//!
//! Only what goes over the wire is here; who is gathered into a batch, and when, is `group`'s to say.

use std::error::Error as _;

use async_nats::header::{
    HeaderMap, NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE,
};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{Client, Subject};
use bytes::Bytes;
use domain::CommandId;
use serde::Deserialize;
use wire::envelope::MESSAGE_ID;

use crate::limits::ACK_TIMEOUT;

/// The broker's words for "no atomic batches here", whatever is in them.
const UNABLE: [ErrorCode; 3] = [
    ErrorCode::ATOMIC_PUBLISH_DISABLED,
    ErrorCode::ATOMIC_PUBLISH_UNSUPPORTED_HEADER,
    ErrorCode::ATOMIC_PUBLISH_TOO_LARGE_BATCH,
];

/// An event as it is published, alone or in a batch.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// The id of its command, which is the message's too.
    pub(crate) id: CommandId,
    pub(crate) subject: Subject,
    pub(crate) payload: Bytes,
    /// Whether another process may have published it before: its id would have a whole batch refused.
    pub(crate) resent: bool,
}

impl Outgoing {
    pub(crate) fn message(&self) -> Message {
        let (subject, payload) = (self.subject.clone(), self.payload.clone());
        Message { id: self.id.to_string(), subject, payload }
    }
}

/// What goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its `Nats-Msg-Id`; empty for none.
    pub(crate) id: String,
    pub(crate) subject: Subject,
    pub(crate) payload: Bytes,
}

impl Message {
    /// The one header that every event has.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !self.id.is_empty() {
            headers.insert(MESSAGE_ID, self.id.clone());
        }
        headers
    }
}

/// Why a batch was not acknowledged.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing was recorded: one of the ids, the broker does not say which, is in the log already.
    Duplicate,
    /// Nothing was recorded, and no other batch will be.
    Unable(String),
    /// Nothing was recorded, for a reason that may pass.
    Refused(String),
    /// Nobody knows whether it was recorded.
    Lost(String),
}

/// The acknowledgement of a batch.
#[derive(Debug, Deserialize)]
struct Acknowledgement {
    /// The sequence of its last message; those before stand right before it.
    seq: u64,
    batch: String,
    count: u64,
}

/// Publishes events, at least two, as one batch. Returns the sequence of the first; the others follow without a gap.
pub(crate) async fn publish(client: &Client, events: &[Message]) -> Result<u64, Failed> {
    match tokio::time::timeout(ACK_TIMEOUT, send(client, events)).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(Failed::Lost(elapsed.to_string())),
    }
}

async fn send(client: &Client, events: &[Message]) -> Result<u64, Failed> {
    let ([first, rest @ ..], Some(count)) = (events, u64::try_from(events.len()).ok()) else {
        return Err(Failed::Refused("a batch of nothing".into()));
    };
    let Some((last, middle)) = rest.split_last() else {
        return Err(Failed::Refused("a batch of one".into()));
    };
    let batch = batch_id();
    // Whoever cannot take batches says so here, before all of it is on its way.
    let started = request(client, first, headers(first, &batch, 1)).await?;
    if !started.payload.is_empty() {
        return Err(refused(&started.payload));
    }
    for (event, place) in middle.iter().zip(2..) {
        let sent = client.publish_with_headers(
            event.subject.clone(),
            headers(event, &batch, place),
            event.payload.clone(),
        );
        // What was sent of it is forgotten by the broker, for nobody commits it.
        sent.await.map_err(|error| Failed::Refused(error.to_string()))?;
    }
    let mut commit = headers(last, &batch, count);
    commit.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
    let answer = request(client, last, commit).await.map_err(|failed| match failed {
        Failed::Refused(error) => Failed::Lost(error),
        failed => failed,
    })?;
    match serde_json::from_slice(&answer.payload) {
        Ok(Response::Ok(Acknowledgement { seq, batch: of, count: stored })) => {
            let first = seq.checked_sub(count).map(|before| before + 1);
            // An answer about anything else says nothing of where these events stand.
            first.filter(|_| of == batch && stored == count).ok_or_else(|| {
                Failed::Lost(format!("an acknowledgement of {stored} messages of {of} up to {seq}"))
            })
        }
        Ok(Response::Err { error }) => Err(failed_by(&error)),
        Err(error) => Err(Failed::Lost(error.to_string())),
    }
}

async fn request(client: &Client, event: &Message, headers: HeaderMap) -> Result<async_nats::Message, Failed> {
    let asked = client.request_with_headers(event.subject.clone(), headers, event.payload.clone()).await;
    asked.map_err(|error| Failed::Refused(error.to_string()))
}

fn headers(event: &Message, batch: &str, place: u64) -> HeaderMap {
    let mut headers = event.headers();
    headers.insert(NATS_BATCH_ID, batch);
    headers.insert(NATS_BATCH_SEQUENCE, place.to_string());
    headers
}

/// What the broker says to a batch that it does not begin.
fn refused(answer: &[u8]) -> Failed {
    match serde_json::from_slice::<Response<serde_json::Value>>(answer) {
        Ok(Response::Err { error }) => failed_by(&error),
        // A broker that knows no batches has recorded the first message as any other, and would all the rest.
        Ok(Response::Ok(_)) => Failed::Unable("it acknowledges the parts of a batch one by one".into()),
        Err(error) => Failed::Refused(error.to_string()),
    }
}

fn failed_by(error: &jetstream::Error) -> Failed {
    let said = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    match error.error_code() {
        ErrorCode::ATOMIC_PUBLISH_CONTAINS_DUPLICATE_MESSAGE => Failed::Duplicate,
        code if UNABLE.contains(&code) => Failed::Unable(said),
        _ => Failed::Refused(said),
    }
}

/// Names a batch while it is under way. Short, because the broker stores it with each message; two batches of the same
/// name at the same moment would both be refused, and their events published alone.
fn batch_id() -> String {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    format!("{:08x}", high >> 32)
}
