//! What readers, moderators and writers are told, against the naive model.

use std::collections::BTreeMap;

use domain::event::Timestamp;
use domain::moderation::Ban;
use domain::{CommentId, Hold, Mode, State, Tally, ThreadId, Vote};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use views::{CommentView, Drawn, Step, Store, Verdict, View, Viewer};

use crate::model::{Came, Comment, Naive, READERS, Thread, acts, address, history, place};
use crate::{LOG, after_number, next_number, open, site};

/// How comments that have a row stand, by thread and number.
type Seen = BTreeMap<(String, u32), (State, Tally)>;

/// A row of a page, from either.
#[derive(Debug, PartialEq)]
struct Row {
    number: u32,
    id: CommentId,
    time: Timestamp,
    parent: Option<CommentId>,
    state: State,
    said: Option<Said>,
    rule: String,
    revision: u32,
    edited: Option<Timestamp>,
    featured: bool,
    tally: Tally,
    own_vote: Option<Vote>,
    own: bool,
    /// Whether it waits.
    own_flag: Option<bool>,
    held: Option<Hold>,
    flags: u32,
    flags_illegal: u32,
}

/// Who said what: id, name, words and what they quote.
#[derive(Debug, PartialEq)]
struct Said {
    author: (String, String),
    body: String,
    quotes: Vec<Quoted>,
}

/// What is drawn of a quote, without the quotes inside it.
#[derive(Debug, PartialEq)]
struct Quoted {
    number: u32,
    state: State,
    revision: u32,
    edited_since: bool,
    said: Option<(String, String)>,
}

fn told(view: &CommentView) -> Row {
    let quoted = |drawn: &Drawn| Quoted {
        number: drawn.number,
        state: drawn.state,
        revision: drawn.revision,
        edited_since: drawn.edited_since,
        said: drawn.said.as_ref().map(|said| (said.author.id.clone(), said.body.clone())),
    };
    Row {
        number: view.number,
        id: view.id,
        time: view.time,
        parent: view.parent,
        state: view.state,
        said: view.said.as_ref().map(|said| Said {
            author: (said.author.id.clone(), said.author.name.clone()),
            body: said.body.clone(),
            quotes: said.quotes.iter().map(quoted).collect(),
        }),
        rule: view.rule.clone(),
        revision: view.revision,
        edited: view.edited,
        featured: view.featured,
        tally: view.tally,
        own_vote: view.own_vote,
        own: view.own,
        own_flag: view.own_flag.map(|flag| flag.waits),
        held: view.held,
        flags: view.flags,
        flags_illegal: view.flags_illegal,
    }
}

fn tally(comment: &Comment) -> Tally {
    let (up, down) = comment.counted();
    Tally { up, down }
}

fn expected(naive: &Naive, thread: &Thread, index: usize, viewer: &Viewer) -> Row {
    let comment = &thread.comments[index];
    let name = |id: &str| naive.authors.get(id).map_or_else(String::new, |author| author.name.clone());
    let latest = comment.revisions.last().unwrap();
    let quoted = |quote: &domain::Quote| {
        let at = thread.comments.iter().position(|comment| comment.id == quote.comment).unwrap();
        let source = &thread.comments[at];
        let words = source.revisions[quote.revision as usize].text.chars();
        let words = words.take(quote.end as usize).skip(quote.start as usize).collect();
        Quoted {
            number: at as u32 + 1,
            state: source.state,
            revision: quote.revision,
            edited_since: (quote.revision as usize) + 1 < source.revisions.len(),
            said: (source.state == State::Visible).then(|| (source.author.clone(), words)),
        }
    };
    let id = viewer.id.as_ref().map(ToString::to_string);
    let own = id.as_ref() == Some(&comment.author);
    let is_seen = match comment.state {
        State::Visible => true,
        State::Held => own || viewer.moderator,
        State::Removed | State::Deleted | State::Erased => viewer.moderator,
    };
    Row {
        number: index as u32 + 1,
        id: comment.id,
        time: comment.time,
        parent: comment.parent,
        state: comment.state,
        said: is_seen.then(|| Said {
            author: (comment.author.clone(), name(&comment.author)),
            body: latest.text.clone(),
            quotes: latest.quotes.iter().map(quoted).collect(),
        }),
        rule: comment.rule.clone(),
        revision: comment.revisions.len() as u32 - 1,
        edited: (comment.revisions.len() > 1).then_some(latest.since),
        featured: comment.featured && comment.state == State::Visible,
        tally: tally(comment),
        own_vote: id.as_ref().map(|id| comment.votes.get(id).copied().unwrap_or(Vote::None)),
        own,
        own_flag: id.and_then(|id| comment.flags.get(&id)).map(|flag| flag.decided.is_none()),
        held: comment.held.filter(|_| viewer.moderator && comment.state == State::Held),
        flags: if viewer.moderator { comment.waiting_flags() as u32 } else { 0 },
        flags_illegal: if viewer.moderator { comment.illegal_flags() as u32 } else { 0 },
    }
}

