//! What another Rust service uses: typed commands, queries and change subscriptions over NATS.
//!
//! Every call has a deadline; commands are sent again under the same id when no answer came, which has no second
//! effect. Deliberately not here: the log (follow it with JetStream and `koe-wire`), and connection set-up, which is
//! the caller's.

mod error;
mod queries;

use std::time::Duration;

use bytes::Bytes;
use domain::{Command, CommandId, Recorded, SiteId, ThreadId};
use futures::{Stream, StreamExt};
use prost::Message as _;
use wire::{subject, v1};

pub use error::Error;
pub use queries::PageOf;

/// How long one request may take. A query waits at most two seconds for `at_least`, a command for a look and an
/// acknowledgement.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a command is sent under its id before the caller is told.
const ATTEMPTS_MAX: u32 = 4;
/// The pause before a command is sent again, growing with each attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(150);

/// Koe, as another service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    nats: async_nats::Client,
}

/// A new id for a command: a UUIDv7 of now.
pub fn new_command_id() -> CommandId {
    CommandId::from_u128(uuid::Uuid::now_v7().as_u128())
}

impl Client {
    /// Koe behind a connection.
    pub fn new(nats: async_nats::Client) -> Self {
        Self { nats }
    }

    /// Sends a command until it is answered. With `wait` the answer says what the fold made of it.
    ///
    /// A refusal is [`Error::Refused`] with its code. After [`Error::Unavailable`] nobody knows whether the command was
    /// recorded: send it again, with the same id, whenever you like.
    pub async fn send(&self, command: &Command, wait: bool) -> Result<v1::CommandReply, Error> {
        let (verb, bytes) = wire::command::encode(command, wait);
        let subject = subject::command(&command.place.site, verb);
        let bytes = Bytes::from(bytes);
        let mut attempt = 1;
        loop {
            match self.request(subject.clone(), bytes.clone()).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(RETRY_PAUSE * attempt).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Follows the changes of a thread. Some may be missed when the connection breaks: ask the page again then.
    pub async fn changes(
        &self,
        site: &SiteId,
        thread: &ThreadId,
    ) -> Result<impl Stream<Item = v1::ThreadChanged> + Send + Unpin + use<>, Error> {
        let subscription = self.nats.subscribe(subject::change(site, thread)).await;
        let messages = subscription.map_err(|error| Error::Unavailable(error.into()))?;
        let changes =
            messages.filter_map(|message| async move { v1::ThreadChanged::decode(message.payload).ok() });
        Ok(Box::pin(changes))
    }

    /// Hears of events of a kind while they are published. Some may be missed, and what is heard may not be recorded yet:
    /// for those who only want to know sooner. Whoever needs every event follows the stream.
    pub async fn hear(&self, kind: &str) -> Result<impl Stream<Item = Recorded> + Send + Unpin + use<>, Error> {
        let subscription = self.nats.subscribe(subject::events_of(kind)).await;
        let messages = subscription.map_err(|error| Error::Unavailable(error.into()))?;
        Ok(messages.map(|message| wire::envelope::decode(0, message.subject.as_str(), "", &message.payload)))
    }

    async fn ask<Q: prost::Message, R: prost::Message + Default>(
        &self,
        subject: String,
        question: &Q,
    ) -> Result<R, Error> {
        self.request(subject, Bytes::from(question.encode_to_vec())).await
    }

    async fn request<R: prost::Message + Default>(&self, subject: String, payload: Bytes) -> Result<R, Error> {
        let request = async_nats::Request::new().payload(payload).timeout(Some(REQUEST_TIMEOUT));
        let answer = self.nats.send_request(subject, request).await;
        let answer = answer.map_err(|error| Error::Unavailable(error.into()))?;
        let headers = answer.headers.as_ref();
        if headers.is_some_and(|headers| headers.get(async_nats::service::NATS_SERVICE_ERROR).is_some()) {
            return Err(Error::from_body(&v1::Error::decode(answer.payload).unwrap_or_default()));
        }
        R::decode(answer.payload).map_err(Error::Malformed)
    }
}
