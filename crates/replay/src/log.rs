//! `koe replay log`: events, readable, one a line, and on as they happen.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use domain::{AuthorId, Content, Erasures, Event, Place, Recorded, SiteId, ThreadId};
use journal::{Contents, Entry, Step};

use crate::describe::{line, object};
use crate::following::open_log;
use crate::moment::Moment;
use crate::selected::{Selected, Subjects, decode};

/// Room for the broker's clock and a writer's to differ when a time is looked for, in milliseconds.
const CLOCKS_DIFFER_MILLIS: i64 = 10_000;

/// Which events.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Only of this site.
    #[arg(long, value_name = "SITE")]
    site: Option<SiteId>,
    /// Only of this thread.
    #[arg(long, value_name = "THREAD")]
    thread: Option<ThreadId>,
    /// Only what this author, voter or moderator did.
    #[arg(long, value_name = "AUTHOR")]
    author: Option<AuthorId>,
    /// Only events of this type, such as `comment-removed`; may be said several times.
    #[arg(long = "type", value_name = "TYPE", value_parser = clap::builder::PossibleValuesParser::new(Event::KINDS))]
    kinds: Vec<String>,
    /// Only what came after this place in the log, or at this time and later.
    #[arg(long, value_name = "MOMENT")]
    since: Option<Moment>,
    /// Go on with what happens from now on, without a gap, until it is stopped.
    #[arg(long)]
    follow: bool,
}

impl Options {
    fn subjects(&self) -> Subjects {
        let token = |token: Option<&str>| token.unwrap_or("*").to_owned();
        let site = token(self.site.as_ref().map(SiteId::as_str));
        let (partition, thread) = match (&self.site, &self.thread) {
            (Some(site), Some(thread)) => {
                (wire::subject::partition(site, thread).to_string(), token(Some(thread.as_str())))
            }
            (_, thread) => (token(None), token(thread.as_ref().map(ThreadId::as_str))),
        };
        let of = |kind: &str| format!("koe.v1.event.{site}.{partition}.{thread}.{kind}");
        Subjects(if self.kinds.is_empty() {
            vec![of("*")]
        } else {
            self.kinds.iter().map(|kind| of(kind)).collect()
        })
    }

    fn takes(&self, recorded: &Recorded) -> bool {
        let Content::Event(envelope) = &recorded.content else { return self.author.is_none() };
        let is_theirs = self.author.as_ref().is_none_or(|author| *author == envelope.actor.id);
        let is_late = !matches!(self.since, Some(Moment::Time(time)) if envelope.time < time);
        is_theirs && is_late
    }
}

/// Prints to the end, or for ever; a reader who goes away ends it too.
pub(crate) async fn run(nats: async_nats::Client, options: &Options, json: bool) -> anyhow::Result<()> {
    let journal = open_log(nats).await?;
    let after = match options.since {
        None => 0,
        Some(Moment::Sequence(sequence)) => sequence,
        Some(Moment::Time(time)) => {
            let time = domain::Timestamp(time.0.saturating_sub(CLOCKS_DIFFER_MILLIS));
            journal.first_since(time).await.context("the log cannot be read")?.saturating_sub(1)
        }
    };
    let subjects = options.subjects();
    let mut log = Selected::begin(&journal, subjects.clone(), after, options.site.as_ref()).await?;
    while let Some(batch) = log.next().await? {
        let lines: Vec<_> = batch.iter().map(|entry| log.decode(entry)).filter(|it| options.takes(it)).collect();
        if !print(&lines, json)? {
            return Ok(());
        }
    }
    if !options.follow {
        return Ok(());
    }
    let (mut follower, mut erasures) = (journal.follow(log.end(), Contents::Whole), Erasures::default());
    loop {
        let Step::Batch(batch) = follower.next().await else { continue };
        let recorded: Vec<_> = batch.iter().map(Entry::decode).collect();
        for it in &recorded {
            note(&mut erasures, it);
        }
        let taken = batch.iter().filter(|entry| subjects.take(&entry.subject));
        let taken = taken.map(|entry| decode(&journal, &erasures, entry)).filter(|it| options.takes(it));
        if !print(&taken.collect::<Vec<_>>(), json)? {
            return Ok(());
        }
    }
}

fn note(erasures: &mut Erasures, recorded: &Recorded) {
    let place: Option<&Place> = recorded.place.as_ref();
    if let (Some(place), Content::Event(envelope)) = (place, &recorded.content) {
        erasures.note(recorded.sequence, place, envelope);
    }
}

/// Prints lines; false if nobody reads them any more.
fn print(events: &[Recorded], json: bool) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    let written = events.iter().try_for_each(|recorded| {
        if json { writeln!(out, "{}", object(recorded)) } else { writeln!(out, "{}", line(recorded)) }
    });
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => bail!("stdout cannot be written: {error}"),
    }
}
