//! The shapes of the API, to the field.

use domain::Timestamp;

use super::*;
use serde_json::json;
use wire::values::time_out;

fn anybody() -> Viewer {
    Viewer::default()
}

fn page() -> v1::ThreadPageReply {
    let visible = v1::Comment {
        number: 1,
        id: "019a3c5e-7d00-7000-8000-000000000001".into(),
        author: Some(v1::Author { id: "ann".into(), name: "Ann".into(), erased: false }),
        time: Some(time_out(Timestamp(1_700_000_000_123))),
        state: v1::CommentState::Visible.into(),
        body: "a *b*".into(),
        tally: Some(v1::Tally { up: 7, down: 16 }),
        quotes: vec![v1::DrawnQuote {
            comment: "019a3c5e-7d00-7000-8000-000000000003".into(),
            number: 3,
            state: v1::CommentState::Deleted.into(),
            at: 6,
            revision: 1,
            start: 2,
            end: 4,
            ..v1::DrawnQuote::default()
        }],
        ..v1::Comment::default()
    };
    let removed = v1::Comment {
        number: 2,
        id: "019a3c5e-7d00-7000-8000-000000000002".into(),
        author: None,
        state: v1::CommentState::Removed.into(),
        body: String::new(),
        rule: "No insults".into(),
        tally: Some(v1::Tally::default()),
        ..visible.clone()
    };
    let unnamed = v1::Comment {
        number: 3,
        id: "019a3c5e-7d00-7000-8000-000000000003".into(),
        author: Some(v1::Author { id: "ben".into(), name: String::new(), erased: false }),
        quotes: vec![],
        ..visible.clone()
    };
    v1::ThreadPageReply {
        position: "0-1-9".into(),
        site_name: "Demo".into(),
        zone: "Asia/Tokyo".into(),
        headline: "Headline".into(),
        count: 3,
        comments: vec![visible, removed, unnamed],
        mode: v1::Mode::ReadOnly.into(),
        mode_reason: "Settled".into(),
        successor: "t-2".into(),
        locale: "ja".into(),
        edit_window_secs: 300,
        text_chars_max: 10_000,
        ..v1::ThreadPageReply::default()
    }
}

