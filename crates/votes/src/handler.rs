//! The lines this service is about.

use service::Refusal;
use wire::command::Asked;
use wire::v1::CommandReply;
use writer::Writer;

/// Handles votes, each on its own.
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
        self.writer.handle(asked).await
    }
}
