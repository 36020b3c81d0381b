//! What another team's service uses of Koe: commands, queries, changes and events over NATS.
//!
//! A [`Client`] stands on a connection that you make, with `async-nats` and whatever credentials you were given. Beside
//! NATS it needs nothing of Koe: no HTTP, no database. Types of the rules ([`domain`]) and messages of the contract
//! ([`wire::v1`]) are exported from here, so that this crate is the only one you name.
//!
//! # Say something: commands
//!
//! A [`domain::Command`] has an id that you make once. [`Client::send`] sends it until it is answered; sent again under
//! the same id, also by another process, also tomorrow, it has no second effect and the same outcome.
//!
//! ```no_run
//! use client::domain::{Actor, Command, CommandBody, Place, Roles, command::Quotes, text::Text};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = async_nats::ConnectOptions::with_token("koe_…".into()).connect("127.0.0.1:4222").await?;
//! let koe = client::Client::new(connection);
//! let command = Command {
//!     id: client::new_command_id(),
//!     actor: Actor { id: "ann".parse()?, roles: Roles::default() },
//!     place: Place { site: "demo".parse()?, thread: Some("memorial-service".parse()?) },
//!     body: CommandBody::PostComment {
//!         parent: None,
//!         text: Text::parse("Well said.")?,
//!         quotes: Quotes::default(),
//!     },
//! };
//! match koe.send(&command, true).await {
//!     Ok(reply) => println!("recorded at {}", reply.position),
//!     Err(client::Error::Refused { code, message }) => println!("{}: {message}", code.as_str()),
//!     // Nobody knows whether it was recorded: keep the command, send it again later.
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Read: queries
//!
//! Every answer has a *position*, an opaque token. Give it to a query as `at_least` to read your own write: the answer
//! is then of that moment or later, or [`Error::Refused`] with the code `behind`.
//!
//! ```no_run
//! # async fn example(koe: client::Client, reply: client::wire::v1::CommandReply) -> Result<(), Box<dyn std::error::Error>> {
//! use client::PageOf;
//!
//! let (site, thread) = ("demo".parse()?, "memorial-service".parse()?);
//! let page = koe.thread_page(&site, &thread, PageOf { at_least: reply.position, ..PageOf::default() }).await?;
//! for comment in &page.comments {
//!     println!("{}. {}", comment.number, comment.body);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Keep up with everything: events
//!
//! [`Client::events`] gives every event of the log, each once and in order, for ever: through broken connections,
//! brokers that start again and messages that were erased. Keep the position of the last event that you dealt with, in
//! the same transaction as what you made of it, and go on after it.
//!
//! ```no_run
//! # async fn example(koe: client::Client, kept: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Events, Record, Start};
//! use client::domain::Event;
//!
//! let after = kept.map_or(Start::Beginning, Start::After);
//! let kinds = &["comment-posted", "comment-edited"];
//! let mut events = koe.events(Events { kinds, after, ..Events::default() }).await?;
//! loop {
//!     match events.next().await? {
//!         Record::Event(event) => {
//!             if let Event::CommentPosted { text, .. } = &event.envelope.event {
//!                 println!("{} wrote {}", event.envelope.actor.id, text.as_str());
//!             }
//!             // … and keep event.position.
//!         }
//!         Record::Unreadable(unread) => println!("{} is of a newer release", unread.subject),
//!     }
//! }
//! # }
//! ```
//!
//! An event says what somebody asked for and a writer accepted. In a race, the fold may find that it broke a rule by its
//! place in the log; it is then *void* and has no effect. Nothing in the event tells. Where that matters (and before
//! you tell a person about it), ask [`Client::command_status`] with the event's position as `at_least`: it says how the
//! comment stands.
//!
//! # Keep a page fresh: changes
//!
//! [`Client::follow_changes`] tells which comments of one thread look otherwise, as soon as queries show it.
//!
//! ```no_run
//! # async fn example(koe: client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use client::{Change, PageOf};
//!
//! let (site, thread) = ("demo".parse()?, "memorial-service".parse()?);
//! let page = koe.thread_page(&site, &thread, PageOf::default()).await?;
//! let mut changes = koe.follow_changes(&site, &thread, Some(&page.position)).await?;
//! loop {
//!     match changes.next().await? {
//!         Change::Changed(changed) => println!("{} comments, {} of them changed", changed.count, changed.comments.len()),
//!         Change::Gap { position } => println!("ask the page again, at least at {position}"),
//!     }
//! }
//! # }
//! ```
//!
//! # What every call keeps to
//!
//! - A request has a deadline, 10 seconds unless [`Client::with_timeout`] says otherwise. A subscription waits for as
//!   long as nothing happens; wrap its `next` in a timeout of yours if you must do something else meanwhile. It is safe
//!   to drop that future and to call again.
//! - Errors are one enum, [`Error`]; refusals carry a stable [`wire::Code`].
//! - Nothing grows without a bound: see [`limits`].
//!
//! Deliberately not here: connection set-up, which is the caller's, and writing to the log, which is done by commands.

