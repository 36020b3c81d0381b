//! A moment of the log: a place in it, or a time.

use std::str::FromStr;

use domain::Timestamp;

/// Everything up to a place, or every event up to the first one of a later time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Up to this place.
    Sequence(u64),
    /// Up to this time.
    Time(Timestamp),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(sequence) => Ok(Self::Sequence(sequence)),
            Err(_) => parse_time(text).map(Self::Time),
        }
    }
}

/// A time as people write it: `2026-11-24T10:00:00Z`, or without a zone in UTC, or only a day, which then begins.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let in_utc = |civil: jiff::civil::DateTime| jiff::tz::TimeZone::UTC.to_timestamp(civil);
    let time = text.parse::<jiff::Timestamp>().or_else(|_| text.parse().and_then(in_utc));
    match time {
        Ok(time) => Ok(Timestamp(time.as_millisecond())),
        Err(_) => Err(format!("`{text}` is neither a place in the log nor a time such as 2026-11-24T10:00:00Z")),
    }
}

/// A time as it is shown, in RFC 3339.
pub(crate) fn time_words(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .map_or_else(|_| "an impossible time".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_times_are_told_apart() {
        assert_eq!("41".parse(), Ok(Moment::Sequence(41)));
        let noon = Moment::Time(Timestamp(1_795_608_000_000));
        for text in ["2026-11-25T12:00:00Z", "2026-11-25T13:00:00+01:00", "2026-11-25T12:00", "2026-11-25 12:00"] {
            assert_eq!(text.parse(), Ok(noon), "{text}");
        }
        assert_eq!("2026-11-25".parse(), Ok(Moment::Time(Timestamp(1_795_564_800_000))));
        for bad in ["", "-1", "yesterday", "12:00"] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
    }
}
