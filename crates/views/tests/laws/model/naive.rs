//! The rules and the fold once more, the way anybody would write them down: plain structs, no keys, no batches. It asks
//! neither the domain's rules nor the views, so that two opinions have to agree.

mod comments;
mod lists;
mod site;
mod undoing;

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::event::Timestamp;
use domain::moderation::{Ban, ModeChange};
use domain::settings::{Closing, ThreadPatch};
use domain::{
    Actor, CommandId, CommentId, Content, Envelope, Event, FlagCategory, Hold, Mode, Place, Quote, Recorded, Role,
    State, Vote,
};

pub(crate) use lists::Did;
use lists::{Before, Lists};
use site::Site;

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Applied,
    Void,
    Repeated,
    Froze,
    Skipped,
    Foreign,
}

/// A site's whole history, folded.
#[derive(Debug, Default)]
pub(crate) struct Naive {
    pub(crate) site: Site,
    pub(crate) threads: BTreeMap<String, Thread>,
    pub(crate) authors: HashMap<String, Author>,
    /// The thread that took an address last.
    pub(crate) addresses: HashMap<String, String>,
    pub(crate) audit: Vec<Noted>,
    pub(crate) lists: Lists,
    /// Every removal of many that there was.
    pub(crate) removals: Vec<Removal>,
    seen: HashSet<(Place, CommandId)>,
}

#[derive(Debug, Default)]
pub(crate) struct Thread {
    pub(crate) opened: bool,
    pub(crate) headline: String,
    pub(crate) category: String,
    pub(crate) address: String,
    pub(crate) published: Option<Timestamp>,
    pub(crate) closes_at: Option<Timestamp>,
    pub(crate) frozen: bool,
    pub(crate) mode: ModeChange,
    moves: u32,
    /// When something but a vote happened last.
    last: Option<i64>,
    pub(crate) comments: Vec<Comment>,
}

#[derive(Debug, Default)]
pub(crate) struct Author {
    pub(crate) name: String,
    /// The earliest first.
    pub(crate) former_names: Vec<(String, Timestamp)>,
    pub(crate) ban: Option<Ban>,
    /// Since when their votes are void, if they are.
    void_since: Option<i64>,
    pub(crate) erased: bool,
}

/// A removal of many comments.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) id: CommandId,
    pub(crate) thread: Option<String>,
    author: String,
    undone: bool,
}

#[derive(Debug)]
pub(crate) struct Comment {
    pub(crate) id: CommentId,
    pub(crate) author: String,
    /// As readers see it.
    pub(crate) time: Timestamp,
    /// As rules judge it.
    pub(crate) judged: Timestamp,
    pub(crate) parent: Option<CommentId>,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) state: State,
    pub(crate) held: Option<Hold>,
    /// Whether readers ever saw it.
    pub(crate) has_row: bool,
    pub(crate) rule: String,
    pub(crate) featured: bool,
    pub(crate) votes: HashMap<String, Vote>,
    /// When each of them was cast.
    cast: HashMap<String, i64>,
    /// Whose votes count for nothing.
    void: HashSet<String>,
    /// The removals of many that cover it, with their rules.
    covers: Vec<(CommandId, String)>,
    /// How it would stand if none did.
    under: State,
    /// The rule that it broke alone.
    own_rule: String,
    /// By who made them.
    pub(crate) flags: BTreeMap<String, Flag>,
    /// The first of the flags since none waited.
    pub(crate) flagged: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) since: Timestamp,
    pub(crate) text: String,
    /// How long the text was when it was said; it may be erased.
    length: u32,
    pub(crate) quotes: Vec<Quote>,
    /// Whether readers ever saw it.
    pub(crate) seen: bool,
}

#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) category: FlagCategory,
    pub(crate) words: String,
    pub(crate) time: Timestamp,
    /// Whether the right of the reader was decided on, by whom and why.
    pub(crate) decided: Option<(bool, String, String)>,
    /// Whether no moderator has looked since.
    counts: bool,
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) by: String,
    pub(crate) kind: &'static str,
    pub(crate) thread: String,
    pub(crate) comment: Option<CommentId>,
    pub(crate) note: Note,
}

/// Of whom, why, and what became of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) author: String,
    pub(crate) reason: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// It breaks a rule.
struct Broken;

fn need(holds: bool) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken) }
}

fn has(actor: &Actor, roles: &[Role]) -> bool {
    roles.iter().any(|role| actor.roles.has(*role))
}

