//! What readers see, in single telling cases: quotes, pages that end early, times, the thousands that wait.

use domain::Role;
use domain::event::Timestamp;
use views::{Drawn, OwnItem};

use crate::histories::{edited, held, posted, quote};
use crate::model::{Quoted, What, history};
use crate::{anybody, fold, moderator, next_number, open, page, site, store_of};

const WHOLE: (u32, usize) = (50, usize::MAX);

#[test]
fn a_quote_is_drawn_from_the_comment_as_it_is_now() {
    let quoting = |comment| {
        let quote = Some(Quoted { comment, revision: 0, end: 4 });
        What::Post { parent: None, quote, held: None }
    };
    let remove = What::Remove(0).by_role(Role::Moderator);
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let log = history(&[What::open(0), What::post().by(1), quoting(0).by(2), quoting(1).by(3), remove]);
    fold(&store, &log[..5], 16);
    let rows = page(&store, &anybody(), 0, WHOLE).comments;
    let drawn = &rows[2].said.as_ref().unwrap().quotes[0];
    let said = drawn.said.as_ref().unwrap();
    assert_eq!((said.author.id.as_str(), said.body.as_str(), drawn.number), ("reader-2", "word", 2));
    assert_eq!(said.quotes[0].said.as_ref().unwrap().author.id, "reader-1", "a quote inside the quote");
    fold(&store, &log, 16);
    let rows = page(&store, &anybody(), 0, WHOLE).comments;
    let quotes = |row: usize| &rows[row].said.as_ref().unwrap().quotes;
    assert!(rows[0].said.is_none());
    assert!(quotes(1)[0].said.is_none(), "the quote of a removed comment holds no words");
    assert!(quotes(2)[0].said.as_ref().unwrap().quotes[0].said.is_none());
}

#[test]
fn a_quote_of_an_earlier_revision_shows_what_was_quoted() {
    let mut log = history(&[What::open(0)]);
    log.push(posted(3, 1, "Berlin is", Vec::new()));
    log.push(posted(4, 2, "Is it?", vec![quote(3, 0, 6)]));
    log.push(edited(5, 3, 3, 1, "Potsdam is"));
    log.push(posted(6, 4, "It is.", vec![quote(3, 1, 7)]));
    let (_dir, store) = store_of(&log);
    let page = page(&store, &anybody(), 0, WHOLE);
    let edited = &page.comments[0];
    assert_eq!((edited.said.as_ref().unwrap().body.as_str(), edited.revision), ("Potsdam is", 1));
    assert!(edited.edited.is_some());
    let drawn = |row: usize| {
        let drawn = &page.comments[row].said.as_ref().unwrap().quotes[0];
        (drawn.said.as_ref().unwrap().body.as_str(), drawn.revision, drawn.edited_since)
    };
    assert_eq!(drawn(1), ("Berlin", 0, true));
    assert_eq!(drawn(2), ("Potsdam", 1, false));
    let place = crate::model::place(Some(0));
    let history = store.view().history(&place, edited.id).unwrap().unwrap();
    let revisions: Vec<&str> = history.revisions.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(revisions, ["Berlin is", "Potsdam is"], "an edit keeps its revisions");
}

#[test]
fn what_quotes_of_quotes_draw_is_bounded_and_a_page_ends_early() {
    let mut log = history(&[What::open(0)]);
    let longest = "声".repeat(10_000);
    let twenty = |quoted| vec![quote(quoted, 0, 10_000); 20];
    log.push(posted(3, 1, &longest, Vec::new()));
    log.push(posted(4, 1, &longest, twenty(3)));
    log.push(posted(5, 1, &longest, twenty(4)));
    log.push(posted(6, 1, &longest, twenty(5)));
    let (_dir, store) = store_of(&log);
    let bytes_of = |drawn: &[Drawn]| -> usize {
        let mut waiting: Vec<&Drawn> = drawn.iter().collect();
        let mut bytes = 0;
        while let Some(quote) = waiting.pop() {
            if let Some(said) = &quote.said {
                bytes += said.body.len();
                waiting.extend(&said.quotes);
            }
        }
        bytes
    };
    let whole = page(&store, &anybody(), 0, WHOLE);
    assert_eq!((whole.comments.len(), next_number(&whole)), (4, None));
    let said = whole.comments[3].said.as_ref().unwrap();
    assert_eq!(said.body, longest, "one's own words are never cut");
    assert!((30_000..90_000).contains(&bytes_of(&said.quotes)), "{}", bytes_of(&said.quotes));
    assert_eq!(
        said.quotes.len(),
        20,
        "its own quotes are all there, some without words, so that an edit can keep them"
    );
    let short = page(&store, &anybody(), 0, (50, 100_000));
    assert_eq!((short.comments.len(), next_number(&short)), (1, Some(1)));
    let second = page(&store, &anybody(), 1, (50, 1));
    assert_eq!(second.comments[0].number, 2, "a page holds one comment at least");
}

#[test]
fn a_comment_is_no_earlier_than_its_threads_last_event() {
    let mut log = history(&[What::open(0)]);
    let late = 2_000_000_000_000;
    log.push(posted(3, late, "first", Vec::new()));
    log.push(posted(4, late - 5_000, "by a writer whose clock is behind", Vec::new()));
    let (_dir, store) = store_of(&log);
    let page = page(&store, &anybody(), 0, WHOLE);
    assert_eq!(page.comments.len(), 2);
    assert!(page.comments.iter().all(|comment| comment.time == Timestamp(late)));
}

#[test]
fn a_page_of_a_thread_where_thousands_wait_ends_and_goes_on() {
    const HELD: u64 = 4_500;
    let mut log = history(&[What::open(0)]);
    log.push(posted(3, 1, "first", Vec::new()));
    log.extend((4..4 + HELD).map(|sequence| held(sequence, 1)));
    log.push(posted(4 + HELD, 1, "last", Vec::new()));
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    fold(&store, &log, 1_000);
    let (mut rows, mut pages, mut after) = (Vec::new(), 0, 0);
    loop {
        let page = page(&store, &anybody(), after, (50, usize::MAX));
        assert_eq!(page.count, 2);
        rows.extend(page.comments.iter().map(|row| row.number));
        pages += 1;
        let Some(next) = next_number(&page) else { break };
        assert!(next > after, "it goes on");
        after = next;
    }
    assert_eq!((rows, pages), (vec![1, HELD as u32 + 2], 3));
    assert_eq!(page(&store, &moderator(), 0, (50, usize::MAX)).comments.len(), 50, "moderators see them");
    let (mut own, mut parts, mut after) = (0, 0, None);
    loop {
        let (items, next) = store.view().own_data(&site(), &"ann".parse().unwrap(), after.as_ref()).unwrap();
        own += items.iter().filter(|item| matches!(item, OwnItem::Comment { .. })).count();
        parts += 1;
        if next.is_none() {
            break;
        }
        after = next;
    }
    assert_eq!(own, HELD as usize + 2, "and their author gets all of them");
    assert!(parts > 2, "in {parts} parts");
}
