//! The log in JetStream: provisioning, publishing, reading back, the epoch.

use std::error::Error as _;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::header::HeaderMap;
use async_nats::jetstream::context::{PublishErrorKind, RequestErrorKind};
use async_nats::jetstream::kv;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{self, RawMessageErrorKind};
use async_nats::jetstream::{self, Context, ErrorCode};
use bytes::Bytes;
use domain::{Envelope, Place, Timestamp};
use serde::Deserialize;
use tokio::sync::watch;
use wire::envelope::MESSAGE_ID;
pub(crate) use wire::subject::STREAM;
use wire::subject::{self, EPOCH, STATE};

use crate::limits::{
    ACK_TIMEOUT, ACKS_IN_FLIGHT_MAX, DUPLICATE_WINDOW, PUBLISH_ATTEMPTS_MAX, PUBLISH_RETRY_PAUSE, REQUEST_TIMEOUT,
};
use crate::{Contents, Entry, Error, Head};

mod follower;
pub(crate) use follower::Follower;

/// The broker's words for "no room": the stream's own limits, the server's storage, the account's.
const FULL: [ErrorCode; 3] =
    [ErrorCode::STREAM_STORE_FAILED, ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::INSUFFICIENT_RESOURCES];

/// Whether the log is made when it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provision {
    /// Make it.
    Create,
    /// Only those who read leave it alone.
    Never,
}

/// How the log is provisioned.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether it is made when it is not there.
    pub provision: Provision,
    /// How long the broker remembers ids; only for a new stream.
    pub window: Duration,
    /// Copies of the log in a cluster; only for a new stream.
    pub replicas: usize,
    /// The most bytes the log may have, `None` for as many as the disk holds; only for a new stream. A full log refuses
    /// new events and never drops old ones.
    pub bytes_max: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { provision: Provision::Create, window: DUPLICATE_WINDOW, replicas: 1, bytes_max: None }
    }
}

pub(crate) struct Log {
    client: async_nats::Client,
    context: Context,
    stream: stream::Stream,
    state: kv::Store,
    head: watch::Sender<Head>,
    window: Duration,
}

/// The parts of a stream's info that a head is made of, and the broker's clock.
#[derive(Deserialize)]
struct Info {
    created: jiff::Timestamp,
    ts: jiff::Timestamp,
    state: InfoState,
}

#[derive(Deserialize)]
struct InfoState {
    messages: u64,
    bytes: u64,
    last_seq: u64,
}

impl Log {
    pub(crate) async fn open(client: async_nats::Client, options: &Options) -> Result<Self, Error> {
        let context = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(ACK_TIMEOUT)
            .max_ack_inflight(ACKS_IN_FLIGHT_MAX)
            .build(client.clone());
        let stream = open_stream(&context, options).await?;
        let config = &stream.cached_info().config;
        if config.subjects != [subject::EVENTS] {
            return Err(Error::Misconfigured(format!(
                "it takes in {:?} and not {:?}",
                config.subjects,
                subject::EVENTS
            )));
        }
        if config.discard != stream::DiscardPolicy::New && (config.max_bytes > 0 || config.max_messages > 0) {
            return Err(Error::Misconfigured(
                "it would drop old events when it is full; set its discard policy to `new`".into(),
            ));
        }
        if config.retention != stream::RetentionPolicy::Limits || !config.max_age.is_zero() {
            return Err(Error::Misconfigured(
                "it would forget events: it needs the retention `limits` and no maximum age".into(),
            ));
        }
        let window = config.duplicate_window;
        let state = open_state(&context, options).await?;
        let epoch = epoch_of(&state).await?;
        let info = info_of(&context).await?;
        let head = watch::Sender::new(head_of(&info, epoch, Duration::ZERO));
        Ok(Self { client, context, stream, state, head, window })
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }

    pub(crate) fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub(crate) async fn look(&self) -> Result<Head, Error> {
        let timed = async {
            let asked = Instant::now();
            let info = info_of(&self.context).await?;
            Ok::<_, Error>((info, asked.elapsed()))
        };
        let ((info, took), epoch) = tokio::try_join!(timed, epoch_of(&self.state))?;
        let head = head_of(&info, epoch, took);
        self.head.send_replace(head);
        Ok(head)
    }

