//! Moderation and places, in single telling cases.

use domain::settings::{Closing, SettingsPatch, ThreadPatch};
use domain::{Ban, CommentId, Event, FlagCategory, Hold, Mode, Recorded, Rejection, Role, State, Timestamp};
use views::{CommentHistory, Store, Verdict};

use crate::histories::{by_ann, by_somebody, edited, posted};
use crate::model::{Act, What, address, history, place};
use crate::{LOG, anybody, moderator, open, page, site, store_of};

const WHOLE: (u32, usize) = (50, usize::MAX);

fn threshold(readers: u32) -> Act {
    let patch = SettingsPatch { report_threshold: Some(readers), ..SettingsPatch::default() };
    What::SetSite(Box::new(patch)).by_role(Role::Administrator)
}

fn spam(reader: u8) -> Act {
    What::Flag(0, FlagCategory::Spam).by(reader)
}

fn by_moderator(what: What) -> Act {
    what.by_role(Role::Moderator)
}

fn mode(whole_site: bool, mode: Mode) -> Act {
    by_moderator(What::SetMode { whole_site, mode })
}

fn resolve(upheld: bool, statement: bool) -> Act {
    by_moderator(What::Resolve { comment: 0, upheld, statement })
}

/// The verdict on the last message of a history, which is all folded in one batch.
fn last_verdict(acts: &[Act]) -> Verdict {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.fold(&history(acts), LOG).unwrap().outcomes.last().unwrap().verdict
}

/// The first comment of the first thread with its history.
fn first(store: &Store) -> CommentHistory {
    let id = page(store, &moderator(), 0, WHOLE).comments[0].id;
    store.view().history(&place(Some(0)), id).unwrap().unwrap()
}

/// How many comments wait.
fn waiting(store: &Store) -> usize {
    store.view().waiting(&site(), None, 50).unwrap().0.len()
}

