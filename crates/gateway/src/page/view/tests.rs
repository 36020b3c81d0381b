//! The page of a thread of the shape that the demonstration has: 22 comments, the fourteenth removed.

use domain::{Actor, Role, Roles, Timestamp};
use wire::values::time_out;

use super::*;
use crate::page::way::Way;

mod orders;
mod own;
mod states;

/// Up and down of the comments that are not removed, oldest first.
const TALLIES: [(u32, u32); 21] = [
    (7, 16),
    (2, 2),
    (7, 13),
    (14, 0),
    (13, 1),
    (18, 6),
    (9, 0),
    (10, 7),
    (16, 1),
    (4, 4),
    (3, 1),
    (7, 2),
    (9, 7),
    (6, 0),
    (5, 3),
    (2, 2),
    (5, 1),
    (3, 1),
    (2, 3),
    (2, 4),
    (0, 0),
];
const NAMES: [&str; 6] = ["Harbour View", "mika", "Old Tram Driver", "K. Lindqvist", "さくら", "Two Cents"];
const WORDS: [&str; 7] = [
    "The service was moved indoors at short notice, and I think that was the right call. My mother is 84 and would \
     not have managed the rain.",
    "Was it, though? The square was dry by noon.\n\nWe stood there with **forty** others and waited for an announcement \
     that never came.",
    "Agreed.",
    "The council's own page says it: https://council.example/notices/2026-11 (second paragraph). Nobody had read it, \
     me included.",
    "Three things would have helped:\n\n- a sign at the tram stop\n- one line on the radio\n- *anybody* at the gate",
    "静かな式でした。雨の音だけが聞こえていました。",
    "I am writing this from the ferry, so forgive the brevity.\nThank you to everybody who came.",
];

fn id(number: u32) -> String {
    format!("019a3c5e-7d00-7000-8000-{number:012}")
}

fn author(number: u32) -> v1::Author {
    let index = usize::try_from(number).unwrap() % NAMES.len();
    v1::Author { id: format!("author-{index}"), name: NAMES[index].into(), erased: false }
}

fn words(number: u32) -> String {
    WORDS[usize::try_from(number).unwrap() % WORDS.len()].to_owned()
}

fn quote(number: u32) -> v1::DrawnQuote {
    v1::DrawnQuote {
        comment: id(number),
        number,
        state: v1::CommentState::Visible.into(),
        author: Some(author(number)),
        body: words(number),
        ..v1::DrawnQuote::default()
    }
}

fn comment(number: u32, now: jiff::Timestamp) -> v1::Comment {
    let minutes_ago = i64::from(22 - number) * 97;
    let removed = number == 14;
    let index = usize::try_from(if number < 14 { number - 1 } else { number.saturating_sub(2) }).unwrap();
    let (up, down) = if removed { (0, 0) } else { TALLIES[index] };
    let quotes = match number {
        5 => vec![quote(1)],
        9 => vec![v1::DrawnQuote { quotes: vec![quote(1)], ..quote(5) }],
        16 => vec![v1::DrawnQuote {
            state: v1::CommentState::Removed.into(),
            author: None,
            body: String::new(),
            ..quote(14)
        }],
        _ => vec![],
    };
    v1::Comment {
        number,
        id: id(number),
        author: (!removed).then(|| author(number)),
        time: Some(time_out(Timestamp(now.as_millisecond() - minutes_ago * 60_000))),
        state: if removed { v1::CommentState::Removed } else { v1::CommentState::Visible }.into(),
        body: if removed { String::new() } else { words(number) },
        quotes,
        tally: Some(v1::Tally { up, down }),
        parent: if number == 7 { id(6) } else { String::new() },
        own: !removed && author(number).id == "author-2",
        ..v1::Comment::default()
    }
}

fn reply(now: jiff::Timestamp) -> v1::ThreadPageReply {
    v1::ThreadPageReply {
        position: "0-1-999".into(),
        site_name: "The Harbour Gazette".into(),
        zone: "Asia/Tokyo".into(),
        headline: "Hundreds gather for memorial service moved indoors by rain".into(),
        address: "https://news.example/memorial-service".into(),
        category: "National".into(),
        count: 22,
        comments: (1..=22).map(|number| comment(number, now)).collect(),
        edit_window_secs: 300,
        text_chars_max: 10_000,
        ..v1::ThreadPageReply::default()
    }
}

