//! How far what is served is behind the log.

use domain::Timestamp;
use journal::{Error, Head, Journal};

const MILLIS_PER_SECOND: f64 = 1_000.0;

/// The age of the first event after a position: how long readers have been waiting for it. 0 if there is none.
pub(crate) async fn seconds(journal: &Journal, position: u64, head: &Head, now: Timestamp) -> Result<f64, Error> {
    if head.sequence <= position {
        return Ok(0.0);
    }
    let next = match journal.read(position + 1).await? {
        Some(entry) => Some(entry),
        None if journal.is_empty_between(position, head.sequence).await? => None,
        None => {
            let mut gap = Gap { empty: position, full: head.sequence };
            while let Some(middle) = gap.middle() {
                let is_empty = journal.is_empty_between(position, middle).await?;
                gap.narrow(middle, is_empty);
            }
            journal.read(gap.full).await?
        }
    };
    Ok(next.map_or(0.0, |entry| age(entry.stored, head.clock_skew_millis, now)))
}

/// A gap that ends somewhere: nothing up to `empty`, something up to `full`. Halving it, a gap of a million costs
/// twenty questions.
struct Gap {
    empty: u64,
    full: u64,
}

impl Gap {
    /// Where to look next; `None` once `full` is the first message behind the gap.
    fn middle(&self) -> Option<u64> {
        let width = self.full.saturating_sub(self.empty);
        (width > 1).then(|| self.empty + width / 2)
    }

    fn narrow(&mut self, middle: u64, is_empty: bool) {
        if is_empty {
            self.empty = middle;
        } else {
            self.full = middle;
        }
    }
}

/// An event's age in seconds, by the broker's clock, which stamped it.
fn age(stored: Timestamp, clock_skew_millis: i64, now: Timestamp) -> f64 {
    let millis = now.0.saturating_sub(clock_skew_millis).saturating_sub(stored.0).max(0);
    f64::from(u32::try_from(millis / 1_000).unwrap_or(u32::MAX))
        + f64::from(u32::try_from(millis % 1_000).expect("below 1,000")) / MILLIS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn age_is_by_the_clock_of_the_broker() {
        assert!(near(age(Timestamp(10_000), 0, Timestamp(12_500)), 2.5));
        assert!(near(age(Timestamp(10_000), 2_000, Timestamp(12_500)), 0.5), "our clock is two seconds early");
        assert!(near(age(Timestamp(10_000), 3_000, Timestamp(12_500)), 0.0), "never below nothing");
    }

    #[test]
    fn the_event_behind_a_gap_is_found_in_few_questions() {
        for sequence in [11, 12, 500_000, 1_000_000] {
            let mut gap = Gap { empty: 10, full: 1_000_000 };
            let mut questions = 0;
            while let Some(middle) = gap.middle() {
                gap.narrow(middle, middle < sequence);
                questions += 1;
            }
            assert_eq!(gap.full, sequence);
            assert!(questions <= 20, "{questions}");
        }
    }
}
