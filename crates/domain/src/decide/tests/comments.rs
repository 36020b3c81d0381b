//! Rules of comments and votes.

use super::*;
use crate::limits::EDITS_MAX;

#[test]
fn a_comment_in_an_open_thread_is_posted_with_its_length() {
    let event = when("cy", &[], post(Some(comment(1)), vec![quote(comment(1), 0, 10)]), &given()).unwrap();
    assert!(matches!(event, Event::CommentPosted { length: 5, held: None, .. }));
}

#[test]
fn a_comment_needs_a_site_and_a_thread() {
    assert_eq!(refused("cy", &[], post(None, vec![]), &Facts::default()), Some(Rejection::SiteUnknown));
    let no_thread = Facts { thread: None, ..given() };
    assert_eq!(refused("cy", &[], post(None, vec![]), &no_thread), Some(Rejection::ThreadUnknown));
}

#[test]
fn nothing_happens_to_a_frozen_thread_or_in_a_frozen_site() {
    let remove = CommandBody::RemoveComment { comment: comment(1), reason: "spam".into(), rule: "".into() };
    let delete = CommandBody::DeleteComment { comment: comment(1) };
    let frozen_thread = Facts { thread: Some(Standing::Frozen), ..given() };
    let frozen_site = Facts { site: Some(Standing::Frozen), ..given() };
    for facts in [frozen_thread, frozen_site] {
        for body in [post(None, vec![]), vote(1), remove.clone(), delete.clone(), edit(1, 0)] {
            assert_eq!(refused("ann", &[Role::Moderator], body, &facts), Some(Rejection::ThreadFrozen));
        }
    }
}

#[test]
fn a_reply_needs_a_parent_in_the_same_thread_that_can_be_read() {
    let to = |id| refused("cy", &[], post(Some(comment(id)), vec![]), &given());
    assert_eq!(to(7), Some(Rejection::ParentUnknown));
    assert_eq!(to(2), Some(Rejection::ParentRemoved));
    assert_eq!(to(3), Some(Rejection::ParentHeld));
    assert_eq!(to(4), Some(Rejection::ParentDeleted));
    assert_eq!(to(1), None);
}

#[test]
fn a_quote_stands_inside_a_revision_of_a_comment_of_the_same_thread() {
    let quoting = |quoted| refused("cy", &[], post(None, vec![quoted]), &given());
    assert_eq!(quoting(quote(comment(7), 0, 1)), Some(Rejection::QuoteUnknown));
    assert_eq!(quoting(quote(comment(1), 0, 11)), Some(Rejection::QuoteInvalid));
    let second = Quote { revision: 1, ..quote(comment(1), 0, 1) };
    assert_eq!(quoting(second.clone()), Some(Rejection::QuoteInvalid));
    assert_eq!(quoting(quote(comment(2), 0, 1)), None, "a quote of a removed comment says so in its place");
    let edited = given_comment(|comment| comment.lengths.push(1));
    assert_eq!(refused("cy", &[], post(None, vec![second]), &edited), None);
    assert_eq!(refused("cy", &[], post(None, vec![quote(comment(1), 5, 10)]), &edited), None, "an older revision");
}