fn is_staff(actor: &Actor) -> bool {
    has(actor, &[Role::Moderator, Role::Administrator])
}

fn is_editor(actor: &Actor) -> bool {
    has(actor, &[Role::Moderator, Role::Administrator, Role::Service])
}

fn set_mode(mode: &mut ModeChange, change: &ModeChange) -> Note {
    let word = |mode: Mode| match mode {
        Mode::Open => "open",
        Mode::Premoderated => "premoderated",
        Mode::ReadOnly => "read-only",
        Mode::Hidden => "hidden",
    };
    let (before, mut after) = (word(mode.mode).to_owned(), word(change.mode).to_owned());
    if let Some(successor) = &change.successor {
        after = format!("{after}, goes on in {successor}");
    }
    *mode = change.clone();
    Note { reason: change.reason.to_string(), before, after, ..Note::default() }
}

fn ban_words(ban: Option<&Ban>) -> String {
    match ban {
        None => String::new(),
        Some(Ban { until: None, .. }) => "banned for good".to_owned(),
        Some(Ban { until: Some(until), .. }) => format!("banned until {}", until.0),
    }
}

fn is_banned(authors: &HashMap<String, Author>, id: &str, now: i64) -> bool {
    match authors.get(id).and_then(|author| author.ban.as_ref()) {
        None => false,
        Some(ban) => ban.until.is_none_or(|until| now < until.0),
    }
}

impl Naive {
    /// What a log comes to.
    pub(crate) fn of(log: &[Recorded]) -> Self {
        let mut naive = Self::default();
        for recorded in log {
            naive.fold(recorded);
        }
        naive
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) -> Came {
        let Some(place) = &recorded.place else { return Came::Foreign };
        if matches!(recorded.content, Content::Misplaced { .. }) {
            return Came::Void;
        }
        let thread = place.thread.as_ref().map(ToString::to_string);
        let frozen = match &thread {
            Some(name) => &mut self.threads.entry(name.clone()).or_default().frozen,
            None => &mut self.site.frozen,
        };
        let was_frozen = *frozen;
        if was_frozen || self.site.frozen {
            self.forget_all_the_same(thread.as_deref(), &recorded.content);
            return Came::Skipped;
        }
        let Content::Event(envelope) = &recorded.content else {
            match &thread {
                Some(name) => self.threads.get_mut(name).unwrap().frozen = true,
                None => self.site.frozen = true,
            }
            return Came::Froze;
        };
        let is_vote = matches!(envelope.event, Event::VoteCast { .. });
        if !is_vote && !self.seen.insert((place.clone(), envelope.id)) {
            return Came::Repeated;
        }
        // No event is earlier than the last of its thread, whatever its writer's clock says.
        let last = thread.as_ref().and_then(|name| self.threads.get(name)).and_then(|thread| thread.last);
        let now = last.map_or(envelope.time.0, |last| last.max(envelope.time.0));
        let before = Before::of(thread.as_ref().and_then(|name| self.threads.get(name)));
        let happened = match &thread {
            None if undoing::is_undoing(&envelope.event) => self.undo_in_site(envelope),
            None => self.in_site(envelope, now).map(Some),
            Some(name) => self.in_thread(name, envelope, now),
        };
        let Ok(note) = happened else { return Came::Void };
        if let Some(name) = &thread {
            self.note(name, &before, envelope, now);
            if !is_vote {
                self.threads.get_mut(name).unwrap().last = Some(now);
            }
        }
        if let Some(note) = note {
            let is_post = matches!(envelope.event, Event::CommentPosted { .. });
            self.audit.push(Noted {
                sequence: recorded.sequence,
                time: Timestamp(now),
                by: Self::called(envelope),
                kind: envelope.event.kind(),
                thread: thread.unwrap_or_default(),
                comment: if is_post { Some(CommentId(envelope.id)) } else { envelope.event.comment() },
                note,
            });
        }
        Came::Applied
    }

