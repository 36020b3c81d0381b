//! Rules of undoing and forgetting.

use super::*;
use crate::command::Voters;
use crate::event::ErasedMessage;
use crate::ids::AuthorId;
use crate::limits::VOTERS_MAX;
use crate::record::Envelope;
use crate::thread::{PersonFacts, RemovalFacts, permits};

const FORGETTING: [Role; 2] = [Role::Administrator, Role::Service];
const REMOVAL: CommandId = CommandId::from_u128(7);

fn author(id: &str) -> AuthorId {
    id.parse().unwrap()
}

fn voters(ids: &[&str]) -> Voters {
    Voters::parse(ids.iter().map(|id| author(id)).collect()).unwrap()
}

/// Given that ann, ben and cy took part in the site, and that ben's votes are void.
fn given_people() -> Facts {
    let people = ["ann", "ben", "cy"];
    let people = people.map(|id| (author(id), PersonFacts { votes_void: id == "ben", erased: false }));
    Facts { people: people.into(), ..given() }
}

fn given_removal(undone: bool) -> Facts {
    Facts { removal: Some(RemovalFacts { undone }), ..given() }
}

fn of_site(facts: Facts) -> Facts {
    Facts { whole_site: true, thread: None, ..facts }
}

fn frozen(facts: Facts) -> Facts {
    Facts { site: Some(Standing::Frozen), ..facts }
}

fn void(ids: &[&str]) -> CommandBody {
    CommandBody::VoidVotes { voters: voters(ids), since: None, reason: "r".into() }
}

fn unvoid(ids: &[&str]) -> CommandBody {
    CommandBody::UnvoidVotes { voters: voters(ids), reason: "r".into() }
}

fn remove(id: &str) -> CommandBody {
    CommandBody::RemoveComments { author: author(id), since: None, reason: "r".into(), rule: "".into() }
}

fn undo() -> CommandBody {
    CommandBody::UndoRemoval { removal: REMOVAL, reason: "r".into() }
}

fn erase_comment(id: u128) -> CommandBody {
    CommandBody::EraseComment { comment: comment(id), reason: "r".into() }
}

fn erase_author(id: &str) -> CommandBody {
    CommandBody::EraseAuthor { author: author(id), comments_kept: true, reason: "r".into() }
}

#[test]
fn voters_are_one_to_a_thousand_and_each_once() {
    let many = |count: usize| (0..count).map(|n| author(&n.to_string())).collect::<Vec<_>>();
    assert_eq!(Voters::parse(vec![]), Err(Rejection::VotersInvalid));
    assert_eq!(Voters::parse(vec![author("ann"), author("ben"), author("ann")]), Err(Rejection::VotersInvalid));
    assert_eq!(Voters::parse(many(VOTERS_MAX + 1)), Err(Rejection::VotersInvalid));
    assert_eq!(Voters::parse(many(VOTERS_MAX)).unwrap().into_inner(), many(VOTERS_MAX), "in the order given");
}

#[test]
fn staff_void_the_votes_of_people_who_took_part() {
    assert_eq!(refused("ann", &[Role::Service], void(&["ann"]), &given_people()), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("mo", &[role], void(&["ann", "cy"]), &given_people()), None);
    }
    assert_eq!(refused("mo", &STAFF, void(&["ann", "dan"]), &given_people()), Some(Rejection::VoterUnknown));
    assert_eq!(refused("mo", &STAFF, void(&["ann"]), &Facts::default()), Some(Rejection::SiteUnknown));
    assert_eq!(refused("mo", &STAFF, void(&["ann"]), &frozen(given_people())), Some(Rejection::ThreadFrozen));
}

#[test]
fn votes_that_are_void_are_voided_again_because_the_latest_decision_holds() {
    let since = Some(Timestamp(5));
    let again = CommandBody::VoidVotes { voters: voters(&["ben"]), since, reason: "r".into() };
    let event = Event::VotesVoided { voters: vec![author("ben")], since, reason: "r".into() };
    assert_eq!(when("mo", &STAFF, again, &given_people()), Ok(event));
}

#[test]
fn staff_let_votes_count_again_that_are_void() {
    assert_eq!(refused("ben", &[Role::Service], unvoid(&["ben"]), &given_people()), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("mo", &[role], unvoid(&["ben"]), &given_people()), None);
    }
    assert_eq!(refused("mo", &STAFF, unvoid(&["ben", "ann"]), &given_people()), Some(Rejection::VotesNotVoid));
    assert_eq!(refused("mo", &STAFF, unvoid(&["ben", "dan"]), &given_people()), Some(Rejection::VotesNotVoid));
    assert_eq!(refused("mo", &STAFF, unvoid(&["ben"]), &Facts::default()), Some(Rejection::SiteUnknown));
}

#[test]
fn a_voter_whose_votes_are_void_goes_on_voting() {
    let mut facts = given();
    facts.people = vec![(author("cy"), PersonFacts { votes_void: true, erased: false })];
    assert_eq!(refused("cy", &[], vote(1), &facts), None);
}

#[test]
fn staff_remove_all_comments_of_somebody_who_took_part() {
    assert_eq!(refused("ben", &[Role::Service], remove("ann"), &given_people()), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("mo", &[role], remove("ann"), &given_people()), None);
        assert_eq!(refused("mo", &[role], remove("ann"), &of_site(given_people())), None);
    }
    assert_eq!(refused("mo", &STAFF, remove("dan"), &given_people()), Some(Rejection::AuthorUnknown));
    let no_thread = Facts { thread: None, ..given_people() };
    assert_eq!(refused("mo", &STAFF, remove("ann"), &no_thread), Some(Rejection::ThreadUnknown));
    assert_eq!(refused("mo", &STAFF, remove("ann"), &of_site(Facts::default())), Some(Rejection::SiteUnknown));
}