fn viewers() -> [Viewer; 4] {
    let id = |number: u8| Some(format!("reader-{number}").parse().unwrap());
    [
        Viewer::default(),
        Viewer { id: id(1), moderator: false },
        Viewer { id: None, moderator: true },
        Viewer { id: id(2), moderator: true },
    ]
}

/// Of two modes the stricter, and whether it is the site's.
fn stricter(site: Mode, thread: Mode) -> (Mode, bool) {
    let strictness = |mode: Mode| match mode {
        Mode::Open => 0,
        Mode::Premoderated => 1,
        Mode::ReadOnly => 2,
        Mode::Hidden => 3,
    };
    if strictness(site) > strictness(thread) { (site, true) } else { (thread, false) }
}

fn pages_agree(view: &View<'_>, naive: &Naive) -> Result<(), TestCaseError> {
    naive.threads.keys().try_for_each(|name| thread_agrees(view, naive, name))
}

/// Every page of a thread, as everybody sees it.
pub(crate) fn thread_agrees(view: &View<'_>, naive: &Naive, name: &str) -> Result<(), TestCaseError> {
    let Some(thread) = naive.threads.get(name).filter(|thread| thread.opened) else { return Ok(()) };
    let id: ThreadId = name.parse().unwrap();
    let count = thread.comments.iter().filter(|comment| comment.has_row).count();
    let (mode, of_site) = stricter(naive.site.mode.mode, thread.mode.mode);
    for viewer in viewers() {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            // Pages of three neither repeat nor skip.
            let page =
                view.comments(&site(), &id, &viewer, after_number(after), (3, usize::MAX)).unwrap().unwrap();
            prop_assert_eq!(page.count as usize, count);
            prop_assert_eq!(page.frozen, thread.frozen || naive.site.frozen);
            prop_assert_eq!(Some(page.site_name.as_str()), naive.site.settings.name.as_deref());
            prop_assert_eq!(Some(page.edit_window_secs), naive.site.settings.edit_window_secs);
            let article = &page.article;
            prop_assert_eq!((&article.headline, &article.category), (&thread.headline, &thread.category));
            prop_assert_eq!(&article.address, &thread.address);
            prop_assert_eq!((article.published, article.closes_at), (thread.published, thread.closes_at));
            prop_assert_eq!(article.mode, mode);
            let of_thread = &thread.mode;
            let unsaid = naive.site.mode.mode == of_thread.mode && of_thread.reason.is_empty();
            let reason = if of_site || unsaid { &naive.site.mode.reason } else { &thread.mode.reason };
            prop_assert_eq!(page.mode_reason.as_str(), reason.as_ref());
            let successor = thread.mode.successor.as_ref().map_or("", |successor| successor.as_str());
            prop_assert_eq!(page.successor.as_str(), successor);
            let author = viewer.id.as_ref().and_then(|id| naive.authors.get(id.as_str()));
            prop_assert_eq!(page.viewer_ban.clone(), author.and_then(|author| author.ban.clone()));
            rows.extend(page.comments.iter().map(told));
            let Some(next) = next_number(&page) else { break };
            after = next;
        }
        let seen = |comment: &Comment| viewer.moderator || (comment.has_row && mode != Mode::Hidden);
        let numbers = (0..thread.comments.len()).filter(|at| seen(&thread.comments[*at]));
        let expected: Vec<Row> = numbers.map(|at| expected(naive, thread, at, &viewer)).collect();
        prop_assert_eq!(rows, expected, "{} for {:?}", name, &viewer);
    }
    Ok(())
}

