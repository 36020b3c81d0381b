//! Commands as bytes of the contract.

use domain::settings::Closing;
use domain::{Command, CommandBody, ThreadId};

use super::Request;
use crate::v1;
use crate::values::{
    actor_out, category_out, closes_at_out, mode_out, quote_out, settings_out, time_out, vote_out,
};

/// A request whose first fields are those that every request has, with the thread or without.
macro_rules! request {
    ($command:ident, $wait:ident, $request:ident { thread, $($field:ident: $value:expr),* $(,)? }) => {
        request!($command, $wait, $request { thread: thread_of($command), $($field: $value),* })
    };
    ($command:ident, $wait:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let (id, actor) = ($command.id.to_string(), Some(actor_out(&$command.actor)));
        written(&v1::$request { id, actor, wait: $wait, $($field: $value),* })
    }};
}

/// The verb and the bytes that ask for a command.
#[expect(clippy::too_many_lines, reason = "one arm for each command, and nothing else")]
pub fn encode(command: &Command, wait: bool) -> (&'static str, Vec<u8>) {
    match &command.body {
        CommandBody::OpenSite { name, zone } => {
            request!(command, wait, OpenSiteRequest { name: name.to_string(), zone: zone.to_string() })
        }
        CommandBody::SetSite(patch) => {
            request!(command, wait, SetSiteRequest { settings: Some(settings_out(patch)) })
        }
        CommandBody::OpenThread { headline, address, category, published, closes_at } => {
            request!(
                command,
                wait,
                OpenThreadRequest {
                    thread,
                    headline: headline.to_string(),
                    address: address.to_string(),
                    category: category.to_string(),
                    published: published.map(time_out),
                    closes_at: closes_at.map(time_out),
                }
            )
        }
        CommandBody::UpdateThread(patch) => request!(
            command,
            wait,
            UpdateThreadRequest {
                thread,
                headline: patch.headline.as_ref().map(ToString::to_string),
                category: patch.category.as_ref().map(ToString::to_string),
                published: patch.published.map(time_out),
                closes_at: closes_at_out(patch.closing),
                closes_never: patch.closing == Some(Closing::Never),
            }
        ),
        CommandBody::SetThreadMode(change) => request!(
            command,
            wait,
            SetThreadModeRequest {
                thread,
                mode: mode_out(change.mode),
                reason: change.reason.to_string(),
                successor: change.successor.as_ref().map_or_else(String::new, ThreadId::to_string),
            }
        ),
        CommandBody::MoveThread { address } => {
            request!(command, wait, MoveThreadRequest { thread, address: address.to_string() })
        }
        CommandBody::NameAuthor { author, name } => {
            request!(command, wait, NameAuthorRequest { author: author.to_string(), name: name.to_string() })
        }
        CommandBody::BanAuthor { author, ban } => request!(
            command,
            wait,
            BanAuthorRequest {
                author: author.to_string(),
                until: ban.until.map(time_out),
                reason: ban.reason.to_string(),
            }
        ),
        CommandBody::UnbanAuthor { author, reason } => {
            request!(command, wait, UnbanAuthorRequest { author: author.to_string(), reason: reason.to_string() })
        }
        CommandBody::PostComment { parent, text, quotes } => request!(
            command,
            wait,
            PostCommentRequest {
                thread,
                parent: parent.map_or_else(String::new, |parent| parent.to_string()),
                text: text.as_str().to_owned(),
                quotes: quotes.as_slice().iter().map(quote_out).collect(),
            }
        ),
        CommandBody::EditComment { comment, revision, text, quotes } => {
            request!(
                command,
                wait,
                EditCommentRequest {
                    thread,
                    comment: comment.to_string(),
                    revision: *revision,
                    text: text.as_str().to_owned(),
                    quotes: quotes.as_slice().iter().map(quote_out).collect(),
                }
            )
        }
        CommandBody::DeleteComment { comment } => {
            request!(command, wait, DeleteCommentRequest { thread, comment: comment.to_string() })
        }
        CommandBody::HoldComment { comment, reason } => request!(
            command,
            wait,
            HoldCommentRequest { thread, comment: comment.to_string(), reason: reason.to_string() }
        ),
        CommandBody::ApproveComment { comment, revision } => request!(
            command,
            wait,
            ApproveCommentRequest { thread, comment: comment.to_string(), revision: *revision }
        ),
        CommandBody::RemoveComment { comment, reason, rule } => request!(
            command,
            wait,
            RemoveCommentRequest {
                thread,
                comment: comment.to_string(),
                reason: reason.to_string(),
                rule: rule.to_string(),
            }
        ),
        CommandBody::RestoreComment { comment, reason } => request!(
            command,
            wait,
            RestoreCommentRequest { thread, comment: comment.to_string(), reason: reason.to_string() }
        ),
        CommandBody::FeatureComment { comment, featured } => request!(
            command,
            wait,
            FeatureCommentRequest { thread, comment: comment.to_string(), featured: *featured }
        ),
        CommandBody::FlagComment { comment, category, words } => request!(
            command,
            wait,
            FlagCommentRequest {
                thread,
                comment: comment.to_string(),
                category: category_out(*category),
                words: words.to_string(),
            }
        ),
        CommandBody::WithdrawFlag { comment } => {
            request!(command, wait, WithdrawFlagRequest { thread, comment: comment.to_string() })
        }
        CommandBody::ResolveFlags { comment, upheld, statement } => request!(
            command,
            wait,
            ResolveFlagsRequest {
                thread,
                comment: comment.to_string(),
                upheld: *upheld,
                statement: statement.to_string(),
            }
        ),
        CommandBody::CastVote { comment, vote } => {
            request!(
                command,
                wait,
                CastVoteRequest { thread, comment: comment.to_string(), vote: vote_out(*vote) }
            )
        }
        CommandBody::VoidVotes { voters, since, reason } => request!(
            command,
            wait,
            VoidVotesRequest {
                voters: voters.as_slice().iter().map(ToString::to_string).collect(),
                since: since.map(time_out),
                reason: reason.to_string(),
            }
        ),
        CommandBody::UnvoidVotes { voters, reason } => request!(
            command,
            wait,
            UnvoidVotesRequest {
                voters: voters.as_slice().iter().map(ToString::to_string).collect(),
                reason: reason.to_string(),
            }
        ),
        CommandBody::RemoveComments { author, since, reason, rule } => request!(
            command,
            wait,
            RemoveCommentsRequest {
                thread,
                author: author.to_string(),
                since: since.map(time_out),
                reason: reason.to_string(),
                rule: rule.to_string(),
            }
        ),
        CommandBody::UndoRemoval { removal, reason } => request!(
            command,
            wait,
            UndoRemovalRequest { thread, removal: removal.to_string(), reason: reason.to_string() }
        ),
        CommandBody::EraseComment { comment, reason } => request!(
            command,
            wait,
            EraseCommentRequest { thread, comment: comment.to_string(), reason: reason.to_string() }
        ),
        CommandBody::EraseAuthor { author, comments_kept, reason } => request!(
            command,
            wait,
            EraseAuthorRequest {
                author: author.to_string(),
                comments_kept: *comments_kept,
                reason: reason.to_string(),
            }
        ),
    }
}

fn thread_of(command: &Command) -> String {
    command.place.thread.as_ref().map_or_else(String::new, ToString::to_string)
}

fn written<R: Request>(request: &R) -> (&'static str, Vec<u8>) {
    (R::VERB, request.encode_to_vec())
}
