//! From a command to its event, or the rule it breaks.

use crate::command::{Command, CommandBody};
use crate::event::Event;
use crate::ids::AuthorId;
use crate::rejection::Rejection;
use crate::thread::{Facts, permits};

/// What a command asks to be recorded, whether or not it may be.
pub fn event_of(body: &CommandBody) -> Event {
    match body.clone() {
        CommandBody::OpenSite { name, zone } => Event::SiteOpened { name, zone },
        CommandBody::SetSite(patch) => Event::SiteSet(patch),
        CommandBody::OpenThread { headline, address, category, published, closes_at } => {
            Event::ThreadOpened { headline, address, category, published, closes_at }
        }
        CommandBody::UpdateThread(patch) => Event::ThreadUpdated(patch),
        CommandBody::SetThreadMode(change) => Event::ThreadModeSet(change),
        CommandBody::MoveThread { address } => Event::ThreadMoved { address },
        CommandBody::NameAuthor { author, name } => Event::AuthorNamed { author, name },
        CommandBody::BanAuthor { author, ban } => Event::AuthorBanned { author, ban },
        CommandBody::UnbanAuthor { author, reason } => Event::AuthorUnbanned { author, reason },
        CommandBody::PostComment { parent, text, quotes } => {
            let length = text.length();
            Event::CommentPosted {
                parent,
                text,
                quotes: quotes.into_inner(),
                length,
                held: None,
                original_time: None,
            }
        }
        CommandBody::EditComment { comment, revision, text, quotes } => {
            let (length, revision) = (text.length(), revision.saturating_add(1));
            Event::CommentEdited { comment, revision, text, quotes: quotes.into_inner(), length, held: None }
        }
        CommandBody::DeleteComment { comment } => Event::CommentDeleted { comment },
        CommandBody::HoldComment { comment, reason } => Event::CommentHeld { comment, reason },
        CommandBody::ApproveComment { comment, revision } => Event::CommentApproved { comment, revision },
        CommandBody::RemoveComment { comment, reason, rule } => Event::CommentRemoved { comment, reason, rule },
        CommandBody::RestoreComment { comment, reason } => Event::CommentRestored { comment, reason },
        CommandBody::FeatureComment { comment, featured } => Event::CommentFeatured { comment, featured },
        CommandBody::FlagComment { comment, category, words } => {
            Event::CommentFlagged { comment, category, words }
        }
        CommandBody::WithdrawFlag { comment } => Event::FlagWithdrawn { comment },
        CommandBody::ResolveFlags { comment, upheld, statement } => {
            Event::FlagsResolved { comment, upheld, statement }
        }
        CommandBody::CastVote { comment, vote } => Event::VoteCast { comment, vote },
        CommandBody::VoidVotes { voters, since, reason } => {
            Event::VotesVoided { voters: voters.into_inner(), since, reason }
        }
        CommandBody::UnvoidVotes { voters, reason } => {
            Event::VotesUnvoided { voters: voters.into_inner(), reason }
        }
        CommandBody::RemoveComments { author, since, reason, rule } => {
            Event::CommentsRemoved { author, since, reason, rule }
        }
        CommandBody::UndoRemoval { removal, reason } => Event::RemovalUndone { removal, reason },
        CommandBody::EraseComment { comment, reason } => Event::CommentErased { comment, reason },
        CommandBody::EraseAuthor { author, comments_kept, reason } => {
            Event::AuthorErased { author, comments_kept, reason }
        }
    }
}

/// The one event of a command, or why there is none.
///
/// Facts that may be a moment old are good enough: the fold asks the same rules again.
pub fn decide(command: &Command, facts: &Facts) -> Result<Event, Rejection> {
    let event = event_of(&command.body);
    permits(facts, &command.actor, &event)?;
    need_known(facts, &event)?;
    Ok(event)
}

/// Nobody means somebody of whom the site knows nothing. No rule of the fold: one that folds some partitions alone knows some
/// people alone, and must come to the same.
fn need_known(facts: &Facts, event: &Event) -> Result<(), Rejection> {
    let known = |id: &AuthorId| facts.people.iter().any(|(person, _)| person == id);
    match event {
        Event::VotesVoided { voters, .. } if !voters.iter().all(known) => Err(Rejection::VoterUnknown),
        Event::CommentsRemoved { author, .. } | Event::AuthorErased { author, .. } if !known(author) => {
            Err(Rejection::AuthorUnknown)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
