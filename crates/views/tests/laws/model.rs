//! Generated histories, and the same fold the way anybody would write it down.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::command::Quotes;
use domain::event::Timestamp;
use domain::text::Text;
use domain::{
    Actor, CommandId, CommentId, Content, Envelope, Event, Place, Quote, Recorded, Role, Unreadable, Vote,
};
use proptest::prelude::*;

/// What a generated history is made of; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    OpenThread(u8),
    Name(u8, u8),
    Post { thread: u8, author: u8, parent: Option<u8>, quote: Option<u8> },
    Remove { thread: u8, comment: u8, moderator: bool },
    Vote { thread: u8, comment: u8, voter: u8, vote: u8 },
    Poison(u8),
    Repeat(u8),
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => (0..4u8).prop_map(Act::OpenThread),
        1 => (0..6u8, any::<u8>()).prop_map(|(author, name)| Act::Name(author, name)),
        6 => (0..4u8, 0..6u8, proptest::option::of(0..8u8), proptest::option::of(0..8u8))
            .prop_map(|(thread, author, parent, quote)| Act::Post { thread, author, parent, quote }),
        2 => (0..4u8, 0..8u8, any::<bool>())
            .prop_map(|(thread, comment, moderator)| Act::Remove { thread, comment, moderator }),
        20 => (0..4u8, 0..8u8, 0..6u8, 0..3u8)
            .prop_map(|(thread, comment, voter, vote)| Act::Vote { thread, comment, voter, vote }),
        1 => (3..4u8).prop_map(Act::Poison),
        2 => any::<u8>().prop_map(Act::Repeat),
    ]
}

pub(crate) fn place(thread: Option<u8>) -> Place {
    Place { site: "s".parse().unwrap(), thread: thread.map(|thread| format!("t{thread}").parse().unwrap()) }
}

pub(crate) fn actor(number: u8, moderator: bool) -> Actor {
    let roles = moderator.then_some(Role::Moderator).into_iter().collect();
    Actor { id: format!("a{number}").parse().unwrap(), roles }
}

/// Turns acts into a log: the site first, then one message for each act.
pub(crate) fn history(acts: &[Act]) -> Vec<Recorded> {
    let mut log: Vec<Recorded> = Vec::new();
    let mut posted: HashMap<u8, Vec<CommentId>> = HashMap::new();
    let admin = Actor { id: "root".parse().unwrap(), roles: [Role::Administrator].into_iter().collect() };
    let mut push = |place: Place, actor: Actor, event: Event| -> CommandId {
        let sequence = log.len() as u64 + 1;
        let id = CommandId::from_u128(u128::from(sequence) << 64 | 1);
        // Clocks of writers differ: times run back now and then.
        let time = Timestamp(1_700_000_000_000 + (sequence as i64 * 7_919) % 10_007);
        let content = Content::Event(Envelope { id, time, actor, event });
        log.push(Recorded { sequence, place: Some(place), content });
        id
    };
    push(place(None), admin.clone(), Event::SiteOpened { name: "S".into(), zone: "UTC".into() });
    for act in acts {
        let pick = |posted: &HashMap<u8, Vec<CommentId>>, thread: u8, comment: u8| {
            let comments = posted.get(&thread).filter(|comments| !comments.is_empty());
            comments.map_or(CommentId(CommandId::from_u128(99)), |all| all[comment as usize % all.len()])
        };
        match *act {
            Act::OpenThread(thread) => {
                let event = Event::ThreadOpened { headline: "H".into(), address: "".into(), category: "".into() };
                push(place(Some(thread)), admin.clone(), event);
            }
            Act::Name(author, name) => {
                let event =
                    Event::AuthorNamed { author: actor(author, false).id, name: format!("N{name}").into() };
                push(place(None), actor(author, false), event);
            }
            Act::Post { thread, author, parent, quote } => {
                let parent = parent.map(|parent| pick(&posted, thread, parent));
                let quote = quote.map(|quote| Quote {
                    comment: pick(&posted, thread, quote),
                    revision: 0,
                    start: 0,
                    end: 4,
                    at: 0,
                });
                let text = Text::parse(&format!("words of {author}")).unwrap();
                let quotes = Quotes::parse(quote.into_iter().collect(), text.length()).unwrap().into_inner();
                let length = text.length();
                let event = Event::CommentPosted { parent, text, quotes, length };
                let id = push(place(Some(thread)), actor(author, false), event);
                posted.entry(thread).or_default().push(CommentId(id));
            }
            Act::Remove { thread, comment, moderator } => {
                let event = Event::CommentRemoved { comment: pick(&posted, thread, comment), reason: "r".into() };
                push(place(Some(thread)), actor(0, moderator), event);
            }
            Act::Vote { thread, comment, voter, vote } => {
                let vote = [Vote::Up, Vote::Down, Vote::None][vote as usize];
                let event = Event::VoteCast { comment: pick(&posted, thread, comment), vote };
                push(place(Some(thread)), actor(voter, false), event);
            }
            Act::Poison(_) | Act::Repeat(_) => {
                let event = Event::AuthorNamed { author: actor(0, false).id, name: "again".into() };
                push(place(None), actor(0, false), event);
            }
        }
    }
    // Poison and repeats replace the fillers, now that the log is there to repeat from.
    for (index, act) in acts.iter().enumerate() {
        let at = index + 1;
        match *act {
            Act::Poison(thread) => {
                let unreadable = Unreadable { message_id: "poison".into(), reason: "unknown".into() };
                log[at].place = Some(place(Some(thread)));
                log[at].content = Content::Unreadable(unreadable);
            }
            Act::Repeat(earlier) => {
                let earlier = log[earlier as usize % at].clone();
                let vote =
                    matches!(&earlier.content, Content::Event(e) if matches!(e.event, Event::VoteCast { .. }));
                // A late repeat of a vote does not reach the log: the door refuses it.
                if !vote {
                    log[at] = Recorded { sequence: log[at].sequence, ..earlier };
                }
            }
            _ => {}
        }
    }
    log
}

