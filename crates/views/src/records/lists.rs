//! What lists of threads, queues and authors' comments are read from. All of it is derived and stands in no digest.
//! Stored: a change is a new schema.

use serde::{Deserialize, Serialize};

use crate::keys::THREADS_IN_CHUNK;
use crate::queues::QueueKind;
use crate::value::Plain;

/// Milliseconds of an hour of event time.
const HOUR_MILLIS: i64 = 3_600_000;
/// Hours that a thread's activity tells of: two days, so that today can be compared with yesterday.
pub(crate) const HOURS_MAX: i64 = 48;
/// What one vote adds to a thread's heat: fixed point, so that a few votes keep their order for some days.
const HEAT_OF_VOTE: u64 = 1 << 16;
/// What an hour leaves of heat, in 65,536ths: `2^(-1/6)`, so that six hours leave half.
const HEAT_AN_HOUR_LATER: u64 = 58_386;
/// Heat of so long ago counts as none: a week is 28 halvings. It bounds the loop, too.
const HEAT_HOURS_MAX: i64 = 168;

/// The hour of event time that a moment lies in, counted from the Unix epoch.
pub(crate) fn hour_of(millis: i64) -> i64 {
    millis.div_euclid(HOUR_MILLIS)
}

/// When an hour begins, in milliseconds.
pub(crate) fn begin_of(hour: i64) -> i64 {
    hour.saturating_mul(HOUR_MILLIS)
}

/// How much was voted lately: as of an hour, and less with each hour that passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heat {
    pub(crate) amount: u64,
    pub(crate) hour: i64,
}

impl Heat {
    /// The amount that is left at an hour; all of it where that is not later.
    pub(crate) fn at(self, hour: i64) -> u64 {
        let passed = hour.saturating_sub(self.hour);
        if passed > HEAT_HOURS_MAX {
            return 0;
        }
        // An amount stays below 2^48: more votes on one thread than there are voters' numbers.
        (0..passed).fold(self.amount, |amount, _| amount.saturating_mul(HEAT_AN_HOUR_LATER) >> 16)
    }

    /// One more vote. A clock that runs back takes no heat away.
    fn vote(&mut self, hour: i64) {
        let hour = if self.amount == 0 { hour } else { self.hour.max(hour) };
        *self = Self { amount: self.at(hour).saturating_add(HEAT_OF_VOTE), hour };
    }
}

/// What happened in a thread, and where it stands in its site's lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Activity {
    /// Its place among the threads of its site, in the order in which they were opened, from 0.
    pub(crate) ordinal: u32,
    pub(crate) rows: u32,
    pub(crate) up: u64,
    pub(crate) down: u64,
    /// When the latest of its rows was posted.
    pub(crate) last_comment_millis: Option<i64>,
    pub(crate) heat: Heat,
    /// Votes that were cast on its comments, those that changed nothing too.
    pub(crate) cast: u32,
    /// The last hours in which something happened, the earliest first.
    pub(crate) hours: Vec<Hour>,
}

/// What happened in an hour of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hour {
    /// Counted from the Unix epoch.
    pub(crate) at: i64,
    pub(crate) rows: u32,
    pub(crate) comments: u32,
    pub(crate) votes: u32,
}

impl Activity {
    pub(crate) fn new(ordinal: u32) -> Self {
        Self {
            ordinal,
            rows: 0,
            up: 0,
            down: 0,
            last_comment_millis: None,
            heat: Heat::default(),
            cast: 0,
            hours: Vec::new(),
        }
    }

    /// The latest hour in which something happened.
    pub(crate) fn latest_hour(&self) -> Option<i64> {
        self.hours.last().map(|hour| hour.at)
    }

    /// Counts something in its hour, unless that is too long ago: times run back now and then.
    fn count(&mut self, hour: i64, how: impl FnOnce(&mut Hour)) {
        // Nearly everything happens in the hour in which something happened last.
        if let Some(latest) = self.hours.last_mut()
            && latest.at == hour
        {
            return how(latest);
        }
        let latest = self.latest_hour().map_or(hour, |latest| latest.max(hour));
        let first = latest.saturating_sub(HOURS_MAX - 1);
        self.hours.retain(|counted| counted.at >= first);
        if hour < first {
            return;
        }
        let at = self.hours.partition_point(|counted| counted.at < hour);
        if self.hours.get(at).is_none_or(|counted| counted.at != hour) {
            self.hours.insert(at, Hour { at: hour, rows: 0, comments: 0, votes: 0 });
        }
        if let Some(counted) = self.hours.get_mut(at) {
            how(counted);
        }
    }

    /// A comment was posted, shown or not.
    pub(crate) fn posted(&mut self, now_millis: i64) {
        self.count(hour_of(now_millis), |hour| hour.comments = hour.comments.saturating_add(1));
    }

    /// A comment that was posted then got its row now.
    pub(crate) fn shown(&mut self, posted_millis: i64, now_millis: i64) {
        self.rows = self.rows.saturating_add(1);
        self.last_comment_millis = self.last_comment_millis.max(Some(posted_millis));
        self.count(hour_of(now_millis), |hour| hour.rows = hour.rows.saturating_add(1));
    }

    /// A tally moved by so much.
    pub(crate) fn moved(&mut self, (up, down): (i32, i32)) {
        self.up = self.up.saturating_add_signed(up.into());
        self.down = self.down.saturating_add_signed(down.into());
    }

