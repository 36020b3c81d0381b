//! The events of the log, each once and in order, from a position on.
//!
//! The broker's consumer is a convenience and never the checkpoint: it is short-lived, without acknowledgements,
//! started by sequence, and made anew whenever anything about it looks odd. Whenever it is, the log is compared with
//! what is known of it, so that numbers given out twice are never taken for the same events.

mod filter;
mod log;

use std::time::{Duration, Instant};

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull;
use bytes::Bytes;
use domain::{Content, Envelope, Place, SiteId, ThreadId};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Interval, MissedTickBehavior};
use wire::Position;
use wire::envelope::MESSAGE_ID;
use wire::error::Failure;

use crate::limits::{
    CONSUMER_IDLE_MAX, EPOCH_CHECK, RECONNECT_CHECK, REOPEN_JITTER_MILLIS, REOPEN_PAUSE, REOPEN_PAUSE_MAX,
};
use crate::{Client, Error, connects};
use log::{Head, Log};

/// Which events, and after which.
#[derive(Clone, Debug, Default)]
pub struct Events<'a> {
    /// Only of this site; `None` for every site.
    pub site: Option<SiteId>,
    /// Only of this thread, without what is about the whole site; `None` for every thread.
    pub thread: Option<ThreadId>,
    /// Only of these kinds, as in `comment-posted` (all are in [`domain::Event::KINDS`]); empty for every kind. A kind
    /// that only a newer release knows may be named: its events come as [`Record::Unreadable`].
    pub kinds: &'a [&'a str],
    /// Where to begin.
    pub after: Start,
}

/// Where a subscription begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the first event there is.
    Beginning,
    /// With what happens from now on.
    #[default]
    Now,
    /// After this position: of an event, of [`EventStream::position`], or out of any other answer of Koe.
    After(String),
}

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An event.
    Event(EventAt),
    /// Something that this release cannot read.
    Unreadable(UnreadableAt),
}

impl Record {
    /// Its place in the log, to go on after it.
    pub fn position(&self) -> &str {
        match self {
            Self::Event(event) => &event.position,
            Self::Unreadable(unread) => &unread.position,
        }
    }

    /// Its number in the log.
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Event(event) => event.sequence,
            Self::Unreadable(unread) => unread.sequence,
        }
    }
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventAt {
    /// Its place in the log as an opaque token: for [`Start::After`], and for the `at_least` of queries.
    pub position: String,
    /// Its number in the log. Numbers grow, with gaps; they tell the order of events, and whether one was dealt with
    /// already, for as long as positions are good: after `position-lost` they begin anew.
    pub sequence: u64,
    /// The site and, unless it is about the whole site or an author, the thread.
    pub place: Place,
    /// Who, when, what. Its id is the command's, and a comment's id is that of its `comment-posted`.
    pub envelope: Envelope,
}

/// A message that this release cannot read: most likely an event of a newer one. Unless it is void,
/// Koe itself never passes over it: that thread stands still until a release that understands it folds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableAt {
    /// Its place in the log, as of an event.
    pub position: String,
    /// Its number in the log, as of an event.
    pub sequence: u64,
    /// Where it was published: `koe.v1.event.<site>.<partition>.<thread>.<kind>`.
    pub subject: String,
    /// Its `Nats-Msg-Id`, which is the command's id; empty if it has none.
    pub message_id: String,
    /// The bytes of the envelope, protobuf.
    pub payload: Bytes,
    /// Whether it was published where no event of its place may be. Koe itself passes over it, whatever it says.
    pub void: bool,
    /// What is wrong with it, for people.
    pub reason: String,
}

/// The events of a subscription; ends only with an error.
pub struct EventStream {
    nats: async_nats::Client,
    log: Log,
    filters: Vec<String>,
    /// The log that positions are of.
    head: Head,
    after: u64,
    /// The id of the message at `after`, unless that is gone.
    seen: Option<String>,
    open: Option<Open>,
    /// Attempts to open the log in vain, since the last that was not.
    failures: u32,
    lost: bool,
}

/// One consumer's life.
struct Open {
    messages: pull::Stream,
    /// Messages that this consumer delivered, to notice one that got lost on the way.
    delivered: u64,
    /// Connections the client had made when this began, to notice that it made another.
    connects: u64,
    delivered_last: Instant,
    epoch_checked: Instant,
    check: Interval,
}

