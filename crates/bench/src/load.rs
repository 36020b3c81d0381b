//! The load: what readers of a busy site do, from a fixed seed, with the tallies that must come of it.
//!
//! Five of a hundred events are comments and the others votes. Threads and comments are chosen by a Zipf law, voters
//! evenly out of 200,000; one vote in ten is somebody's second thought about an earlier one.

use std::collections::HashMap;

use domain::text::Text;
use domain::{
    Actor, CommandId, CommentId, Envelope, Event, Place, Role, Roles, SiteId, Tally, ThreadId, Timestamp, Vote,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Zipf};

use crate::Bench;
use crate::fill::fill;
use crate::server::Server;

const SEED: u64 = 0x006b_6f65;
/// Articles that are talked about.
const THREADS: usize = 1_000;
/// The exponent of both laws: some above 1, as attention goes.
const EXPONENT: f64 = 1.1;
pub(crate) const VOTERS: u32 = 200_000;
const COMMENTS_IN_HUNDRED: u32 = 5;
const SECOND_THOUGHTS_IN_HUNDRED: u32 = 10;
/// Votes that somebody may think about again.
const REMEMBERED_VOTES: usize = 100_000;
/// Before there are so many events, some threads have no comment.
pub(crate) const LOAD_MIN: u64 = 2_001;
/// The first event's time, and its id's: 2026-01-01.
const BEGIN_MILLIS: i64 = 1_767_225_600_000;

/// A comment, by its thread and its place in it.
pub(crate) type At = (usize, usize);

/// Gives event after event, for ever the same.
pub(crate) struct Load {
    rng: ChaCha8Rng,
    site: SiteId,
    threads: Vec<Vec<CommentId>>,
    which_thread: Zipf<f64>,
    votes: HashMap<(At, u32), Vote>,
    remembered: Vec<(At, u32)>,
    given: u64,
}

impl Load {
    pub(crate) fn new() -> Self {
        let threads = u32::try_from(THREADS).map_or(1.0, f64::from);
        Self {
            rng: ChaCha8Rng::seed_from_u64(SEED),
            site: "bench".parse().expect("a token"),
            threads: Vec::new(),
            which_thread: Zipf::new(threads, EXPONENT).expect("sound parameters"),
            votes: HashMap::new(),
            remembered: Vec::new(),
            given: 0,
        }
    }

    /// Publishes the next events until there are so many, and says where the last one stands.
    pub(crate) async fn fill(&mut self, server: &Server, events: u64, bench: &Bench<'_>) -> anyhow::Result<u64> {
        let (begun, missing) = (self.given > 0, events.saturating_sub(self.given));
        bench.progress.begin("making the log", missing);
        let end = fill(server, (0..missing).map(|_| self.next()), bench.progress).await?;
        if bench.plant_error && !begun {
            return fill(server, std::iter::once(self.unexpected()), bench.progress).await;
        }
        Ok(end)
    }

    /// A vote that is not in what must come of the load.
    fn unexpected(&self) -> (Place, Envelope) {
        let place = Place { site: self.site.clone(), thread: Some(Self::thread(0)) };
        let event = Event::VoteCast { comment: self.comment((0, 0)), vote: Vote::Up };
        let (id, time) = (client::new_command_id(), Timestamp(BEGIN_MILLIS));
        (place, Envelope { id, time, actor: reader("stranger"), event })
    }

    pub(crate) fn site(&self) -> &SiteId {
        &self.site
    }

    pub(crate) fn thread(index: usize) -> ThreadId {
        format!("thread-{index}").parse().expect("a token")
    }

    /// The next event, in the order in which all are applied.
    pub(crate) fn next(&mut self) -> (Place, Envelope) {
        self.given += 1;
        let (place, actor, event) = match usize::try_from(self.given - 1).unwrap_or(usize::MAX) {
            0 => (None, staff(), Event::SiteOpened { name: "Bench".into(), zone: "UTC".into() }),
            opened if opened <= THREADS => self.open(opened - 1),
            // Each thread begins with a comment, so that there is something to vote on.
            posted if posted <= 2 * THREADS => self.post(posted - THREADS - 1),
            _ if self.rng.random_ratio(COMMENTS_IN_HUNDRED, 100) => {
                let thread = self.pick_thread();
                self.post(thread)
            }
            _ => self.vote(),
        };
        let millis = BEGIN_MILLIS + i64::try_from(self.given).unwrap_or(i64::MAX) / 10;
        let place = Place { site: self.site.clone(), thread: place.map(Self::thread) };
        (place, Envelope { id: self.id(), time: Timestamp(millis), actor, event })
    }

