//! The orders in which a thread can be read. A comment's place in one is a value of its own, so that every order is the
//! order of numbers: no order asks a clock, and two comments never share a place.

use crate::event::Timestamp;
use crate::tally::Tally;

/// An order of the comments of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// By number, the first first.
    #[default]
    Oldest,
    /// By number, the last first.
    Newest,
    /// By the net of votes.
    Top,
    /// By the lower bound of the share of votes that are in favour.
    Best,
    /// Much voted on, and for as often as against.
    Controversial,
    /// By the net of votes and when it was posted.
    Hot,
}

/// Where a comment stands in an order: the least is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// The higher the score, the smaller.
    key: u64,
    /// The comment's number: of equal scores the older comment comes first.
    pub number: u32,
}

/// The quantile of the normal distribution that leaves one in ten above it: the share of favour is at least as high as the
/// bound with a certainty of nine in ten.
const Z: f64 = 1.281_551_565_545;
/// A comment that is so much later, 12.5 hours, stands beside an older one with ten times its votes.
const HOT_SECS: f64 = 45_000.0;

impl Order {
    /// Every order there is.
    pub const EVERY: [Self; 6] =
        [Self::Oldest, Self::Newest, Self::Top, Self::Best, Self::Controversial, Self::Hot];

    /// The order's word: `oldest`, `newest`, `top`, `best`, `controversial` or `hot`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oldest => "oldest",
            Self::Newest => "newest",
            Self::Top => "top",
            Self::Best => "best",
            Self::Controversial => "controversial",
            Self::Hot => "hot",
        }
    }

    /// The order of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|order| order.as_str() == word)
    }

    /// Whether votes move comments in it.
    pub fn moves(self) -> bool {
        !matches!(self, Self::Oldest | Self::Newest)
    }

    /// Where a comment stands: its number, its votes and when it was posted.
    pub fn rank(self, number: u32, tally: Tally, posted: Timestamp) -> Rank {
        let key = match self {
            Self::Oldest => 0,
            Self::Newest => return Rank { key: u64::from(u32::MAX - number), number },
            Self::Top => !ordered(exact(tally.net())),
            Self::Best => !ordered(best(tally)),
            Self::Controversial => !ordered(controversial(tally)),
            Self::Hot => !ordered(hot(tally, posted)),
        };
        Rank { key, number }
    }
}

/// The lower bound of Wilson's score interval (E. B. Wilson, "Probable inference", JASA 22, 1927), as E. Miller proposes it
/// for votes in "How Not To Sort By Average Rating" (2009); 0 without votes.
fn best(tally: Tally) -> f64 {
    let (up, down) = (f64::from(tally.up), f64::from(tally.down));
    let votes = up + down;
    if tally.up == 0 {
        return 0.0;
    }
    let share = up / votes;
    let spread = Z * (share * (1.0 - share) / votes + Z * Z / (4.0 * votes * votes)).sqrt();
    (share + Z * Z / (2.0 * votes) - spread) / (1.0 + Z * Z / votes)
}

/// `(up + down) ^ (less / more)`, which Reddit made known; 0 where all votes are on one side.
fn controversial(tally: Tally) -> f64 {
    let (less, more) = (tally.up.min(tally.down), tally.up.max(tally.down));
    if less == 0 {
        return 0.0;
    }
    (f64::from(less) + f64::from(more)).powf(f64::from(less) / f64::from(more))
}

/// `sign(net) · log10(max(|net|, 1)) + t / 45,000 s`, which Reddit made known. Its `t` counts from an epoch of its own,
/// which moves no comment against another; here it is Unix's.
fn hot(tally: Tally, posted: Timestamp) -> f64 {
    let net = exact(tally.net());
    let magnitude = net.abs().max(1.0).log10();
    magnitude.copysign(net) + exact(posted.0) / 1_000.0 / HOT_SECS
}

/// An integer as a float: exact up to 2^53, which holds every net of votes and every time up to the year 9999.
fn exact(number: i64) -> f64 {
    const HALF: f64 = 4_294_967_296.0;
    let high = i32::try_from(number >> 32).expect("the upper half of 64 bits");
    let low = u32::try_from(number & 0xffff_ffff).expect("the lower half of 64 bits");
    f64::from(high) * HALF + f64::from(low)
}

