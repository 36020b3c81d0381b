//! What comes in is well formed or refused by the code of what is wrong.

mod undo;

use super::*;

#[test]
fn a_command_survives_the_way_there() {
    let request = v1::PostCommentRequest {
        id: "019a3c5e-7d00-7000-8000-000000000001".into(),
        actor: Some(v1::Actor { id: "ann".into(), roles: vec![v1::Role::Moderator.into()] }),
        wait: true,
        thread: "t".into(),
        parent: String::new(),
        text: " hello\r\nworld ".into(),
        quotes: vec![],
    };
    let asked = request.parse("demo".parse().unwrap()).unwrap();
    let (verb, bytes) = encode(&asked.command, asked.wait);
    assert_eq!(verb, "post-comment");
    let again = v1::PostCommentRequest::decode(bytes.as_slice()).unwrap();
    assert_eq!(again.text, "hello\nworld");
    assert_eq!(again.parse("demo".parse().unwrap()), Ok(asked));
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let parse = |request: v1::CastVoteRequest| request.parse("demo".parse().unwrap()).map(|_| ());
    let whole = v1::CastVoteRequest {
        id: "019a3c5e-7d00-7000-8000-000000000001".into(),
        actor: Some(v1::Actor { id: "ann".into(), roles: vec![] }),
        wait: false,
        thread: "t".into(),
        comment: "019a3c5e-7d00-7000-8000-000000000002".into(),
        vote: v1::Vote::Up.into(),
    };
    assert_eq!(parse(whole.clone()), Ok(()));
    assert_eq!(parse(v1::CastVoteRequest { actor: None, ..whole.clone() }), Err(Rejection::ActorInvalid));
    assert_eq!(parse(v1::CastVoteRequest { vote: 9, ..whole.clone() }), Err(Rejection::VoteInvalid));
    assert_eq!(
        parse(v1::CastVoteRequest { thread: "all".into(), ..whole.clone() }),
        Err(Rejection::ThreadInvalid)
    );
    let stranger = Some(v1::Actor { id: "ann".into(), roles: vec![7] });
    assert_eq!(parse(v1::CastVoteRequest { actor: stranger, ..whole }), Err(Rejection::RoleInvalid));
}

const ID: &str = "019a3c5e-7d00-7000-8000-000000000001";

fn code<R: Request>(request: R) -> Option<Rejection> {
    request.parse("demo".parse().unwrap()).err()
}

fn actor() -> v1::Actor {
    v1::Actor { id: "ann".into(), roles: vec![] }
}

#[test]
fn settings_have_limits_and_set_something() {
    let set = |settings: v1::SiteSettings| {
        let settings = Some(settings);
        code(v1::SetSiteRequest { id: ID.into(), actor: Some(actor()), settings, ..Default::default() })
    };
    let list = |words: Vec<String>| Some(v1::WordList { words });
    let none = v1::SiteSettings::default;
    assert_eq!(set(none()), Some(Rejection::NothingToSet));
    assert_eq!(set(v1::SiteSettings { report_threshold: Some(0), ..none() }), None);
    for beyond in [
        v1::SiteSettings { edit_window_secs: Some(31_536_001), ..none() },
        v1::SiteSettings { text_chars_max: Some(0), ..none() },
        v1::SiteSettings { text_chars_max: Some(10_001), ..none() },
        v1::SiteSettings { report_threshold: Some(10_001), ..none() },
        v1::SiteSettings { premoderate_first: Some(1_001), ..none() },
        v1::SiteSettings { comments_per_minute: Some(6_001), ..none() },
        v1::SiteSettings { votes_per_minute: Some(6_001), ..none() },
    ] {
        assert_eq!(set(beyond.clone()), Some(Rejection::SettingInvalid), "{beyond:?}");
    }
    assert_eq!(set(v1::SiteSettings { locale: Some("de_CH".into()), ..none() }), Some(Rejection::LocaleInvalid));
    assert_eq!(set(v1::SiteSettings { locale: Some("zh-Hant-TW".into()), ..none() }), None);
    assert_eq!(set(v1::SiteSettings { name: Some(" ".into()), ..none() }), Some(Rejection::NameInvalid));
    let words = |words: Vec<String>| set(v1::SiteSettings { premoderate_words: list(words), ..none() });
    assert_eq!(words(vec![]), None, "an empty list is a list");
    assert_eq!(words(vec!["x".into(); 10_000]), None);
    assert_eq!(words(vec!["x".into(); 10_001]), Some(Rejection::WordsInvalid));
    assert_eq!(words(vec!["x".repeat(65)]), Some(Rejection::WordsInvalid));
    assert_eq!(words(vec!["\u{58f0}".repeat(64); 700]), Some(Rejection::WordsInvalid), "too many bytes");
    assert_eq!(words(vec![" ".into()]), Some(Rejection::WordsInvalid));
}