fn queue_agrees(view: &View<'_>, naive: &Naive) -> Result<(), TestCaseError> {
    let (mut waiting, mut after) = (Vec::new(), None::<(ThreadId, u32)>);
    loop {
        let from = after.as_ref().map(|(thread, number)| (thread, *number));
        let (part, more) = view.waiting(&site(), from, 2).unwrap();
        for entry in &part {
            let row = told(&entry.comment);
            waiting.push((entry.thread.to_string(), row, entry.flags_illegal as usize, entry.flagged));
        }
        if !more {
            break;
        }
        after = part.last().map(|last| (last.thread.clone(), last.comment.number));
    }
    let viewer = Viewer { id: None, moderator: true };
    let mut expect = Vec::new();
    for (name, thread) in &naive.threads {
        for (at, comment) in thread.comments.iter().enumerate().filter(|(_, comment)| comment.waits()) {
            let row = expected(naive, thread, at, &viewer);
            expect.push((name.clone(), row, comment.illegal_flags(), comment.flagged));
        }
    }
    prop_assert_eq!(waiting, expect);
    Ok(())
}

/// Each comment with its revisions and flags, and how it stands for each voter.
fn comments_agree(view: &View<'_>, naive: &Naive) -> Result<(), TestCaseError> {
    for (name, thread) in &naive.threads {
        let place = domain::Place { thread: Some(name.parse().unwrap()), ..place(None) };
        for comment in &thread.comments {
            for voter in 0..READERS {
                let id = format!("reader-{voter}").parse().unwrap();
                let standing = view.standing(&place, comment.id, Some(&id)).unwrap().unwrap();
                let vote = comment.votes.get(id.as_str()).copied().unwrap_or(Vote::None);
                prop_assert_eq!((standing.state, standing.tally), (comment.state, tally(comment)));
                prop_assert_eq!(standing.vote, Some(vote));
            }
            let history = view.history(&place, comment.id).unwrap().unwrap();
            let revisions = comment.revisions.iter().map(|revision| (revision.since, revision.text.clone()));
            prop_assert_eq!(history.revisions, revisions.collect::<Vec<_>>());
            let flags = history.flags.into_iter().map(|flag| {
                let decided = flag.resolution.map(|decided| (decided.upheld, decided.statement, decided.by));
                (flag.author.to_string(), flag.category, flag.words, flag.time, decided)
            });
            let expect = |waits: bool| {
                let flags = comment.flags.iter().filter(move |(_, flag)| flag.decided.is_none() == waits);
                flags.map(|(by, flag)| {
                    (by.clone(), flag.category, flag.words.clone(), flag.time, flag.decided.clone())
                })
            };
            let expect: Vec<_> = expect(true).chain(expect(false)).collect();
            prop_assert_eq!(flags.collect::<Vec<_>>(), expect);
        }
    }
    Ok(())
}

