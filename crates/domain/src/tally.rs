//! Votes and what they add up to.

use std::fmt;

/// What a voter's vote on a comment is. A vote is set, not added: the last in log order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vote {
    /// In favour.
    Up,
    /// Against.
    Down,
    /// Taken back.
    None,
}

/// How many voters are for and against. Displays as readers see it: `net ( +up / -down )`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Voters for it.
    pub up: u32,
    /// Voters against it.
    pub down: u32,
}

impl Tally {
    /// Voters for it less voters against it.
    pub fn net(self) -> i64 {
        i64::from(self.up) - i64::from(self.down)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ( +{} / -{} )", self.net(), self.up, self.down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_reads_net_then_both_sides() {
        assert_eq!(Tally { up: 7, down: 16 }.to_string(), "-9 ( +7 / -16 )");
        assert_eq!(Tally { up: 14, down: 0 }.to_string(), "14 ( +14 / -0 )");
        assert_eq!(Tally::default().to_string(), "0 ( +0 / -0 )");
        assert_eq!(Tally { up: 0, down: u32::MAX }.net(), -4_294_967_295);
    }
}
