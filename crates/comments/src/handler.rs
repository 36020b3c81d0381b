//! The lines this service is about.

use std::sync::Arc;

use domain::{CommandBody, Rejection};
use service::Refusal;
use wire::command::Asked;
use wire::v1::CommandReply;
use writer::Writer;

/// Handles commands, each on its own.
pub(crate) struct Handler {
    writer: Arc<Writer>,
}

impl Handler {
    pub(crate) fn new(writer: Arc<Writer>) -> Self {
        Self { writer }
    }

    pub(crate) async fn handle(&self, asked: Asked) -> Result<CommandReply, Refusal> {
        if let CommandBody::OpenSite { zone, .. } = &asked.command.body {
            // Which zones there are is data, and data has no place in the domain.
            jiff::tz::TimeZone::get(zone).or(Err(Rejection::ZoneUnknown))?;
        }
        self.writer.handle(asked).await
    }
}
