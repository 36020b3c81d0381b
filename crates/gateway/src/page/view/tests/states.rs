//! What the page shows of comments and threads that are not plainly open.

use super::*;
use crate::page::view::queue::{Queue, QueuePage};

const NOW: &str = "2026-11-23T05:18:00Z";

pub(super) fn now() -> jiff::Timestamp {
    NOW.parse().unwrap()
}

pub(super) fn page(reply: v1::ThreadPageReply, session: Option<&Session>, moderate: bool) -> String {
    let (site, thread) = ("demo".parse().unwrap(), "memorial-service".parse().unwrap());
    let asked = Asked {
        site: &site,
        thread: &thread,
        way: &Way::default(),
        session,
        moderate,
        draft: Draft::default(),
        notice: None,
        now: now(),
    };
    ThreadPage::new(asked, reply).render().unwrap()
}

/// The model page with one comment otherwise.
pub(super) fn with(number: usize, change: impl FnOnce(&mut v1::Comment)) -> v1::ThreadPageReply {
    let mut reply = reply(now());
    change(&mut reply.comments[number - 1]);
    reply
}

/// The part of the page that is about one comment.
pub(super) fn article(page: &str, number: u32) -> String {
    let (_, rest) = page.split_once(&format!("<article id=\"comment-{number}\"")).unwrap();
    rest.split_once("</article>").unwrap().0.to_owned()
}

#[test]
fn a_comment_that_cannot_be_read_says_why_in_its_place() {
    let gone = |state: v1::CommentState| {
        with(3, |comment| {
            comment.state = state.into();
            (comment.author, comment.body) = (None, String::new());
            comment.rule = if state == v1::CommentState::Removed { "No <b>".into() } else { String::new() };
        })
    };
    let told = |state, words| {
        let article = article(&page(gone(state), Some(&session(&[])), false), 3);
        assert!(article.contains(words), "{article}");
        assert!(!article.contains("<form"), "nothing can be done with it: {article}");
    };
    told(v1::CommentState::Removed, "removed by a moderator. Rule: No &#60;b&#62;");
    told(v1::CommentState::Deleted, "This comment was deleted by its author.");
    told(v1::CommentState::Erased, "This comment was erased.");
    told(v1::CommentState::Held, "This comment waits for a moderator.");
    let desk = article(&page(gone(v1::CommentState::Removed), Some(&session(&[Role::Moderator])), false), 3);
    assert!(desk.contains("/restoration\"") && !desk.contains("/removal\""));
}

#[test]
fn what_only_moderators_see_is_never_drawn_for_readers() {
    let held = || {
        with(3, |comment| {
            comment.state = v1::CommentState::Held.into();
            comment.held = v1::HoldReason::Word.into();
            comment.body = "held words".into();
            comment.flags = 2;
        })
    };
    let reader = page(held(), Some(&session(&[])), false);
    assert!(!reader.contains("held words") && !reader.contains("out of the list"), "whatever the answer held");
    let desk = article(&page(held(), Some(&session(&[Role::Moderator])), true), 3);
    assert!(desk.contains("held words") && desk.contains("It holds a word out of the list."));
    assert!(desk.contains("/approval\"") && desk.contains("Decide on the flags (2)"));
    assert!(!desk.contains("/vote\"") && !desk.contains("/hold\""));
}

#[test]
fn an_erased_comment_has_no_words_for_moderators_and_its_flags_can_be_decided_on() {
    let erased = with(3, |comment| {
        comment.state = v1::CommentState::Erased.into();
        comment.body = "erased words".into();
        comment.flags = 1;
        comment.author.as_mut().unwrap().erased = true;
    });
    let desk = article(&page(erased, Some(&session(&[Role::Moderator])), true), 3);
    assert!(desk.contains("This comment was erased.") && desk.contains("A former reader"), "{desk}");
    assert!(!desk.contains("erased words") && !desk.contains("<blockquote"), "whatever the answer held");
    assert!(desk.contains("/resolution\""));
    for nothing in ["/removal\"", "/restoration\"", "/hold\"", "/approval\"", "/feature\""] {
        assert!(!desk.contains(nothing), "{nothing}");
    }
}

