//! What of the log was erased, kept by one process for all who follow the log.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use async_nats::jetstream::stream::{self, RawMessageErrorKind};
use tokio::sync::Mutex;
use wire::subject;

use super::entry_of;
use crate::Error;
use crate::erased::{Erased, KIND};

#[derive(Default)]
pub(crate) struct Erasures {
    known: RwLock<Erased>,
    /// Up to where the log was looked at; held by whoever looks.
    looked: Mutex<u64>,
}

impl Erasures {
    /// Takes in what the log says by now.
    pub(crate) async fn look(&self, stream: &stream::Stream) -> Result<(), Error> {
        let mut looked = self.looked.lock().await;
        loop {
            let next =
                stream.raw_message_builder().sequence(*looked + 1).next_by_subject(subject::events_of(KIND));
            match next.send().await {
                Ok(message) => {
                    let entry = entry_of(message);
                    self.known.write().unwrap_or_else(PoisonError::into_inner).note(&entry.decode());
                    *looked = entry.sequence;
                }
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(()),
                Err(error) => return Err(Error::unavailable(error)),
            }
        }
    }

    /// Forgets all of it: the log lost its tail, and perhaps some of what was seen.
    pub(crate) async fn look_anew(&self) {
        let mut looked = self.looked.lock().await;
        *looked = 0;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Erased::default();
    }

    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Erased> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}