/// Why a consumer is given up.
enum Broken {
    /// The log is not the one that positions were given out of.
    Lost,
    /// It delivered nothing for long, which may be right.
    Idle,
    /// Anything else: another consumer goes on.
    Otherwise(String),
}

impl Client {
    /// Subscribes to events of the log: those already there, from where `after` says, and those to come.
    ///
    /// Errors: `position-invalid` for what is no position, `position-lost` for one of a log that has lost its tail since
    /// or that lies beyond the log's end, `limit-exceeded` for a kind that can be none, and [`Error::Unavailable`] while
    /// the broker does not answer or no role of Koe has made the log.
    pub async fn events(&self, events: Events<'_>) -> Result<EventStream, Error> {
        let filters = filter::subjects(&events)?;
        let token = match &events.after {
            Start::After(token) => {
                Some(token.parse::<Position>().or(Err(Error::refused(Failure::PositionInvalid)))?)
            }
            Start::Beginning | Start::Now => None,
        };
        let log = Log::open(&self.nats, self.timeout).await?;
        let head = log.head().await?;
        let after = match token {
            Some(position) if position.epoch != head.epoch || position.sequence > head.sequence => {
                return Err(Error::refused(Failure::PositionLost));
            }
            Some(position) => position.sequence,
            None if events.after == Start::Now => head.sequence,
            None => 0,
        };
        let seen = if after == 0 { None } else { log.message_id(after).await? };
        let nats = self.nats.clone();
        Ok(EventStream { nats, log, filters, head, after, seen, open: None, failures: 0, lost: false })
    }
}

impl EventStream {
    /// Where the subscription stands: the last event it gave, or where it began. For [`Start::After`].
    pub fn position(&self) -> String {
        self.token(self.after)
    }

    /// The next message. Waits for as long as nothing happens; safe to drop and call again.
    ///
    /// The only error is `position-lost`: the log lost its tail and begins to give out its numbers anew, noticed within
    /// about a second, and every further call says so again. Begin again without the position, and expect that some of
    /// what was told never became part of the log.
    pub async fn next(&mut self) -> Result<Record, Error> {
        loop {
            if self.lost {
                return Err(Error::refused(Failure::PositionLost));
            }
            let broken = match &mut self.open {
                Some(open) => match open.next(&self.nats, &self.log, self.head.epoch).await {
                    Ok(message) => {
                        if let Some(record) = self.take(&message) {
                            return Ok(record);
                        }
                        continue;
                    }
                    Err(broken) => broken,
                },
                None => match self.open().await {
                    Ok(open) => {
                        (self.open, self.failures) = (Some(open), 0);
                        continue;
                    }
                    Err(broken) => {
                        let pause = pause(self.failures);
                        self.failures = self.failures.saturating_add(1);
                        tokio::time::sleep(pause).await;
                        broken
                    }
                },
            };
            self.open = None;
            match broken {
                Broken::Lost => self.lost = true,
                Broken::Idle => tracing::debug!("an idle consumer is made anew"),
                Broken::Otherwise(why) => tracing::info!(why, "opening the log again"),
            }
        }
    }

