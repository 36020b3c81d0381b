//! A store with one thread, from a fixed seed, and more events for it.

use domain::text::Text;
use domain::{
    Actor, AuthorId, CommandId, CommentId, Content, Envelope, Event, Place, Recorded, Role, Roles, SiteId,
    ThreadId, Timestamp, Vote,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use views::{Options, Store};

/// The log, as the checkpoint names it.
pub(crate) const LOG: (&str, i64, u64) = ("BENCH", 0, 1);
const VOTERS: u32 = 20_000;
/// The first event's time: 2026-01-01.
const BEGIN_MILLIS: i64 = 1_767_225_600_000;
/// What is folded at once while a thread is made: a step of catching up.
const STEP: usize = 10_000;
/// A site and a thread are opened before the first comment.
const BEFORE: u32 = 2;

/// A thread with as many votes as comments.
pub(crate) struct Thread {
    pub(crate) events: Events,
    store: Option<Store>,
    dir: TempDir,
}

/// Gives event after event.
#[derive(Clone)]
pub(crate) struct Events {
    rng: ChaCha8Rng,
    site: SiteId,
    thread: ThreadId,
    given: u32,
}

impl Thread {
    pub(crate) fn with(comments: u32) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (store, mut events) = (open(&dir), Events::new());
        let mut all = vec![events.site_opened(), events.thread_opened()];
        all.extend((0..comments).map(|_| events.post()));
        all.extend((0..comments).map(|_| events.vote(comments)));
        for step in all.chunks(STEP) {
            store.catch_up(step, LOG).expect("a sound store");
        }
        Self { events, store: Some(store), dir }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().expect("it is open but while it is opened again")
    }

    /// Opens the store again, with nothing in memory.
    pub(crate) fn reopen(&mut self) {
        // It must be closed first.
        drop(self.store.take());
        self.store = Some(open(&self.dir));
    }
}

fn open(dir: &TempDir) -> Store {
    Store::open(dir.path(), Options::default()).expect("a sound store")
}

impl Events {
    fn new() -> Self {
        let (site, thread) = ("bench".parse().expect("a token"), "thread".parse().expect("a token"));
        Self { rng: ChaCha8Rng::seed_from_u64(0x0076_6965), site, thread, given: 0 }
    }

    pub(crate) fn ids(&self) -> (&SiteId, &ThreadId) {
        (&self.site, &self.thread)
    }

    pub(crate) fn voter(number: u32) -> AuthorId {
        format!("voter-{number}").parse().expect("a token")
    }

    /// A post that replies to none.
    pub(crate) fn post(&mut self) -> Recorded {
        let text = Text::recorded("What a reader has to say to this is about as long as a line or two.");
        let length = text.length();
        let author = format!("author-{}", self.given % 5_000).parse().expect("a token");
        self.next(
            author,
            true,
            Event::CommentPosted {
                parent: None,
                text,
                quotes: Vec::new(),
                length,
                held: None,
                original_time: None,
            },
        )
    }

    /// A vote on one of the first comments, the earlier the more often.
    pub(crate) fn vote(&mut self, comments: u32) -> Recorded {
        let upper = self.rng.random_range(0..comments);
        let comment = CommentId(id(BEFORE + self.rng.random_range(0..=upper)));
        let vote = if self.rng.random_ratio(2, 3) { Vote::Up } else { Vote::Down };
        let voter = Self::voter(self.rng.random_range(0..VOTERS));
        self.next(voter, true, Event::VoteCast { comment, vote })
    }

    fn site_opened(&mut self) -> Recorded {
        self.next(editor(), false, Event::SiteOpened { name: "Bench".into(), zone: "UTC".into() })
    }

    fn thread_opened(&mut self) -> Recorded {
        let (headline, address, category) = ("Article".into(), "".into(), "Bench".into());
        let event = Event::ThreadOpened { headline, address, category, published: None, closes_at: None };
        self.next(editor(), true, event)
    }

    fn next(&mut self, by: AuthorId, in_thread: bool, event: Event) -> Recorded {
        let id = id(self.given);
        let time = Timestamp(BEGIN_MILLIS + i64::from(self.given) * 1_000);
        self.given += 1;
        let roles = if by == editor() { [Role::Administrator].into_iter().collect() } else { Roles::default() };
        let place = Place { site: self.site.clone(), thread: in_thread.then(|| self.thread.clone()) };
        let content = Content::Event(Envelope { id, time, actor: Actor { id: by, roles }, event });
        Recorded { sequence: u64::from(self.given), place: Some(place), content }
    }
}

fn editor() -> AuthorId {
    "editor".parse().expect("a token")
}

/// The id of an event, by how many were before it.
fn id(before: u32) -> CommandId {
    CommandId::from_u128(u128::from(BEGIN_MILLIS.unsigned_abs()) << 80 | 7 << 76 | 2 << 62 | u128::from(before))
}
