//! The page in other orders and as a tree: its links lead on and back in the same one.

use super::states::{article, now};
use super::*;

fn drawn_by(way: &Way, session: Option<&Session>, reply: v1::ThreadPageReply) -> String {
    let (site, thread) = ("demo".parse().unwrap(), "memorial-service".parse().unwrap());
    let draft = Draft::default();
    let asked =
        Asked { site: &site, thread: &thread, way, session, moderate: false, draft, notice: None, now: now() };
    ThreadPage::new(asked, reply).render().unwrap()
}

/// A cursor as long as they may be.
fn long() -> String {
    "A".repeat(24 * 1024)
}

#[test]
fn every_order_is_a_link_and_the_one_that_is_read_is_marked() {
    let page = drawn_by(&Way::of("best", "").unwrap(), None, reply(now()));
    let (_, nav) = page.split_once("<nav class=\"orders\"").unwrap();
    let (nav, _) = nav.split_once("</nav>").unwrap();
    for order in domain::Order::EVERY {
        let asked =
            if order == domain::Order::Oldest { String::new() } else { format!("?order={}", order.as_str()) };
        assert!(
            nav.contains(&format!("<a href=\"/sites/demo/threads/memorial-service{asked}#comments\"")),
            "{nav}"
        );
    }
    assert_eq!(nav.matches("aria-current").count(), 1);
    assert!(nav.contains("aria-current=\"true\">Best</a>"), "{nav}");
    assert!(nav.contains("order=best&#38;tree=1#comments\">Show replies below comments"), "{nav}");
}

#[test]
fn a_page_goes_on_in_its_order_and_its_cursor_stands_in_no_form() {
    let way = Way::of("hot", "").unwrap().after(&long());
    let reply = v1::ThreadPageReply { next: "next-cursor".into(), ..reply(now()) };
    let page = drawn_by(&way, Some(&session(&[Role::Moderator])), reply);
    assert!(page.contains("?order=hot&#38;after=next-cursor#comments\" rel=\"next\""));
    assert!(!page.contains(&long()), "forms and links lead back around their comment");
    assert!(page.matches("name=\"order\" value=\"hot\"").count() > 22);
    let answered = article(&page, 3);
    let around = format!("?order=hot&#38;around={}&#38;reply=3#post", id(3));
    assert!(answered.contains(&around), "{answered}");
    assert!(page.len() < 400_000, "{}", page.len());
}

#[test]
fn a_comment_has_a_link_of_its_own() {
    let page = drawn_by(&Way::default(), None, reply(now()));
    let link =
        format!("<a class=\"time\" href=\"/sites/demo/threads/memorial-service?around={}#comment-3\">", id(3));
    assert!(article(&page, 3).contains(&link));
    let page = drawn_by(&Way::default().around(&id(3)), Some(&session(&[])), reply(now()));
    assert!(page.contains("name=\"around\" value=\"1\"") && page.contains("Back to the first comments"));
}

#[test]
fn a_tree_steps_in_and_leads_to_the_replies_that_are_not_here() {
    let mut tree = reply(now());
    tree.comments[1] = v1::Comment { depth: 1, parent: id(1), ..tree.comments[1].clone() };
    tree.comments[0] = v1::Comment { replies: 4, more: "more-cursor".into(), ..tree.comments[0].clone() };
    tree.comments[13] =
        v1::Comment { replies: 1, more: "gone-cursor".into(), depth: 30, ..tree.comments[13].clone() };
    let page = drawn_by(&Way::of("top", "1").unwrap(), None, tree);
    assert!(article(&page, 2).contains("class=\"comment level-1\""));
    let first = article(&page, 1);
    assert!(first.contains("?order=top&#38;tree=1&#38;after=more-cursor#comments\">3 more replies"), "{first}");
    let removed = article(&page, 14);
    assert!(removed.contains("level-6") && removed.contains(">1 more reply<"), "a removed one holds its replies");
    assert!(page.contains("Show one after another"));
}
