//! What the fold and a page cost in a store, without a log and a network: votes and posts in batches as large as those of
//! live events and of catching up, and first pages of a short and of a long thread in each order.

#[path = "store/threads.rs"]
mod threads;

use std::cell::RefCell;
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use domain::{Order, Recorded};
use views::{CommentPage, Reading, Viewer};

use threads::{Events, LOG, Thread};

/// A lone event, the events of a busy moment, and a step of catching up.
const BATCHES: [usize; 3] = [1, 100, 10_000];
const SHORT: u32 = 1_000;
/// A development build only shows that everything runs.
const LONG: u32 = if cfg!(debug_assertions) { 2 * SHORT } else { 100_000 };
/// Rows and bytes of a page.
const LIMITS: (u32, usize) = (50, 512 * 1024);

static SHORT_THREAD: LazyLock<Thread> = LazyLock::new(|| Thread::with(SHORT));
static LONG_THREAD: LazyLock<Thread> = LazyLock::new(|| Thread::with(LONG));

fn main() {
    divan::main();
}

/// Votes of 20,000 readers on a thread, early comments more often.
#[divan::bench(args = BATCHES, sample_count = 30, sample_size = 1)]
fn fold_votes(bencher: Bencher<'_, '_>, batch: usize) {
    fold(bencher, batch, SHORT, |events| events.vote(SHORT));
}

/// Every vote is on the same comment: one set of voters grows.
#[divan::bench(args = BATCHES, sample_count = 30, sample_size = 1)]
fn fold_votes_on_one_comment(bencher: Bencher<'_, '_>, batch: usize) {
    fold(bencher, batch, 1, |events| events.vote(1));
}

#[divan::bench(args = BATCHES, sample_count = 30, sample_size = 1)]
fn fold_posts(bencher: Bencher<'_, '_>, batch: usize) {
    fold(bencher, batch, 1, Events::post);
}

/// A batch, its sled batch included, into a thread that has so many comments.
fn fold(bencher: Bencher<'_, '_>, batch: usize, comments: u32, event: fn(&mut Events) -> Recorded) {
    let thread = Thread::with(comments);
    let events = RefCell::new(thread.events.clone());
    bencher
        .counter(ItemsCount::new(batch))
        .with_inputs(|| (0..batch).map(|_| event(&mut events.borrow_mut())).collect::<Vec<_>>())
        .bench_local_refs(|batch| thread.store().fold(batch, LOG).expect("a sound store"));
}

#[divan::bench(args = Order::EVERY)]
fn page_of_1000(bencher: Bencher<'_, '_>, order: Order) {
    page(bencher, &SHORT_THREAD, &Reading::first(order, false), &Viewer::default());
}

#[divan::bench(args = Order::EVERY)]
fn page_of_100000(bencher: Bencher<'_, '_>, order: Order) {
    page(bencher, &LONG_THREAD, &Reading::first(order, false), &Viewer::default());
}

#[divan::bench(args = Order::EVERY)]
fn tree_of_100000(bencher: Bencher<'_, '_>, order: Order) {
    page(bencher, &LONG_THREAD, &Reading::first(order, true), &Viewer::default());
}

/// The reader's own votes are looked up in the sets of fifty comments.
#[divan::bench(args = [SHORT, LONG])]
fn page_with_own_votes(bencher: Bencher<'_, '_>, comments: u32) {
    let thread = if comments == SHORT { &SHORT_THREAD } else { &LONG_THREAD };
    let viewer = Viewer { id: Some(Events::voter(7)), moderator: false };
    page(bencher, thread, &Reading::first(Order::Top, false), &viewer);
}

/// What is ranked is in memory.
fn page(bencher: Bencher<'_, '_>, thread: &Thread, reading: &Reading, viewer: &Viewer) {
    // An order is sorted when it is asked for again.
    (0..2).for_each(|_| drop(read(thread, reading, viewer)));
    bencher.bench_local(|| read(black_box(thread), reading, viewer));
}

fn read(thread: &Thread, reading: &Reading, viewer: &Viewer) -> CommentPage {
    let (site, id) = thread.events.ids();
    let page = thread.store().view().comments(site, id, viewer, reading.clone(), LIMITS);
    page.expect("a sound store").expect("the thread is open")
}

/// The first question about a thread since its store was opened: everything that is ranked is read, and fifty selected.
#[divan::bench(args = Order::EVERY, sample_count = 5, sample_size = 1)]
fn first_question_about_1000(bencher: Bencher<'_, '_>, order: Order) {
    first_question(bencher, SHORT, order);
}

#[divan::bench(args = Order::EVERY, sample_count = 5, sample_size = 1)]
fn first_question_about_100000(bencher: Bencher<'_, '_>, order: Order) {
    first_question(bencher, LONG, order);
}

fn first_question(bencher: Bencher<'_, '_>, comments: u32, order: Order) {
    let thread = RefCell::new(Thread::with(comments));
    let (reading, viewer) = (Reading::first(order, false), Viewer::default());
    bencher
        .with_inputs(|| thread.borrow_mut().reopen())
        .bench_local_values(|()| read(&thread.borrow(), &reading, &viewer));
}
