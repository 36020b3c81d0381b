//! Messages of another log, put into this one as they are.

use std::error::Error as _;

use async_nats::jetstream;

use super::Log;
use super::batch::{self, Failed, Message};
use super::publish::FULL;
use crate::{Copied, Entry, Error};

impl Log {
    /// Publishes messages so that all are recorded, or none.
    pub(crate) async fn copy(&self, entries: &[Entry]) -> Result<Copied, Error> {
        let messages: Vec<_> = entries.iter().map(message).collect();
        match messages.as_slice() {
            [message] => self.copy_one(message).await,
            messages => self.copy_batch(messages).await,
        }
    }

    async fn copy_one(&self, message: &Message) -> Result<Copied, Error> {
        let (subject, payload) = (message.subject.clone(), message.payload.clone());
        let acknowledged = match self.context.publish_with_headers(subject, message.headers(), payload).await {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match acknowledged {
            Ok(acknowledgement) if acknowledgement.duplicate => Ok(Copied::Known),
            Ok(acknowledgement) => Ok(Copied::All { last: acknowledgement.sequence }),
            Err(error) => {
                let said = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
                let full = said.is_some_and(|said| FULL.contains(&said.error_code()));
                Err(if full { Error::Full(error.into()) } else { Error::unavailable(error) })
            }
        }
    }

    async fn copy_batch(&self, messages: &[Message]) -> Result<Copied, Error> {
        match batch::publish(&self.client, messages).await {
            Ok(first) => {
                let others = u64::try_from(messages.len()).expect("a length fits").saturating_sub(1);
                Ok(Copied::All { last: first + others })
            }
            Err(Failed::Duplicate) => Ok(Copied::Known),
            Err(Failed::Unable(why)) => {
                Err(Error::Misconfigured(format!("it takes no atomic batches, which NATS has since 2.12: {why}")))
            }
            Err(Failed::Refused(why) | Failed::Lost(why)) => Err(Error::unavailable(why)),
        }
    }
}

fn message(entry: &Entry) -> Message {
    Message {
        id: entry.message_id.clone(),
        subject: entry.subject.as_str().into(),
        payload: entry.payload.clone(),
    }
}