/// The same, the way anybody would write it down.
#[derive(Default)]
pub(crate) struct Naive {
    pub(crate) threads: BTreeMap<String, NaiveThread>,
    seen: HashSet<(Place, CommandId)>,
    pub(crate) names: HashMap<String, String>,
}

#[derive(Default)]
pub(crate) struct NaiveThread {
    pub(crate) opened: bool,
    pub(crate) frozen: bool,
    pub(crate) rows: Vec<NaiveRow>,
}

pub(crate) struct NaiveRow {
    pub(crate) id: CommentId,
    pub(crate) author: String,
    pub(crate) removed: bool,
    pub(crate) votes: HashMap<String, Vote>,
}

impl Naive {
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        let place = recorded.place.clone().unwrap();
        let name = place.thread.as_ref().map_or_else(String::new, ToString::to_string);
        let thread = self.threads.entry(name).or_default();
        let Content::Event(envelope) = &recorded.content else {
            thread.frozen = true;
            return;
        };
        let is_vote = matches!(envelope.event, Event::VoteCast { .. });
        if thread.frozen || (!is_vote && !self.seen.insert((place, envelope.id))) {
            return;
        }
        let actor = envelope.actor.id.to_string();
        let moderator = envelope.actor.roles.has(Role::Moderator);
        let known = |id: &CommentId| thread.rows.iter().position(|row| row.id == *id);
        match &envelope.event {
            Event::SiteOpened { .. } => {}
            Event::AuthorNamed { author, name } => {
                self.names.insert(author.to_string(), name.to_string());
            }
            Event::ThreadOpened { .. } => thread.opened = true,
            Event::CommentPosted { parent, quotes, .. } => {
                let parent_fits = parent.is_none_or(|id| known(&id).is_some_and(|at| !thread.rows[at].removed));
                let quotes_fit = quotes.iter().all(|quote| known(&quote.comment).is_some());
                if thread.opened && parent_fits && quotes_fit {
                    let (id, votes) = (CommentId(envelope.id), HashMap::new());
                    thread.rows.push(NaiveRow { id, author: actor, removed: false, votes });
                }
            }
            Event::CommentRemoved { comment, .. } => {
                if let Some(at) = known(comment)
                    && moderator
                {
                    thread.rows[at].removed = true;
                }
            }
            Event::VoteCast { comment, vote } => {
                if let Some(at) = known(comment)
                    && !thread.rows[at].removed
                    && thread.rows[at].author != actor
                {
                    thread.rows[at].votes.insert(actor, *vote);
                }
            }
        }
    }
}
