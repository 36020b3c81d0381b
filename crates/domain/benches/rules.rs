//! What the rules cost by themselves: a comment's place in each order, and the words of a post made fit.
//! Deliberately not here: decisions, whose cost is that of the facts which somebody else looks up.

use divan::{Bencher, black_box};
use domain::text::Text;
use domain::{Order, Tally, Timestamp};

/// 2026-01-01, in milliseconds.
const POSTED: Timestamp = Timestamp(1_767_225_600_000);

fn main() {
    divan::main();
}

/// Each comment of a thread of 1,000 gets its place.
#[divan::bench(args = Order::EVERY)]
fn ranks_of_1000(bencher: Bencher<'_, '_>, order: Order) {
    let tallies: Vec<Tally> = (0..1_000).map(|at| Tally { up: at % 37, down: at % 11 }).collect();
    bencher.counter(divan::counter::ItemsCount::new(tallies.len())).bench(|| {
        let ranks = (1..).zip(&tallies).map(|(number, tally)| order.rank(number, *tally, POSTED));
        ranks.max().map(black_box)
    });
}

/// Words as a browser sends them, in characters.
#[divan::bench(args = [140, 1_000, 10_000])]
fn text_as_typed(bencher: Bencher<'_, '_>, chars: usize) {
    let typed: String =
        "Words of a reader,\r\nand some in 日本語.\n".chars().cycle().take(chars - 1).chain(['.']).collect();
    bencher.counter(divan::counter::BytesCount::of_str(&typed)).bench(|| Text::parse(black_box(&typed)));
}