fn site_agrees(view: &View<'_>, naive: &Naive) -> Result<(), TestCaseError> {
    let settings = view.settings(&site(), None).unwrap().unwrap();
    prop_assert_eq!(settings.settings.as_ref(), Some(&naive.site.settings));
    prop_assert_eq!(settings.mode, naive.site.mode.mode);
    prop_assert_eq!(settings.mode_reason.as_str(), naive.site.mode.reason.as_ref());
    let known = view.settings(&site(), Some(settings.version)).unwrap().unwrap();
    prop_assert!(known.settings.is_none(), "what is known is not told again");
    for number in 0..READERS {
        let id = format!("reader-{number}");
        let author = view.author_history(&site(), &id.parse().unwrap(), 50).unwrap();
        let known = naive.authors.get(&id);
        prop_assert_eq!(author.name, known.map_or_else(String::new, |known| known.name.clone()));
        let names: Vec<_> = known.map_or_else(Vec::new, |known| known.former_names.clone());
        prop_assert_eq!(author.names, names.into_iter().rev().take(50).collect::<Vec<_>>());
        let ban: Option<Ban> = known.and_then(|known| known.ban.clone());
        prop_assert_eq!(author.ban, ban);
        let of_all = naive.threads.values().flat_map(|thread| &thread.comments);
        let shown = of_all.filter(|comment| comment.has_row && comment.author == id).count();
        prop_assert_eq!(author.shown as usize, shown);
    }
    for number in 0..4 {
        let address = address(number);
        let found = view.resolve(&site(), &address).unwrap();
        let thread = naive.addresses.get(address.as_ref());
        prop_assert_eq!(found, thread.map(|thread| (thread.clone(), naive.threads[thread].address.clone())));
    }
    let entries =
        view.threads_in(&site(), views::ThreadOrder::Id, ("", 100)).unwrap().unwrap().threads.into_iter();
    let entries: Vec<_> = entries.map(|entry| (entry.thread, entry.article.headline)).collect();
    let opened = naive.threads.iter().filter(|(_, thread)| thread.opened);
    prop_assert_eq!(
        entries,
        opened.map(|(name, thread)| (name.clone(), thread.headline.clone())).collect::<Vec<_>>()
    );
    Ok(())
}

/// What readers see of comments, by thread and number.
fn seen(naive: &Naive) -> Seen {
    let rows = |(name, thread): (&String, &Thread)| -> Vec<_> {
        let rows = thread.comments.iter().zip(1..).filter(|(comment, _)| comment.has_row);
        rows.map(|(comment, number)| ((name.clone(), number), (comment.state, tally(comment)))).collect()
    };
    naive.threads.iter().flat_map(rows).collect()
}

/// A step names what readers see otherwise, as it is now, and nothing that was never shown. A part may come before others
/// that change the same: the last one tells how it is.
fn changes_agree(steps: &[Step], before: &Seen, naive: &Naive) -> Result<(), TestCaseError> {
    let now = seen(naive);
    let mut named = BTreeMap::new();
    for (part, step) in steps.iter().enumerate() {
        for change in &step.changes {
            let thread = change.thread.to_string();
            prop_assert_eq!(change.count as usize, now.keys().filter(|(name, _)| *name == thread).count());
            for comment in &change.comments {
                let (at, row) = ((thread.clone(), comment.number), (comment.state, comment.tally));
                prop_assert!(part > 0 || now.get(&at) == Some(&row), "{:?} is not {:?}", at, row);
                named.insert(at, row);
            }
        }
    }
    for (at, row) in &named {
        prop_assert_eq!(Some(row), now.get(at));
    }
    let otherwise = now.iter().filter(|(at, row)| before.get(at) != Some(row));
    for (at, _) in otherwise {
        prop_assert!(named.contains_key(at), "{:?} is not named", at);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn pages_are_those_of_a_naive_model(acts in acts(200)) {
        let log = history(&acts);
        let dir = tempfile::tempdir().unwrap();
        let store: Store = open(&dir);
        let mut naive = Naive::default();
        for batch in log.chunks(16) {
            let (before, step) = (seen(&naive), store.fold(batch, LOG).unwrap());
            for (outcome, recorded) in step.outcomes.iter().zip(batch) {
                let came = match outcome.verdict {
                    Verdict::Applied => Came::Applied,
                    Verdict::Void(_) => Came::Void,
                    Verdict::Repeated => Came::Repeated,
                    Verdict::Froze => Came::Froze,
                    Verdict::Skipped => Came::Skipped,
                    Verdict::Foreign => Came::Foreign,
                };
                prop_assert_eq!(came, naive.fold(recorded), "{:?}: {:?}", outcome, recorded);
            }
            let mut steps = vec![step];
            steps.extend(crate::carry_out(&store));
            changes_agree(&steps, &before, &naive)?;
        }
        let view = store.view();
        pages_agree(&view, &naive)?;
        queue_agrees(&view, &naive)?;
        comments_agree(&view, &naive)?;
        site_agrees(&view, &naive)?;
    }
}