/// A float as a number that is ordered as the float is.
fn ordered(score: f64) -> u64 {
    // Adding zero makes one of the two zeros.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(up: u32, down: u32) -> Tally {
        Tally { up, down }
    }

    fn near(found: f64, known: f64) {
        assert!((found - known).abs() < 1e-6, "{found} is not {known}");
    }

    /// Comments by number from 1, of these votes and seconds, in an order.
    fn ordered_by(order: Order, comments: &[(u32, u32, i64)]) -> Vec<u32> {
        let rank = |(number, (up, down, secs)): (u32, &(u32, u32, i64))| {
            order.rank(number, tally(*up, *down), Timestamp(secs * 1_000))
        };
        let mut ranks: Vec<Rank> = (1..).zip(comments).map(rank).collect();
        ranks.sort();
        ranks.iter().map(|rank| rank.number).collect()
    }

    #[test]
    fn the_bound_is_wilsons() {
        near(best(tally(0, 0)), 0.0);
        near(best(tally(0, 9)), 0.0);
        // One vote of one: 1 / (1 + z²).
        near(best(tally(1, 0)), 0.378_447);
        near(best(tally(10, 0)), 0.858_931);
        near(best(tally(1, 1)), 0.164_252);
        near(best(tally(600, 400)), 0.579_998);
        assert!(best(tally(u32::MAX, u32::MAX)) < 0.5);
    }

    #[test]
    fn the_best_is_not_the_most_voted_on() {
        let comments = [(1, 0, 0), (60, 40, 0), (9, 1, 0), (0, 0, 0), (0, 7, 0)];
        assert_eq!(ordered_by(Order::Best, &comments), [3, 2, 1, 4, 5]);
        assert_eq!(ordered_by(Order::Top, &comments), [2, 3, 1, 4, 5]);
    }

    #[test]
    fn controversial_is_much_voted_on_both_ways() {
        near(controversial(tally(5, 5)), 10.0);
        near(controversial(tally(2, 4)), 6_f64.sqrt());
        near(controversial(tally(100, 0)), 0.0);
        assert_eq!(
            ordered_by(Order::Controversial, &[(90, 10, 0), (5, 5, 0), (900, 0, 0), (50, 50, 0)]),
            [4, 2, 1, 3]
        );
    }

    #[test]
    fn twelve_and_a_half_hours_are_worth_ten_times_the_votes() {
        near(hot(tally(10, 0), Timestamp(0)), hot(tally(1, 0), Timestamp(45_000_000)));
        near(hot(tally(0, 100), Timestamp(0)), -2.0);
        near(hot(tally(3, 3), Timestamp(-45_000_000)), -1.0);
        near(hot(tally(0, 1), Timestamp(0)), 0.0);
        assert_eq!(
            ordered_by(Order::Hot, &[(100, 0, 0), (1, 0, 45_000), (1, 0, 135_000), (0, 50, 45_000)]),
            [3, 1, 2, 4]
        );
    }

    #[test]
    fn of_equal_scores_the_older_comes_first() {
        for order in [Order::Oldest, Order::Top, Order::Best, Order::Controversial, Order::Hot] {
            assert_eq!(ordered_by(order, &[(2, 2, 9), (2, 2, 9), (2, 2, 9)]), [1, 2, 3], "{order:?}");
        }
        assert_eq!(ordered_by(Order::Newest, &[(2, 2, 9), (2, 2, 9), (2, 2, 9)]), [3, 2, 1]);
    }

    #[test]
    fn floats_and_whole_numbers_keep_their_order() {
        let floats = [f64::MIN, -2.5, -0.0, 1e-9, 0.5, 1.0, 1e300];
        assert!(floats.map(ordered).is_sorted_by(|a, b| a < b));
        assert_eq!(ordered(-0.0), ordered(0.0));
        for number in [0, 1, -1, 4_294_967_295, -4_294_967_295, 253_402_207_199_000, -62_167_219_200_000] {
            assert_eq!(format!("{}", exact(number)), number.to_string());
        }
        exact(i64::MAX);
        exact(i64::MIN);
    }

    #[test]
    fn every_order_has_its_word() {
        for order in Order::EVERY {
            assert_eq!(Order::from_word(order.as_str()), Some(order));
        }
        assert_eq!(Order::from_word("Top"), None);
    }
}
