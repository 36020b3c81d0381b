//! The lines this service is about.

use domain::{CommandBody, Rejection};
use service::Refusal;
use wire::command::Asked;
use wire::v1::CommandReply;
use writer::Writer;

/// Handles commands, each on its own.
pub(crate) struct Handler {
    writer: Writer,
}

impl Handler {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer }
    }

    /// Keeps what is known fresh, until the connection is given up.
    pub(crate) async fn keep_fresh(&self) -> anyhow::Result<()> {
        self.writer.keep_fresh().await
    }

    pub(crate) async fn handle(&self, asked: Asked) -> Result<CommandReply, Refusal> {
        if let CommandBody::OpenSite { zone, .. } = &asked.command.body {
            // Which zones there are is data, and data has no place in the domain.
            jiff::tz::TimeZone::get(zone).or(Err(Rejection::ZoneUnknown))?;
        }
        self.writer.handle(asked).await
    }
}
