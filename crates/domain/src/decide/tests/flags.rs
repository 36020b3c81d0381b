//! Rules of flags.

use super::*;
use crate::moderation::FlagCategory;
use crate::thread::FlagFacts;

fn flag(id: u128) -> CommandBody {
    CommandBody::FlagComment { comment: comment(id), category: FlagCategory::Spam, words: "".into() }
}

fn given_flag(waits: bool) -> Facts {
    let mut facts = given();
    facts.author.flag = Some(FlagFacts { waits });
    facts
}

#[test]
fn a_reader_flags_a_visible_comment_of_somebody_else_once() {
    assert_eq!(refused("cy", &[], flag(1), &given()), None);
    assert_eq!(refused("ann", &[], flag(1), &given()), Some(Rejection::OwnComment));
    assert_eq!(refused("cy", &[], flag(2), &given()), Some(Rejection::CommentRemoved));
    assert_eq!(refused("cy", &[], flag(3), &given()), Some(Rejection::CommentHeld));
    assert_eq!(refused("cy", &[], flag(4), &given()), Some(Rejection::CommentDeleted));
    for waits in [true, false] {
        assert_eq!(refused("cy", &[], flag(1), &given_flag(waits)), Some(Rejection::FlagExists));
    }
}

#[test]
fn what_can_be_read_can_be_flagged_though_the_thread_is_read_only_or_closed() {
    assert_eq!(refused("cy", &[], flag(1), &given_mode(Mode::ReadOnly)), None);
    assert_eq!(refused("cy", &[], flag(1), &given_closed()), None);
    assert_eq!(refused("cy", &[], flag(1), &given_mode(Mode::Hidden)), Some(Rejection::ThreadHidden));
    assert_eq!(refused("cy", &[], flag(1), &given_banned(None)), Some(Rejection::Banned));
}

#[test]
fn a_flag_is_withdrawn_while_nobody_has_decided_on_it() {
    let withdraw = || CommandBody::WithdrawFlag { comment: comment(1) };
    assert_eq!(refused("cy", &[], withdraw(), &given_flag(true)), None);
    assert_eq!(refused("cy", &[], withdraw(), &given_flag(false)), Some(Rejection::FlagUnknown));
    assert_eq!(refused("cy", &[], withdraw(), &given()), Some(Rejection::FlagUnknown));
}

#[test]
fn staff_decide_on_flags_that_wait() {
    let resolve = |statement: &str| CommandBody::ResolveFlags {
        comment: comment(1),
        upheld: true,
        statement: statement.into(),
    };
    let flagged = given_comment(|comment| comment.flags = 2);
    assert_eq!(refused("cy", &[], resolve(""), &flagged), Some(Rejection::NotPermitted));
    assert_eq!(refused("cy", &[Role::Moderator], resolve(""), &flagged), None);
    assert_eq!(refused("cy", &STAFF, resolve(""), &given()), Some(Rejection::FlagsNone));
}

#[test]
fn a_report_of_illegal_content_is_resolved_with_a_statement_of_reasons() {
    let resolve = |statement: &str| CommandBody::ResolveFlags {
        comment: comment(1),
        upheld: false,
        statement: statement.into(),
    };
    let flagged = given_comment(|comment| (comment.flags, comment.flags_illegal) = (2, 1));
    assert_eq!(refused("cy", &STAFF, resolve(""), &flagged), Some(Rejection::StatementMissing));
    assert_eq!(refused("cy", &STAFF, resolve("It is satire."), &flagged), None);
}
