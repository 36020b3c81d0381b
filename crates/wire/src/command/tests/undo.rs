//! Requests that undo what happened, and those that forget people.

use domain::{Place, Timestamp};

use super::*;

const OTHER: &str = "019a3c5e-7d00-7000-8000-000000000002";

fn void(voters: &[&str]) -> v1::VoidVotesRequest {
    v1::VoidVotesRequest {
        id: ID.into(),
        actor: Some(actor()),
        wait: true,
        voters: voters.iter().map(ToString::to_string).collect(),
        since: Some(crate::time::Timestamp { seconds: 5, nanos: 7_000_000 }),
        reason: "r".into(),
    }
}

fn remove(thread: &str) -> v1::RemoveCommentsRequest {
    v1::RemoveCommentsRequest {
        id: ID.into(),
        actor: Some(actor()),
        thread: thread.into(),
        author: "ben".into(),
        since: Some(crate::time::Timestamp { seconds: 5, nanos: 0 }),
        reason: "r".into(),
        rule: "No advertising".into(),
        ..Default::default()
    }
}

fn undo(thread: &str) -> v1::UndoRemovalRequest {
    v1::UndoRemovalRequest {
        id: ID.into(),
        actor: Some(actor()),
        thread: thread.into(),
        removal: OTHER.into(),
        reason: "r".into(),
        ..Default::default()
    }
}

fn erase_comment() -> v1::EraseCommentRequest {
    v1::EraseCommentRequest {
        id: ID.into(),
        actor: Some(actor()),
        wait: true,
        thread: "t".into(),
        comment: OTHER.into(),
        reason: "r".into(),
    }
}

fn erase_author() -> v1::EraseAuthorRequest {
    v1::EraseAuthorRequest {
        id: ID.into(),
        actor: Some(actor()),
        wait: true,
        author: "ben".into(),
        comments_kept: true,
        reason: "r".into(),
    }
}

/// Asked, written again and read again; and what it is about.
fn there_and_back<R: Request + Clone + PartialEq + std::fmt::Debug>(request: &R) -> Place {
    let asked = request.clone().parse("demo".parse().unwrap()).unwrap();
    let (verb, bytes) = encode(&asked.command, asked.wait);
    assert_eq!(verb, R::VERB);
    assert_eq!(R::decode(bytes.as_slice()).unwrap(), *request);
    asked.command.place
}

#[test]
fn each_survives_the_way_there_and_names_its_place() {
    let site = Place { site: "demo".parse().unwrap(), thread: None };
    let thread = Place { thread: Some("t".parse().unwrap()), ..site.clone() };
    let unvoid = v1::UnvoidVotesRequest {
        id: ID.into(),
        actor: Some(actor()),
        wait: true,
        voters: vec!["ben".into(), "ann".into()],
        reason: "r".into(),
    };
    assert_eq!(there_and_back(&void(&["ben", "ann"])), site);
    assert_eq!(there_and_back(&unvoid), site);
    assert_eq!(there_and_back(&remove("t")), thread);
    assert_eq!(there_and_back(&remove("")), site, "without a thread it is the whole site");
    assert_eq!(there_and_back(&undo("t")), thread);
    assert_eq!(there_and_back(&undo("")), site);
    assert_eq!(there_and_back(&erase_comment()), thread);
    assert_eq!(there_and_back(&erase_author()), site);
}

#[test]
fn a_time_since_is_kept_to_the_millisecond_and_none_means_all() {
    let since = |request: v1::VoidVotesRequest| match request.parse("demo".parse().unwrap()).unwrap().command.body
    {
        CommandBody::VoidVotes { since, .. } => since,
        other => panic!("{other:?}"),
    };
    assert_eq!(since(void(&["ben"])), Some(Timestamp(5_007)));
    assert_eq!(since(v1::VoidVotesRequest { since: None, ..void(&["ben"]) }), None);
    let beyond = Some(crate::time::Timestamp { seconds: i64::MAX, nanos: 0 });
    assert_eq!(code(v1::VoidVotesRequest { since: beyond, ..void(&["ben"]) }), Some(Rejection::TimeInvalid));
    assert_eq!(code(v1::RemoveCommentsRequest { since: beyond, ..remove("t") }), Some(Rejection::TimeInvalid));
}

#[test]
fn voters_are_named_each_once_and_everything_has_a_reason() {
    assert_eq!(code(void(&[])), Some(Rejection::VotersInvalid));
    assert_eq!(code(void(&["ben", "ben"])), Some(Rejection::VotersInvalid));
    assert_eq!(code(void(&["ben", "b.e.n"])), Some(Rejection::ActorInvalid));
    let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
    assert_eq!(code(v1::VoidVotesRequest { voters: many.clone(), ..void(&[]) }), Some(Rejection::VotersInvalid));
    let voters = many.into_iter().skip(1).collect();
    assert_eq!(code(v1::VoidVotesRequest { voters, ..void(&[]) }), None);
    let nothing = || String::from(" ");
    assert_eq!(code(v1::VoidVotesRequest { reason: nothing(), ..void(&["ben"]) }), Some(Rejection::ReasonInvalid));
    assert_eq!(
        code(v1::RemoveCommentsRequest { reason: nothing(), ..remove("t") }),
        Some(Rejection::ReasonInvalid)
    );
    assert_eq!(code(v1::UndoRemovalRequest { reason: nothing(), ..undo("t") }), Some(Rejection::ReasonInvalid));
    assert_eq!(
        code(v1::EraseCommentRequest { reason: nothing(), ..erase_comment() }),
        Some(Rejection::ReasonInvalid)
    );
    assert_eq!(
        code(v1::EraseAuthorRequest { reason: nothing(), ..erase_author() }),
        Some(Rejection::ReasonInvalid)
    );
}

#[test]
fn what_is_erased_or_undone_is_named() {
    let none = String::new;
    assert_eq!(
        code(v1::EraseCommentRequest { thread: none(), ..erase_comment() }),
        Some(Rejection::ThreadInvalid)
    );
    assert_eq!(
        code(v1::EraseCommentRequest { comment: none(), ..erase_comment() }),
        Some(Rejection::CommentInvalid)
    );
    assert_eq!(code(v1::EraseAuthorRequest { author: none(), ..erase_author() }), Some(Rejection::ActorInvalid));
    assert_eq!(code(v1::RemoveCommentsRequest { author: none(), ..remove("") }), Some(Rejection::ActorInvalid));
    assert_eq!(
        code(v1::RemoveCommentsRequest { rule: "x".repeat(101), ..remove("") }),
        Some(Rejection::RuleInvalid)
    );
    assert_eq!(code(v1::UndoRemovalRequest { removal: none(), ..undo("") }), Some(Rejection::CommandIdInvalid));
    assert_eq!(code(remove("all")), Some(Rejection::ThreadInvalid), "no thread is called so");
}