    /// A UUIDv7 of the event's number.
    fn id(&self) -> CommandId {
        let millis = u128::from(BEGIN_MILLIS.unsigned_abs()) + u128::from(self.given) / 10;
        CommandId::from_u128(millis << 80 | 7 << 76 | 2 << 62 | u128::from(self.given))
    }

    fn open(&mut self, thread: usize) -> (Option<usize>, Actor, Event) {
        self.threads.push(Vec::new());
        let (headline, category) = (format!("Article {thread}").into(), "Bench".into());
        let (address, published, closes_at) = ("".into(), None, None);
        (Some(thread), staff(), Event::ThreadOpened { headline, address, category, published, closes_at })
    }

    fn post(&mut self, thread: usize) -> (Option<usize>, Actor, Event) {
        let author = self.rng.random_range(0..VOTERS);
        let words = "What a reader has to say to this is about as long as a line or two. ";
        let text = Text::recorded(&words.repeat(self.rng.random_range(1..6)));
        let length = text.length();
        let id = CommentId(self.id());
        if let Some(comments) = self.threads.get_mut(thread) {
            comments.push(id);
        }
        let event = Event::CommentPosted {
            parent: None,
            text,
            quotes: Vec::new(),
            length,
            held: None,
            original_time: None,
        };
        (Some(thread), reader(&format!("author-{author}")), event)
    }

    fn vote(&mut self) -> (Option<usize>, Actor, Event) {
        let again = !self.remembered.is_empty() && self.rng.random_ratio(SECOND_THOUGHTS_IN_HUNDRED, 100);
        let (at, voter) = if again {
            let index = self.rng.random_range(0..self.remembered.len());
            self.remembered.get(index).copied().unwrap_or_default()
        } else {
            let thread = self.pick_thread();
            let comments = self.threads.get(thread).map_or(1, Vec::len);
            ((thread, self.pick(comments)), self.rng.random_range(0..VOTERS))
        };
        let vote = match self.rng.random_range(0..10_u32) {
            0..6 => Vote::Up,
            6..9 => Vote::Down,
            _ => Vote::None,
        };
        self.votes.insert((at, voter), vote);
        let slot = self.rng.random_range(0..REMEMBERED_VOTES);
        match self.remembered.get_mut(slot) {
            Some(remembered) => *remembered = (at, voter),
            None => self.remembered.push((at, voter)),
        }
        let comment = self.comment(at);
        (Some(at.0), reader(&Self::voter(voter)), Event::VoteCast { comment, vote })
    }

    /// The id of a voter; from [`VOTERS`] on they do not vote by themselves.
    pub(crate) fn voter(number: u32) -> String {
        format!("voter-{number}")
    }

    /// Votes of one more voter against so many different comments, in every part of the site.
    pub(crate) fn votes_against(&mut self, voter: u32, votes: usize) -> Vec<(Place, Envelope)> {
        let of_thread = |(thread, comments): (usize, &Vec<_>)| (0..comments.len()).map(move |at| (thread, at));
        let all: Vec<At> = self.threads.iter().enumerate().flat_map(of_thread).collect();
        let every = (all.len() / votes.max(1)).max(1);
        let chosen = all.into_iter().step_by(every).take(votes);
        chosen.map(|at| self.vote_against(voter, at)).collect()
    }

    fn vote_against(&mut self, voter: u32, at: At) -> (Place, Envelope) {
        self.given += 1;
        self.votes.insert((at, voter), Vote::Down);
        let event = Event::VoteCast { comment: self.comment(at), vote: Vote::Down };
        let place = Place { site: self.site.clone(), thread: Some(Self::thread(at.0)) };
        let time = Timestamp(BEGIN_MILLIS + i64::try_from(self.given).unwrap_or(i64::MAX) / 10);
        (place, Envelope { id: self.id(), time, actor: reader(&Self::voter(voter)), event })
    }