#[test]
fn a_held_comment_has_no_row_until_it_is_approved_and_its_number_stays() {
    let held = What::Post { parent: None, quote: None, held: Some(Hold::NewAuthor) };
    let acts = [What::open(0), held.by(1), What::post().by(2), by_moderator(What::Approve(0, None))];
    let log = history(&acts);
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let step = store.fold(&log[..4], LOG).unwrap();
    assert_eq!(step.changes[0].comments.len(), 1, "nobody is told of what waits");
    let before = page(&store, &anybody(), 0, WHOLE);
    assert_eq!((before.count, before.comments.len(), before.comments[0].number), (1, 1, 2));
    let seen = page(&store, &moderator(), 0, WHOLE);
    assert_eq!((seen.comments[0].number, seen.comments[0].held), (1, Some(Hold::NewAuthor)));
    assert_eq!(waiting(&store), 1);
    let step = store.fold(&log, LOG).unwrap();
    assert_eq!((step.changes[0].count, step.changes[0].comments[0].number), (2, 1));
    let after = page(&store, &anybody(), 0, WHOLE);
    assert_eq!(after.comments.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((after.count, waiting(&store)), (2, 0));
}

#[test]
fn a_comment_that_was_shown_once_keeps_its_row_while_it_is_held() {
    let (_dir, store) = store_of(&history(&[What::open(0), What::post().by(1), by_moderator(What::Hold(0))]));
    let page = page(&store, &anybody(), 0, WHOLE);
    assert_eq!((page.count, page.comments[0].state), (1, State::Held));
    assert!(page.comments[0].said.is_none());
    assert_eq!(page.comments[0].held, None, "why is the moderators' business");
}

#[test]
fn flags_hold_at_the_threshold_and_an_approval_lets_older_flags_count_no_more() {
    let mut acts = vec![What::open(0), threshold(2), What::post().by(1), spam(2)];
    let state = |acts: &[Act]| {
        let (_dir, store) = store_of(&history(acts));
        let first = first(&store);
        (first.comment.state, first.comment.held, first.comment.flags)
    };
    assert_eq!(state(&acts), (State::Visible, None, 1));
    acts.push(spam(3));
    assert_eq!(state(&acts), (State::Held, Some(Hold::Flags), 2));
    acts.push(by_moderator(What::Approve(0, None)));
    assert_eq!(state(&acts), (State::Visible, None, 2), "they still wait for a decision");
    acts.push(What::Withdraw(0).by(2));
    acts.push(spam(2));
    assert_eq!(state(&acts), (State::Visible, None, 2), "one is new");
    acts.push(spam(4));
    assert_eq!(state(&acts), (State::Held, Some(Hold::Flags), 3), "two are new");
}

#[test]
fn an_older_flag_that_is_withdrawn_takes_nothing_from_the_newer_ones() {
    let looked = [by_moderator(What::Hold(0)), by_moderator(What::Approve(0, None))];
    let mut acts = vec![What::open(0), threshold(2), What::post().by(1), spam(2)];
    acts.extend(looked);
    acts.extend([spam(3), What::Withdraw(0).by(2), spam(4)]);
    let (_dir, store) = store_of(&history(&acts));
    assert_eq!((first(&store).comment.state, first(&store).comment.flags), (State::Held, 2));
}

#[test]
fn a_resolution_decides_on_all_flags_that_wait_and_later_ones_wait_again() {
    let illegal = What::Flag(0, FlagCategory::Illegal).by(3);
    let mut acts = vec![What::open(0), What::post().by(1), spam(2), illegal];
    let mut unexplained = acts.clone();
    unexplained.push(resolve(true, false));
    assert_eq!(last_verdict(&unexplained), Verdict::Void(Rejection::StatementMissing));
    acts.push(resolve(true, true));
    acts.push(spam(4));
    let (_dir, store) = store_of(&history(&acts));
    let of = |store: &Store| -> Vec<(String, Option<bool>)> {
        let flags = first(store).flags.into_iter();
        flags.map(|flag| (flag.author.to_string(), flag.resolution.map(|decided| decided.upheld))).collect()
    };
    let (two, three, four) = ("reader-2".to_owned(), "reader-3".to_owned(), "reader-4".to_owned());
    let waits = [(four.clone(), None), (two.clone(), Some(true)), (three.clone(), Some(true))];
    assert_eq!(of(&store), waits, "what waits first");
    assert_eq!(waiting(&store), 1);
    for (again, rejection) in [(spam(2), Rejection::FlagExists), (What::Withdraw(0).by(2), Rejection::FlagUnknown)]
    {
        let mut acts = acts.clone();
        acts.push(again);
        assert_eq!(last_verdict(&acts), Verdict::Void(rejection), "a decision stands");
    }
    acts.push(resolve(false, false));
    let (_dir, store) = store_of(&history(&acts));
    assert_eq!(of(&store), [(two, Some(true)), (three, Some(true)), (four, Some(false))]);
    assert_eq!(waiting(&store), 0);
}

#[test]
fn a_ban_ends_by_itself_when_its_time_has_come() {
    let mut acts = vec![What::open(0), by_moderator(What::Ban { author: 1, until: Some(60) }), What::post().by(1)];
    assert_eq!(last_verdict(&acts), Verdict::Void(Rejection::Banned));
    acts.extend([What::Wait(60).by(1), What::post().by(1)]);
    assert_eq!(last_verdict(&acts), Verdict::Applied);
}

#[test]
fn an_edit_comes_in_time_and_knows_the_revision_it_follows() {
    let edit = |ahead| What::Edit { comment: 0, own: true, ahead, quote: None, held: None }.by(1);
    let with = |last: &[Act]| {
        let mut acts = vec![What::open(0), What::post().by(1)];
        acts.extend_from_slice(last);
        last_verdict(&acts)
    };
    assert_eq!(with(&[edit(1)]), Verdict::Applied);
    assert_eq!(with(&[edit(1), edit(0)]), Verdict::Void(Rejection::RevisionStale));
    assert_eq!(with(&[edit(2)]), Verdict::Void(Rejection::RevisionStale));
    assert_eq!(with(&[What::Wait(400).by(1), edit(1)]), Verdict::Void(Rejection::EditWindowClosed));
    assert_eq!(with(&std::array::from_fn::<_, 11, _>(|_| edit(1))), Verdict::Void(Rejection::EditsTooMany));
    let delete = What::Delete { comment: 0, own: true }.by(1);
    let shut = [What::Wait(400).by(1), mode(true, Mode::Hidden), delete];
    assert_eq!(with(&shut), Verdict::Applied, "one's own words can always be taken back");
}

#[test]
fn a_window_holds_to_its_last_millisecond_and_an_end_is_over_at_once() {
    let (at, end) = (2_000_000_000_000, 2_000_000_300_000);
    let moderate =
        |sequence, millis, in_thread, event| by_ann(sequence, millis, in_thread, &[Role::Moderator], event);
    let verdict = |log: &[Recorded]| {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.fold(log, LOG).unwrap().outcomes.last().unwrap().verdict
    };
    let begun = || history(&[What::open(0)]);
    let edit = |millis| {
        let mut log = begun();
        log.extend([posted(3, at, "first", Vec::new()), edited(4, millis, 3, 1, "second")]);
        verdict(&log)
    };
    assert_eq!(edit(end), Verdict::Applied);
    assert_eq!(edit(end + 1), Verdict::Void(Rejection::EditWindowClosed));
    let post = |event: &Event, in_thread, millis| {
        let mut log = begun();
        log.push(moderate(3, at, in_thread, event.clone()));
        log.push(posted(4, millis, "first", Vec::new()));
        verdict(&log)
    };
    let closing = Some(Closing::At(Timestamp(end)));
    let closes = Event::ThreadUpdated(ThreadPatch { closing, ..ThreadPatch::default() });
    assert_eq!(post(&closes, true, end - 1), Verdict::Applied);
    assert_eq!(post(&closes, true, end), Verdict::Void(Rejection::ThreadClosed));
    let ban = Ban { until: Some(Timestamp(end)), reason: "b".into() };
    let ban = Event::AuthorBanned { author: "ann".parse().unwrap(), ban };
    assert_eq!(post(&ban, false, end - 1), Verdict::Void(Rejection::Banned));
    assert_eq!(post(&ban, false, end), Verdict::Applied);
}

#[test]
fn long_statements_of_old_decisions_leave_room_for_the_flags_that_wait() {
    let mut log = history(&[What::open(0), What::post().by(1)]);
    let comment = CommentId(crate::histories::id(3));
    let flag = |sequence: u64, by: &str| {
        let event = Event::CommentFlagged { comment, category: FlagCategory::Spam, words: "".into() };
        by_somebody(sequence, by, 1, true, &[], event)
    };
    let set = SettingsPatch { report_threshold: Some(0), ..SettingsPatch::default() };
    log.push(by_ann(4, 1, false, &[Role::Administrator], Event::SiteSet(Box::new(set))));
    log.extend((5..125).map(|sequence| flag(sequence, &format!("early-{sequence}"))));
    let statement = "x".repeat(4_000).into();
    let resolved = Event::FlagsResolved { comment, upheld: true, statement };
    log.push(by_ann(125, 1, true, &[Role::Moderator], resolved));
    log.push(flag(126, "late"));
    let (_dir, store) = store_of(&log);
    let flags = first(&store).flags;
    assert!(flags.len() > 20, "{} are told of", flags.len());
    assert_eq!((flags[0].author.as_str(), flags[0].resolution.is_none()), ("late", true));
}

#[test]
fn of_the_sites_mode_and_the_threads_the_stricter_holds() {
    let with = |site: Mode, thread: Mode| {
        let acts = [What::open(0), What::post().by(2), mode(true, site), mode(false, thread), What::post().by(1)];
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        let verdict = store.fold(&history(&acts), LOG).unwrap().outcomes.last().unwrap().verdict;
        let page = page(&store, &anybody(), 0, WHOLE);
        (verdict, page.article.mode, page.mode_reason, page.comments.len(), waiting(&store))
    };
    let read_only = Verdict::Void(Rejection::ThreadReadOnly);
    let hidden = Verdict::Void(Rejection::ThreadHidden);
    let (of_site, of_thread) = ("of the site".to_owned(), "of the thread".to_owned());
    assert_eq!(
        with(Mode::Open, Mode::Premoderated),
        (Verdict::Applied, Mode::Premoderated, of_thread.clone(), 1, 1)
    );
    assert_eq!(
        with(Mode::Premoderated, Mode::Open),
        (Verdict::Applied, Mode::Premoderated, of_site.clone(), 1, 1)
    );
    assert_eq!(with(Mode::Premoderated, Mode::ReadOnly), (read_only, Mode::ReadOnly, of_thread.clone(), 1, 0));
    assert_eq!(with(Mode::ReadOnly, Mode::Premoderated), (read_only, Mode::ReadOnly, of_site.clone(), 1, 0));
    assert_eq!(with(Mode::Hidden, Mode::ReadOnly), (hidden, Mode::Hidden, of_site, 0, 0));
    assert_eq!(with(Mode::ReadOnly, Mode::Hidden), (hidden, Mode::Hidden, of_thread, 0, 0));
}

#[test]
fn a_moved_thread_is_found_by_its_old_and_its_new_address() {
    let open_second = Act { thread: 1, ..What::open(0) };
    let moved = What::Move(1).by_role(Role::Service);
    let mut acts = vec![What::open(0), moved];
    let resolved = |acts: &[Act]| {
        let (_dir, store) = store_of(&history(acts));
        let of = |number| store.view().resolve(&site(), &address(number)).unwrap();
        (of(0), of(1), of(2))
    };
    let of = |thread: &str, number| Some((thread.to_owned(), address(number).to_string()));
    assert_eq!(resolved(&acts), (of("t0", 1), of("t0", 1), None));
    acts.push(open_second);
    assert_eq!(resolved(&acts), (of("t1", 0), of("t0", 1), None), "an address leads to who took it last");
}

/// Ten thousand words, which begin so.
fn words(begin: &str) -> Vec<Box<str>> {
    (0..10_000).map(|number| format!("{begin} {number}").into()).collect()
}

#[test]
fn a_list_of_10_000_words_is_stored_and_read_back_whole_and_replaced() {
    let set = |sequence, words: Option<Vec<Box<str>>>, names: Option<Vec<Box<str>>>| -> Recorded {
        let patch = SettingsPatch { premoderate_words: words, reserved_names: names, ..SettingsPatch::default() };
        by_ann(sequence, 1, false, &[Role::Administrator], Event::SiteSet(Box::new(patch)))
    };
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let lists = |store: &Store| {
        let settings = store.view().settings(&site(), None).unwrap().unwrap().settings.unwrap();
        (settings.premoderate_words.unwrap(), settings.reserved_names.unwrap())
    };
    let few: Vec<Box<str>> = vec!["änderung".into(), "zwei worte".into()];
    let mut log = history(&[]);
    log.push(set(2, Some(words("first")), Some(few.clone())));
    store.fold(&log, LOG).unwrap();
    assert_eq!(lists(&store), (words("first"), few.clone()));
    store.fold(&[set(3, Some(words("a longer second")), None)], LOG).unwrap();
    assert_eq!(lists(&store), (words("a longer second"), few.clone()), "what is not set stays");
    store.fold(&[set(4, Some(few.clone()), Some(words("reserved")))], LOG).unwrap();
    assert_eq!(lists(&store), (few.clone(), words("reserved")), "nothing of the longer list is left");
    log.truncate(1);
    log.push(set(2, Some(few), Some(words("reserved"))));
    let (_other_dir, other) = store_of(&log);
    assert_eq!(lists(&other), lists(&store));
    store.fold(&[set(5, Some(Vec::new()), Some(Vec::new()))], LOG).unwrap();
    assert_eq!(lists(&store), (Vec::new(), Vec::new()));
    let known = CommentId(crate::histories::id(5));
    assert!(store.view().command(&place(None), known.0).unwrap().is_some_and(|known| known.void.is_none()));
}

#[test]
fn a_comment_may_be_covered_by_more_removals_than_anybody_decides() {
    let mut log = history(&[What::open(0)]);
    let posted_at = log.len() as u64 + 1;
    log.push(posted(posted_at, 1_800_000_000_000, "words", Vec::new()));
    // So many would not fit into one value.
    for sequence in posted_at + 1..posted_at + 5_000 {
        let (author, reason, rule) = ("ann".parse().unwrap(), "again".into(), "5".into());
        let event = Event::CommentsRemoved { author, since: None, reason, rule };
        let in_thread = sequence.is_multiple_of(2);
        log.push(by_somebody(sequence, "mod", 1_800_000_000_000, in_thread, &[Role::Moderator], event));
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    assert_eq!(store.catch_up(&log, LOG).unwrap(), log.len() as u64);
    let mut undo = |at: u64| {
        let sequence = log.len() as u64 + 1;
        let event = Event::RemovalUndone { removal: crate::histories::id(at), reason: "enough".into() };
        log.push(by_somebody(sequence, "mod", 1_800_000_000_000, at.is_multiple_of(2), &[Role::Moderator], event));
        store.catch_up(&log, LOG).unwrap();
        page(&store, &moderator(), 0, WHOLE).comments[0].state
    };
    assert_eq!(undo(posted_at + 4_999), State::Removed, "others cover it");
}
