//! A message of the log, not yet read.

use bytes::Bytes;
use domain::{Recorded, Timestamp};

/// A message of the log, as the broker gave it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its place in the stream.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// Its `Nats-Msg-Id`, empty if it has none.
    pub message_id: String,
    /// The event, as bytes.
    pub payload: Bytes,
    /// When the broker took it in, by the broker's clock.
    pub stored: Timestamp,
}

impl Entry {
    /// What the message says. Never fails: what cannot be read is part of the log too.
    pub fn decode(&self) -> Recorded {
        wire::envelope::decode(self.sequence, &self.subject, &self.message_id, &self.payload)
    }

    /// The last token of the subject: the event's type, if it is one.
    pub fn kind(&self) -> &str {
        self.subject.rsplit('.').next().unwrap_or_default()
    }
}
