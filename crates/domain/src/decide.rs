//! From a command to its event, or the rule it breaks.

use crate::command::{Command, CommandBody};
use crate::event::Event;
use crate::rejection::Rejection;
use crate::thread::{Facts, permits};

/// What a command asks to be recorded, whether or not it may be.
pub fn event_of(body: &CommandBody) -> Event {
    match body.clone() {
        CommandBody::OpenSite { name, zone } => Event::SiteOpened { name, zone },
        CommandBody::OpenThread { headline, address, category } => {
            Event::ThreadOpened { headline, address, category }
        }
        CommandBody::NameAuthor { author, name } => Event::AuthorNamed { author, name },
        CommandBody::PostComment { parent, text, quotes } => {
            let length = text.length();
            Event::CommentPosted { parent, text, quotes: quotes.into_inner(), length }
        }
        CommandBody::RemoveComment { comment, reason } => Event::CommentRemoved { comment, reason },
        CommandBody::CastVote { comment, vote } => Event::VoteCast { comment, vote },
    }
}

/// The one event of a command, or why there is none.
///
/// Facts that may be a moment old are good enough: the fold asks the same rules again.
pub fn decide(command: &Command, facts: &Facts) -> Result<Event, Rejection> {
    let event = event_of(&command.body);
    permits(facts, &command.actor, &event)?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Quotes;
    use crate::event::{Actor, Place, Quote, Role, Roles};
    use crate::ids::{CommandId, CommentId};
    use crate::tally::Vote;
    use crate::text::Text;
    use crate::thread::{CommentFacts, Standing};

    fn comment(bits: u128) -> CommentId {
        CommentId(CommandId::from_u128(bits))
    }

    /// Given an open site and thread with a comment 1 by ann, a comment 2 by ben that was removed.
    fn given() -> Facts {
        let of = |author: &str, removed| CommentFacts { author: author.parse().unwrap(), removed, length: 10 };
        Facts {
            site: Some(Standing::Open),
            thread: Some(Standing::Open),
            comments: vec![(comment(1), of("ann", false)), (comment(2), of("ben", true))],
        }
    }

    fn when(actor: &str, roles: &[Role], body: CommandBody, facts: &Facts) -> Result<Event, Rejection> {
        let roles: Roles = roles.iter().copied().collect();
        let actor = Actor { id: actor.parse().unwrap(), roles };
        let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        decide(&Command { id: CommandId::from_u128(9), actor, place, body }, facts)
    }

    fn post(parent: Option<CommentId>, quotes: Vec<Quote>) -> CommandBody {
        let text = Text::parse("words").unwrap();
        let quotes = Quotes::parse(quotes, text.length()).unwrap();
        CommandBody::PostComment { parent, text, quotes }
    }

    fn quote(comment: CommentId, start: u32, end: u32) -> Quote {
        Quote { comment, revision: 0, start, end, at: 0 }
    }

    #[test]
    fn a_comment_in_an_open_thread_is_posted_with_its_length() {
        let event = when("cy", &[], post(Some(comment(1)), vec![quote(comment(1), 0, 10)]), &given()).unwrap();
        assert!(matches!(event, Event::CommentPosted { length: 5, .. }));
    }

    #[test]
    fn a_comment_needs_a_site_and_a_thread() {
        let no_site = Facts::default();
        assert_eq!(when("cy", &[], post(None, vec![]), &no_site), Err(Rejection::SiteUnknown));
        let no_thread = Facts { thread: None, ..given() };
        assert_eq!(when("cy", &[], post(None, vec![]), &no_thread), Err(Rejection::ThreadUnknown));
    }

    #[test]
    fn nothing_happens_to_a_frozen_thread_or_in_a_frozen_site() {
        let vote = CommandBody::CastVote { comment: comment(1), vote: Vote::Up };
        let remove = CommandBody::RemoveComment { comment: comment(1), reason: "spam".into() };
        let frozen_thread = Facts { thread: Some(Standing::Frozen), ..given() };
        let frozen_site = Facts { site: Some(Standing::Frozen), ..given() };
        for facts in [frozen_thread, frozen_site] {
            for body in [post(None, vec![]), vote.clone(), remove.clone()] {
                assert_eq!(when("cy", &[Role::Moderator], body, &facts), Err(Rejection::ThreadFrozen));
            }
        }
    }

    #[test]
    fn a_reply_needs_a_parent_in_the_same_thread() {
        assert_eq!(when("cy", &[], post(Some(comment(7)), vec![]), &given()), Err(Rejection::ParentUnknown));
    }

    #[test]
    fn a_reply_to_a_removed_comment_is_refused() {
        assert_eq!(when("cy", &[], post(Some(comment(2)), vec![]), &given()), Err(Rejection::ParentRemoved));
    }

    #[test]
    fn a_quote_stands_inside_a_comment_of_the_same_thread() {
        let refused = |quoted| when("cy", &[], post(None, vec![quoted]), &given());
        assert_eq!(refused(quote(comment(7), 0, 1)), Err(Rejection::QuoteUnknown));
        assert_eq!(refused(quote(comment(1), 0, 11)), Err(Rejection::QuoteInvalid));
        assert_eq!(refused(Quote { revision: 1, ..quote(comment(1), 0, 1) }), Err(Rejection::QuoteInvalid));
        assert!(refused(quote(comment(2), 0, 1)).is_ok(), "a quote of a removed comment says so in its place");
    }

    #[test]
    fn quotes_are_few_and_stand_in_order_inside_their_text() {
        let at = |at| Quote { at, ..quote(comment(1), 0, 1) };
        assert_eq!(Quotes::parse(vec![at(6)], 5), Err(Rejection::QuoteInvalid));
        assert_eq!(Quotes::parse(vec![at(3), at(1)], 5), Err(Rejection::QuoteInvalid));
        assert_eq!(Quotes::parse(vec![quote(comment(1), 3, 3)], 5), Err(Rejection::QuoteInvalid));
        assert_eq!(Quotes::parse(vec![at(0); 21], 5), Err(Rejection::QuotesTooMany));
    }

    #[test]
    fn only_moderators_and_administrators_remove_and_only_once() {
        let remove = |id| CommandBody::RemoveComment { comment: comment(id), reason: "spam".into() };
        assert_eq!(when("cy", &[], remove(1), &given()), Err(Rejection::NotPermitted));
        assert_eq!(when("cy", &[Role::Service], remove(1), &given()), Err(Rejection::NotPermitted));
        assert!(when("cy", &[Role::Moderator], remove(1), &given()).is_ok());
        assert_eq!(when("cy", &[Role::Administrator], remove(2), &given()), Err(Rejection::CommentRemoved));
        assert_eq!(when("cy", &[Role::Moderator], remove(7), &given()), Err(Rejection::CommentUnknown));
    }

    #[test]
    fn nobody_votes_on_their_own_comment_or_on_a_removed_one() {
        let vote = |id| CommandBody::CastVote { comment: comment(id), vote: Vote::Down };
        assert_eq!(when("ann", &[], vote(1), &given()), Err(Rejection::OwnComment));
        assert_eq!(when("cy", &[], vote(2), &given()), Err(Rejection::CommentRemoved));
        assert_eq!(when("cy", &[], vote(7), &given()), Err(Rejection::CommentUnknown));
        assert!(when("ben", &[], vote(1), &given()).is_ok());
    }

    #[test]
    fn an_administrator_opens_a_site_once() {
        let open = || CommandBody::OpenSite { name: "News".into(), zone: "UTC".into() };
        assert_eq!(when("cy", &[Role::Moderator], open(), &Facts::default()), Err(Rejection::NotPermitted));
        assert!(when("cy", &[Role::Administrator], open(), &Facts::default()).is_ok());
        assert_eq!(when("cy", &[Role::Administrator], open(), &given()), Err(Rejection::SiteExists));
    }

    #[test]
    fn staff_and_services_open_threads_in_a_known_site() {
        let open = || CommandBody::OpenThread { headline: "H".into(), address: "".into(), category: "".into() };
        let empty = Facts { thread: None, comments: vec![], ..given() };
        assert_eq!(when("cy", &[], open(), &empty), Err(Rejection::NotPermitted));
        for role in [Role::Moderator, Role::Administrator, Role::Service] {
            assert!(when("cy", &[role], open(), &empty).is_ok());
        }
        assert_eq!(when("cy", &[Role::Service], open(), &given()), Err(Rejection::ThreadExists));
        assert_eq!(when("cy", &[Role::Service], open(), &Facts::default()), Err(Rejection::SiteUnknown));
    }

    #[test]
    fn authors_name_themselves_and_only_staff_name_others() {
        let name = |author: &str| CommandBody::NameAuthor { author: author.parse().unwrap(), name: "N".into() };
        assert!(when("cy", &[], name("cy"), &given()).is_ok());
        assert_eq!(when("cy", &[Role::Moderator], name("ann"), &given()), Err(Rejection::NotPermitted));
        assert!(when("cy", &[Role::Service], name("ann"), &given()).is_ok());
        assert_eq!(when("cy", &[], name("cy"), &Facts::default()), Err(Rejection::SiteUnknown));
    }
}