#[test]
fn a_moderator_removes_all_of_an_author_or_voids_their_votes_but_not_of_one_who_was_erased() {
    let moderator = session(&[Role::Moderator]);
    let drawn = |change: fn(&mut v1::Comment)| article(&page(with(3, change), Some(&moderator), false), 3);
    let known = drawn(|_| ());
    for form in ["/removals\"", "/void-votes\""] {
        let (_, form) = known.split_once(form).unwrap();
        assert!(form.split_once("</form>").unwrap().0.contains("name=\"author\" value=\"author-3\""), "{form}");
    }
    let former = drawn(|comment| comment.author.as_mut().unwrap().erased = true);
    let reader = article(&page(with(3, |_| ()), Some(&session(&[])), false), 3);
    let removed = drawn(|comment| (comment.state, comment.author) = (v1::CommentState::Removed.into(), None));
    for (who, page) in [("of a former reader", former), ("by a reader", reader), ("of one unnamed", removed)] {
        assert!(!page.contains("/removals\"") && !page.contains("/void-votes\""), "{who}");
    }
}

#[test]
fn who_was_erased_is_called_a_former_reader() {
    let former = with(3, |comment| comment.author.as_mut().unwrap().erased = true);
    let article = article(&page(former, None, false), 3);
    assert!(article.contains("A former reader"), "{article}");
}

#[test]
fn a_moderator_of_a_thread_states_reasons_where_a_flag_says_that_it_is_illegal() {
    let flagged = |illegal| with(3, |comment| (comment.flags, comment.flags_illegal) = (2, illegal));
    let drawn = |illegal| article(&page(flagged(illegal), Some(&session(&[Role::Moderator])), true), 3);
    let (needed, free) = (drawn(1), drawn(0));
    assert!(needed.contains("name=\"statement\" rows=\"3\" required>"), "{needed}");
    assert!(needed.contains("Statement of reasons, needed: a flag says that it is illegal"));
    assert!(
        free.contains("name=\"statement\" rows=\"3\">") && free.contains("Statement of reasons; may be empty")
    );
}

#[test]
fn edited_and_featured_comments_are_marked_and_ones_own_vote_is_pressed() {
    let marked = with(1, |comment| {
        comment.edited = Some(time_out(Timestamp(now().as_millisecond())));
        comment.featured = true;
        comment.own_vote = v1::Vote::Down.into();
    });
    let page = page(marked, Some(&session(&[])), false);
    let first = article(&page, 1);
    assert!(first.contains("edited <time datetime=\"2026-11-23T05:18:00.000Z\">Today 02:18 pm JST</time>"));
    assert!(first.contains(">Featured</span>") && first.contains("value=\"down\" aria-pressed=\"true\""));
    assert!(first.contains("value=\"up\" aria-pressed=\"false\"") && first.contains("Take back"));
    assert!(!article(&page, 2).contains("Take back"), "there is nothing to take back");
}

