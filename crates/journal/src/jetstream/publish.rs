//! Publishing one event until it is acknowledged: with others where that is sooner, otherwise alone.

use std::error::Error as _;
use std::time::{Duration, Instant, SystemTime};

use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use domain::{CommandId, Envelope, Place};
use wire::subject;

use super::Log;
use super::batch::Outgoing;
use super::group::Gathered;
use crate::limits::{GROUP_AGE_MAX, PUBLISH_ATTEMPTS_MAX, PUBLISH_BEGIN_MAX, PUBLISH_RETRY_PAUSE};
use crate::{Error, Grouped};

/// The broker's words for "no room": the stream's own limits, the server's storage, the account's.
pub(super) const FULL: [ErrorCode; 3] =
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
            resent: may_be_resent(envelope.id, SystemTime::now()),
        };
        let began = Instant::now();
        match self.group.gather(&event, until).await {
            Gathered::Recorded { sequence } => Ok((sequence, false)),
            Gathered::Alone => self.publish_alone(&event, until, (began, 1)).await,
            Gathered::Lost => self.publish_alone(&event, until, (began, 2)).await,
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
        (began, mut attempt): (Instant, u32),
    ) -> Result<(u64, bool), Error> {
        loop {
            // A late attempt could overturn a newer vote, once the broker has forgotten the id.
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(late(attempt));
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
            let ends = until.map_or(began + PUBLISH_BEGIN_MAX, |until| until.min(began + PUBLISH_BEGIN_MAX));
            if Instant::now() > ends {
                return Err(failed);
            }
        }
    }

    async fn publish_once(&self, event: &Outgoing) -> Result<(u64, bool), Error> {
        let flight = self.group.depart();
        let sent = self
            .context
            .publish_with_headers(event.subject.clone(), event.message().headers(), event.payload.clone())
            .await;
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

/// What it means that no attempt may begin any more. An earlier one may have been recorded: then nobody may say that it was
/// not, and the same call again finds out.
fn late(attempt: u32) -> Error {
    if attempt == 1 { Error::Late } else { Error::unavailable("not acknowledged while there was time") }
}

/// Whether a command is old enough to have been sent before, by the time in its id; no if that holds none.
fn may_be_resent(id: CommandId, now: SystemTime) -> bool {
    let made = id.made_at_millis().and_then(|millis| u64::try_from(millis).ok());
    let made = made.and_then(|millis| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)));
    made.and_then(|made| now.duration_since(made).ok()).is_some_and(|age| age >= GROUP_AGE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ACK_TIMEOUT;

    #[test]
    fn what_may_have_been_recorded_is_never_said_to_be_late() {
        assert!(matches!(late(1), Error::Late));
        assert!(matches!(late(2), Error::Unavailable(_)));
    }

    #[test]
    fn all_attempts_end_before_a_client_sends_again() {
        const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
        const JITTER_MAX: Duration = Duration::from_millis(100);
        assert!(PUBLISH_BEGIN_MAX + ACK_TIMEOUT < CLIENT_TIMEOUT);
        let pauses = (1..PUBLISH_ATTEMPTS_MAX).map(|attempt| PUBLISH_RETRY_PAUSE * attempt + JITTER_MAX);
        let last_begins = ACK_TIMEOUT * (PUBLISH_ATTEMPTS_MAX - 1) + pauses.sum::<Duration>();
        assert!(last_begins <= PUBLISH_BEGIN_MAX, "a broker that is silent is asked so often");
    }

    #[test]
    fn a_command_is_resent_by_its_age_and_one_without_a_time_is_not() {
        let made = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let id = CommandId::from_u128((1_800_000_000_000 << 80) | (7 << 76));
        assert!(!may_be_resent(id, made - GROUP_AGE_MAX), "a clock may be behind");
        assert!(!may_be_resent(id, made + GROUP_AGE_MAX / 2));
        assert!(may_be_resent(id, made + GROUP_AGE_MAX));
        assert!(!may_be_resent(CommandId::from_u128(1), made));
    }
}
