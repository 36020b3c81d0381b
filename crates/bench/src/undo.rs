//! `undo`: a voter's votes voided, and let count again, while others go on voting at an even pace: how long it takes until
//! every tally is right, and how long the others wait meanwhile. The ceiling of a wait is the longest of the moments before;
//! that of a time is the time of the first case, so that the ratio tells how it grows.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use client::Client;
use domain::command::Voters;
use domain::{Command, CommandBody, CommentId, Place, Vote};
use futures::Stream;
use tokio::task::JoinSet;
use wire::v1::{Outcome, ThreadChanged};

use crate::announced::{Times, Waiting, next, pace_of};
use crate::commands::accepted;
use crate::fill::fill;
use crate::koe::{Kind, Koe};
use crate::limits::{LIVE_VOTED_ON, LIVE_WATCHED, PUBLISHES_IN_FLIGHT, UNDO_MAX};
use crate::load::{At, LOAD_MIN, Load, VOTERS, reader, staff};
use crate::report::{Figure, whole};
use crate::server::{Server, Sync};
use crate::{Bench, check};

/// Live votes a second, in the thread with the most comments: what two cores fold beside everything else.
const PACE: u32 = 500;
/// This part of the events are votes of the voter who is voided.
const VOIDED_PART: u64 = 100;
/// Those who are voided, by the size of the log at which they came; far from all who vote by themselves.
const VOIDED: [u32; 2] = [u32::MAX - 1, u32::MAX];

/// One voter, voided and back.
struct Case {
    name: String,
    voided: Took,
    back: Took,
}

/// How long something took, and how long live votes waited before it and during it.
struct Took {
    itself: Duration,
    before: Times,
    meanwhile: Times,
}

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let (mut load, mut cases, mut live_votes) = (Load::new(), Vec::new(), 0);
    let (least, events) = ((bench.events / 10).max(LOAD_MIN * 2), bench.events.max(LOAD_MIN * 4));
    let mut voided = Vec::new();
    for (size, voter) in [least, events].into_iter().zip(VOIDED) {
        let votes = size.div_ceil(VOIDED_PART);
        bench.unless_stopped(Box::pin(fill_up(&mut load, &server, (size, voter, votes), bench))).await?;
        voided.push((voter, votes));
        let mut koe = Koe::start(&server, Kind::Votes, bench).await?;
        let measured = async {
            koe.add(&server, Kind::Posts).await?;
            koe.caught_up().await?;
            let mut live = Live::begin(&koe, &load, live_votes).await?;
            let mut of_size = Vec::new();
            for (voter, votes) in &voided {
                let (votes, events) = (whole(usize::try_from(*votes)?), whole(usize::try_from(size)?));
                let name = format!("undo: {votes} votes of {events} events");
                of_size.push(case(name, *voter, (&koe, &mut live, &mut load), bench).await?);
            }
            live_votes = live.given;
            Ok(of_size)
        };
        let measured = bench.unless_stopped(Box::pin(measured)).await;
        koe.end().await?;
        cases.extend(measured?);
        std::fs::remove_dir_all(server.beside("projector"))?;
    }
    figures(cases)
}

/// Fills the log up to a size, with the votes of one who is going to be voided.
async fn fill_up(
    load: &mut Load,
    server: &Server,
    (size, voter, votes): (u64, u32, u64),
    bench: &Bench<'_>,
) -> anyhow::Result<()> {
    load.fill(server, size - votes, bench).await?;
    bench.progress.begin("votes to be voided", votes);
    let against = load.votes_against(voter, usize::try_from(votes)?);
    ensure!(against.len() == usize::try_from(votes)?, "there are {} comments for {votes} votes", against.len());
    fill(server, against.into_iter(), bench.progress).await.map(drop)
}

/// Voids a voter and lets them count again, with every tally of the site compared after each.
async fn case(
    name: String,
    voter: u32,
    (koe, live, load): (&Koe, &mut Live<impl Stream<Item = ThreadChanged> + Unpin>, &mut Load),
    bench: &Bench<'_>,
) -> anyhow::Result<Case> {
    bench.progress.begin(name.clone(), 4);
    let voters = || Voters::parse(vec![Load::voter(voter).parse()?]).context("one voter");
    let reason = || "they were many in one".into();
    let void = CommandBody::VoidVotes { voters: voters()?, since: None, reason: reason() };
    let voided = live.beside(load, applied(&koe.client, load.site().clone(), void)).await?;
    bench.progress.one_more();
    check::all_tallies(&koe.client, load, Some(voter), &koe.end_of_log().await?.1).await?;
    bench.progress.one_more();
    let back = CommandBody::UnvoidVotes { voters: voters()?, reason: reason() };
    let back = live.beside(load, applied(&koe.client, load.site().clone(), back)).await?;
    bench.progress.one_more();
    check::all_tallies(&koe.client, load, None, &koe.end_of_log().await?.1).await?;
    bench.progress.one_more();
    Ok(Case { name, voided, back })
}

