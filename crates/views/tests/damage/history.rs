//! The history of a small site whose votes are set again and again, so that its store writes over itself.

use domain::text::Text;
use domain::{
    Actor, CommandId, CommentId, Content, Envelope, Event, FlagCategory, Hold, Place, Recorded, Role, SiteId,
    ThreadId, Timestamp, Vote,
};

pub(crate) const THREADS: usize = 3;
const COMMENTS: usize = 90;
const VOTERS: usize = 300;
const VOTES: usize = 24_000;
const BATCH: usize = 300;

/// Random numbers that are the same in every run (`SplitMix64`).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

pub(crate) fn site() -> SiteId {
    "s".parse().unwrap()
}

pub(crate) fn thread(number: usize) -> ThreadId {
    format!("t{number}").parse().unwrap()
}

struct Log(Vec<Recorded>);

impl Log {
    fn add(&mut self, thread: Option<usize>, actor: &str, event: Event) -> CommentId {
        let sequence = u64::try_from(self.0.len()).unwrap() + 1;
        let id = CommandId::from_u128(u128::from(sequence));
        let roles =
            if actor == "staff" { [Role::Administrator].into_iter().collect() } else { domain::Roles::default() };
        let actor = Actor { id: actor.parse().unwrap(), roles };
        let place = Place { site: site(), thread: thread.map(self::thread) };
        let time = Timestamp(1_800_000_000_000 + i64::try_from(sequence).unwrap());
        let content = Content::Event(Envelope { id, time, actor, event });
        self.0.push(Recorded { sequence, place: Some(place), content });
        CommentId(id)
    }
}

/// In batches, as they are folded.
pub(crate) fn history() -> Vec<Vec<Recorded>> {
    let (mut log, mut random) = (Log(Vec::new()), Random(7));
    log.add(None, "staff", Event::SiteOpened { name: "Site".into(), zone: "Asia/Tokyo".into() });
    let none = Box::<str>::default;
    for number in 0..THREADS {
        let opened = Event::ThreadOpened {
            headline: "Headline".into(),
            address: none(),
            category: none(),
            published: None,
            closes_at: None,
        };
        log.add(Some(number), "staff", opened);
    }
    let mut comments = Vec::new();
    for number in 0..COMMENTS + VOTES {
        if number % (1 + VOTES / COMMENTS) == 0 {
            let (thread, text) = (random.below(THREADS), "words ".repeat(1 + random.below(200)));
            let text = text.trim_end();
            let length = u32::try_from(text.len()).unwrap();
            let held = if random.below(10) == 0 { Some(Hold::Word) } else { None };
            let posted = Event::CommentPosted {
                parent: None,
                text: Text::recorded(text),
                quotes: Vec::new(),
                length,
                held,
                original_time: None,
            };
            let author = format!("a{}", random.below(9));
            comments.push((thread, log.add(Some(thread), &author, posted)));
            continue;
        }
        let (thread, comment) = comments[random.below(comments.len())];
        let actor = format!("r{}", random.below(VOTERS));
        let event = match random.below(60) {
            0 => Event::CommentFlagged { comment, category: FlagCategory::Spam, words: "spam".into() },
            1 => Event::AuthorNamed { author: actor.parse().unwrap(), name: format!("N {number}").into() },
            chosen => {
                let vote = [Vote::Up, Vote::Down, Vote::None][chosen % 3];
                Event::VoteCast { comment, vote }
            }
        };
        let of_site = matches!(event, Event::AuthorNamed { .. });
        log.add(if of_site { None } else { Some(thread) }, if of_site { "staff" } else { &actor }, event);
    }
    log.0.chunks(BATCH).map(<[Recorded]>::to_vec).collect()
}
