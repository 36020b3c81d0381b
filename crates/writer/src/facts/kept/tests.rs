//! What an event makes old is asked for again, and nothing else is.

use domain::{Actor, CommandId, Envelope, Roles, State, ThreadId, Timestamp};

use super::*;

const COMMENT: CommentId = CommentId(CommandId::from_u128(1));

fn place(thread: Option<&str>) -> Place {
    Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse::<ThreadId>().unwrap()) }
}

fn author(id: &str) -> AuthorId {
    id.parse().unwrap()
}

/// A comment by ann, and ben who votes on it.
fn facts() -> Facts {
    let comment = CommentFacts {
        author: author("ann"),
        state: State::Visible,
        posted: Timestamp(0),
        lengths: vec![1],
        unseen: vec![],
        flags: 0,
        flags_illegal: 0,
    };
    Facts {
        site: Some(Standing::Open),
        thread: Some(Standing::Open),
        comments: vec![(COMMENT, comment)],
        author: AuthorFacts { shown: 3, ..AuthorFacts::default() },
        ..Facts::default()
    }
}

fn needs(comments: &[CommentId], by: Option<&str>) -> Needs {
    Needs { comments: comments.to_vec(), author: by.map(author), ..Needs::default() }
}

fn keep(kept: &Kept) {
    for thread in ["t", "u"] {
        kept.keep(&place(Some(thread)), &needs(&[COMMENT], Some("ben")), &facts(), 0);
    }
}

/// What is kept of the threads `t` and `u`, once an event was heard of: their comment, and the author.
fn kept_after(thread: Option<&str>, event: &Event) -> [bool; 3] {
    let kept = Kept::new(true);
    let asked = |kept: &Kept| {
        let comment = |thread| kept.cached(&place(Some(thread)), &needs(&[COMMENT], None)).is_some();
        [comment("t"), comment("u"), kept.cached(&place(Some("t")), &needs(&[], Some("ben"))).is_some()]
    };
    keep(&kept);
    assert_eq!(asked(&kept), [true; 3]);
    let envelope = Envelope {
        id: CommandId::from_u128(2),
        time: Timestamp(0),
        actor: Actor { id: author("mo"), roles: Roles::default() },
        event: event.clone(),
    };
    kept.forget(Recorded { sequence: 7, place: Some(place(thread)), content: Content::Event(envelope) });
    let after = asked(&kept);
    // What the projector says meanwhile may be from before, so it is not kept either.
    keep(&kept);
    let [t, u, by] = asked(&kept);
    assert_eq!(t, after[0], "{event:?}");
    assert_eq!(by, after[2], "{event:?}");
    assert_eq!(u, after[1] || thread.is_some(), "{event:?}: of another thread it is kept again");
    after
}

#[test]
fn an_erased_comment_is_forgotten_alone() {
    let erased =
        |id: u128| Event::CommentErased { comment: CommentId(CommandId::from_u128(id)), reason: "r".into() };
    assert_eq!(kept_after(Some("t"), &erased(1)), [false, true, true]);
    assert_eq!(kept_after(Some("t"), &erased(2)), [true; 3]);
}

#[test]
fn a_removal_of_many_comments_and_its_undoing_forget_all_comments() {
    let removed =
        Event::CommentsRemoved { author: author("ann"), since: None, reason: "r".into(), rule: "".into() };
    let undone = Event::RemovalUndone { removal: CommandId::from_u128(3), reason: "r".into() };
    for event in [removed, undone] {
        for thread in [None, Some("t")] {
            assert_eq!(kept_after(thread, &event), [false, false, true], "{event:?}");
        }
    }
}

#[test]
fn an_erased_author_and_all_comments_are_forgotten() {
    let erased = |id: &str| Event::AuthorErased { author: author(id), comments_kept: true, reason: "r".into() };
    assert_eq!(kept_after(None, &erased("ben")), [false; 3]);
    assert_eq!(kept_after(None, &erased("ann")), [false, false, true]);
}

#[test]
fn facts_of_people_and_of_removals_are_asked_for_each_time() {
    let kept = Kept::new(true);
    keep(&kept);
    let thread = place(Some("t"));
    let people = Needs { people: vec![author("ann")], ..Needs::default() };
    let removal = Needs { removal: Some(CommandId::from_u128(3)), ..Needs::default() };
    assert!(kept.cached(&thread, &Needs::default()).is_some());
    for needs in [people, removal] {
        let answer = Facts {
            people: vec![(author("ann"), domain::thread::PersonFacts::default())],
            removal: Some(domain::thread::RemovalFacts { undone: false }),
            ..facts()
        };
        kept.keep(&thread, &needs, &answer, 0);
        assert_eq!(kept.cached(&thread, &needs), None);
    }
    let known = kept.cached(&thread, &Needs::default()).unwrap();
    assert_eq!((known.people, known.removal), (vec![], None), "nor do they stay with the place");
}
