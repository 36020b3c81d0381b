//! What happened in a thread lately.

use domain::{SiteId, ThreadId, Timestamp};

use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::pages::View;
use crate::records::{self, begin_of};

/// What happened in a thread.
#[derive(Debug, PartialEq, Eq)]
pub struct ThreadActivity {
    /// Its rows.
    pub count: u32,
    /// Votes on all of its comments.
    pub up: u64,
    /// Votes against them.
    pub down: u64,
    /// When the latest of its rows was posted.
    pub last_comment: Option<Timestamp>,
    /// Of the 48 hours up to the one in which something happened last those in which something happened, the earliest
    /// first.
    pub hours: Vec<ActiveHour>,
}

/// What happened in an hour of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveHour {
    /// When it began, a whole hour of UTC.
    pub begin: Timestamp,
    /// Comments that got their row.
    pub rows: u32,
    /// Comments that were posted, also those that were held.
    pub comments: u32,
    /// Votes that were cast and moved a tally; none that were only taken back.
    pub votes: u32,
}

impl View<'_> {
    /// What happened in a thread; `None` if it is not open.
    pub fn activity(&self, site: &SiteId, thread: &ThreadId) -> Result<Option<ThreadActivity>, Error> {
        let Some(thread) = self.thread(site, thread)?.filter(|thread| thread.opened.is_some()) else {
            return Ok(None);
        };
        let activity: Option<records::Activity> = self.get(&Key::Activity(PlaceNo(thread.place)))?;
        let activity = activity.ok_or(Error::Damaged("a thread's activity is missing"))?;
        let hour = |hour: records::Hour| ActiveHour {
            begin: Timestamp(begin_of(hour.at)),
            rows: hour.rows,
            comments: hour.comments,
            votes: hour.votes,
        };
        Ok(Some(ThreadActivity {
            count: activity.rows,
            up: activity.up,
            down: activity.down,
            last_comment: activity.last_comment_millis.map(Timestamp),
            hours: activity.hours.into_iter().map(hour).collect(),
        }))
    }
}
