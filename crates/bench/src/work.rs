//! Commands of one kind by the thousand, in one thread, and what must have come of them.

use std::collections::HashMap;
use std::time::SystemTime;

use anyhow::{Context as _, bail, ensure};
use client::{PageOf, new_command_id};
use domain::command::Quotes;
use domain::text::Text;
use domain::{
    Actor, Command, CommandBody, CommentId, Envelope, Event, Place, Role, Roles, SiteId, ThreadId, Timestamp, Vote,
};

use crate::Bench;
use crate::fill::fill;
use crate::koe::{Kind, Koe};
use crate::limits::WARM_MAX;
use crate::server::Server;

/// What a comment says: as much as most do.
const WORDS: &str = "What a reader has to say to this is about as long as a line or two. ";

/// Whether the writer knows what a command needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facts {
    /// Commands are about the same comments and authors by turns, of which facts are asked once in two seconds.
    Cached,
    /// Each command is about a comment or an author that was never asked for.
    Cold,
}

/// Makes commands, each accepted one of which has its effect.
pub(crate) struct Work {
    kind: Kind,
    site: SiteId,
    thread: ThreadId,
    /// To be voted on: first those that are voted on by turns, then those that are once.
    comments: Vec<CommentId>,
    given: u64,
    given_cold: usize,
    /// The rows that there must be, and the votes for each.
    expected: HashMap<CommentId, u32>,
}

impl Work {
    /// A site with a thread and comments, past the writers. So many votes can be cold.
    pub(crate) async fn begin(
        server: &Server,
        kind: Kind,
        cold: usize,
        bench: &Bench<'_>,
    ) -> anyhow::Result<Self> {
        let (site, thread): (SiteId, ThreadId) = ("bench".parse()?, "thread".parse()?);
        let comments = match kind {
            Kind::Votes => WARM_MAX + cold,
            Kind::Posts => 0,
        };
        let comments: Vec<_> = (0..comments).map(|_| CommentId(new_command_id())).collect();
        let expected = comments.iter().map(|comment| (*comment, 0)).collect();
        let work = Self { kind, site, thread, comments, given: 0, given_cold: 0, expected };
        let (name, zone) = ("Bench".into(), "UTC".into());
        let (headline, address, category) = ("Article".into(), "".into(), "Bench".into());
        let places = [
            Event::SiteOpened { name, zone },
            Event::ThreadOpened { headline, address, category, published: None, closes_at: None },
        ];
        let site = Place { site: work.site.clone(), thread: None };
        let mut events: Vec<_> = Vec::with_capacity(places.len() + work.comments.len());
        for (place, event) in [site, work.place()].into_iter().zip(places) {
            events.push((place, envelope(new_command_id(), staff()?, event)?));
        }
        for comment in &work.comments {
            events.push((work.place(), envelope(comment.0, actor("author")?, posted()?)?));
        }
        bench.progress.begin("comments to vote on", u64::try_from(events.len())?);
        fill(server, events.into_iter(), bench.progress).await?;
        Ok(work)
    }