#[test]
fn a_thread_that_takes_nothing_shows_why_and_no_form() {
    let in_mode = |mode: v1::Mode| v1::ThreadPageReply {
        mode: mode.into(),
        mode_reason: "<settled>".into(),
        ..reply(now())
    };
    let reader = session(&[]);
    let read_only = v1::ThreadPageReply { successor: "part-2".into(), ..in_mode(v1::Mode::ReadOnly) };
    let past = Some(time_out(Timestamp(now().as_millisecond())));
    let closed = v1::ThreadPageReply { closes_at: past, ..reply(now()) };
    let frozen = v1::ThreadPageReply { frozen: true, ..reply(now()) };
    let drawn = page(read_only.clone(), Some(&reader), false);
    assert!(drawn.contains("read only. &#60;settled&#62;. It goes on in <a href=\"/sites/demo/threads/part-2\">"));
    for refusing in [read_only, closed, frozen] {
        for session in [Some(&reader), None] {
            let drawn = page(refusing.clone(), session, false);
            for form in ["/vote\"", "?reply=", "/edit\"", "id=\"text\"", "Leave a comment", "Login to comment"] {
                assert!(!drawn.contains(form), "{form}");
            }
        }
    }
    let hidden = v1::ThreadPageReply { comments: vec![], ..in_mode(v1::Mode::Hidden) };
    let drawn = page(hidden, Some(&reader), false);
    assert!(drawn.contains("are hidden. &#60;settled&#62;.") && !drawn.contains("Nobody has said anything"));
    let premoderated = page(in_mode(v1::Mode::Premoderated), Some(&reader), false);
    assert!(premoderated.contains("A moderator reads your comment before it is shown."));
    let soon = Some(time_out(Timestamp(now().as_millisecond() + 1)));
    let open = page(v1::ThreadPageReply { closes_at: soon, ..reply(now()) }, Some(&reader), false);
    assert!(open.contains("id=\"text\"") && !open.contains("is closed since"));
}

#[test]
fn the_queue_shows_each_comment_with_its_flags_and_the_forms_that_decide() {
    let waiting = |number, illegal| {
        let mut comment = comment(number, now());
        comment.flags = if illegal > 0 { 2 } else { 0 };
        comment.state = if illegal > 0 { v1::CommentState::Visible } else { v1::CommentState::Held }.into();
        v1::QueueEntry {
            thread: "t".into(),
            comment: Some(comment),
            flags_illegal: illegal,
            flagged: None,
            since: None,
        }
    };
    let reply = v1::QueueReply {
        entries: vec![waiting(2, 1), waiting(3, 0)],
        next: "0.3.t".into(),
        counts: Some(v1::QueueCounts { held: 4, flagged: 5, illegal: 6 }),
        ..v1::QueueReply::default()
    };
    let flag = v1::Flag {
        author: "ann".into(),
        category: v1::FlagCategory::Illegal.into(),
        words: "<script>".into(),
        time: None,
        resolution: None,
    };
    let decided =
        v1::Flag { resolution: Some(v1::FlagResolution::default()), author: "old".into(), ..flag.clone() };
    let settings = v1::SiteSettings { name: Some("Site".into()), ..v1::SiteSettings::default() };
    let flags = vec![vec![flag, decided], vec![]];
    let (kind, after) = (v1::QueueKind::Flagged, "0.1.t".into());
    let queue = Queue { reply, flags, kind, after, settings, notice: None };
    let session = session(&[Role::Moderator]);
    let page = QueuePage::new(&"demo".parse().unwrap(), &session, queue, now()).render().unwrap();
    assert!(page.contains("Flagged by 2 readers, as illegal by 1: the decision needs a statement of reasons."));
    assert!(page.contains("ann") && !page.contains("old,") && !page.contains("<script>"));
    assert!(page.contains("name=\"statement\" rows=\"3\" required"));
    assert_eq!((page.matches("/approval\"").count(), page.matches("/removal\"").count()), (1, 2));
    assert_eq!(
        page.matches("name=\"back\" value=\"queue-flagged\"").count(),
        page.matches("<form").count() - 1,
        "but logout"
    );
    assert!(page.contains("/sites/demo/queue?kind=flagged&#38;after=0.3.t"), "{page}");
    assert!(page.contains("name=\"after\" value=\"0.1.t\""));
    assert!(page.contains("<a href=\"/sites/demo/queue?kind=held\">Held (4)</a>"));
    assert!(page.contains("<span aria-current=\"page\">Flagged (5)</span>"));
    assert!(page.contains("Reported as illegal (6)"));
}
