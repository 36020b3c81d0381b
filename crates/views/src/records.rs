//! What stands under the keys. Stored: a change is a new schema.

use serde::{Deserialize, Serialize};

use crate::keys::SCORES_IN_CHUNK;
use crate::value::Plain;

/// What is folded: the end of the prefix of the log that the store is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The name of the stream.
    pub stream: String,
    /// When the stream was made, in nanoseconds since the Unix epoch.
    pub created_nanos: i64,
    /// The log's epoch.
    pub epoch: u64,
    /// The last sequence that is folded.
    pub sequence: u64,
    /// Parts of that event that are folded; 0 for all of it.
    pub part: u32,
    /// The `Nats-Msg-Id` at that sequence, to tell whether the log is still the same.
    pub message_id: String,
    /// The layout that the store was written with.
    pub schema: u32,
}

/// A place that stands still, because one of its events cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The site.
    pub site: String,
    /// The thread; empty for the whole site.
    pub thread: String,
    /// Where the event stands in the log.
    pub sequence: u64,
    /// The event's `Nats-Msg-Id`.
    pub message_id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A site. It is known to the store from the first event that names it, and open from its `site-opened`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) place: u32,
    pub(crate) opened: Option<SiteOpened>,
    pub(crate) frozen: bool,
    /// Events that came after it froze and are not folded.
    pub(crate) skipped: u64,
    /// How many voters have a number.
    pub(crate) voters: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SiteOpened {
    pub(crate) name: String,
    pub(crate) zone: String,
}

/// A thread. It is known to the store from the first event that names it, and open from its `thread-opened`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) place: u32,
    pub(crate) opened: Option<ThreadOpened>,
    pub(crate) frozen: bool,
    /// Events that came after it froze and are not folded.
    pub(crate) skipped: u64,
    /// Its comments, and so the highest number.
    pub(crate) count: u32,
    /// The latest time of its events; rules take no event as earlier.
    pub(crate) latest_millis: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ThreadOpened {
    pub(crate) headline: String,
    pub(crate) address: String,
    pub(crate) category: String,
}

/// A comment without its words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u128,
    pub(crate) author: String,
    pub(crate) time_millis: i64,
    /// The number of the comment it replies to; 0 for none.
    pub(crate) parent: u32,
    /// In characters.
    pub(crate) length: u32,
    pub(crate) removed: Option<Removed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) time_millis: i64,
}

/// The words of a comment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) quotes: Vec<Quote>,
}

/// A quote, by the number of the quoted comment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Quote {
    pub(crate) number: u32,
    pub(crate) revision: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) at: u32,
}

/// What came of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Command {
    pub(crate) sequence: u64,
    /// The code of the rule that its event broke; `None` if it was applied.
    pub(crate) void: Option<String>,
}

/// Tallies of comments that stand beside one another: up and down of each.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Scores(Vec<(u32, u32)>);

impl Scores {
    /// The chunk of a comment's number, and its place there.
    pub(crate) fn place_of(number: u32) -> (u32, usize) {
        let index = number.saturating_sub(1);
        (index / SCORES_IN_CHUNK, usize::try_from(index % SCORES_IN_CHUNK).expect("below 64"))
    }

    pub(crate) fn get(&self, slot: usize) -> domain::Tally {
        let (up, down) = self.0.get(slot).copied().unwrap_or_default();
        domain::Tally { up, down }
    }

    pub(crate) fn set(&mut self, slot: usize, tally: domain::Tally) {
        if self.0.len() <= slot {
            self.0.resize(slot + 1, (0, 0));
        }
        if let Some(score) = self.0.get_mut(slot) {
            *score = (tally.up, tally.down);
        }
    }
}

impl Plain for Checkpoint {}
impl Plain for Frozen {}
impl Plain for Site {}
impl Plain for Thread {}
impl Plain for Comment {}
impl Plain for Words {}
impl Plain for Command {}
impl Plain for Scores {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use crate::value::tests::hex;

    #[test]
    fn every_record_leads_back_and_its_bytes_stay_as_they_are() {
        let checkpoint = Checkpoint {
            stream: "KOE_EVENTS".into(),
            created_nanos: 1,
            epoch: 2,
            sequence: 300,
            part: 0,
            message_id: "x".into(),
            schema: 1,
        };
        assert_eq!(Checkpoint::from_stored(&checkpoint.to_stored()).unwrap(), checkpoint);
        let removed = Removed { by: "mod".into(), reason: "spam".into(), time_millis: -3 };
        let comment = Comment {
            id: 7,
            author: "ann".into(),
            time_millis: 1_700_000_000_000,
            parent: 1,
            length: 9,
            removed: Some(removed),
        };
        assert_eq!(hex(&comment.to_stored()), "01f800b17d0703616e6efd00d0ca9f17030000010901036d6f64047370616d05");
        let site = Site { place: 1, opened: None, frozen: true, skipped: 300, voters: 2 };
        assert_eq!(hex(&site.to_stored()), "01915e8335010001fb2c0102");
        let opened = ThreadOpened { headline: "h".into(), address: "a".into(), category: "c".into() };
        let thread =
            Thread { place: 9, opened: Some(opened), frozen: false, skipped: 0, count: 7, latest_millis: -1 };
        assert_eq!(hex(&thread.to_stored()), "01e368541a090101680161016300000701");
        let command = Command { sequence: 70_000, void: Some("own-comment".into()) };
        assert_eq!(hex(&command.to_stored()), "010d965f2dfc70110100010b6f776e2d636f6d6d656e74");
        let mut scores = Scores::default();
        scores.set(1, domain::Tally { up: 3, down: 4 });
        assert_eq!(hex(&scores.to_stored()), "0190a233a70200000304");
        let quote = Quote { number: 1, revision: 0, start: 2, end: 70_000, at: 4 };
        let words = Words { text: "声".into(), quotes: vec![quote] };
        let read = Words::from_stored(&words.to_stored()).unwrap();
        assert_eq!((read.text.as_str(), read.quotes[0].end), ("声", 70_000));
    }

    #[test]
    fn scores_stand_in_chunks_of_64() {
        assert_eq!(Scores::place_of(1), (0, 0));
        assert_eq!(Scores::place_of(64), (0, 63));
        assert_eq!(Scores::place_of(65), (1, 0));
        let mut scores = Scores::default();
        scores.set(3, domain::Tally { up: 1, down: 2 });
        assert_eq!(scores.get(3), domain::Tally { up: 1, down: 2 });
        assert_eq!(scores.get(60), domain::Tally::default());
    }
}