    pub(crate) fn place(&self) -> Place {
        Place { site: self.site.clone(), thread: Some(self.thread.clone()) }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The next command. Each voter votes once, so that the order in which votes arrive does not matter.
    pub(crate) fn next(&mut self, facts: Facts) -> anyhow::Result<Command> {
        let (id, number) = (new_command_id(), self.given);
        self.given += 1;
        let turn = usize::try_from(number)? % WARM_MAX;
        let (actor, body) = match self.kind {
            Kind::Votes => {
                let index = if facts == Facts::Cold { self.next_cold() } else { turn };
                let comment = *self.comments.get(index).context("no comment is left to vote on")?;
                *self.expected.entry(comment).or_default() += 1;
                (actor(&format!("voter-{number}"))?, CommandBody::CastVote { comment, vote: Vote::Up })
            }
            Kind::Posts => {
                let author = if facts == Facts::Cold { format!("new-{number}") } else { format!("author-{turn}") };
                self.expected.insert(CommentId(id), 0);
                let (text, quotes) = (Text::parse(WORDS)?, Quotes::default());
                (actor(&author)?, CommandBody::PostComment { parent: None, text, quotes })
            }
        };
        Ok(Command { id, actor, place: self.place(), body })
    }

    /// The comment that a command of ours is about.
    pub(crate) fn about(command: &Command) -> CommentId {
        match &command.body {
            CommandBody::CastVote { comment, .. } => *comment,
            _ => CommentId(command.id),
        }
    }

    fn next_cold(&mut self) -> usize {
        self.given_cold += 1;
        WARM_MAX + self.given_cold - 1
    }

    /// How many bytes a request has.
    pub(crate) fn request_bytes(&self) -> anyhow::Result<usize> {
        let (actor, place) = (actor("voter-100000")?, self.place());
        let body = match self.kind {
            Kind::Votes => CommandBody::CastVote { comment: CommentId(new_command_id()), vote: Vote::Up },
            Kind::Posts => {
                CommandBody::PostComment { parent: None, text: Text::parse(WORDS)?, quotes: Quotes::default() }
            }
        };
        let command = Command { id: new_command_id(), actor, place, body };
        Ok(wire::command::encode(&command, false).1.len())
    }

    /// Checks what came of all commands, after an error was planted if that was asked for.
    pub(crate) async fn plant_and_check(
        &self,
        server: &Server,
        koe: &mut Koe,
        bench: &Bench<'_>,
    ) -> anyhow::Result<()> {
        if bench.plant_error {
            self.plant_error(server, bench).await?;
        }
        koe.caught_up().await?;
        self.check(koe).await
    }

    /// Something happens that nobody expects, for those who want to see that it is noticed.
    async fn plant_error(&self, server: &Server, bench: &Bench<'_>) -> anyhow::Result<()> {
        let event = match self.comments.first() {
            Some(&comment) => Event::VoteCast { comment, vote: Vote::Up },
            None => posted()?,
        };
        let unexpected = envelope(new_command_id(), actor("stranger")?, event)?;
        fill(server, std::iter::once((self.place(), unexpected)), bench.progress).await.map(drop)
    }

    /// Every accepted command has had its effect, and none twice: each row is expected, with its votes, and none is missing.
    async fn check(&self, koe: &Koe) -> anyhow::Result<()> {
        let (_, at_least) = koe.end_of_log().await?;
        let (mut rows, mut page) = (0, PageOf { limit: 200, at_least, ..PageOf::default() });
        loop {
            let reply = koe.client.thread_page(&self.site, &self.thread, page.clone()).await?;
            for comment in &reply.comments {
                let served = comment.tally.as_ref().map_or((0, 0), |tally| (tally.up, tally.down));
                let Some(&up) = self.expected.get(&comment.id.parse()?) else {
                    bail!("comment {} was posted by nobody", comment.number)
                };
                ensure!(served == (up, 0), "comment {} has {served:?} votes and not {up}", comment.number);
                rows += 1;
            }
            if reply.next.is_empty() {
                break;
            }
            page.after = reply.next;
        }
        ensure!(rows == self.expected.len(), "{} comments are there and {rows} are shown", self.expected.len());
        Ok(())
    }
}

fn actor(id: &str) -> anyhow::Result<Actor> {
    Ok(Actor { id: id.parse()?, roles: Roles::default() })
}

fn staff() -> anyhow::Result<Actor> {
    Ok(Actor { id: "editor".parse()?, roles: [Role::Administrator].into_iter().collect() })
}

fn posted() -> anyhow::Result<Event> {
    let text = Text::parse(WORDS)?;
    let length = text.length();
    Ok(Event::CommentPosted { parent: None, text, quotes: Vec::new(), length, held: None, original_time: None })
}

fn envelope(id: domain::CommandId, actor: Actor, event: Event) -> anyhow::Result<Envelope> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Envelope { id, time: Timestamp(i64::try_from(now.as_millis())?), actor, event })
}
