//! The log in JetStream: its end, reading back, the epoch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::RequestErrorKind;
use async_nats::jetstream::kv;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{self, RawMessageErrorKind};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use domain::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;
use wire::envelope::MESSAGE_ID;
pub(crate) use wire::subject::STREAM;
use wire::subject::{self, EPOCH};

use crate::error::chain;
use crate::limits::{ACK_TIMEOUT, ACKS_IN_FLIGHT_MAX, DUPLICATE_WINDOW, REQUEST_TIMEOUT};
use crate::{Contents, Entry, Error, Head};

mod batch;
mod copy;
mod erasures;
mod follower;
mod group;
mod provision;
mod publish;
mod scan;
mod storage;
use erasures::Erasures;
pub(crate) use follower::Follower;
use group::Group;
use provision::{allow_batches, open_state, open_stream};
pub(crate) use scan::Scan;

/// Whether the log is made when it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provision {
    /// Make it.
    Create,
    /// Only those who read leave it alone.
    Never,
}

/// Whether events that wait are recorded many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupCommit {
    /// When that is sooner, as measured: where the broker syncs for each publish, and many wait.
    WhenSooner,
    /// Whenever at least two wait: for tests, which must not depend on how fast a disk is.
    Always,
    /// Not at all: for measuring what it brings.
    Never,
}

/// How the log is provisioned and written.
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
    /// Whether events that wait are recorded many at a time.
    pub group_commit: GroupCommit,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            provision: Provision::Create,
            window: DUPLICATE_WINDOW,
            replicas: 1,
            bytes_max: None,
            group_commit: GroupCommit::WhenSooner,
        }
    }
}

pub(crate) struct Log {
    client: async_nats::Client,
    context: Context,
    stream: stream::Stream,
    state: kv::Store,
    head: watch::Sender<Head>,
    window: Duration,
    group: Group,
    erasures: Arc<Erasures>,
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
        let able = config.allow_atomic_publish || allow_batches(&context, options).await;
        let state = open_state(&context, options).await?;
        let epoch = epoch_of(&state).await?;
        let info = info_of(&context).await?;
        let head = watch::Sender::new(head_of(&info, epoch, Duration::ZERO));
        let group = Group::new(client.clone(), window, able.then_some(options.group_commit));
        let erasures = Arc::default();
        Ok(Self { client, context, stream, state, head, window, group, erasures })
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }

    pub(crate) fn head(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub(crate) async fn storage(&self) -> Result<crate::Storage, Error> {
        storage::look(&self.context).await
    }

    pub(crate) async fn look(&self) -> Result<Head, Error> {
        let timed = async {
            let asked = Instant::now();
            let info = info_of(&self.context).await?;
            Ok::<_, Error>((info, asked.elapsed()))
        };
        let ((info, took), epoch) = tokio::try_join!(timed, epoch_of(&self.state))?;
        let head = head_of(&info, epoch, took);
        if self.head.send_replace(head).epoch != epoch {
            self.erasures.look_anew().await;
        }
        Ok(head)
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
            Ok(message) if message.sequence <= end => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {}
            Err(error) => return Err(Error::unavailable(error)),
        }
        // What was deleted may be told of by now, and then it is not passed over.
        self.erasures.look(&self.stream).await?;
        Ok(after >= end || self.erasures.known().within(after + 1..=end).next().is_none())
    }

    pub(crate) fn follow(&self, after: u64, contents: Contents) -> Follower {
        let log = (self.stream.clone(), Arc::clone(&self.erasures));
        Follower::new(self.client.clone(), log, after, contents)
    }

    pub(crate) async fn scan(&self, subjects: Vec<String>, after: u64) -> Result<Scan, Error> {
        Scan::begin(&self.stream, subjects, after).await
    }

    pub(crate) async fn look_for_erased(&self) -> Result<bool, Error> {
        self.erasures.look(&self.stream).await?;
        Ok(!self.erasures.known().is_empty())
    }

    pub(crate) fn erased_between(&self, from: u64, before: u64) -> u64 {
        self.erasures.known().count(from, before)
    }

    pub(crate) fn erased_within(&self, after: u64, up_to: u64) -> Vec<Entry> {
        if after < up_to { self.erasures.known().within(after + 1..=up_to).cloned().collect() } else { Vec::new() }
    }

    pub(crate) async fn first_since(&self, time: Timestamp) -> Result<u64, Error> {
        let (mut from, mut up_to) = (1, info_of(&self.context).await?.state.last_seq + 1);
        while from < up_to {
            let middle = from + (up_to - from) / 2;
            let next = self.stream.raw_message_builder().sequence(middle).next_by_subject(subject::EVENTS);
            match next.send().await {
                Ok(message) if millis(message.time.unix_timestamp_nanos()) < time => from = message.sequence + 1,
                Ok(_) => up_to = middle,
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => up_to = middle,
                Err(error) => return Err(Error::unavailable(error)),
            }
        }
        Ok(from)
    }

    pub(crate) fn without_erased(&self, entry: Entry) -> Entry {
        self.erasures.known().read(entry)
    }

    pub(crate) fn erased_at(&self, sequence: u64) -> Option<Entry> {
        self.erasures.known().at(sequence).cloned()
    }

    pub(crate) async fn delete(&self, sequence: u64) -> Result<bool, Error> {
        match self.stream.delete_message(sequence).await {
            Ok(deleted) => Ok(deleted),
            // Whoever deletes what is gone is told an error; so is who may not delete.
            Err(error) => match self.read(sequence).await? {
                None => Ok(false),
                Some(_) => Err(Error::Undeletable(chain(&error))),
            },
        }
    }

    pub(crate) async fn keeps_everything(&self) -> Result<bool, Error> {
        let config = self.stream.get_info().await.map_err(Error::unavailable)?.config;
        Ok(config.deny_delete || config.sealed)
    }

    pub(crate) async fn progress(&self, of: &str) -> Result<u64, Error> {
        let stored = self.state.get(of).await.map_err(Error::unavailable)?;
        let number = stored.as_deref().map(|value| std::str::from_utf8(value).unwrap_or_default().parse());
        number
            .transpose()
            .or(Err(Error::Misconfigured(format!("the key `{of}` of KOE_STATE is not a number"))))
            .map(Option::unwrap_or_default)
    }

    pub(crate) async fn set_progress(&self, of: &str, sequence: u64) -> Result<(), Error> {
        // Who was further meanwhile did the same work: it is only looked at again.
        let value = Bytes::from(sequence.to_string());
        self.state.put(of, value).await.map(drop).map_err(Error::unavailable)
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