/// Sends a command about the whole site until it is carried out everywhere.
async fn applied(koe: &Client, site: domain::SiteId, body: CommandBody) -> anyhow::Result<()> {
    let place = Place { site, thread: None };
    let command = Command { id: client::new_command_id(), actor: staff(), place, body };
    let began = Instant::now();
    loop {
        let reply = koe.send(&command, true).await.context("an undoing is refused")?;
        if reply.outcome() == Outcome::Applied {
            return Ok(());
        }
        // Accepted, and not carried out everywhere within the time that an answer waits.
        ensure!(reply.outcome() == Outcome::Accepted, "an undoing came to {:?}", reply.outcome());
        ensure!(began.elapsed() < UNDO_MAX, "it is not carried out after {} s", UNDO_MAX.as_secs());
    }
}

/// Votes at an even pace, and what is announced of them.
struct Live<S> {
    koe: Client,
    announced: S,
    place: Place,
    comments: Vec<(At, CommentId)>,
    about: HashSet<CommentId>,
    waiting: Waiting,
    given: u32,
}

impl Live<()> {
    /// In the thread with the most comments.
    async fn begin(
        koe: &Koe,
        load: &Load,
        given: u32,
    ) -> anyhow::Result<Live<impl Stream<Item = ThreadChanged> + Unpin + use<>>> {
        let (site, thread) = (load.site().clone(), Load::thread(0));
        let announced = koe.client.changes(&site, &thread).await?;
        // Nobody announces anything before the server knows who listens: an answer came the same way.
        koe.client.status().await?;
        let comments = load.first_comments(0, LIVE_VOTED_ON);
        let (mut waiting, expected) = (Waiting::default(), load.expected(None));
        for ((thread, index), comment) in &comments {
            let tally = expected.get(*thread).and_then(|tallies| tallies.get(*index));
            waiting.pass_over(*comment, tally.map_or(0, |tally| tally.up));
        }
        let about = comments.iter().map(|(_, comment)| *comment).collect();
        let place = Place { site, thread: Some(thread) };
        Ok(Live { koe: koe.client.clone(), announced, place, comments, about, waiting, given })
    }
}

impl<S: Stream<Item = ThreadChanged> + Unpin> Live<S> {
    /// Votes for a while, and then beside some work until it is done, and nothing that was sent is left to be announced.
    async fn beside(
        &mut self,
        load: &mut Load,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<Took> {
        let watched = async {
            tokio::time::sleep(LIVE_WATCHED).await;
            Ok(())
        };
        self.until(load, watched).await?;
        let before = std::mem::take(&mut self.waiting.times);
        let began = Instant::now();
        let mut itself = Duration::ZERO;
        let timed = async {
            let done = work.await;
            itself = began.elapsed();
            done
        };
        self.until(load, timed).await?;
        Ok(Took { itself, before, meanwhile: std::mem::take(&mut self.waiting.times) })
    }

    async fn until(
        &mut self,
        load: &mut Load,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let mut work = std::pin::pin!(work);
        let (mut pace, mut running, mut done) = (pace_of(PACE), JoinSet::new(), false);
        while !done || !running.is_empty() || !self.waiting.is_empty() {
            tokio::select! {
                finished = &mut work, if !done => {
                    finished?;
                    done = true;
                }
                _ = pace.tick(), if !done && running.len() < PUBLISHES_IN_FLIGHT => {
                    let command = self.next(load)?;
                    let koe = self.koe.clone();
                    running.spawn(async move { accepted(&koe, command).await });
                }
                Some(answer) = running.join_next() => answer??,
                announced = next(&mut self.announced), if !self.waiting.is_empty() => self.seen(announced?)?,
            }
        }
        Ok(())
    }

    /// One more voter votes for one of the comments by turns.
    fn next(&mut self, load: &mut Load) -> anyhow::Result<Command> {
        let turn = usize::try_from(self.given)? % self.comments.len().max(1);
        let (at, comment) = *self.comments.get(turn).context("no comment to vote on")?;
        let voter = VOTERS + self.given;
        self.given += 1;
        load.voted_for(voter, at);
        self.waiting.sent(comment);
        let body = CommandBody::CastVote { comment, vote: Vote::Up };
        let actor = reader(&Load::voter(voter));
        Ok(Command { id: client::new_command_id(), actor, place: self.place.clone(), body })
    }

    fn seen(&mut self, mut changed: ThreadChanged) -> anyhow::Result<()> {
        // What is voided is against a comment; other comments of the thread change as well.
        changed.comments.retain(|row| row.id.parse().is_ok_and(|comment| self.about.contains(&comment)));
        self.waiting.seen(&changed, Kind::Votes)
    }
}

fn figures(mut cases: Vec<Case>) -> anyhow::Result<Vec<Figure>> {
    let millis = |took: Duration| took.as_secs_f64() * 1_000.0;
    let first = cases.first().map(|case| [millis(case.voided.itself), millis(case.back.itself)]);
    let mut figures = Vec::new();
    for (index, case) in cases.iter_mut().enumerate() {
        for (at, (what, took)) in
            [("voided", &mut case.voided), ("and back", &mut case.back)].into_iter().enumerate()
        {
            let ceiling = first.filter(|_| index > 0).and_then(|first| first.get(at).copied());
            let name = format!("{}, {what}", case.name);
            figures.push(Figure::new(name.clone(), millis(took.itself), ceiling, "ms"));
            let (longest, before) = (took.meanwhile.percentile(100)?, took.before.percentile(100)?);
            figures.push(Figure::new(format!("{name}, longest wait meanwhile"), longest, Some(before), "ms"));
        }
    }
    Ok(figures)
}