    /// A vote moved a tally by so much, and was cast or only taken back.
    pub(crate) fn voted(&mut self, moved: (i32, i32), cast: bool, now_millis: i64) {
        self.moved(moved);
        if cast {
            let hour = hour_of(now_millis);
            self.heat.vote(hour);
            self.count(hour, |hour| hour.votes = hour.votes.saturating_add(1));
        }
    }
}

/// Threads of a site whose ordinals follow one another.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Board(pub(crate) Vec<BoardEntry>);

/// What orders of threads ask of one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct BoardEntry {
    /// Its rows.
    pub(crate) count: u32,
    pub(crate) heat: Heat,
}

impl Board {
    /// The chunk of an ordinal, and its place there.
    pub(crate) fn place_of(ordinal: u32) -> (u32, usize) {
        (ordinal / THREADS_IN_CHUNK, usize::try_from(ordinal % THREADS_IN_CHUNK).expect("below 128"))
    }

    pub(crate) fn set(&mut self, slot: usize, entry: BoardEntry) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, BoardEntry::default());
        }
        if let Some(found) = self.0.get_mut(slot) {
            *found = entry;
        }
    }
}

/// What a site comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// How many threads were opened.
    pub(crate) threads: u32,
    /// The latest hour in which something happened in one of them.
    pub(crate) hour: Option<i64>,
    /// How many comments wait, of each kind: held, flagged, reported as illegal.
    pub(crate) waiting: [u32; 3],
}

impl Totals {
    /// How many comments wait as a kind.
    pub(crate) fn waiting_mut(&mut self, kind: QueueKind) -> &mut u32 {
        let [held, flagged, illegal] = &mut self.waiting;
        match kind {
            QueueKind::Held => held,
            QueueKind::Flagged => flagged,
            QueueKind::Illegal => illegal,
        }
    }
}

/// Since when a comment waits, of each kind: held, flagged, reported as illegal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waits(pub(crate) [Option<i64>; 3]);

/// Where an author's comment stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Posted {
    pub(crate) thread: String,
    pub(crate) number: u32,
}

impl Plain for Activity {}
impl Plain for Board {}
impl Plain for Totals {}
impl Plain for Waits {}
impl Plain for Posted {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use crate::value::tests::hex;

    #[test]
    fn six_hours_leave_half_of_the_heat_and_a_week_none() {
        let mut heat = Heat::default();
        (0..1_000).for_each(|_| heat.vote(100));
        assert_eq!(heat, Heat { amount: 65_536_000, hour: 100 });
        assert_eq!(heat.at(100), heat.at(99), "time that runs back takes nothing");
        let half = heat.at(106);
        assert!((32_700_000..32_800_000).contains(&half), "{half}");
        heat.vote(90);
        assert_eq!(heat, Heat { amount: 65_601_536, hour: 100 }, "a late vote counts as of now");
        let most = Heat { amount: u64::from(u32::MAX) << 16, hour: 0 };
        assert!(most.at(1) < most.amount && most.at(1) > most.amount / 10 * 8, "nothing runs over");
        assert!(most.at(HEAT_HOURS_MAX) > 0);
        assert_eq!((most.at(HEAT_HOURS_MAX + 1), most.at(i64::MAX)), (0, 0));
    }

    #[test]
    fn two_days_of_hours_are_kept_whatever_the_order_they_come_in() {
        let mut activity = Activity::new(0);
        let hours = |activity: &Activity| activity.hours.iter().map(|hour| hour.at).collect::<Vec<_>>();
        for hour in [0, 10, 5, -3, 44] {
            activity.posted(begin_of(hour) + 1);
        }
        assert_eq!(hours(&activity), [-3, 0, 5, 10, 44]);
        activity.shown(7, begin_of(45));
        assert_eq!(hours(&activity), [0, 5, 10, 44, 45]);
        activity.voted((1, 0), true, begin_of(-3));
        assert_eq!((hours(&activity), activity.up), (vec![0, 5, 10, 44, 45], 1), "too long ago");
        activity.voted((-1, 0), false, begin_of(100));
        assert_eq!((activity.hours.len(), activity.up), (5, 0), "what is taken back is not cast");
    }

    #[test]
    fn the_bytes_of_lists_stay_as_they_are() {
        let mut activity = Activity::new(300);
        activity.posted(1_700_000_000_000);
        activity.shown(1_700_000_000_000, 1_700_000_000_000);
        activity.voted((1, -1), true, 1_700_000_000_000);
        let entry = BoardEntry { count: 1, heat: activity.heat };
        let stored = [
            activity.to_stored(),
            Board(vec![entry]).to_stored(),
            Totals { threads: 2, hour: Some(-1), waiting: [1, 2, 300] }.to_stored(),
            Waits([None, Some(1), None]).to_stored(),
            Posted { thread: "t".into(), number: 7 }.to_stored(),
        ];
        let stored: Vec<String> = stored.iter().map(|bytes| hex(bytes)).collect();
        let as_they_were = [
            "01293edfe4fb2c0101010001fd00d0ca9f17030000fc00000100fc3c690e000001fc3c690e00010101",
            "01634515070101fc00000100fc3c690e00",
            "012ae226370201010102fb2c01",
            "0112b0d7a900010200",
            "012bb49a74017407",
        ];
        assert_eq!(stored, as_they_were);
    }
}
