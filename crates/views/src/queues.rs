//! The moderators' queues, one for each kind of what waits, each with the oldest first.

use domain::{SiteId, ThreadId, Timestamp};

use crate::error::Error;
use crate::keys::{Key, PlaceNo, prefix, queued_tail};
use crate::moderation::{BYTES_MAX, WaitingComment};
use crate::pages::{Names, View};
use crate::records::Totals;

/// Why a comment waits. One comment may wait for several reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// It is held.
    Held,
    /// Flags on it wait for a decision.
    Flagged,
    /// Of these, some say that its content is illegal.
    Illegal,
}

impl QueueKind {
    /// Every kind, in the order in which records have them.
    pub(crate) const EVERY: [Self; 3] = [Self::Held, Self::Flagged, Self::Illegal];

    /// Stored: a change is a new schema.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Flagged => 1,
            Self::Illegal => 2,
        }
    }
}

/// How many comments of a site wait, of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// That are held.
    pub held: u32,
    /// That have flags which wait.
    pub flagged: u32,
    /// That are reported as illegal.
    pub illegal: u32,
}

/// Where a page of a queue ended: since when the last comment waits, its thread and number.
pub type QueueCursor = (Timestamp, ThreadId, u32);

impl View<'_> {
    /// How many comments of a site wait, of each kind.
    pub fn queue_counts(&self, site: &SiteId) -> Result<QueueCounts, Error> {
        let Some(record) = self.site(site)? else { return Ok(QueueCounts::default()) };
        let totals: Totals = self.get(&Key::Totals(PlaceNo(record.place)))?.unwrap_or_default();
        let [held, flagged, illegal] = totals.waiting;
        Ok(QueueCounts { held, flagged, illegal })
    }

    /// Comments of a site that wait as a kind, after one, the oldest first; and whether more follow.
    pub fn queue(
        &self,
        site: &SiteId,
        kind: QueueKind,
        after: Option<&QueueCursor>,
        limit: usize,
    ) -> Result<(Vec<WaitingComment>, bool), Error> {
        let Some(record) = self.site(site)? else { return Ok((Vec::new(), false)) };
        let no = PlaceNo(record.place);
        let prefix = prefix::queued(no, kind);
        let from = after.map_or_else(
            || prefix.clone(),
            |(since, thread, number)| Key::Queued(no, kind, since.0, thread, number.saturating_add(1)).encode(),
        );
        let (mut names, mut waiting, mut bytes) = (Names::default(), Vec::new(), 0);
        for entry in self.tree.range(from..) {
            let (key, _) = entry?;
            if !key.starts_with(&prefix) {
                break;
            }
            if waiting.len() == limit || bytes > BYTES_MAX {
                return Ok((waiting, true));
            }
            let (since_millis, thread, number) = queued_tail(&key).ok_or(Error::Damaged("a key of a queue"))?;
            let (mut comment, comment_bytes) = self.waits((site, no), (thread, number), &mut names)?;
            comment.since = Some(Timestamp(since_millis));
            bytes += comment_bytes;
            waiting.push(comment);
        }
        Ok((waiting, false))
    }
}
