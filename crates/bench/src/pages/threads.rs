//! The threads that are read page by page, from a fixed seed: who posted, who replies to whom, and who voted.

use std::collections::HashSet;

use domain::text::Text;
use domain::{
    Actor, CommandId, CommentId, Envelope, Event, Order, Place, Rank, SiteId, Tally, ThreadId, Timestamp, Vote,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::limits::{COUNTED, PAGE_ROWS};
use crate::load::{reader, staff};

const SEED: u64 = 0x0070_6167;
/// What most threads have: less than a page.
const SHORT: usize = 22;
/// The threads between are so many times shorter than the largest.
const PARTS: [usize; 2] = [100, 10];
const AUTHORS: u32 = 5_000;
const VOTERS: u32 = 20_000;
const REPLIES_IN_HUNDRED: u32 = 40;
const VOTES_UP_IN_HUNDRED: u32 = 65;
/// The first event's time, and its id's: 2026-01-01.
const BEGIN_MILLIS: u64 = 1_767_225_600_000;
/// Between one event and the next.
const STEP_MILLIS: u64 = 10_000;

/// A comment, and what must have come of the votes on it.
pub(super) struct Posted {
    pub(super) id: CommentId,
    pub(super) time: Timestamp,
    /// The number of the comment that it replies to.
    pub(super) parent: Option<u32>,
    pub(super) replies: u32,
    pub(super) tally: Tally,
    author: u32,
}

/// A thread: its comments, the first of which has the number 1.
pub(super) struct Thread {
    pub(super) id: ThreadId,
    comments: Vec<Posted>,
    votes: Vec<(usize, u32, Vote)>,
}

/// A site of them: those that are read, then those that are only counted.
pub(super) struct Threads {
    pub(super) site: SiteId,
    all: Vec<Thread>,
    read: usize,
    /// Events before the first vote.
    posted: u64,
}

/// An event's id and time.
type Stamp = (CommandId, Timestamp);
/// Who, and what.
type Said = (Actor, Event);

impl Thread {
    fn new(index: usize, size: usize, rng: &mut ChaCha8Rng, given: &mut u64) -> Self {
        let mut comments: Vec<Posted> = Vec::with_capacity(size);
        for at in 0..size {
            let parent = (at > 0 && rng.random_ratio(REPLIES_IN_HUNDRED, 100)).then(|| rng.random_range(0..at));
            if let Some(parent) = parent.and_then(|parent| comments.get_mut(parent)) {
                parent.replies += 1;
            }
            let (id, time) = next(given);
            let parent = parent.and_then(|parent| u32::try_from(parent + 1).ok());
            let (tally, author) = (Tally::default(), rng.random_range(0..AUTHORS));
            comments.push(Posted { id: CommentId(id), time, parent, replies: 0, tally, author });
        }
        let (mut votes, mut voted) = (Vec::with_capacity(size), HashSet::new());
        for _ in 0..size {
            // Early comments are voted on more often.
            let upper = rng.random_range(0..size);
            let (at, voter) = (rng.random_range(0..=upper), rng.random_range(0..VOTERS));
            let vote = if rng.random_ratio(VOTES_UP_IN_HUNDRED, 100) { Vote::Up } else { Vote::Down };
            let Some(comment) = comments.get_mut(at).filter(|_| voted.insert((at, voter))) else { continue };
            match vote {
                Vote::Up => comment.tally.up += 1,
                _ => comment.tally.down += 1,
            }
            votes.push((at, voter, vote));
        }
        let id = format!("thread-{index}").parse().expect("a token");
        Self { id, comments, votes }
    }

    pub(super) fn len(&self) -> usize {
        self.comments.len()
    }

    pub(super) fn comment(&self, number: u32) -> Option<&Posted> {
        self.comments.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    pub(super) fn rank(&self, order: Order, number: u32) -> Option<Rank> {
        self.comment(number).map(|comment| order.rank(number, comment.tally, comment.time))
    }

    /// The numbers of its comments in an order; of a tree, of those that reply to none.
    pub(super) fn ranked(&self, order: Order, tree: bool) -> Vec<u32> {
        let numbers = (1..).zip(&self.comments).filter(|(_, comment)| !tree || comment.parent.is_none());
        let mut ranks: Vec<Rank> =
            numbers.map(|(number, comment)| order.rank(number, comment.tally, comment.time)).collect();
        ranks.sort_unstable();
        ranks.into_iter().map(|rank| rank.number).collect()
    }

    fn posts(&self) -> impl Iterator<Item = (Stamp, Said)> {
        let words = "What a reader has to say to this is about as long as a line or two. ";
        self.comments.iter().map(move |comment| {
            let text = Text::recorded(words);
            let (length, parent) = (text.length(), comment.parent.and_then(|parent| self.comment(parent)));
            let parent = parent.map(|parent| parent.id);
            let event =
                Event::CommentPosted { parent, text, quotes: Vec::new(), length, held: None, original_time: None };
            ((comment.id.0, comment.time), (reader(&format!("author-{}", comment.author)), event))
        })
    }

    fn ballots(&self) -> impl Iterator<Item = Said> {
        self.votes.iter().filter_map(|(at, voter, vote)| {
            let comment = self.comments.get(*at)?.id;
            Some((reader(&format!("voter-{voter}")), Event::VoteCast { comment, vote: *vote }))
        })
    }
}

impl Threads {
    /// The largest has so many comments.
    pub(super) fn new(largest: usize) -> Self {
        let between = PARTS.into_iter().map(|part| (largest / part).max(PAGE_ROWS));
        let sizes: Vec<usize> = [SHORT].into_iter().chain(between).chain([largest]).collect();
        let (mut rng, read) = (ChaCha8Rng::seed_from_u64(SEED), sizes.len());
        let others = COUNTED.saturating_sub(read);
        // The site and the threads come first.
        let mut posted = u64::try_from(1 + read + others).unwrap_or(u64::MAX);
        let all = sizes.into_iter().chain(std::iter::repeat_n(1, others)).enumerate();
        let all = all.map(|(index, size)| Thread::new(index, size, &mut rng, &mut posted)).collect();
        Self { site: "bench".parse().expect("a token"), all, read, posted }
    }

    /// Those that are read, the largest last.
    pub(super) fn read(&self) -> &[Thread] {
        self.all.get(..self.read).unwrap_or_default()
    }

    pub(super) fn counted(&self) -> &[Thread] {
        &self.all
    }

    /// How many events there are.
    pub(super) fn events_count(&self) -> usize {
        1 + self.all.iter().map(|thread| 1 + thread.comments.len() + thread.votes.len()).sum::<usize>()
    }

    /// Every event, in the order of the log: what is opened, then comments, then votes.
    pub(super) fn events(&self) -> impl Iterator<Item = (Place, Envelope)> {
        let (mut opened, mut voted) = (0, self.posted);
        let (name, zone) = ("Bench".into(), "UTC".into());
        let site = std::iter::once((None, Event::SiteOpened { name, zone }));
        let opening = site.chain(self.all.iter().map(|thread| (Some(&thread.id), thread_opened())));
        let opening = opening.map(move |(thread, event)| self.put(thread, next(&mut opened), (staff(), event)));
        let comments = self.all.iter().flat_map(|thread| thread.posts().map(move |post| (&thread.id, post)));
        let comments = comments.map(|(thread, (stamp, said))| self.put(Some(thread), stamp, said));
        let votes = self.all.iter().flat_map(|thread| thread.ballots().map(move |vote| (&thread.id, vote)));
        let votes = votes.map(move |(thread, vote)| self.put(Some(thread), next(&mut voted), vote));
        opening.chain(comments).chain(votes)
    }

    /// A vote on the first comment of the first thread that is not among them.
    pub(super) fn unexpected(&self) -> Option<(Place, Envelope)> {
        let thread = self.all.first()?;
        let comment = thread.comment(1)?.id;
        let stamp = next(&mut u64::try_from(self.events_count()).ok()?);
        let vote = Event::VoteCast { comment, vote: Vote::Up };
        Some(self.put(Some(&thread.id), stamp, (reader("stranger"), vote)))
    }

    fn put(&self, thread: Option<&ThreadId>, (id, time): Stamp, (actor, event): Said) -> (Place, Envelope) {
        (Place { site: self.site.clone(), thread: thread.cloned() }, Envelope { id, time, actor, event })
    }
}

fn thread_opened() -> Event {
    let (headline, address, category) = ("Article".into(), "".into(), "Bench".into());
    Event::ThreadOpened { headline, address, category, published: None, closes_at: None }
}

/// The id and the time of the next event: a UUIDv7 of its number.
fn next(given: &mut u64) -> Stamp {
    let millis = BEGIN_MILLIS + *given * STEP_MILLIS;
    *given += 1;
    let id = CommandId::from_u128(u128::from(millis) << 80 | 7 << 76 | 2 << 62 | u128::from(*given));
    (id, Timestamp(i64::try_from(millis).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_are_the_same_each_time_and_scores_differ() {
        let events = || Threads::new(1_000).events().collect::<Vec<_>>();
        assert_eq!(events(), events());
        let threads = Threads::new(1_000);
        assert_eq!(events().len(), threads.events_count());
        assert!(events().is_sorted_by_key(|(_, envelope)| envelope.time));
        assert_eq!(threads.counted().len(), COUNTED);
        assert_eq!(threads.read().iter().map(Thread::len).collect::<Vec<_>>(), [22, 50, 100, 1_000]);
        let largest = threads.read().last().unwrap();
        let nets: HashSet<i64> = (1..=1_000).map(|number| largest.comment(number).unwrap().tally.net()).collect();
        assert!(nets.len() > 5, "{nets:?}");
        let roots = largest.ranked(Order::Best, true).len();
        assert!((500..700).contains(&roots), "{roots} of 1,000 reply to none");
    }
}