fn session(roles: &[Role]) -> Session {
    let roles: Roles = roles.iter().copied().collect();
    Session {
        actor: Actor { id: "author-2".parse().unwrap(), roles },
        name: Some("Old Tram Driver".into()),
        site: "demo".parse().unwrap(),
        expires: 0,
        naming: domain::CommandId::from_u128(1),
    }
}

fn drawn(session: Option<&Session>, draft: Draft, notice: Option<Notice>, after: &str) -> String {
    let now = "2026-11-23T05:18:00Z".parse().unwrap();
    let (site, thread) = ("demo".parse().unwrap(), "memorial-service".parse().unwrap());
    let way = &Way { after: after.into(), ..Way::default() };
    let asked = Asked { site: &site, thread: &thread, way, session, moderate: false, draft, notice, now };
    ThreadPage::new(asked, reply(now)).render().unwrap()
}

#[test]
fn the_model_page_is_drawn() {
    let page = drawn(None, Draft::default(), None, "");
    assert!(page.contains("<h2 id=\"comments\">22 Comments</h2>"));
    assert!(page.contains("<h1><a href=\"https://news.example/memorial-service\">Hundreds gather"));
    assert_eq!(page.matches("<article id=\"comment-").count(), 22);
    assert!(page.contains("-9 ( +7 / -16 )") && page.contains("0 ( +0 / -0 )"));
    assert_eq!(page.matches(" ( +").count(), 21, "a removed comment shows no score");
    assert_eq!(page.matches("This comment was removed by a moderator.").count(), 1);
    assert_eq!(page.matches("The quoted comment was removed by a moderator.").count(), 1);
    assert!(page.contains(">Today 02:18 pm JST</time>"));
    assert!(page.contains(">Login to comment</a>") && page.contains(">Login to leave a comment</a>"));
    assert!(!page.contains("<textarea") && !page.contains("/vote\""), "no forms without a session");
    let inner = page.find("wrote:").and_then(|at| page.get(at..)).unwrap();
    assert!(inner.contains("</a> wrote:</p>\n<blockquote class=\"quote\">"), "a quote stands inside a quote");
}

#[test]
fn a_reader_may_vote_on_the_comments_of_others_only_and_a_moderator_removes() {
    let reader = drawn(Some(&session(&[])), Draft::default(), None, "");
    let own = reader.matches("<span class=\"author\">Old Tram Driver</span>").count();
    assert!(own > 0 && reader.matches("/vote\"").count() == 21 - own);
    assert!(!reader.contains("/removal\""));
    let moderator = drawn(Some(&session(&[Role::Moderator])), Draft::default(), None, "");
    assert_eq!(moderator.matches("/removal\"").count(), 21);
}

#[test]
fn a_refusal_is_told_and_what_was_typed_is_kept() {
    let draft = Draft {
        id: id(99),
        text: "</textarea><script>x</script>".into(),
        parent: id(3),
        quote: Some(QuoteDraft { comment: id(4), revision: 0, start: 0, end: 3 }),
    };
    let notice = Notice::of(&domain::Rejection::ParentRemoved.into());
    let page = drawn(Some(&session(&[])), draft, Some(notice), "cursor&<");
    assert!(
        page.contains("The comment that this replies to was removed.")
            && page.contains("<code>parent-removed</code>")
    );
    assert!(!page.contains("<script>") && page.contains("/textarea"));
    assert!(page.contains(&format!("name=\"parent\" value=\"{}\"", id(3))));
    assert!(page.contains("name=\"quote_end\" value=\"3\""));
    assert!(page.contains("?after=cursor%26%3C"), "the page is kept too");
}

#[test]
fn an_address_that_is_not_of_the_web_is_no_link() {
    let now = "2026-11-23T05:18:00Z".parse().unwrap();
    let (site, thread) = ("demo".parse().unwrap(), "t".parse().unwrap());
    let asked = Asked {
        site: &site,
        thread: &thread,
        way: &Way::default(),
        session: None,
        moderate: false,
        draft: Draft::default(),
        notice: None,
        now,
    };
    let hostile = v1::ThreadPageReply { address: "javascript:alert(1)".into(), ..reply(now) };
    assert!(!ThreadPage::new(asked, hostile).render().unwrap().contains("javascript:"));
}

#[test]
fn counts_are_in_words() {
    assert_eq!([0, 1, 2].map(count_line), ["0 Comments", "1 Comment", "2 Comments"]);
}
