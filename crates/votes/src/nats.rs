//! The NATS door: `koe.v1.command.<site>.cast-vote`.

use std::sync::Arc;

use service::{Door, Refusal, Request};
use wire::command::Request as _;
use wire::subject;
use wire::v1::CastVoteRequest;
use writer::Writer;

/// Takes votes from now on.
pub(crate) async fn serve(door: &mut Door, writer: Arc<Writer>) -> anyhow::Result<()> {
    let serve = move |request: Request<CastVoteRequest>| {
        let writer = Arc::clone(&writer);
        async move {
            let site = subject::site_token(&request.subject).parse().map_err(Refusal::from)?;
            writer.handle(request.body.parse(site)?).await
        }
    };
    door.serve(CastVoteRequest::VERB, subject::commands(CastVoteRequest::VERB), serve).await
}
