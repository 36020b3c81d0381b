//! The events that items become: thread by thread, what is replied to before its replies, votes after the comments, and what
//! ends something last.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, ensure};
use domain::moderation::{Hold, Mode, ModeChange};
use domain::text::Text;
use domain::{
    Actor, AuthorId, CommandId, CommentId, Envelope, Event, Place, Role, Roles, SiteId, ThreadId, Timestamp,
};

use super::item::{Author, Ballot, Comment, Fate, Item, Thread, command_id};
use super::sort::Sorted;
use super::there::There;
use crate::limits::COMMENTS_AT_ONCE_MAX;

/// Who does what nobody in the file is said to have done.
const IMPORTER: &str = "import";
/// What stands where a comment is missing, until it is taken away.
const MISSING: &str = "This comment was not in the file that was imported.";
/// What stands where a comment had been deleted, until it is here too.
const DELETED: &str = "This comment had been deleted.";

/// What was planned, by what it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Planned {
    /// Events, those that are there already among them.
    pub(super) events: u64,
    pub(super) comments: u64,
    pub(super) votes: u64,
    pub(super) placeholders: u64,
    /// What is not carried, by reason.
    pub(super) left: BTreeMap<String, u64>,
}

/// Makes events out of items.
pub(super) struct Plan<'a> {
    pub(super) site: &'a SiteId,
    /// The format's name, part of every id.
    pub(super) format: &'a str,
    /// When all of it happens here.
    pub(super) now: Timestamp,
}

/// The thread whose items come.
struct Open {
    thread: Thread,
    id: ThreadId,
    /// Every comment that the file has of it, and whether it is posted by now.
    comments: HashMap<String, bool>,
    /// Comments that somebody replies to.
    replied_to: HashSet<String>,
    /// Replies that came before what they reply to.
    waiting: HashMap<String, Vec<Comment>>,
    /// What ends something, for the end.
    endings: Vec<(CommandId, Actor, Event)>,
    /// The last vote of a voter on a comment so far.
    ballot: Option<Ballot>,
}