mod ballots;
mod changes;
mod cloud_event;
mod error;
mod events;
pub mod limits;
mod queries;

use std::time::Duration;

use ::domain::{Command, CommandId, Recorded, SiteId, ThreadId};
use ::wire::{subject, v1};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use prost::Message as _;

pub use ::{domain, wire};
pub use ballots::Ballot;
pub use changes::{Change, Changes};
pub use cloud_event::{CloudEvent, Data};
pub use error::Error;
pub use events::{EventAt, EventStream, Events, Record, Start, UnreadableAt};
pub use queries::{PageOf, Reading, Viewer};

use limits::{ATTEMPTS_MAX, REQUEST_TIMEOUT, RETRY_PAUSE};

/// Koe, as another service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    nats: async_nats::Client,
    timeout: Duration,
}

/// A new id for a command: a UUIDv7 of now.
pub fn new_command_id() -> CommandId {
    CommandId::from_u128(uuid::Uuid::now_v7().as_u128())
}

/// How many connections a client has made, to notice that it made another.
fn connects(nats: &async_nats::Client) -> u64 {
    nats.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
}

impl Client {
    /// Koe behind a connection.
    pub fn new(nats: async_nats::Client) -> Self {
        Self { nats, timeout: REQUEST_TIMEOUT }
    }

    /// The same, with another deadline for each request; 10 seconds is the default. A command is sent up to four times,
    /// each with this deadline. Below 3 seconds, queries with `at_least` and commands that wait may be given up although
    /// an answer was on its way.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends a command until it is answered. With `wait` the answer says what the fold made of it.
    ///
    /// A refusal is [`Error::Refused`] with its code. After [`Error::Unavailable`] nobody knows whether the command was
    /// recorded: send it again, with the same id, whenever you like.
    pub async fn send(&self, command: &Command, wait: bool) -> Result<v1::CommandReply, Error> {
        let (verb, bytes) = ::wire::command::encode(command, wait);
        let answer = self.insist(subject::command(&command.place.site, verb), Bytes::from(bytes)).await;
        match &answer {
            Ok(v1::CommandReply { position, .. }) => {
                tracing::debug!(command.id = %command.id, command.verb = verb, position, "a command was accepted");
            }
            Err(error) => {
                tracing::debug!(command.id = %command.id, command.verb = verb, %error, "a command was not accepted");
            }
        }
        answer
    }

    /// Follows the changes of a thread while they happen. Some may be missed when the connection breaks:
    /// [`Client::follow_changes`] misses none.
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
    /// for those who only want to know sooner. Whoever needs every event takes [`Client::events`].
    pub async fn hear(&self, kind: &str) -> Result<impl Stream<Item = Recorded> + Send + Unpin + use<>, Error> {
        let subscription = self.nats.subscribe(subject::events_of(kind)).await;
        let messages = subscription.map_err(|error| Error::Unavailable(error.into()))?;
        Ok(messages.map(|message| ::wire::envelope::decode(0, message.subject.as_str(), "", &message.payload)))
    }

    async fn ask<Q: prost::Message, R: prost::Message + Default>(
        &self,
        subject: String,
        question: &Q,
    ) -> Result<R, Error> {
        self.request(subject, Bytes::from(question.encode_to_vec())).await
    }

    /// Sends the same again while no answer comes; for requests that have no second effect.
    async fn insist<R: prost::Message + Default>(&self, subject: String, payload: Bytes) -> Result<R, Error> {
        let mut attempt = 1;
        loop {
            match self.request(subject.clone(), payload.clone()).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => {
                    tokio::time::sleep(RETRY_PAUSE * attempt).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn request<R: prost::Message + Default>(&self, subject: String, payload: Bytes) -> Result<R, Error> {
        let request = async_nats::Request::new().payload(payload).timeout(Some(self.timeout));
        let answer = self.nats.send_request(subject, request).await;
        let answer = answer.map_err(|error| Error::Unavailable(error.into()))?;
        let headers = answer.headers.as_ref();
        if headers.is_some_and(|headers| headers.get(async_nats::service::NATS_SERVICE_ERROR).is_some()) {
            return Err(Error::from_body(&v1::Error::decode(answer.payload).unwrap_or_default()));
        }
        R::decode(answer.payload).map_err(Error::Malformed)
    }
}
