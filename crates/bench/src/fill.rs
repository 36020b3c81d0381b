//! Events into the log past the writers, many at once and in order.

use std::pin::pin;

use anyhow::Context as _;
use async_nats::HeaderMap;
use async_nats::jetstream::context::ContextBuilder;
use domain::{Envelope, Place};
use futures::{StreamExt as _, stream};

use crate::limits::PUBLISHES_IN_FLIGHT;
use crate::progress::Progress;
use crate::server::Server;

/// Publishes events, and says where the last one stands: the log's end, if nobody else writes.
pub(crate) async fn fill(
    server: &Server,
    events: impl Iterator<Item = (Place, Envelope)>,
    progress: &Progress,
) -> anyhow::Result<u64> {
    let nats = server.connect("koe-bench-fill").await?;
    let context = ContextBuilder::new().max_ack_inflight(PUBLISHES_IN_FLIGHT).build(nats);
    let acks = stream::iter(events)
        .then(|(place, envelope)| {
            let subject = wire::subject::event(&place, envelope.event.kind());
            let mut headers = HeaderMap::new();
            headers.insert(wire::envelope::MESSAGE_ID, envelope.id.to_string().as_str());
            let payload = wire::envelope::encode(&envelope);
            let context = context.clone();
            async move { context.publish_with_headers(subject, headers, payload.into()).await }
        })
        .map(|sent| async { anyhow::Ok(sent?.await?) })
        .buffered(PUBLISHES_IN_FLIGHT);
    let (mut acks, mut end) = (pin!(acks), 0);
    while let Some(ack) = acks.next().await {
        end = ack.context("the log does not take the load")?.sequence;
        progress.one_more();
    }
    Ok(end)
}
