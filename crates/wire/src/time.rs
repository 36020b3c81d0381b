//! `google.protobuf.Timestamp`, with the JSON that the proto3 mapping prescribes: RFC 3339, in UTC, ended by `Z`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, as messages carry it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Seconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// And nanoseconds, always forward.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = jiff::Timestamp::new(self.seconds, self.nanos).map_err(serde::ser::Error::custom)?;
        // None, three, six or nine digits, as the mapping has it.
        let digits = match self.nanos {
            0 => 0,
            nanos if nanos % 1_000_000 == 0 => 3,
            nanos if nanos % 1_000 == 0 => 6,
            _ => 9,
        };
        serializer.collect_str(&format_args!("{time:.digits$}"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let not_a_time = || D::Error::custom("a time is written as in 2026-11-23T13:20:00Z (RFC 3339)");
        let time: jiff::Timestamp = text.parse().or(Err(not_a_time()))?;
        // Forward from the second before, also before 1970.
        let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
        let back = i64::from(nanos < 0);
        Ok(Self { seconds: seconds - back, nanos: if nanos < 0 { nanos + 1_000_000_000 } else { nanos } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_times_end_in_z_and_lead_back() {
        for (seconds, nanos, text) in [
            (1_795_440_000, 123_000_000, "\"2026-11-23T13:20:00.123Z\""),
            (0, 0, "\"1970-01-01T00:00:00Z\""),
            (-1, 500_000_000, "\"1969-12-31T23:59:59.500Z\""),
            (1, 1_000, "\"1970-01-01T00:00:01.000001Z\""),
        ] {
            let time = Timestamp { seconds, nanos };
            assert_eq!(serde_json::to_string(&time).unwrap(), text);
            assert_eq!(serde_json::from_str::<Timestamp>(text).unwrap(), time);
        }
        let offset: Timestamp = serde_json::from_str("\"2026-11-23T22:20:00+09:00\"").unwrap();
        assert_eq!(offset.seconds, 1_795_440_000);
        assert!(serde_json::from_str::<Timestamp>("\"tomorrow\"").is_err());
    }
}