impl Plan<'_> {
    /// Goes through all items; what they become goes into the log that is there.
    pub(super) fn run(&self, items: &mut Sorted, there: &mut There) -> anyhow::Result<Planned> {
        let mut planned = Planned::default();
        let (mut open, mut author) = (None::<Open>, None::<Author>);
        self.open_site(&mut planned, there)?;
        while let Some(item) = items.next()? {
            if let Item::Author(next) = item {
                if author.as_ref().is_some_and(|author| author.id != next.id) {
                    self.name(author.take(), &mut planned, there)?;
                }
                author = Some(next);
                continue;
            }
            self.name(author.take(), &mut planned, there)?;
            match item {
                Item::Author(_) => {}
                Item::Thread(thread) => {
                    if open.as_ref().is_some_and(|open| open.thread.key == thread.key) {
                        planned.leave("a thread that came before in the file");
                        continue;
                    }
                    self.close(open.take(), &mut planned, there)?;
                    open = Some(self.open(thread, &mut planned, there)?);
                }
                Item::Index { .. } | Item::Comment(_) | Item::Vote(_) => {
                    self.take(item, &mut open, &mut planned, there)?;
                }
            }
        }
        self.name(author.take(), &mut planned, there)?;
        self.close(open.take(), &mut planned, there)?;
        there.flush()?;
        Ok(planned)
    }

    fn take(
        &self,
        item: Item,
        open: &mut Option<Open>,
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        let of = match &item {
            Item::Comment(comment) => Some(&comment.thread),
            Item::Vote(ballot) => Some(&ballot.thread),
            Item::Index { thread, .. } => Some(thread),
            Item::Author(_) | Item::Thread(_) => None,
        };
        let counts = !matches!(item, Item::Index { .. });
        let Some(open) = open.as_mut().filter(|open| of.is_none_or(|of| *of == open.thread.key)) else {
            if counts {
                planned.leave("a comment or vote whose thread is not in the file");
            }
            return Ok(());
        };
        if open.thread.deleted {
            if counts {
                planned.leave("a comment of a thread that was deleted");
            }
            return Ok(());
        }
        match item {
            Item::Author(_) | Item::Thread(_) => Ok(()),
            Item::Index { key, parent, .. } => {
                ensure!(open.comments.len() < COMMENTS_AT_ONCE_MAX, "a thread has more than a million comments");
                open.comments.insert(key, false);
                open.replied_to.extend(parent);
                Ok(())
            }
            Item::Comment(comment) => self.comment(open, comment, planned, there),
            Item::Vote(ballot) => self.ballot(open, Some(ballot), planned, there),
        }
    }

    fn id(&self, open: &Open, what: &str, key: &str) -> CommandId {
        let parts = [what, self.format, open.thread.key.as_str(), key];
        command_id(self.site, Some(&open.id), &parts)
    }

    fn put(
        &self,
        thread: Option<&ThreadId>,
        (id, actor, event): (CommandId, Actor, Event),
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        planned.events += 1;
        let place = Place { site: self.site.clone(), thread: thread.cloned() };
        there.put(&place, &Envelope { id, time: self.now, actor, event })
    }

    fn open_site(&self, planned: &mut Planned, there: &mut There) -> anyhow::Result<()> {
        if there.site_is_open() {
            return Ok(());
        }
        let id = command_id(self.site, None, &["site"]);
        let event = Event::SiteOpened { name: self.site.as_str().into(), zone: "UTC".into() };
        self.put(None, (id, importer()?, event), planned, there)
    }

    fn name(&self, author: Option<Author>, planned: &mut Planned, there: &mut There) -> anyhow::Result<()> {
        let Some(Author { id, name, .. }) = author else { return Ok(()) };
        let command = command_id(self.site, None, &["author", self.format, &id, &name]);
        let author: AuthorId = id.parse().context("an author's id cannot be")?;
        if there.is_named(&author) {
            return Ok(());
        }
        let actor = Actor { id: author.clone(), roles: Roles::default() };
        self.put(None, (command, actor, Event::AuthorNamed { author, name: name.into() }), planned, there)
    }

    fn open(&self, thread: Thread, planned: &mut Planned, there: &mut There) -> anyhow::Result<Open> {
        let id: ThreadId = thread.id.parse().context("a thread's id cannot be")?;
        let open = Open {
            id,
            comments: HashMap::new(),
            replied_to: HashSet::new(),
            waiting: HashMap::new(),
            endings: Vec::new(),
            ballot: None,
            thread,
        };
        let Thread { key, headline, address, published, deleted, .. } = &open.thread;
        if !deleted && !there.has_thread(&open.id) {
            let event = Event::ThreadOpened {
                headline: headline.as_str().into(),
                address: address.as_str().into(),
                category: "".into(),
                published: published.map(Timestamp),
                closes_at: None,
            };
            let command = (self.id(&open, "thread", key), importer()?, event);
            self.put(Some(&open.id), command, planned, there)?;
        }
        Ok(open)
    }

    /// Posts a comment, and what waited for it.
    fn comment(
        &self,
        open: &mut Open,
        comment: Comment,
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        let mut next = vec![comment];
        while let Some(comment) = next.pop() {
            match &comment.parent {
                Some(parent) if open.comments.get(parent) == Some(&false) && *parent != comment.key => {
                    open.waiting.entry(parent.clone()).or_default().push(comment);
                    continue;
                }
                Some(parent) if !open.comments.contains_key(parent) => {
                    self.placeholder(open, &parent.clone(), comment.time, planned, there)?;
                }
                Some(_) | None => {}
            }
            // Whoever replies to themselves replies to nobody.
            let key = comment.key.clone();
            self.post(open, comment, planned, there)?;
            let mut waited = open.waiting.remove(&key).unwrap_or_default();
            waited.reverse();
            next.extend(waited);
        }
        Ok(())
    }

    fn post(
        &self,
        open: &mut Open,
        comment: Comment,
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        let Comment { key, parent, author, time, text, fate, .. } = comment;
        if open.comments.insert(key.clone(), true) == Some(true) {
            planned.leave("a comment whose id came before in its thread");
            return Ok(());
        }
        let replied_to = open.replied_to.contains(&key);
        if fate == Fate::Gone && !replied_to {
            open.comments.remove(&key);
            planned.leave("a deleted comment that nobody replied to");
            return Ok(());
        }
        // It is a comment that was here before the import.
        if there.has_comment(&open.id, &key)? {
            return Ok(());
        }
        let text = Text::recorded(if fate == Fate::Gone { DELETED } else { &text });
        let parent = parent.filter(|parent| *parent != key && open.comments.get(parent) == Some(&true));
        let event = Event::CommentPosted {
            parent: parent.map(|parent| CommentId(self.id(open, "comment", &parent))),
            length: text.length(),
            text,
            quotes: Vec::new(),
            held: (fate == Fate::Held && !replied_to).then_some(Hold::Decision),
            original_time: Some(Timestamp(time)),
        };
        let id = self.id(open, "comment", &key);
        let actor = Actor { id: author.parse().context("an author's id cannot be")?, roles: Roles::default() };
        planned.comments += 1;
        self.put(Some(&open.id), (id, actor.clone(), event), planned, there)?;
        let comment = CommentId(id);
        match fate {
            Fate::Gone => {
                let ending = (self.id(open, "deleted", &key), actor, Event::CommentDeleted { comment });
                open.endings.push(ending);
            }
            // Nobody can reply to what is held, so that it is held once everybody has.
            Fate::Held if replied_to => {
                let event = Event::CommentHeld { comment, reason: "it waited where it was imported from".into() };
                open.endings.push((self.id(open, "held", &key), importer()?, event));
            }
            Fate::Shown | Fate::Held => {}
        }
        Ok(())
    }

    /// Puts something in the place of a comment that replies need.
    fn placeholder(
        &self,
        open: &mut Open,
        key: &str,
        time: i64,
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        let text = Text::recorded(MISSING);
        let event = Event::CommentPosted {
            parent: None,
            length: text.length(),
            text,
            quotes: Vec::new(),
            held: None,
            original_time: Some(Timestamp(time)),
        };
        open.comments.insert(key.to_owned(), true);
        let id = self.id(open, "comment", key);
        planned.placeholders += 1;
        self.put(Some(&open.id), (id, importer()?, event), planned, there)?;
        let event = Event::CommentRemoved {
            comment: CommentId(id),
            reason: "it was not in the file that was imported".into(),
            rule: "".into(),
        };
        open.endings.push((self.id(open, "missing", key), importer()?, event));
        Ok(())
    }

    /// Keeps the last vote of a voter on a comment, and casts the one before if that was another's; `None` after the last.
    fn ballot(
        &self,
        open: &mut Open,
        next: Option<Ballot>,
        planned: &mut Planned,
        there: &mut There,
    ) -> anyhow::Result<()> {
        let before = std::mem::replace(&mut open.ballot, next);
        let Some(ballot) = before else { return Ok(()) };
        let same = |next: &Ballot| next.comment == ballot.comment && next.voter == ballot.voter;
        if open.ballot.as_ref().is_some_and(same) {
            planned.leave("a vote that the same voter changed later");
            return Ok(());
        }
        if ballot.vote == 0 {
            planned.leave("a vote that was taken back");
            return Ok(());
        }
        let comment = match there.comment(&open.id, &ballot.comment)? {
            Some(comment) => comment,
            None if open.comments.get(&ballot.comment) == Some(&true) => {
                CommentId(self.id(open, "comment", &ballot.comment))
            }
            None => {
                planned.leave("a vote on a comment that is not carried");
                return Ok(());
            }
        };
        let voter: AuthorId = ballot.voter.parse().context("a voter's id cannot be")?;
        let (time, vote) = (ballot.time.to_string(), ballot.vote.to_string());
        let parts = ["vote", self.format, &open.thread.key, &ballot.comment, voter.as_str(), &time, &vote];
        let id = command_id(self.site, Some(&open.id), &parts);
        let event = Event::VoteCast { comment, vote: ballot.vote() };
        planned.votes += 1;
        self.put(Some(&open.id), (id, Actor { id: voter, roles: Roles::default() }, event), planned, there)
    }

    /// Ends a thread: what still waits, the last vote, and what ends something.
    fn close(&self, open: Option<Open>, planned: &mut Planned, there: &mut There) -> anyhow::Result<()> {
        let Some(mut open) = open else { return Ok(()) };
        // Replies to one another in a ring: the earliest of them hangs below a placeholder.
        while let Some(key) = open.waiting.keys().min().cloned() {
            let mut ring = open.waiting.remove(&key).unwrap_or_default();
            for comment in &mut ring {
                let missing = format!("ring {key}");
                comment.parent = Some(missing.clone());
            }
            for comment in ring {
                self.comment(&mut open, comment, planned, there)?;
            }
        }
        self.ballot(&mut open, None, planned, there)?;
        for ending in std::mem::take(&mut open.endings) {
            self.put(Some(&open.id), ending, planned, there)?;
        }
        // A thread that was here before goes on as it is.
        let opening = self.id(&open, "thread", &open.thread.key);
        if open.thread.closed && !open.thread.deleted && there.is_opened_by(&open.id, opening) {
            let reason = "closed where it was imported from".into();
            let event = Event::ThreadModeSet(ModeChange { mode: Mode::ReadOnly, reason, successor: None });
            let key = open.thread.key.clone();
            let command = (self.id(&open, "closed", &key), importer()?, event);
            self.put(Some(&open.id), command, planned, there)?;
        }
        Ok(())
    }
}

impl Planned {
    fn leave(&mut self, reason: &str) {
        *self.left.entry(reason.to_owned()).or_default() += 1;
    }
}

fn importer() -> anyhow::Result<Actor> {
    let roles = [Role::Administrator, Role::Service].into_iter().collect();
    Ok(Actor { id: IMPORTER.parse().context("the importer's id cannot be")?, roles })
}