#[test]
fn a_mode_is_known_and_a_successor_is_another_thread_of_a_thread_that_is_read_only() {
    let set = |thread: &str, mode: v1::Mode, successor: &str| {
        code(v1::SetThreadModeRequest {
            id: ID.into(),
            actor: Some(actor()),
            thread: thread.into(),
            mode: mode.into(),
            successor: successor.into(),
            ..Default::default()
        })
    };
    assert_eq!(set("t", v1::Mode::ReadOnly, "u"), None);
    assert_eq!(set("", v1::Mode::Hidden, ""), None, "a whole site");
    assert_eq!(set("t", v1::Mode::Unspecified, ""), Some(Rejection::ModeInvalid));
    assert_eq!(set("t", v1::Mode::Hidden, "u"), Some(Rejection::SuccessorInvalid));
    assert_eq!(set("t", v1::Mode::ReadOnly, "t"), Some(Rejection::SuccessorInvalid));
    assert_eq!(set("", v1::Mode::ReadOnly, "u"), Some(Rejection::SuccessorInvalid));
    assert_eq!(set("t", v1::Mode::ReadOnly, "a.b"), Some(Rejection::ThreadInvalid));
}

#[test]
fn a_thread_is_updated_with_times_that_exclude_nothing() {
    let time = |seconds| Some(crate::time::Timestamp { seconds, nanos: 0 });
    let update = |request: v1::UpdateThreadRequest| {
        code(v1::UpdateThreadRequest { id: ID.into(), actor: Some(actor()), thread: "t".into(), ..request })
    };
    let nothing = v1::UpdateThreadRequest::default;
    assert_eq!(update(nothing()), Some(Rejection::NothingToSet));
    assert_eq!(
        update(v1::UpdateThreadRequest { closes_at: time(i64::MAX), ..nothing() }),
        Some(Rejection::TimeInvalid)
    );
    let both = v1::UpdateThreadRequest { closes_at: time(1), closes_never: true, ..nothing() };
    assert_eq!(update(both), Some(Rejection::TimeInvalid));
    assert_eq!(update(v1::UpdateThreadRequest { closes_never: true, ..nothing() }), None);
    let headline = v1::UpdateThreadRequest { headline: Some("x".repeat(301)), ..nothing() };
    assert_eq!(update(headline), Some(Rejection::HeadlineInvalid));
    let category = v1::UpdateThreadRequest { category: Some("x".repeat(101)), ..nothing() };
    assert_eq!(update(category), Some(Rejection::CategoryInvalid));
    let moved =
        v1::MoveThreadRequest { id: ID.into(), actor: Some(actor()), thread: "t".into(), ..Default::default() };
    assert_eq!(code(moved), Some(Rejection::AddressInvalid), "an article moves somewhere");
}

#[test]
fn flags_removals_and_resolutions_have_words_with_an_end() {
    let flag = |category: v1::FlagCategory, words: &str| {
        code(v1::FlagCommentRequest {
            id: ID.into(),
            actor: Some(actor()),
            thread: "t".into(),
            comment: ID.into(),
            category: category.into(),
            words: words.into(),
            ..Default::default()
        })
    };
    assert_eq!(flag(v1::FlagCategory::Spam, ""), None);
    assert_eq!(flag(v1::FlagCategory::Illegal, "Two\nlines"), None);
    assert_eq!(flag(v1::FlagCategory::Unspecified, ""), Some(Rejection::FlagCategoryInvalid));
    assert_eq!(flag(v1::FlagCategory::Illegal, " "), Some(Rejection::FlagWordsInvalid));
    assert_eq!(flag(v1::FlagCategory::Spam, &"x".repeat(1_001)), Some(Rejection::FlagWordsInvalid));
    let resolve = |statement: String| {
        let (id, thread, comment) = (ID.into(), "t".into(), ID.into());
        code(v1::ResolveFlagsRequest {
            id,
            actor: Some(actor()),
            thread,
            comment,
            statement,
            ..Default::default()
        })
    };
    assert_eq!(resolve(String::new()), None);
    assert_eq!(resolve("x".repeat(4_001)), Some(Rejection::StatementInvalid));
    let remove = |reason: &str, rule: String| {
        let (id, thread, comment, reason) = (ID.into(), "t".into(), ID.into(), reason.into());
        code(v1::RemoveCommentRequest {
            id,
            actor: Some(actor()),
            thread,
            comment,
            reason,
            rule,
            ..Default::default()
        })
    };
    assert_eq!(remove("r", String::new()), None);
    assert_eq!(remove("", String::new()), Some(Rejection::ReasonInvalid));
    assert_eq!(remove("r", "x".repeat(101)), Some(Rejection::RuleInvalid));
}
