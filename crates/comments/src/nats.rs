//! The NATS door: `koe.v1.command.<site>.<verb>`.

use std::sync::Arc;

use service::{Door, Refusal, Request};
use wire::command::Request as CommandRequest;
use wire::{subject, v1};

use crate::handler::Handler;

/// Takes every verb of this service from now on.
pub(crate) async fn serve(door: &mut Door, handler: &Arc<Handler>) -> anyhow::Result<()> {
    verb::<v1::OpenSiteRequest>(door, handler).await?;
    verb::<v1::SetSiteRequest>(door, handler).await?;
    verb::<v1::OpenThreadRequest>(door, handler).await?;
    verb::<v1::UpdateThreadRequest>(door, handler).await?;
    verb::<v1::SetThreadModeRequest>(door, handler).await?;
    verb::<v1::MoveThreadRequest>(door, handler).await?;
    verb::<v1::NameAuthorRequest>(door, handler).await?;
    verb::<v1::BanAuthorRequest>(door, handler).await?;
    verb::<v1::UnbanAuthorRequest>(door, handler).await?;
    verb::<v1::PostCommentRequest>(door, handler).await?;
    verb::<v1::EditCommentRequest>(door, handler).await?;
    verb::<v1::DeleteCommentRequest>(door, handler).await?;
    verb::<v1::HoldCommentRequest>(door, handler).await?;
    verb::<v1::ApproveCommentRequest>(door, handler).await?;
    verb::<v1::RemoveCommentRequest>(door, handler).await?;
    verb::<v1::RestoreCommentRequest>(door, handler).await?;
    verb::<v1::FeatureCommentRequest>(door, handler).await?;
    verb::<v1::FlagCommentRequest>(door, handler).await?;
    verb::<v1::WithdrawFlagRequest>(door, handler).await?;
    verb::<v1::ResolveFlagsRequest>(door, handler).await?;
    verb::<v1::VoidVotesRequest>(door, handler).await?;
    verb::<v1::UnvoidVotesRequest>(door, handler).await?;
    verb::<v1::RemoveCommentsRequest>(door, handler).await?;
    verb::<v1::UndoRemovalRequest>(door, handler).await?;
    verb::<v1::EraseCommentRequest>(door, handler).await?;
    verb::<v1::EraseAuthorRequest>(door, handler).await
}

async fn verb<R: CommandRequest + 'static>(door: &mut Door, handler: &Arc<Handler>) -> anyhow::Result<()> {
    let handler = Arc::clone(handler);
    let serve = move |request: Request<R>| {
        let handler = Arc::clone(&handler);
        async move {
            let site = subject::site_token(&request.subject).parse().map_err(Refusal::from)?;
            handler.handle(request.body.parse(site)?).await
        }
    };
    door.serve(R::VERB, subject::commands(R::VERB), serve).await
}