    /// The same as a stream, which ends after an error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Record, Error>> + Send + Unpin {
        Box::pin(stream::unfold(Some(self), async |events| {
            let mut events = events?;
            match events.next().await {
                Ok(record) => Some((Ok(record), Some(events))),
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    fn token(&self, sequence: u64) -> String {
        Position { epoch: self.head.epoch, sequence }.to_string()
    }

    async fn open(&self) -> Result<Open, Broken> {
        let connects = connects(&self.nats);
        if !self.is_same_log().await? {
            return Err(Broken::Lost);
        }
        let messages = self.log.consume(&self.filters, self.after).await?;
        let mut check = tokio::time::interval(RECONNECT_CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        Ok(Open { messages, delivered: 0, connects, delivered_last: now, epoch_checked: now, check })
    }

    /// Whether the log still holds what was read of it. Its epoch changes a moment after it lost its tail, hence the
    /// second look, at the last message read. One that was erased tells nothing.
    async fn is_same_log(&self) -> Result<bool, Error> {
        let head = self.log.head().await?;
        if !self.head.goes_on_as(&head) || head.sequence < self.after {
            return Ok(false);
        }
        let Some(seen) = &self.seen else { return Ok(true) };
        let found = self.log.message_id(self.after).await?;
        Ok(found.is_none_or(|found| found == *seen))
    }

    /// A message that was delivered; `None` for one that was before.
    fn take(&mut self, delivered: &Delivered) -> Option<Record> {
        let Delivered { sequence, message } = delivered;
        if *sequence <= self.after {
            return None;
        }
        let id = message.headers.as_ref().and_then(|headers| headers.get(MESSAGE_ID));
        let id = id.map(ToString::to_string).unwrap_or_default();
        let recorded = wire::envelope::decode(*sequence, message.subject.as_str(), &id, &message.payload);
        let position = self.token(*sequence);
        (self.after, self.seen) = (*sequence, Some(id.clone()));
        let void = matches!(recorded.content, Content::Misplaced { .. });
        let reason = match (recorded.content, recorded.place) {
            (Content::Event(envelope), Some(place)) => {
                return Some(Record::Event(EventAt { position, sequence: *sequence, place, envelope }));
            }
            (Content::Unreadable(unread), _) => unread.reason.to_string(),
            (Content::Misplaced { .. }, _) => "the partition is not that of its place".to_owned(),
            (Content::Event(_), None) => "no place".to_owned(),
        };
        Some(Record::Unreadable(UnreadableAt {
            position,
            sequence: *sequence,
            subject: message.subject.to_string(),
            message_id: id,
            payload: message.payload.clone(),
            void,
            reason,
        }))
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let position = self.position();
        f.debug_struct("EventStream")
            .field("position", &position)
            .field("filters", &self.filters)
            .finish_non_exhaustive()
    }
}

struct Delivered {
    sequence: u64,
    message: async_nats::Message,
}

impl Open {
    async fn next(&mut self, nats: &async_nats::Client, log: &Log, epoch: u64) -> Result<Delivered, Broken> {
        loop {
            tokio::select! {
                biased;
                _ = self.check.tick() => self.look(nats, log, epoch).await?,
                message = self.messages.next() => {
                    // What a connection made since brought may be of another life of the log.
                    self.must_be_connected(nats)?;
                    return self.take(message);
                }
            }
        }
    }

    async fn look(&mut self, nats: &async_nats::Client, log: &Log, epoch: u64) -> Result<(), Broken> {
        self.must_be_connected(nats)?;
        if self.epoch_checked.elapsed() >= EPOCH_CHECK {
            self.epoch_checked = Instant::now();
            match log.epoch().await {
                Ok(found) if found != epoch => return Err(Broken::Lost),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the epoch cannot be read"),
            }
        }
        if self.delivered_last.elapsed() >= CONSUMER_IDLE_MAX {
            return Err(Broken::Idle);
        }
        Ok(())
    }

    fn must_be_connected(&self, nats: &async_nats::Client) -> Result<(), Broken> {
        let same = connects(nats) == self.connects;
        if same { Ok(()) } else { Err(Broken::Otherwise("reconnected".to_owned())) }
    }

    fn take(&mut self, message: Option<Result<Message, pull::MessagesError>>) -> Result<Delivered, Broken> {
        let message = message.ok_or_else(|| Broken::Otherwise("the consumer ended".to_owned()))?;
        let message = message.map_err(|error| Broken::Otherwise(error.to_string()))?;
        let info = message.info().map_err(|error| Broken::Otherwise(error.to_string()))?;
        self.delivered += 1;
        if info.consumer_sequence != self.delivered {
            return Err(Broken::Otherwise("a message got lost on the way".to_owned()));
        }
        self.delivered_last = Instant::now();
        Ok(Delivered { sequence: info.stream_sequence, message: message.message })
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Self::Otherwise(causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
    }
}

/// How long to wait after so many failures.
fn pause(failures: u32) -> Duration {
    let pause = REOPEN_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(REOPEN_PAUSE_MAX);
    // The random bits of an id spread those who come back.
    let jitter = uuid::Uuid::now_v7().as_u128() % REOPEN_JITTER_MILLIS;
    pause + Duration::from_millis(u64::try_from(jitter).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_has_an_end() {
        assert!(pause(0) >= REOPEN_PAUSE && pause(0) < REOPEN_PAUSE * 2);
        assert!(pause(2) > pause(0));
        let jitter = Duration::from_millis(u64::try_from(REOPEN_JITTER_MILLIS).unwrap());
        assert!(pause(u32::MAX) < REOPEN_PAUSE_MAX + jitter);
    }
}