    /// Publishes until it is acknowledged, under the one id, and says where it stands and whether it stood there before.
    pub(crate) async fn publish(
        &self,
        place: &Place,
        envelope: &Envelope,
        until: Option<Instant>,
    ) -> Result<(u64, bool), Error> {
        let subject = subject::event(place, envelope.event.kind());
        let payload = Bytes::from(wire::envelope::encode(envelope));
        let id = envelope.id.to_string();
        let mut attempt = 1;
        loop {
            // Nothing is left to a queue that outlives its time: what waits for a connection could go out much later.
            if until.is_some() && self.client.connection_state() != State::Connected {
                return Err(Error::unavailable("not connected"));
            }
            let failed = match self.publish_once(&subject, &id, payload.clone()).await {
                Ok(acknowledged) => return Ok(acknowledged),
                Err(error) => error,
            };
            if attempt == PUBLISH_ATTEMPTS_MAX || matches!(failed, Error::Full(_)) {
                return Err(failed);
            }
            // The id's random bits spread the retries of many commands.
            let jitter = u64::try_from(envelope.id.as_u128() % 100).expect("below 100");
            tokio::time::sleep(PUBLISH_RETRY_PAUSE * attempt + Duration::from_millis(jitter)).await;
            attempt += 1;
            // A retry after its time could overturn a newer vote, once the broker has forgotten the id.
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(failed);
            }
        }
    }

    async fn publish_once(&self, subject: &str, id: &str, payload: Bytes) -> Result<(u64, bool), Error> {
        let mut headers = HeaderMap::new();
        headers.insert(MESSAGE_ID, id);
        let sent = self.context.publish_with_headers(subject.to_owned(), headers, payload).await;
        let acknowledged = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        acknowledged.map(|ack| (ack.sequence, ack.duplicate)).map_err(|error| {
            let code = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
            let full = code.is_some_and(|code| FULL.contains(&code.error_code()));
            if error.kind() == PublishErrorKind::Other && full {
                Error::Full(error.into())
            } else {
                Error::unavailable(error)
            }
        })
    }

    pub(crate) async fn read(&self, sequence: u64) -> Result<Option<Entry>, Error> {
        match self.stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(entry_of(message))),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::unavailable(error)),
        }
    }

    pub(crate) async fn is_empty_between(&self, after: u64, end: u64) -> Result<bool, Error> {
        let next = self.stream.raw_message_builder().sequence(after + 1).next_by_subject(subject::EVENTS);
        match next.send().await {
            Ok(message) => Ok(message.sequence > end),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(true),
            Err(error) => Err(Error::unavailable(error)),
        }
    }

    pub(crate) fn follow(&self, after: u64, contents: Contents) -> Follower {
        Follower::new(self.client.clone(), self.stream.clone(), after, contents)
    }

    pub(crate) async fn begin_epoch(&self, lost: u64) -> Result<u64, Error> {
        let entry = self.state.entry(EPOCH).await.map_err(Error::unavailable)?;
        if let Some(entry) = entry
            && parse_epoch(&entry.value)? == lost
        {
            let next = Bytes::from(format!("{:x}", new_epoch()));
            // Somebody else may have been quicker; theirs holds then.
            match self.state.update(EPOCH, next, entry.revision).await {
                Ok(_) => {}
                Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(Error::unavailable(error)),
            }
        }
        Ok(self.look().await?.epoch)
    }
}

