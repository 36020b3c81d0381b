//! What a batch has changed of lists, queues and authors' comments.

use std::collections::HashMap;

use domain::ThreadId;

use super::{Share, Table, Writes};
use crate::error::Error;
use crate::key_filter::Source;
use crate::keys::{Key, PlaceNo};
use crate::records::{Activity, Board, BoardEntry, Posted, Totals, Waits};

/// What a batch touches of lists: the many votes on a thread are one change of its activity, and one of its board.
pub(crate) struct Lists {
    activities: HashMap<u32, InSite, foldhash::fast::RandomState>,
    stored_activities: Table<Activity>,
    boards: Table<Board>,
    totals: Table<Totals>,
    ordinals: Table<String>,
    pub(crate) waits: Table<Waits>,
    pub(crate) queued: Table<u32>,
    pub(crate) posted: Table<Posted>,
}

struct InSite {
    site: PlaceNo,
    activity: Activity,
}

impl Lists {
    pub(super) fn new(source: &Source, bytes: usize) -> Self {
        let (hot, cold) = (Share::Hot.of(bytes), Share::Cold.of(bytes));
        Self {
            activities: HashMap::default(),
            stored_activities: Table::keeping(source, hot),
            boards: Table::keeping(source, cold),
            totals: Table::keeping(source, cold),
            ordinals: Table::keeping(source, cold),
            waits: Table::keeping(source, cold),
            queued: Table::keeping(source, cold),
            posted: Table::keeping(source, cold),
        }
    }

    /// What the site comes to, for a change.
    pub(crate) fn totals(&mut self, site: PlaceNo) -> Result<&mut Totals, Error> {
        Ok(self.totals.change(&Key::Totals(site))?.get_or_insert_default())
    }

    /// A thread was opened and gets the next ordinal of its site.
    pub(crate) fn open(&mut self, (site, thread): (PlaceNo, PlaceNo), id: &ThreadId) -> Result<(), Error> {
        let totals = self.totals(site)?;
        let ordinal = totals.threads;
        totals.threads += 1;
        self.ordinals.put(&Key::Ordinal(site, ordinal), id.to_string());
        self.activities.insert(thread.0, InSite { site, activity: Activity::new(ordinal) });
        Ok(())
    }

    /// The activity of a thread, for a change; `None` if it was never opened.
    pub(crate) fn activity(&mut self, (site, thread): (PlaceNo, PlaceNo)) -> Result<Option<&mut Activity>, Error> {
        use std::collections::hash_map::Entry;
        match self.activities.entry(thread.0) {
            Entry::Occupied(known) => Ok(Some(&mut known.into_mut().activity)),
            Entry::Vacant(vacant) => {
                let stored = self.stored_activities.get(&Key::Activity(thread))?;
                let Some(activity) = stored.cloned() else { return Ok(None) };
                Ok(Some(&mut vacant.insert(InSite { site, activity }).activity))
            }
        }
    }

    /// How many threads a site has opened.
    pub(crate) fn threads(&mut self, site: PlaceNo) -> Result<u32, Error> {
        Ok(self.totals.get(&Key::Totals(site))?.map_or(0, |totals| totals.threads))
    }

    /// The thread that was opened as this number of its site.
    pub(crate) fn opened_as(&mut self, site: PlaceNo, ordinal: u32) -> Result<ThreadId, Error> {
        let id = self.ordinals.get(&Key::Ordinal(site, ordinal))?.ok_or(Error::Damaged("a thread is missing"))?;
        id.parse().or(Err(Error::Damaged("a thread's id")))
    }

    /// Brings what the batch touched into its boards, once for each thread.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        for (thread, InSite { site, activity }) in std::mem::take(&mut self.activities) {
            let (chunk, slot) = Board::place_of(activity.ordinal);
            let board = self.boards.change(&Key::Board(site, chunk))?.get_or_insert_default();
            board.set(slot, BoardEntry { count: activity.rows, heat: activity.heat });
            let totals = self.totals(site)?;
            totals.hour = totals.hour.max(activity.latest_hour());
            self.stored_activities.put(&Key::Activity(PlaceNo(thread)), activity);
        }
        Ok(())
    }

    /// All changes, once they are settled.
    pub(super) fn write(&mut self, writes: &mut Writes) -> Result<(), Error> {
        self.stored_activities.write(writes)?;
        self.boards.write(writes)?;
        self.totals.write(writes)?;
        self.ordinals.write(writes)?;
        self.waits.write(writes)?;
        self.queued.write(writes)?;
        self.posted.write(writes)
    }

    pub(super) fn clear(&mut self) {
        self.activities.clear();
        self.stored_activities.clear();
        self.boards.clear();
        self.totals.clear();
        self.ordinals.clear();
        self.waits.clear();
        self.queued.clear();
        self.posted.clear();
    }
}
