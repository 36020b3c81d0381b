//! Positions: opaque tokens out of answers, for the `at_least` of queries.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The number of the only stream of this release; sites can be spread over several later.
const STREAM: u32 = 0;

/// A place in a log that has not lost its tail since: {stream, epoch, sequence}.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Changes when the log is found to have lost its tail, so that numbers given out twice cannot be confused.
    pub epoch: u64,
    /// The place in the stream.
    pub sequence: u64,
}

/// A token that no answer of Koe held.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a position is a token out of an earlier answer")]
pub struct NotAPosition;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STREAM}-{:x}-{}", self.epoch, self.sequence)
    }
}

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(token: &str) -> Result<Self, NotAPosition> {
        let mut parts = token.split('-');
        let (stream, epoch, sequence) = (parts.next(), parts.next(), parts.next());
        let (Some(stream), Some(epoch), Some(sequence), None) = (stream, epoch, sequence, parts.next()) else {
            return Err(NotAPosition);
        };
        if stream.parse() != Ok(STREAM) {
            return Err(NotAPosition);
        }
        let epoch = u64::from_str_radix(epoch, 16).or(Err(NotAPosition))?;
        let sequence = sequence.parse().or(Err(NotAPosition))?;
        Ok(Self { epoch, sequence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_and_others_are_refused() {
        let position = Position { epoch: 0xfeed, sequence: 42 };
        assert_eq!(position.to_string().parse(), Ok(position));
        for bad in ["", "42", "1-feed-42", "0-xyz-1", "0-1-2-3", "0-1-"] {
            assert_eq!(bad.parse::<Position>(), Err(NotAPosition), "{bad:?}");
        }
    }
}