    /// Somebody votes for a comment, past this.
    pub(crate) fn voted_for(&mut self, voter: u32, at: At) {
        self.votes.insert((at, voter), Vote::Up);
    }

    /// The first comments of a thread but one, of whose tally something may be wrong on purpose.
    pub(crate) fn first_comments(&self, thread: usize, most: usize) -> Vec<(At, CommentId)> {
        let comments = self.threads.get(thread).into_iter().flatten().enumerate();
        comments.skip(1).take(most).map(|(index, comment)| ((thread, index), *comment)).collect()
    }

    fn comment(&self, (thread, index): At) -> CommentId {
        let comments = self.threads.get(thread).and_then(|comments| comments.get(index));
        comments.copied().expect("every thread begins with a comment")
    }

    fn pick_thread(&mut self) -> usize {
        index_of(self.which_thread.sample(&mut self.rng), THREADS)
    }

    /// One of so many, the first ones more often.
    fn pick(&mut self, of: usize) -> usize {
        let most = u32::try_from(of).map_or(1.0, f64::from);
        let law = Zipf::new(most, EXPONENT).expect("sound parameters");
        index_of(law.sample(&mut self.rng), of)
    }

    /// What must have come of everything that was given: the comments of each thread, and their tallies, where the votes of
    /// somebody may count for nothing.
    pub(crate) fn expected(&self, void: Option<u32>) -> Vec<Vec<Tally>> {
        let mut tallies: Vec<Vec<Tally>> =
            self.threads.iter().map(|comments| vec![Tally::default(); comments.len()]).collect();
        let counted = self.votes.iter().filter(|((_, voter), _)| Some(*voter) != void);
        for (((thread, index), _), vote) in counted {
            let Some(tally) = tallies.get_mut(*thread).and_then(|thread| thread.get_mut(*index)) else { continue };
            match vote {
                Vote::Up => tally.up += 1,
                Vote::Down => tally.down += 1,
                Vote::None => {}
            }
        }
        tallies
    }
}

/// A sample of a Zipf law, which counts from 1, as an index.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to `of`")]
fn index_of(sample: f64, of: usize) -> usize {
    (sample as usize).clamp(1, of) - 1
}

/// Who opens sites and threads.
pub(crate) fn staff() -> Actor {
    let roles: Roles = [Role::Administrator].into_iter().collect();
    Actor { id: "editor".parse().expect("a token"), roles }
}

/// Who posts and votes.
pub(crate) fn reader(id: &str) -> Actor {
    Actor { id: id.parse().expect("a token"), roles: Roles::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_the_same_each_time() {
        let digest = || {
            let mut load = Load::new();
            let events: Vec<_> = (0..20_000).map(|_| load.next()).collect();
            (events, load.expected(None))
        };
        assert_eq!(digest(), digest());
    }

    fn load_of(events: u64) -> Load {
        let mut load = Load::new();
        (0..events).for_each(|_| drop(load.next()));
        load
    }

    #[test]
    fn the_load_has_comments_votes_and_second_thoughts() {
        let mut load = Load::new();
        let events: Vec<_> = (0..50_000).map(|_| load.next().1.event).collect();
        let count = |kind: &str| events.iter().filter(|event| event.kind() == kind).count();
        assert_eq!((count("site-opened"), count("thread-opened")), (1, THREADS));
        assert!((3_000..4_000).contains(&count("comment-posted")), "{}", count("comment-posted"));
        assert!(load.votes.len() < count("vote-cast") * 95 / 100, "some think again");
        let begun = load_of(LOAD_MIN).expected(None);
        assert!(begun.len() == THREADS && begun.iter().all(|thread| thread.len() == 1));
        let tallies = load.expected(None);
        let most = tallies.iter().map(Vec::len).max();
        assert!(most > Some(100), "one thread has most of it: {most:?}");
    }
}
