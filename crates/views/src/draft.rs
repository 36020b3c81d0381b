//! What the fold has read and changed: everything a step touches, loaded once, written once, and kept for the next step.

mod lists;

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{AuthorId, Place, SiteId, ThreadId};

use crate::ballots::Ballots;
use crate::error::Error;
use crate::key_filter::Source;
use crate::keys::{Key, PlaceNo};
use crate::records::{
    Address, Audit, Author, Command, Comment, Decision, Flag, FormerName, Frozen, Numbers, Outline, Removal,
    RemovalOf, Resolution, Scores, Settings, Site, Thread, TookPart, VoterIds, VotesCast, Words,
};
use crate::table::{Table, Writes};
use crate::voters::Bucket;
use lists::Lists;

/// How much of the memory for the fold a table takes until it is full, and once more for what it was full of before.
#[derive(Clone, Copy)]
enum Share {
    /// What votes and comments ask for: the voters, comments and sets that are busy now.
    Hot,
    /// What is seldom asked for again.
    Cold,
}

impl Share {
    fn of(self, bytes: usize) -> usize {
        match self {
            // Ten of them, each with what is recent and what was recent before.
            Self::Hot => bytes / 20,
            // Some twenty.
            Self::Cold => bytes / 400,
        }
    }
}

macro_rules! tables {
    ($($name:ident: $value:ty, $share:expr;)*) => {
        /// The tables of the fold, and what its step has touched.
        pub(crate) struct Draft {
            $(pub(crate) $name: Table<$value>,)*
            pub(crate) lists: Lists,
            /// The comments that readers see otherwise now, by thread.
            pub(crate) touched: Touched,
            /// Sites in which not every thread has come to what was decided for the whole site.
            pub(crate) open: BTreeSet<SiteId>,
        }

        impl Draft {
            pub(crate) fn new(source: &Source, bytes: usize) -> Self {
                Self {
                    $($name: Table::keeping(source, $share.of(bytes)),)*
                    lists: Lists::new(source, bytes),
                    touched: Touched::default(),
                    open: BTreeSet::new(),
                }
            }

            /// All changes of the step; the next one may begin.
            pub(crate) fn write(&mut self, writes: &mut Writes) -> Result<(), Error> {
                $(self.$name.write(writes)?;)*
                self.touched.clear();
                self.lists.write(writes)
            }

            /// Forgets everything, since the step came to nothing.
            pub(crate) fn clear(&mut self) {
                $(self.$name.clear();)*
                self.lists.clear();
                self.touched.clear();
                self.open.clear();
            }
        }
    };
}

tables! {
    counts: u32, Share::Cold;
    sites: Site, Share::Cold;
    threads: Thread, Share::Hot;
    settings: Settings, Share::Cold;
    texts: String, Share::Cold;
    voter_ids: VoterIds, Share::Cold;
    voter_buckets: Bucket, Share::Hot;
    authors: Author, Share::Hot;
    former_names: FormerName, Share::Cold;
    addresses: Address, Share::Cold;
    comments: Comment, Share::Hot;
    words: Words, Share::Cold;
    flags: Flag, Share::Cold;
    resolutions: Resolution, Share::Cold;
    audits: Audit, Share::Cold;
    scores: Scores, Share::Hot;
    outlines: Outline, Share::Hot;
    ballots: Ballots, Share::Hot;
    commands: Command, Share::Hot;
    frozen: Frozen, Share::Cold;
    void: u64, Share::Cold;
    votes_cast: VotesCast, Share::Hot;
    took_part: TookPart, Share::Cold;
    numbers: Numbers, Share::Cold;
    removals_of: RemovalOf, Share::Cold;
    decisions: Decision, Share::Cold;
    removals: Removal, Share::Cold;
}

/// Comments by thread.
pub(crate) type Touched = HashMap<PlaceNo, TouchedThread, foldhash::fast::RandomState>;

/// What was touched of a thread.
pub(crate) struct TouchedThread {
    pub(crate) site: SiteId,
    pub(crate) thread: ThreadId,
    pub(crate) numbers: HashSet<u32, foldhash::fast::RandomState>,
}

impl Draft {
    /// The next number of a place.
    fn next_place(&mut self) -> Result<u32, Error> {
        let places = self.counts.change(&Key::Places)?;
        let next = places.unwrap_or_default() + 1;
        *places = Some(next);
        Ok(next)
    }

    /// The site, known from now on, for a change.
    pub(crate) fn site(&mut self, id: &SiteId) -> Result<&mut Site, Error> {
        let key = Key::Site(id);
        if self.sites.get(&key)?.is_none() {
            let place = self.next_place()?;
            self.sites.put(&key, Site { place, ..Site::default() });
        }
        Ok(self.sites.change(&key)?.as_mut().expect("it was just put there"))
    }

    /// The thread, known from now on, for a change.
    pub(crate) fn thread(&mut self, site: &SiteId, id: &ThreadId) -> Result<&mut Thread, Error> {
        let key = Key::Thread(site, id);
        if self.threads.get(&key)?.is_none() {
            let place = self.next_place()?;
            self.threads.put(&key, Thread::new(place));
        }
        Ok(self.threads.change(&key)?.as_mut().expect("it was just put there"))
    }

    /// The author, known from now on, for a change.
    pub(crate) fn author(&mut self, site: PlaceNo, id: &AuthorId) -> Result<&mut Author, Error> {
        Ok(self.authors.change(&Key::Author(site, id))?.get_or_insert_default())
    }

    /// The number of a place that is known.
    pub(crate) fn place(&mut self, place: &Place) -> Result<Option<PlaceNo>, Error> {
        let number = match &place.thread {
            Some(thread) => self.threads.get(&Key::Thread(&place.site, thread))?.map(|thread| thread.place),
            None => self.sites.get(&Key::Site(&place.site))?.map(|site| site.place),
        };
        Ok(number.map(PlaceNo))
    }

    /// Counts a void event.
    pub(crate) fn count_void(&mut self, code: &str) -> Result<(), Error> {
        let count = self.void.change(&Key::Void(code))?;
        *count = Some(count.unwrap_or_default() + 1);
        Ok(())
    }
}