    fn in_site(&mut self, envelope: &Envelope, now: i64) -> Result<Note, Broken> {
        let actor = &envelope.actor;
        let is_admin = has(actor, &[Role::Administrator]);
        if let Event::SiteOpened { name, zone } = &envelope.event {
            need(is_admin && !self.site.opened)?;
            self.site.opened = true;
            self.site.settings.name = Some(name.clone());
            self.site.settings.zone = Some(zone.clone());
            return Ok(Note { after: name.to_string(), ..Note::default() });
        }
        need(self.site.opened)?;
        match &envelope.event {
            Event::SiteSet(patch) => {
                need(is_admin)?;
                Ok(self.site.set(patch))
            }
            Event::ThreadModeSet(change) => {
                need(is_staff(actor))?;
                Ok(set_mode(&mut self.site.mode, change))
            }
            Event::AuthorNamed { author, name } => {
                let by_others = is_admin || has(actor, &[Role::Service]);
                let by_self = actor.id == *author && !is_banned(&self.authors, actor.id.as_str(), now);
                need(by_others || by_self)?;
                let known = self.authors.entry(author.to_string()).or_default();
                let before = known.name.clone();
                if !before.is_empty() && before != **name {
                    known.former_names.push((before.clone(), Timestamp(now)));
                }
                known.name = name.to_string();
                Ok(Note { author: author.to_string(), before, after: name.to_string(), ..Note::default() })
            }
            Event::AuthorBanned { author, ban } => {
                need(is_staff(actor) && ban.until.is_none_or(|until| now < until.0))?;
                let known = self.authors.entry(author.to_string()).or_default();
                let before = ban_words(known.ban.as_ref());
                known.ban = Some(ban.clone());
                let (author, reason) = (author.to_string(), ban.reason.to_string());
                Ok(Note { author, reason, before, after: ban_words(Some(ban)) })
            }
            Event::AuthorUnbanned { author, reason } => {
                need(is_staff(actor) && is_banned(&self.authors, author.as_str(), now))?;
                let known = self.authors.entry(author.to_string()).or_default();
                let before = ban_words(known.ban.take().as_ref());
                Ok(Note { author: author.to_string(), reason: reason.to_string(), before, after: String::new() })
            }
            other => unreachable!("{} is of no site", other.kind()),
        }
    }

    fn in_thread(&mut self, name: &str, envelope: &Envelope, now: i64) -> Result<Option<Note>, Broken> {
        let Self { site, threads, addresses, .. } = self;
        need(site.opened)?;
        let thread = threads.entry(name.to_owned()).or_default();
        let by_editor = is_editor(&envelope.actor);
        if let Event::ThreadOpened { headline, address, category, published, closes_at } = &envelope.event {
            need(by_editor && !thread.opened)?;
            thread.opened = true;
            (thread.headline, thread.category) = (headline.to_string(), category.to_string());
            (thread.address, thread.published, thread.closes_at) = (address.to_string(), *published, *closes_at);
            if !address.is_empty() {
                addresses.insert(address.to_string(), name.to_owned());
            }
            return Ok(Some(Note { after: headline.to_string(), ..Note::default() }));
        }
        need(thread.opened)?;
        if undoing::is_undoing(&envelope.event) {
            return self.undo_in_thread(name, envelope);
        }
        match &envelope.event {
            Event::ThreadUpdated(patch) => {
                need(by_editor)?;
                Ok(Some(thread.update(patch)))
            }
            Event::ThreadModeSet(change) => {
                need(by_editor)?;
                Ok(Some(set_mode(&mut thread.mode, change)))
            }
            Event::ThreadMoved { address } => {
                need(by_editor && thread.moves < 50)?;
                thread.moves += 1;
                let before = std::mem::replace(&mut thread.address, address.to_string());
                if !address.is_empty() {
                    addresses.insert(address.to_string(), name.to_owned());
                }
                Ok(Some(Note { before, after: address.to_string(), ..Note::default() }))
            }
            _ => self.at_comment(name, envelope, now),
        }
    }
}

impl Thread {
    fn update(&mut self, patch: &ThreadPatch) -> Note {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut note = |name: &str, was: String, is: String| {
            before.push(format!("{name}: {was}"));
            after.push(format!("{name}: {is}"));
        };
        let time = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.0.to_string());
        if let Some(headline) = &patch.headline {
            note("headline", self.headline.clone(), headline.to_string());
            self.headline = headline.to_string();
        }
        if let Some(category) = &patch.category {
            note("category", self.category.clone(), category.to_string());
            self.category = category.to_string();
        }
        if let Some(published) = patch.published {
            note("published", time(self.published), time(Some(published)));
            self.published = Some(published);
        }
        if let Some(closing) = patch.closing {
            let closes_at = if let Closing::At(closes_at) = closing { Some(closes_at) } else { None };
            note("closes_at", time(self.closes_at), time(closes_at));
            self.closes_at = closes_at;
        }
        Note { before: before.join("\n"), after: after.join("\n"), ..Note::default() }
    }
}
