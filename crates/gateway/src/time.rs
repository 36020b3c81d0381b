//! Times as readers of a site see them: `Today 02:18 pm JST`, earlier `Nov. 21 02:18 pm JST`, and the year of another.

use domain::{Rejection, Timestamp};
use jiff::tz::TimeZone;

/// As newspapers write them.
const MONTHS: [&str; 12] =
    ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."];

/// A time for people and for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// RFC 3339 in UTC with milliseconds.
    pub(crate) machine: String,
    /// In the zone of the site.
    pub(crate) people: String,
}

/// The zone of an IANA name; UTC if it is unknown here.
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc_3339(time: Timestamp) -> String {
    format!("{:.3}", instant(time))
}

/// A time that a program wrote.
pub(crate) fn parse(time: &str) -> Result<Timestamp, Rejection> {
    let time: jiff::Timestamp = time.parse().or(Err(Rejection::TimeInvalid))?;
    Ok(Timestamp(time.as_millisecond()))
}

/// A time in a zone, seen from now.
pub(crate) fn shown(time: Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> Shown {
    let (then, today) = (instant(time).to_zoned_datetime(zone.clone()), now.to_zoned_datetime(zone.clone()));
    let month = usize::try_from(then.month() - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"");
    let day = if then.date() == today.date() {
        "Today".to_owned()
    } else if then.year() == today.year() {
        format!("{month} {}", then.day())
    } else {
        format!("{month} {}, {}", then.day(), then.year())
    };
    Shown { machine: rfc_3339(time), people: format!("{day} {}", then.strftime("%I:%M %P %Z")) }
}

/// Times beyond what a calendar shows become the epoch: `wire` has refused them before.
fn instant(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(time.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(time: &str, now: &str, name: &str) -> String {
        let time = Timestamp(time.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        shown(time, now.parse().unwrap(), &zone(name)).people
    }

    #[test]
    fn a_time_is_told_in_the_zone_of_the_site() {
        let now = "2026-11-23T14:00:00Z";
        assert_eq!(people("2026-11-23T05:18:00Z", now, "Asia/Tokyo"), "Today 02:18 pm JST");
        assert_eq!(people("2026-11-22T15:00:00Z", now, "Asia/Tokyo"), "Today 12:00 am JST");
        assert_eq!(people("2026-11-22T14:59:00Z", now, "Asia/Tokyo"), "Nov. 22 11:59 pm JST");
        assert_eq!(people("2026-07-01T12:00:00Z", now, "America/New_York"), "July 1 08:00 am EDT");
        assert_eq!(people("2025-09-03T12:00:00Z", now, "UTC"), "Sept. 3, 2025 12:00 pm UTC");
    }

    #[test]
    fn an_unknown_zone_is_utc() {
        assert_eq!(people("2026-11-23T05:18:00Z", "2026-11-23T14:00:00Z", "Mars/Base"), "Today 05:18 am UTC");
    }

    #[test]
    fn programs_get_utc_with_milliseconds() {
        assert_eq!(rfc_3339(Timestamp(1_700_000_000_000)), "2023-11-14T22:13:20.000Z");
        assert_eq!(rfc_3339(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(parse("2023-11-15T07:13:20+09:00"), Ok(Timestamp(1_700_000_000_000)));
        assert_eq!(parse("tomorrow"), Err(Rejection::TimeInvalid));
    }
}
