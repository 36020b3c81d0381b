//! What is asked for seldom, against the naive model: the audit, and everything that is kept of one author.

use domain::{CommentId, FlagCategory, SiteId, State, Timestamp, Vote};
use proptest::prelude::*;
use views::{AuditEntry, AuditQuery, OwnCursor, OwnItem, View};

use crate::model::{Naive, READERS, acts, history, place};
use crate::{site, store_of};

/// A line of the audit, from either.
type Line = (u64, Timestamp, String, String, String, Option<CommentId>, [String; 4]);

fn line(entry: AuditEntry) -> Line {
    let AuditEntry { sequence, time, by, kind, thread, comment, author, reason, before, after } = entry;
    (sequence, time, by, kind, thread, comment, [author, reason, before, after])
}

/// The naive lines that are asked for, the latest first.
fn lines(naive: &Naive, asked: impl Fn(&Line) -> bool) -> Vec<Line> {
    let lines = naive.audit.iter().rev().map(|noted| {
        let note = noted.note.clone();
        let words = [note.author, note.reason, note.before, note.after];
        let (by, thread) = (noted.by.clone(), noted.thread.clone());
        (noted.sequence, noted.time, by, noted.kind.to_owned(), thread, noted.comment, words)
    });
    lines.filter(|line| asked(line)).collect()
}

fn query() -> AuditQuery {
    AuditQuery {
        place: place(None),
        comment: None,
        author: None,
        by: None,
        since: None,
        until: None,
        before: None,
        limit: 3,
    }
}

/// Every page of an answer.
fn audit(view: &View<'_>, query: AuditQuery) -> Vec<Line> {
    let (mut lines, mut query) = (Vec::new(), query);
    loop {
        let (entries, next) = view.audit(&query).unwrap();
        assert!(entries.len() <= query.limit);
        lines.extend(entries.into_iter().map(line));
        if next.is_none() {
            return lines;
        }
        query.before = next;
    }
}

/// Something that is kept of an author, from either.
#[derive(Debug, PartialEq)]
enum Own {
    Author(String, usize),
    Comment(String, CommentId, State, Option<CommentId>, Vec<(Timestamp, String)>),
    Vote(String, CommentId, Vote),
    Flag(String, CommentId, FlagCategory, String, Timestamp),
}

fn own(item: OwnItem) -> Own {
    match item {
        OwnItem::Author(author) => Own::Author(author.name, author.names.len()),
        OwnItem::Comment { thread, id, state, parent, revisions } => {
            Own::Comment(thread, id, state, parent, revisions)
        }
        OwnItem::Vote { thread, comment, vote } => Own::Vote(thread, comment, vote),
        OwnItem::Flag { thread, comment, category, words, time } => {
            Own::Flag(thread, comment, category, words, time)
        }
    }
}

fn own_data(view: &View<'_>, site: &SiteId, author: &str) -> Vec<Own> {
    let (mut items, mut after) = (Vec::new(), None::<OwnCursor>);
    loop {
        let (part, next) = view.own_data(site, &author.parse().unwrap(), after.as_ref()).unwrap();
        items.extend(part.into_iter().map(own));
        if next.is_none() {
            return items;
        }
        after = next;
    }
}

fn own_data_of(naive: &Naive, author: &str) -> Vec<Own> {
    let known = naive.authors.get(author);
    let names = known.map_or((String::new(), 0), |known| (known.name.clone(), known.former_names.len()));
    let mut items = vec![Own::Author(names.0, names.1)];
    for (name, thread) in &naive.threads {
        for comment in &thread.comments {
            if comment.author == author {
                let revisions = comment.revisions.iter().map(|revision| (revision.since, revision.text.clone()));
                let (state, parent) = (comment.state, comment.parent);
                items.push(Own::Comment(name.clone(), comment.id, state, parent, revisions.collect()));
            }
            match comment.votes.get(author) {
                None | Some(Vote::None) => {}
                Some(vote) => items.push(Own::Vote(name.clone(), comment.id, *vote)),
            }
            if let Some(flag) = comment.flags.get(author) {
                let (words, time) = (flag.words.clone(), flag.time);
                items.push(Own::Flag(name.clone(), comment.id, flag.category, words, time));
            }
        }
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_audit_is_found_by_all_that_it_is_about(acts in acts(150)) {
        let log = history(&acts);
        let (_dir, store) = store_of(&log);
        let naive = Naive::of(&log);
        let view = store.view();
        prop_assert_eq!(audit(&view, query()), lines(&naive, |_| true), "of the site");
        let middle = naive.audit.get(naive.audit.len() / 2).map_or(Timestamp(0), |noted| noted.time);
        let (since, until) = (Timestamp(middle.0 - 20_000), Timestamp(middle.0 + 20_000));
        let asked = AuditQuery { since: Some(since), until: Some(until), ..query() };
        prop_assert_eq!(audit(&view, asked), lines(&naive, |line| since <= line.1 && line.1 < until), "of a time");
        for number in 0..READERS {
            let id = format!("reader-{number}");
            let by = AuditQuery { by: Some(id.parse().unwrap()), ..query() };
            prop_assert_eq!(audit(&view, by.clone()), lines(&naive, |line| line.2 == id), "by {}", &id);
            let author = AuditQuery { author: Some(id.parse().unwrap()), ..query() };
            prop_assert_eq!(audit(&view, author.clone()), lines(&naive, |line| line.6[0] == id), "about {}", &id);
            let both = AuditQuery { by: by.by, place: place(Some(0)), ..author };
            let expected = lines(&naive, |line| line.2 == id && line.6[0] == id && line.4 == "t0");
            prop_assert_eq!(audit(&view, both), expected, "by and about {} in a thread", &id);
        }
        for (name, thread) in &naive.threads {
            let place = domain::Place { thread: Some(name.parse().unwrap()), ..place(None) };
            let of_thread = AuditQuery { place: place.clone(), ..query() };
            prop_assert_eq!(audit(&view, of_thread), lines(&naive, |line| line.4 == *name), "of {}", name);
            for comment in &thread.comments {
                let asked = AuditQuery { place: place.clone(), comment: Some(comment.id), ..query() };
                prop_assert_eq!(audit(&view, asked), lines(&naive, |line| line.5 == Some(comment.id)));
            }
        }
    }

    #[test]
    fn an_authors_data_is_all_that_is_kept_of_them(acts in acts(150)) {
        let log = history(&acts);
        let (_dir, store) = store_of(&log);
        let naive = Naive::of(&log);
        for number in 0..READERS {
            let author = format!("reader-{number}");
            prop_assert_eq!(own_data(&store.view(), &site(), &author), own_data_of(&naive, &author));
        }
    }
}
