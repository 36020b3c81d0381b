//! What the page shows readers of themselves: their own comments, flags and bans.

use super::states::{article, now, page, with};
use super::*;

/// A comment of the reader, so many minutes old.
fn own(minutes: i64, change: impl FnOnce(&mut v1::Comment)) -> v1::ThreadPageReply {
    with(8, |comment| {
        comment.author = Some(author(2));
        comment.own = true;
        comment.time = Some(time_out(Timestamp(now().as_millisecond() - minutes * 60_000)));
        change(comment);
    })
}

fn seen(reply: v1::ThreadPageReply, number: u32) -> String {
    article(&page(reply, Some(&session(&[])), false), number)
}

#[test]
fn ones_own_comment_is_edited_within_the_window_and_deleted_whenever() {
    let fresh = seen(own(4, |_| {}), 8);
    assert!(fresh.contains("/edit\"") && fresh.contains("/deletion\"") && !fresh.contains("/flag\""), "{fresh}");
    let old = seen(own(6, |_| {}), 8);
    assert!(!old.contains("/edit\"") && old.contains("/deletion\""));
    let of_another = own(4, |comment| comment.own = false);
    let of_another = seen(of_another, 8);
    assert!(
        !of_another.contains("/edit\"") && !of_another.contains("/deletion\""),
        "the projector says whose it is"
    );
}

#[test]
fn an_edit_sends_every_quote_again_whatever_became_of_what_it_quotes() {
    let place = v1::DrawnQuote { comment: id(99), revision: 2, start: 4, end: 21, at: 3, ..quote(7) };
    let sent = |quotes: Vec<v1::DrawnQuote>| seen(own(4, |comment| comment.quotes = quotes), 8);
    let kept = "{&#34;comment&#34;:&#34;019a3c5e-7d00-7000-8000-000000000099&#34;,&#34;revision&#34;:2,\
                &#34;start&#34;:4,&#34;end&#34;:21,&#34;at&#34;:3}";
    assert!(sent(vec![place.clone()]).contains(kept));
    for state in [v1::CommentState::Removed, v1::CommentState::Deleted, v1::CommentState::Held] {
        let gone = v1::DrawnQuote { state: state.into(), author: None, body: String::new(), ..place.clone() };
        let form = sent(vec![gone, place.clone()]);
        assert_eq!(form.matches(kept).count(), 2, "{form}");
    }
}

#[test]
fn authors_read_edit_and_delete_what_they_said_while_it_waits() {
    let held = |comment: &mut v1::Comment| {
        comment.state = v1::CommentState::Held.into();
        comment.body = "my words".into();
    };
    let drawn = seen(own(4, held), 8);
    assert!(drawn.contains("This comment waits for a moderator.") && drawn.contains("my words"), "{drawn}");
    assert!(drawn.contains("/edit\"") && drawn.contains("/deletion\""), "{drawn}");
    for form in ["/vote\"", "/flag\"", "?reply=", "?quote="] {
        assert!(!drawn.contains(form), "{form}");
    }
    let nobody = page(own(4, held), None, false);
    assert!(!nobody.contains("my words"), "whatever the answer held");
    for state in [v1::CommentState::Removed, v1::CommentState::Deleted] {
        let gone = seen(own(4, |comment| comment.state = state.into()), 8);
        assert!(!gone.contains("<form") && !gone.contains("class=\"text\""), "{gone}");
    }
}

#[test]
fn a_flag_can_be_made_once_and_taken_back_while_it_waits() {
    let flagged = |waits, state: v1::CommentState| {
        let change = |comment: &mut v1::Comment| {
            (comment.own_flag, comment.own_flag_waits) = (true, waits);
            comment.state = state.into();
        };
        seen(with(1, change), 1)
    };
    let waits = flagged(true, v1::CommentState::Visible);
    assert!(waits.contains("/withdrawal\"") && !waits.contains("/flag\""));
    let held = flagged(true, v1::CommentState::Held);
    assert!(held.contains("/withdrawal\""), "also where the flag made it wait: {held}");
    let decided = flagged(false, v1::CommentState::Visible);
    assert!(!decided.contains("/withdrawal\"") && !decided.contains("/flag\""), "{decided}");
    let other = seen(reply(now()), 3);
    assert!(other.contains("/flag\"") && other.contains("<option value=\"illegal\">"));
    let nobody = with(1, |comment| comment.own_flag_waits = true);
    assert!(!page(nobody, None, false).contains("/withdrawal\""), "whatever the answer held");
}

#[test]
fn whoever_is_banned_reads_why_and_until_when_and_may_only_take_back() {
    let banned = |until: Option<i64>| {
        let until = until.map(|millis| time_out(Timestamp(now().as_millisecond() + millis)));
        let ban = v1::Ban { until, reason: "insults <b>".into() };
        let flagged = |comment: &mut v1::Comment| (comment.own_flag, comment.own_flag_waits) = (true, true);
        v1::ThreadPageReply { viewer_ban: Some(ban), ..with(1, flagged) }
    };
    let drawn = |reply: v1::ThreadPageReply| page(reply, Some(&session(&[])), false);
    let soon = drawn(banned(Some(3_600_000)));
    assert!(
        soon.contains("You may not take part here until <time datetime=\"2026-11-23T06:18:00.000Z\">Today 03:18 pm JST</time>. Insults &#60;b&#62;."),
        "{soon}"
    );
    let good = drawn(banned(None));
    assert!(good.contains("You may not take part here any more. Insults &#60;b&#62;."), "{good}");
    for page in [soon, good] {
        for form in
            ["/vote\"", "/flag\"", "/edit\"", "?reply=", "?quote=", "id=\"text\"", "Leave a comment", "Login to"]
        {
            assert!(!page.contains(form), "{form}");
        }
        assert!(page.contains("/deletion\"") && page.contains("/withdrawal\""), "one's own is taken back");
    }
    let over = drawn(banned(Some(0)));
    assert!(over.contains("id=\"text\"") && over.contains("/vote\"") && !over.contains("You may not take part"));
}