async fn open_stream(context: &Context, options: &Options) -> Result<stream::Stream, Error> {
    match context.get_stream(STREAM).await {
        Ok(stream) => return Ok(stream),
        Err(error) if options.provision == Provision::Never => return Err(missing(&error)),
        Err(_) => {}
    }
    let config = stream::Config {
        name: STREAM.to_owned(),
        description: Some(
            "Koe's events: the only truth. Deleting one is what erasure does, and nothing else.".into(),
        ),
        subjects: vec![subject::EVENTS.to_owned()],
        storage: stream::StorageType::File,
        num_replicas: options.replicas,
        max_bytes: options.bytes_max.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        discard: stream::DiscardPolicy::New,
        duplicate_window: options.window,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Default::default()
    };
    // Several processes may start at once: whoever comes second finds it made.
    match context.create_stream(config).await {
        Ok(stream) => Ok(stream),
        Err(error) => context.get_stream(STREAM).await.or(Err(Error::unavailable(error))),
    }
}

/// For those who only read: a log that is not there is not made.
fn missing(error: &dyn std::error::Error) -> Error {
    Error::Misconfigured(format!("it is not there, or JetStream does not answer: {error}"))
}

async fn open_state(context: &Context, options: &Options) -> Result<kv::Store, Error> {
    match context.get_key_value(STATE).await {
        Ok(state) => return Ok(state),
        Err(error) if options.provision == Provision::Never => return Err(missing(&error)),
        Err(_) => {}
    }
    let config = kv::Config {
        bucket: STATE.to_owned(),
        description: "What Koe's processes agree on".to_owned(),
        history: 1,
        storage: stream::StorageType::File,
        num_replicas: options.replicas,
        ..Default::default()
    };
    match context.create_key_value(config).await {
        Ok(state) => Ok(state),
        Err(error) => context.get_key_value(STATE).await.or(Err(Error::unavailable(error))),
    }
}

async fn epoch_of(state: &kv::Store) -> Result<u64, Error> {
    if let Some(epoch) = state.get(EPOCH).await.map_err(Error::unavailable)? {
        return parse_epoch(&epoch);
    }
    let first = Bytes::from(format!("{:x}", new_epoch()));
    match state.create(EPOCH, first).await {
        Ok(_) => {}
        Err(error) if error.kind() == kv::CreateErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::unavailable(error)),
    }
    let epoch = state.get(EPOCH).await.map_err(Error::unavailable)?;
    parse_epoch(&epoch.ok_or_else(|| Error::Misconfigured("the bucket KOE_STATE forgets its keys".into()))?)
}

/// A random number, so that no two lives of a log share one.
fn new_epoch() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    high ^ low
}

fn parse_epoch(value: &[u8]) -> Result<u64, Error> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    u64::from_str_radix(text, 16)
        .or(Err(Error::Misconfigured("the key `epoch` of KOE_STATE is not a number".into())))
}

async fn info_of(context: &Context) -> Result<Info, Error> {
    let empty = serde_json::Map::new();
    let asked = context.request(format!("STREAM.INFO.{STREAM}"), &empty).await;
    let answer = asked.map_err(|error| match error.kind() {
        RequestErrorKind::TimedOut | RequestErrorKind::NoResponders => Error::unavailable(error),
        _ => Error::Misconfigured(error.to_string()),
    })?;
    match answer {
        Response::Ok(info) => Ok(info),
        Response::Err { error } => Err(Error::unavailable(error)),
    }
}

fn head_of(info: &Info, epoch: u64, took: Duration) -> Head {
    // The broker read its clock somewhere between question and answer; the middle is wrong by half of it at most.
    let half = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
    let here = jiff::Timestamp::now().as_millisecond().saturating_sub(half);
    Head {
        sequence: info.state.last_seq,
        messages: info.state.messages,
        bytes: info.state.bytes,
        created_nanos: i64::try_from(info.created.as_nanosecond()).unwrap_or(i64::MAX),
        epoch,
        clock_skew_millis: here.saturating_sub(info.ts.as_millisecond()),
        seen: Instant::now(),
    }
}

fn entry_of(message: async_nats::jetstream::message::StreamMessage) -> Entry {
    let message_id = message.headers.get(MESSAGE_ID).map(ToString::to_string).unwrap_or_default();
    Entry {
        sequence: message.sequence,
        subject: message.subject.to_string(),
        message_id,
        payload: message.payload,
        stored: millis(message.time.unix_timestamp_nanos()),
    }
}

fn millis(nanos: i128) -> Timestamp {
    Timestamp(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}