#[test]
fn a_page_has_exactly_the_fields_of_the_api() {
    let shape =
        thread((&"demo".parse().unwrap(), &"t".parse().unwrap()), page(), (&anybody(), Order::Oldest, false));
    let mut value = serde_json::to_value(&shape).unwrap();
    let unnamed = value["comments"].as_array_mut().unwrap().pop().unwrap();
    assert_eq!(unnamed["author"], json!({"id": "ben", "name": null, "erased": false}));
    let expected = json!({
        "site": "demo", "thread": "t", "headline": "Headline", "count": 3, "position": "0-1-9",
        "comments": [{
            "number": 1, "id": "019a3c5e-7d00-7000-8000-000000000001",
            "author": {"id": "ann", "name": "Ann", "erased": false}, "time": "2023-11-14T22:13:20.123Z",
            "state": "visible", "body": "a *b*",
            "html": "<p>a <em>b</em></p>\n<blockquote class=\"quote removed\"><p><a href=\"#comment-3\">The quoted \
                comment was deleted by its author.</a></p></blockquote>\n",
            "tally": {"up": 7, "down": 16}, "score": "-9 ( +7 / -16 )", "parent": null, "revision": 0,
            "edited": null, "featured": false, "rule": null, "own_vote": null, "own_flag": null,
            "held": null, "flags": null,
            "quotes": [
                {"comment": "019a3c5e-7d00-7000-8000-000000000003", "revision": 1, "start": 2, "end": 4, "at": 6}
            ],
            "own": null, "own_flag_waits": null, "flags_illegal": null,
            "depth": null, "replies": null, "more": null
        }, {
            "number": 2, "id": "019a3c5e-7d00-7000-8000-000000000002",
            "author": {"id": null, "name": null, "erased": false}, "time": "2023-11-14T22:13:20.123Z",
            "state": "removed", "body": null, "html": null,
            "tally": {"up": 0, "down": 0}, "score": "0 ( +0 / -0 )", "parent": null, "revision": 0,
            "edited": null, "featured": false, "rule": "No insults", "own_vote": null, "own_flag": null,
            "held": null, "flags": null, "quotes": [], "own": null, "own_flag_waits": null, "flags_illegal": null,
            "depth": null, "replies": null, "more": null
        }],
        "next": null, "address": null, "category": null, "published": null, "closes_at": null, "mode": "read-only",
        "mode_reason": "Settled", "successor": "t-2", "locale": "ja", "edit_window_secs": 300,
        "text_chars_max": 10000, "order": "oldest", "tree": false
    });
    assert_eq!(value, expected);
    let text = serde_json::to_string(&shape).unwrap();
    assert!(text.starts_with(r#"{"site":"demo","thread":"t","headline":"Headline","count":3,"position":"#));
}

#[test]
fn a_row_of_a_tree_tells_how_deep_it_stands_and_where_its_replies_go_on() {
    let mut reply = page();
    (reply.comments[0].replies, reply.comments[0].more, reply.comments[2].depth) = (7, "cursor".into(), 1);
    let place = ("demo".parse().unwrap(), "t".parse().unwrap());
    let shape = thread((&place.0, &place.1), reply, (&anybody(), Order::Best, true));
    let value = serde_json::to_value(&shape).unwrap();
    assert_eq!((&value["order"], &value["tree"]), (&json!("best"), &json!(true)));
    let row = |at: usize| ["depth", "replies", "more"].map(|field| value["comments"][at][field].clone());
    assert_eq!(row(0), [json!(0), json!(7), json!("cursor")]);
    assert_eq!(row(2), [json!(1), json!(0), json!(null)]);
}

#[test]
fn a_reader_learns_their_own_vote_and_a_moderator_what_is_held() {
    let held = v1::Comment {
        state: v1::CommentState::Held.into(),
        body: "words".into(),
        author: Some(v1::Author { id: "ann".into(), name: "Ann".into(), erased: false }),
        own_vote: v1::Vote::None.into(),
        held: v1::HoldReason::Flags.into(),
        flags: 5,
        flags_illegal: 2,
        quotes: vec![v1::DrawnQuote::default()],
        ..v1::Comment::default()
    };
    let shown = |viewer: &Viewer| serde_json::to_value(comment(held.clone(), viewer, false)).unwrap();
    let reader = shown(&Viewer { id: Some("ben".parse().unwrap()), moderator: false });
    assert_eq!((&reader["state"], &reader["body"]), (&json!("held"), &json!(null)), "whatever the answer held");
    assert_eq!((&reader["own_vote"], &reader["own_flag"]), (&json!("none"), &json!(false)));
    assert_eq!(
        (&reader["author"]["id"], &reader["held"], &reader["flags"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert_eq!((&reader["quotes"], &reader["flags_illegal"]), (&json!([]), &json!(null)));
    assert_eq!((&reader["own"], &reader["own_flag_waits"]), (&json!(false), &json!(false)));
    let moderator = shown(&Viewer { id: None, moderator: true });
    assert_eq!((&moderator["flags_illegal"], &moderator["own"]), (&json!(2), &json!(null)));
    assert_eq!((&moderator["body"], &moderator["held"]), (&json!("words"), &json!("flags")));
    assert_eq!((&moderator["flags"], &moderator["own_vote"]), (&json!(5), &json!(null)));
}

#[test]
fn authors_get_their_own_held_words_and_learn_whether_their_flag_waits() {
    let own = |state: v1::CommentState| v1::Comment {
        state: state.into(),
        body: "words".into(),
        author: Some(v1::Author { id: "ann".into(), name: "Ann".into(), erased: false }),
        held: v1::HoldReason::Flags.into(),
        own: true,
        own_flag: true,
        own_flag_waits: true,
        quotes: vec![v1::DrawnQuote { comment: "c".into(), end: 3, ..v1::DrawnQuote::default() }],
        ..v1::Comment::default()
    };
    let viewer = Viewer { id: Some("ann".parse().unwrap()), moderator: false };
    let shown = |row: v1::Comment, viewer: &Viewer| serde_json::to_value(comment(row, viewer, false)).unwrap();
    let held = shown(own(v1::CommentState::Held), &viewer);
    assert_eq!((&held["state"], &held["body"], &held["own"]), (&json!("held"), &json!("words"), &json!(true)));
    assert_eq!((&held["author"]["id"], &held["quotes"][0]["end"]), (&json!("ann"), &json!(3)));
    assert_eq!((&held["own_flag_waits"], &held["held"]), (&json!(true), &json!(null)));
    let removed = shown(own(v1::CommentState::Removed), &viewer);
    assert_eq!((&removed["body"], &removed["quotes"]), (&json!(null), &json!([])), "whatever the answer held");
    let anybody = shown(own(v1::CommentState::Held), &anybody());
    assert_eq!((&anybody["body"], &anybody["own"]), (&json!(null), &json!(null)));
}

#[test]
fn of_an_erased_comment_a_moderator_learns_who_wrote_it_and_nobody_what_it_said() {
    let former = v1::Author { id: "former-x".into(), name: String::new(), erased: true };
    let erased = v1::Comment {
        state: v1::CommentState::Erased.into(),
        author: Some(former),
        body: "words".into(),
        quotes: vec![v1::DrawnQuote::default()],
        tally: Some(v1::Tally { up: 2, down: 1 }),
        ..v1::Comment::default()
    };
    let shown = |viewer: &Viewer| serde_json::to_value(comment(erased.clone(), viewer, false)).unwrap();
    let (anybody, moderator) = (shown(&anybody()), shown(&Viewer { id: None, moderator: true }));
    for row in [&anybody, &moderator] {
        assert_eq!((&row["state"], &row["score"]), (&json!("erased"), &json!("1 ( +2 / -1 )")));
        assert_eq!((&row["body"], &row["html"], &row["quotes"]), (&json!(null), &json!(null), &json!([])));
    }
    assert_eq!(anybody["author"], json!({"id": null, "name": null, "erased": false}));
    assert_eq!(moderator["author"], json!({"id": "former-x", "name": null, "erased": true}));
}

#[test]
fn a_quote_can_be_sent_again_as_it_came() {
    let quote = v1::DrawnQuote { comment: "c".into(), revision: 1, start: 2, end: 5, at: 3, ..Default::default() };
    let edit = json!({"revision": 0, "text": "a", "quotes": [Quote::from(quote)]});
    assert!(serde_json::from_value::<crate::api::commands::comments::EditComment>(edit).is_ok());
}

#[test]
fn what_came_of_a_command_has_a_word() {
    let reply = v1::CommandReply {
        id: "i".into(),
        position: "0-1-9".into(),
        outcome: v1::Outcome::Void.into(),
        code: "own-comment".into(),
        ..v1::CommandReply::default()
    };
    let value = serde_json::to_value(Command::from(reply)).unwrap();
    assert_eq!(
        value,
        json!({"id": "i", "position": "0-1-9", "outcome": "void", "code": "own-comment", "state": null, "tally": null,
            "own_vote": null})
    );
    let waited = v1::CommandReply {
        state: v1::CommentState::Held.into(),
        tally: Some(v1::Tally { up: 1, down: 0 }),
        vote: v1::Vote::Up.into(),
        ..v1::CommandReply::default()
    };
    let value = serde_json::to_value(Command::from(waited)).unwrap();
    assert_eq!(
        (&value["state"], &value["own_vote"], &value["tally"]["up"]),
        (&json!("held"), &json!("up"), &json!(1))
    );
    let unknown = status(CommandId::from_u128(1), v1::CommandStatusReply::default());
    let value = serde_json::to_value(unknown).unwrap();
    assert_eq!((&value["outcome"], &value["position"]), (&json!("unknown"), &json!(null)));
}
