//! `votes` and `posts`: commands over NATS until they are acknowledged, each way of running Koe beside the bare program at
//! the same number in flight.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use client::Client;
use domain::Command;
use futures::{StreamExt as _, stream};
use wire::v1::Outcome;

use crate::Bench;
use crate::bare::Bare;
use crate::koe::{Kind, Koe};
use crate::limits::{COLD_PART, COMMANDS_MIN, LONE_PART};
use crate::report::{Figure, number, rate};
use crate::server::{Server, Sync};
use crate::work::{Facts, Work};

/// Commands on their way at once.
const IN_FLIGHT: [usize; 4] = [1, 32, 256, 1_000];

/// How Koe runs: the first way, and what is otherwise in each of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One writer which knows its facts, and a projector that folds meanwhile.
    Plain,
    TwoWriters,
    /// The fold stands still, and queries are answered.
    FoldPaused,
    /// Every command needs facts that must be asked for.
    FactsCold,
}

impl Way {
    const ALL: [Self; 4] = [Self::Plain, Self::TwoWriters, Self::FoldPaused, Self::FactsCold];

    fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::TwoWriters => ", two writers",
            Self::FoldPaused => ", fold paused",
            Self::FactsCold => ", facts cold",
        }
    }
}

/// How many commands are timed.
#[derive(Clone, Copy)]
struct Count {
    warm: u64,
    cold: u64,
}

impl Count {
    fn of(events: u64, in_flight: usize) -> Self {
        let warm = if in_flight == 1 { events / LONE_PART } else { events };
        Self { warm: warm.max(COMMANDS_MIN), cold: (warm / COLD_PART).max(COMMANDS_MIN) }
    }

    fn by(self, way: Way) -> u64 {
        if way == Way::FactsCold { self.cold } else { self.warm }
    }
}

pub(crate) async fn run(bench: &Bench<'_>, kind: Kind, sync: Sync) -> anyhow::Result<Vec<Figure>> {
    let prepared = bench.unless_stopped(Box::pin(prepare(bench, kind, sync)));
    let (server, mut work, bare) = prepared.await?;
    let mut koe = Koe::start(&server, kind, bench).await?;
    let measured = bench.unless_stopped(measure(bench, (&server, sync), &bare, &mut koe, &mut work)).await;
    let checked = match measured {
        Ok(figures) => work.plant_and_check(&server, &mut koe, bench).await.map(|()| figures),
        failed => failed,
    };
    koe.end().await?;
    checked
}

async fn prepare(bench: &Bench<'_>, kind: Kind, sync: Sync) -> anyhow::Result<(Server, Work, Bare)> {
    let server = Server::start(bench.nats_server, sync).await?;
    let cold: u64 = IN_FLIGHT.map(|in_flight| Count::of(bench.events, in_flight).cold).iter().sum();
    let work = Work::begin(&server, kind, usize::try_from(cold)?, bench).await?;
    let bare = Bare::start(&server, work.request_bytes()?).await?;
    Ok((server, work, bare))
}

async fn measure(
    bench: &Bench<'_>,
    (server, sync): (&Server, Sync),
    bare: &Bare,
    koe: &mut Koe,
    work: &mut Work,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for in_flight in IN_FLIGHT {
        let count = Count::of(bench.events, in_flight);
        let name = format!("{}: {in_flight} in flight, sync {}", work.kind().as_str(), sync.as_str());
        bench.progress.begin(format!("{name}, bare"), count.warm * 2);
        let publishes = bare.publishes(count.warm, in_flight, bench.progress).await?;
        // Alone, a command waits for its publish and for little else.
        let requests = bare.requests(count.warm, in_flight, bench.progress).await?;
        let ceiling = if in_flight == 1 { publishes } else { requests };
        for way in Way::ALL {
            let name = format!("{name}{}", way.as_str());
            bench.progress.begin(name.clone(), count.by(way));
            let run = Run { bench, server, in_flight, way, commands: count.by(way) };
            let (value, lag) = run.measure(koe, work).await?;
            figures.push(Figure::new(name.clone(), value, Some(ceiling), "commands/s"));
            if way != Way::Plain {
                continue;
            }
            if in_flight == 1 {
                let name = format!("{name}, of a bare program");
                figures.push(Figure::new(name, value, Some(requests), "commands/s"));
            }
            if sync == Sync::Always && in_flight > 1 {
                let name = format!("{name}, of publishes alone");
                figures.push(Figure::new(name, value, Some(publishes), "commands/s"));
            }
            figures.push(Figure::new(format!("{name}, lag at the end"), number(lag), None, "events"));
        }
    }
    Ok(figures)
}

/// One run of so many commands.
struct Run<'a> {
    bench: &'a Bench<'a>,
    server: &'a Server,
    in_flight: usize,
    way: Way,
    commands: u64,
}

impl Run<'_> {
    /// Commands a second, and how many events the fold was behind when the last one was acknowledged. Whether the run
    /// was what it is called is looked at as well.
    async fn measure(&self, koe: &mut Koe, work: &mut Work) -> anyhow::Result<(f64, u64)> {
        match self.way {
            Way::TwoWriters => koe.add_writer(self.server).await?,
            Way::FoldPaused => koe.pause_fold(true),
            Way::Plain | Way::FactsCold => {}
        }
        let folded = koe.folded().await?;
        let asked = if self.way == Way::FactsCold { koe.facts_asked().await? } else { 0 };
        let value = self.timed(koe, work).await?;
        let folded_after = koe.folded().await?;
        let (end, _) = koe.end_of_log().await?;
        match self.way {
            Way::TwoWriters => {
                let taken = koe.commands_taken().await?;
                ensure!(taken.iter().all(|commands| *commands > 0), "one of two writers took nothing");
                koe.remove_writer().await?;
            }
            Way::FoldPaused => {
                ensure!(folded == folded_after, "the fold went on though it was to stand still");
                koe.pause_fold(false);
            }
            Way::FactsCold => {
                let asked = koe.facts_asked().await? - asked;
                ensure!(
                    asked >= self.commands,
                    "facts were asked for {asked} times by {} commands",
                    self.commands
                );
            }
            Way::Plain => {}
        }
        // What is left to fold does not burden the next run.
        koe.caught_up().await?;
        Ok((value, end.saturating_sub(folded_after)))
    }

    async fn timed(&self, koe: &Koe, work: &mut Work) -> anyhow::Result<f64> {
        let facts = if self.way == Way::FactsCold { Facts::Cold } else { Facts::Cached };
        let began = Instant::now();
        let mut answers = stream::iter((0..self.commands).map(|_| work.next(facts)))
            .map(|command| async { accepted(&koe.client, command?).await })
            .buffer_unordered(self.in_flight);
        while let Some(answer) = answers.next().await {
            answer?;
            self.bench.progress.one_more();
        }
        Ok(rate(self.commands, began.elapsed()))
    }
}

/// Sends a command, and looks whether the answer says that this one was recorded.
pub(crate) async fn accepted(koe: &Client, command: Command) -> anyhow::Result<()> {
    let reply = koe.send(&command, false).await.context("a command is refused")?;
    let accepted = reply.outcome == i32::from(Outcome::Accepted) && reply.id == command.id.to_string();
    ensure!(accepted, "the answer to {} is of {} with the outcome {}", command.id, reply.id, reply.outcome);
    Ok(())
}
