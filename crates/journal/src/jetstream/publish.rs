//! Publishing one event until it is acknowledged: with others where that is sooner, otherwise alone.

use std::error::Error as _;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use domain::{Envelope, Place};
use wire::subject;

use super::Log;
use super::batch::Outgoing;
use super::group::Gathered;
use crate::limits::{PUBLISH_ATTEMPTS_MAX, PUBLISH_RETRY_PAUSE};
use crate::{Error, Grouped};

/// The broker's words for "no room": the stream's own limits, the server's storage, the account's.
const FULL: [ErrorCode; 3] =
    [ErrorCode::STREAM_STORE_FAILED, ErrorCode::STORAGE_RESOURCES_EXCEEDED, ErrorCode::INSUFFICIENT_RESOURCES];

impl Log {
    /// Publishes until it is acknowledged, under the one id, and says where it stands and whether it stood there before.
    pub(crate) async fn publish(
        &self,
        place: &Place,
        envelope: &Envelope,
        until: Option<Instant>,
    ) -> Result<(u64, bool), Error> {
        let event = Outgoing {
            id: envelope.id,
            subject: subject::event(place, envelope.event.kind()).into(),
            payload: wire::envelope::encode(envelope).into(),
        };
        match self.group.gather(&event, until).await {
            Gathered::Recorded { sequence } => Ok((sequence, false)),
            Gathered::Alone => self.publish_alone(&event, until, 1).await,
            Gathered::Lost => self.publish_alone(&event, until, 2).await,
        }
    }

    /// What batches brought so far.
    pub(crate) fn grouped(&self) -> Grouped {
        self.group.grouped()
    }

    async fn publish_alone(
        &self,
        event: &Outgoing,
        until: Option<Instant>,
        mut attempt: u32,
    ) -> Result<(u64, bool), Error> {
        loop {
            // A late attempt could overturn a newer vote, once the broker has forgotten the id.
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(Error::Late);
            }
            // Nothing is left to a queue that outlives its time: what waits for a connection could go out much later.
            if until.is_some() && self.client.connection_state() != State::Connected {
                return Err(Error::unavailable("not connected"));
            }
            let failed = match self.publish_once(event).await {
                Ok(acknowledged) => return Ok(acknowledged),
                Err(error) => error,
            };
            if attempt == PUBLISH_ATTEMPTS_MAX || matches!(failed, Error::Full(_)) {
                return Err(failed);
            }
            // The id's random bits spread the retries of many commands.
            let jitter = u64::try_from(event.id.as_u128() % 100).expect("below 100");
            tokio::time::sleep(PUBLISH_RETRY_PAUSE * attempt + Duration::from_millis(jitter)).await;
            attempt += 1;
            // The caller learns what went wrong, and not only that it is too late to try again.
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(failed);
            }
        }
    }

    async fn publish_once(&self, event: &Outgoing) -> Result<(u64, bool), Error> {
        let flight = self.group.depart();
        let sent =
            self.context.publish_with_headers(event.subject.clone(), event.headers(), event.payload.clone()).await;
        let acknowledged = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        if acknowledged.is_ok() {
            flight.acknowledged();
        }
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
}