#[test]
fn a_revision_that_readers_never_saw_is_not_quoted() {
    let unseen = given_comment(|comment| {
        comment.lengths.push(10);
        comment.unseen = vec![0];
    });
    let quoting = |revision| {
        let quoted = Quote { revision, ..quote(comment(1), 0, 1) };
        refused("cy", &[], post(None, vec![quoted]), &unseen)
    };
    assert_eq!(quoting(0), Some(Rejection::QuoteInvalid));
    assert_eq!(quoting(1), None);
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
fn a_text_is_no_longer_than_its_site_allows() {
    let mut facts = given();
    facts.rules.text_chars_max = 4;
    assert_eq!(refused("cy", &[], post(None, vec![]), &facts), Some(Rejection::TextTooLong));
    assert_eq!(refused("ann", &[], edit(1, 0), &facts), Some(Rejection::TextTooLong));
}

#[test]
fn in_a_thread_that_is_read_only_hidden_or_closed_nobody_posts_edits_or_votes() {
    let cases = [
        (given_mode(Mode::ReadOnly), Rejection::ThreadReadOnly),
        (given_mode(Mode::Hidden), Rejection::ThreadHidden),
        (given_closed(), Rejection::ThreadClosed),
        (Facts { site_mode: Mode::ReadOnly, ..given_mode(Mode::Premoderated) }, Rejection::ThreadReadOnly),
    ];
    for (facts, rejection) in cases {
        for (actor, body) in [("cy", post(None, vec![])), ("ann", edit(1, 0)), ("cy", vote(1))] {
            assert_eq!(refused(actor, &STAFF, body, &facts), Some(rejection));
        }
    }
    let closes_later = Facts { closes_at: Some(Timestamp(NOW.0 + 1)), ..given() };
    assert_eq!(refused("cy", &[], vote(1), &closes_later), None);
}

#[test]
fn nobody_posts_edits_votes_or_renames_themselves_while_banned() {
    let name = || CommandBody::NameAuthor { author: "ann".parse().unwrap(), name: "N".into() };
    let bodies = || [post(None, vec![]), edit(1, 0), vote(3), name()];
    for body in bodies() {
        assert_eq!(refused("ann", &[], body.clone(), &given_banned(None)), Some(Rejection::Banned));
        assert_eq!(refused("ann", &[], body, &given_banned(Some(NOW.0 + 1))), Some(Rejection::Banned));
    }
    for body in [post(None, vec![]), edit(1, 0), name()] {
        assert_eq!(refused("ann", &[], body, &given_banned(Some(NOW.0))), None, "a ban that is over");
    }
}

#[test]
fn only_the_author_edits_and_only_within_the_window() {
    assert_eq!(refused("ben", &STAFF, edit(1, 0), &given()), Some(Rejection::NotAuthor));
    let event = when("ann", &[], edit(1, 0), &given()).unwrap();
    assert!(matches!(event, Event::CommentEdited { revision: 1, length: 5, .. }));
    let posted = |millis: i64| given_comment(|comment| comment.posted = Timestamp(NOW.0 - millis));
    assert_eq!(refused("ann", &[], edit(1, 0), &posted(300_000)), None, "the default is five minutes");
    assert_eq!(refused("ann", &[], edit(1, 0), &posted(300_001)), Some(Rejection::EditWindowClosed));
    let mut longer = posted(300_001);
    longer.rules.edit_window_secs = 301;
    assert_eq!(refused("ann", &[], edit(1, 0), &longer), None, "a site may set another");
}

#[test]
fn of_two_edits_of_one_revision_the_second_is_stale() {
    let edited = given_comment(|comment| comment.lengths.push(4));
    assert_eq!(refused("ann", &[], edit(1, 0), &edited), Some(Rejection::RevisionStale));
    assert_eq!(refused("ann", &[], edit(1, 1), &edited), None);
    assert_eq!(refused("ann", &[], edit(1, u32::MAX), &edited), Some(Rejection::RevisionStale));
}

#[test]
fn a_comment_has_an_end_of_revisions() {
    let edited = given_comment(|comment| comment.lengths.extend((0..EDITS_MAX).map(|_| 4)));
    assert_eq!(refused("ann", &[], edit(1, EDITS_MAX), &edited), Some(Rejection::EditsTooMany));
}

#[test]
fn a_comment_does_not_quote_itself() {
    let (text, quotes) = said(vec![quote(comment(1), 0, 1)]);
    let body = CommandBody::EditComment { comment: comment(1), revision: 0, text, quotes };
    assert_eq!(refused("ann", &[], body, &given()), Some(Rejection::QuoteInvalid));
}

#[test]
fn what_was_removed_or_deleted_is_not_edited_and_what_is_held_may_be() {
    assert_eq!(refused("ben", &[], edit(2, 0), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("ben", &[], edit(4, 0), &given()), Some(Rejection::CommentDeleted));
    assert_eq!(refused("ben", &[], edit(3, 0), &given()), None);
    assert_eq!(refused("ben", &[], edit(7, 0), &given()), Some(Rejection::CommentUnknown));
}

#[test]
fn authors_take_their_comments_back_at_any_time_and_nobody_elses() {
    let delete = |id| CommandBody::DeleteComment { comment: comment(id) };
    for facts in [given(), given_mode(Mode::Hidden), given_closed(), given_banned(None)] {
        assert_eq!(refused("ann", &[], delete(1), &facts), None);
    }
    assert_eq!(refused("cy", &STAFF, delete(1), &given()), Some(Rejection::NotAuthor));
    assert_eq!(refused("ben", &[], delete(2), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("ben", &[], delete(4), &given()), Some(Rejection::CommentDeleted));
    assert_eq!(refused("ben", &[], delete(3), &given()), None);
}

#[test]
fn moderators_administrators_and_services_hold_what_is_visible() {
    let hold = |id| CommandBody::HoldComment { comment: comment(id), reason: "r".into() };
    assert_eq!(refused("cy", &[], hold(1), &given()), Some(Rejection::NotPermitted));
    for role in [Role::Moderator, Role::Administrator, Role::Service] {
        assert_eq!(refused("cy", &[role], hold(1), &given()), None);
    }
    assert_eq!(refused("cy", &STAFF, hold(2), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("cy", &STAFF, hold(3), &given()), Some(Rejection::CommentHeld));
}

#[test]
fn staff_approve_what_is_held() {
    let approve = |id| CommandBody::ApproveComment { comment: comment(id), revision: None };
    assert_eq!(refused("cy", &[Role::Service], approve(3), &given()), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("cy", &[role], approve(3), &given()), None);
    }
    assert_eq!(refused("cy", &STAFF, approve(1), &given()), Some(Rejection::CommentNotHeld));
    let read = |revision| CommandBody::ApproveComment { comment: comment(3), revision: Some(revision) };
    assert_eq!(refused("cy", &STAFF, read(0), &given()), None);
    assert_eq!(refused("cy", &STAFF, read(1), &given()), Some(Rejection::RevisionStale), "not what was read");
    assert_eq!(refused("cy", &STAFF, approve(2), &given()), Some(Rejection::CommentRemoved));
}

#[test]
fn only_moderators_and_administrators_remove_and_only_once() {
    let remove = |id| CommandBody::RemoveComment { comment: comment(id), reason: "spam".into(), rule: "".into() };
    assert_eq!(refused("cy", &[], remove(1), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Service], remove(1), &given()), Some(Rejection::NotPermitted));
    for role in STAFF {
        assert_eq!(refused("cy", &[role], remove(1), &given()), None);
    }
    assert_eq!(refused("cy", &STAFF, remove(3), &given()), None, "held or not");
    assert_eq!(refused("cy", &STAFF, remove(2), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("cy", &STAFF, remove(4), &given()), Some(Rejection::CommentDeleted));
    assert_eq!(refused("cy", &STAFF, remove(7), &given()), Some(Rejection::CommentUnknown));
}

#[test]
fn staff_restore_what_was_removed_and_not_what_its_author_took_back() {
    let restore = |id| CommandBody::RestoreComment { comment: comment(id), reason: "r".into() };
    assert_eq!(refused("ben", &[], restore(2), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Moderator], restore(2), &given()), None);
    assert_eq!(refused("cy", &STAFF, restore(1), &given()), Some(Rejection::CommentNotRemoved));
    assert_eq!(refused("cy", &STAFF, restore(4), &given()), Some(Rejection::CommentDeleted));
}

#[test]
fn staff_feature_what_is_visible() {
    let feature = |id| CommandBody::FeatureComment { comment: comment(id), featured: true };
    assert_eq!(refused("ann", &[], feature(1), &given()), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Moderator], feature(1), &given()), None);
    assert_eq!(refused("cy", &STAFF, feature(3), &given()), Some(Rejection::CommentHeld));
}

#[test]
fn nobody_votes_on_their_own_comment_or_on_one_that_cannot_be_read() {
    assert_eq!(refused("ann", &[], vote(1), &given()), Some(Rejection::OwnComment));
    assert_eq!(refused("cy", &[], vote(2), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("cy", &[], vote(3), &given()), Some(Rejection::CommentHeld));
    assert_eq!(refused("cy", &[], vote(4), &given()), Some(Rejection::CommentDeleted));
    assert_eq!(refused("cy", &[], vote(7), &given()), Some(Rejection::CommentUnknown));
    assert_eq!(refused("ben", &[], vote(1), &given()), None);
}