#[test]
fn staff_undo_a_removal_of_the_place_once() {
    assert_eq!(refused("ben", &[Role::Service], undo(), &given_removal(false)), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("mo", &[role], undo(), &given_removal(false)), None);
        assert_eq!(refused("mo", &[role], undo(), &of_site(given_removal(false))), None);
    }
    assert_eq!(refused("mo", &STAFF, undo(), &given()), Some(Rejection::RemovalUnknown));
    assert_eq!(refused("mo", &STAFF, undo(), &given_removal(true)), Some(Rejection::RemovalUndone));
    let no_thread = Facts { thread: None, ..given_removal(false) };
    assert_eq!(refused("mo", &STAFF, undo(), &no_thread), Some(Rejection::ThreadUnknown));
}

#[test]
fn administrators_and_services_erase_a_comment_in_any_state_once() {
    for who in ["ann", "ben"] {
        let refusal = refused(who, &[Role::Moderator], erase_comment(1), &given());
        assert_eq!(refusal, Some(Rejection::NotPermitted), "not by a moderator, nor by its author");
    }
    for role in FORGETTING {
        for id in 1..=4 {
            assert_eq!(refused("al", &[role], erase_comment(id), &given()), None, "{id}");
        }
    }
    assert_eq!(refused("al", &FORGETTING, erase_comment(1), &given_mode(Mode::Hidden)), None);
    assert_eq!(refused("al", &FORGETTING, erase_comment(1), &given_closed()), None);
    assert_eq!(refused("al", &FORGETTING, erase_comment(5), &given()), Some(Rejection::CommentErased));
    assert_eq!(refused("al", &FORGETTING, erase_comment(6), &given()), Some(Rejection::CommentUnknown));
    let no_thread = Facts { thread: None, ..given() };
    assert_eq!(refused("al", &FORGETTING, erase_comment(1), &no_thread), Some(Rejection::ThreadUnknown));
}

#[test]
fn nothing_happens_to_an_erased_comment_but_the_decision_on_its_flags() {
    let id = comment(5);
    let reason = || "r".into();
    let nothing_more = [
        ("ben", edit(5, 1)),
        ("ben", CommandBody::DeleteComment { comment: id }),
        ("mo", CommandBody::HoldComment { comment: id, reason: reason() }),
        ("mo", CommandBody::ApproveComment { comment: id, revision: None }),
        ("mo", CommandBody::RemoveComment { comment: id, reason: reason(), rule: reason() }),
        ("mo", CommandBody::RestoreComment { comment: id, reason: reason() }),
        ("mo", CommandBody::FeatureComment { comment: id, featured: true }),
        ("cy", vote(5)),
    ];
    for (who, body) in nothing_more {
        assert_eq!(refused(who, &STAFF, body.clone(), &given()), Some(Rejection::CommentErased), "{body:?}");
    }
    assert_eq!(refused("cy", &[], post(Some(id), vec![]), &given()), Some(Rejection::ParentErased));
    let mut flagged = given();
    flagged.comments[4].1.flags = 1;
    let resolve = CommandBody::ResolveFlags { comment: id, upheld: true, statement: "".into() };
    assert_eq!(refused("mo", &STAFF, resolve, &flagged), None);
}

#[test]
fn a_quote_of_an_erased_comment_stands_as_one_of_a_removed_comment_does() {
    assert_eq!(refused("cy", &[], post(None, vec![quote(comment(5), 0, 10)]), &given()), None);
    let beyond = post(None, vec![quote(comment(5), 0, 11)]);
    assert_eq!(refused("cy", &[], beyond, &given()), Some(Rejection::QuoteInvalid), "its length is still known");
}

#[test]
fn administrators_and_services_erase_an_author_once() {
    let by_oneself = refused("ann", &[], erase_author("ann"), &given_people());
    assert_eq!(by_oneself, Some(Rejection::NotPermitted), "whoever keeps the accounts asks for them");
    let by_moderator = refused("mo", &[Role::Moderator], erase_author("ann"), &given_people());
    assert_eq!(by_moderator, Some(Rejection::NotPermitted));
    for role in FORGETTING {
        assert_eq!(refused("al", &[role], erase_author("ann"), &given_people()), None);
    }
    assert_eq!(refused("al", &FORGETTING, erase_author("dan"), &given_people()), Some(Rejection::AuthorUnknown));
    let pseudonym = AuthorId::pseudonym(CommandId::from_u128(8));
    let mut erased = given_people();
    erased.people.push((pseudonym.clone(), PersonFacts { votes_void: false, erased: true }));
    let again = erase_author(pseudonym.as_str());
    assert_eq!(refused("al", &FORGETTING, again, &erased), Some(Rejection::AuthorErased));
    assert_eq!(refused("al", &FORGETTING, erase_author("ann"), &Facts::default()), Some(Rejection::SiteUnknown));
}

#[test]
fn only_who_may_forget_writes_what_messages_say_without_what_was_erased() {
    let envelope = Envelope {
        id: REMOVAL,
        time: NOW,
        actor: Actor { id: author("former-x"), roles: Roles::default() },
        event: Event::AuthorNamed { author: author("former-x"), name: "".into() },
    };
    let event = Event::MessagesErased { messages: vec![ErasedMessage { sequence: 1, thread: None, envelope }] };
    let by = |roles: &[Role], facts: &Facts| {
        permits(facts, &Actor { id: author("koe"), roles: roles.iter().copied().collect() }, &event)
    };
    assert_eq!(by(&[Role::Service], &given()), Ok(()));
    assert_eq!(by(&[Role::Moderator], &given()), Err(Rejection::NotPermitted));
    assert_eq!(by(&[Role::Service], &Facts::default()), Err(Rejection::SiteUnknown));
}
