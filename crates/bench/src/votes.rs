//! `votes`: cast-vote commands over NATS until they are acknowledged, with everything running; the ceiling is a bare
//! program that takes a request, publishes as many bytes with an acknowledgement, and replies.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::jetstream::context::{Context, ContextBuilder};
use bytes::Bytes;
use client::{Client, PageOf, new_command_id};
use domain::{Actor, Command, CommandBody, CommentId, Event, Place, Roles, Vote};
use futures::StreamExt as _;
use futures::stream;
use journal::Journal;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Progress;
use crate::limits::PUBLISHES_IN_FLIGHT;
use crate::load::Load;
use crate::report::Figure;
use crate::server::{Server, Sync};

/// Commands on their way at once.
const IN_FLIGHT: [usize; 4] = [1, 32, 256, 1_000];
/// A lone command at a time takes its time: fewer of them are as good a measure.
const LONE_SHARE: u64 = 20;
/// Comments that are voted on, by turns.
const COMMENTS: usize = 500;
/// The site and the threads of the load, and a comment in each, come first.
const BEGINNING: u64 = 2_001;
/// The subject of the bare program, and where it publishes.
const BARE: &str = "bench.bare";
const BARE_LOG: &str = "bench.log";

pub(crate) async fn run(
    nats_server: &Path,
    events: u64,
    sync: Sync,
    progress: &Progress,
) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(nats_server, sync).await?;
    let mut figures = Vec::new();
    progress.begin("the bare program", events * 3 + events / LONE_SHARE);
    let mut ceilings = Vec::new();
    let bare = Bare::start(&server).await?;
    for in_flight in IN_FLIGHT {
        ceilings.push(bare.measure(share(events, in_flight), in_flight, progress).await?);
    }
    bare.stop.cancel();
    progress.begin("Koe", events * 3 + events / LONE_SHARE);
    let koe = Koe::start(&server).await?;
    for (in_flight, ceiling) in IN_FLIGHT.into_iter().zip(ceilings) {
        let value = koe.measure(share(events, in_flight), in_flight, progress).await?;
        let name = format!("votes: {in_flight} in flight, sync {}", sync.as_str());
        figures.push(Figure::new(name, value, Some(ceiling), "commands/s"));
    }
    koe.check().await?;
    koe.end().await?;
    Ok(figures)
}

fn share(events: u64, in_flight: usize) -> u64 {
    if in_flight == 1 { events / LONE_SHARE } else { events }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
fn rate(commands: u64, took: Duration) -> f64 {
    commands as f64 / took.as_secs_f64()
}

/// What a writer would be without anything of Koe.
struct Bare {
    nats: async_nats::Client,
    stop: CancellationToken,
    _serving: JoinSet<()>,
}

impl Bare {
    async fn start(server: &Server) -> anyhow::Result<Self> {
        let (serving, nats) = (server.connect("koe-bench-bare").await?, server.connect("koe-bench-ask").await?);
        let context = ContextBuilder::new().max_ack_inflight(PUBLISHES_IN_FLIGHT).build(serving.clone());
        let config = async_nats::jetstream::stream::Config {
            name: "BENCH".into(),
            subjects: vec![BARE_LOG.into()],
            duplicate_window: Duration::from_mins(1),
            ..Default::default()
        };
        context.create_stream(config).await.context("the bare program's stream cannot be made")?;
        let mut requests = serving.queue_subscribe(BARE, "bare".into()).await?;
        // Nobody asks before the server knows of it.
        serving.flush().await?;
        let (stop, stopping) = (CancellationToken::new(), CancellationToken::new());
        let mut task = JoinSet::new();
        let ended = stop.clone();
        task.spawn(async move {
            let mut answering = JoinSet::new();
            loop {
                tokio::select! {
                    () = ended.cancelled() => break,
                    Some(request) = requests.next() => {
                        answering.spawn(answer(context.clone(), serving.clone(), request));
                        while answering.try_join_next().is_some() {}
                    }
                    else => break,
                }
            }
            stopping.cancel();
        });
        Ok(Self { nats, stop, _serving: task })
    }

    async fn measure(&self, commands: u64, in_flight: usize, progress: &Progress) -> anyhow::Result<f64> {
        // As many bytes as a cast-vote request has.
        let payload = Bytes::from(vec![b'x'; 130]);
        let began = Instant::now();
        let mut answers = stream::iter(0..commands)
            .map(|_| async {
                let id = new_command_id().to_string();
                let mut headers = async_nats::HeaderMap::new();
                headers.insert(wire::envelope::MESSAGE_ID, id.as_str());
                self.nats.request_with_headers(BARE, headers, payload.clone()).await
            })
            .buffer_unordered(in_flight);
        while let Some(answer) = answers.next().await {
            let answer = answer.context("the bare program does not answer")?;
            ensure!(answer.payload.as_ref() == b"ok", "the bare program could not publish");
            progress.one_more();
        }
        Ok(rate(commands, began.elapsed()))
    }
}

async fn answer(context: Context, nats: async_nats::Client, request: async_nats::Message) {
    let (Some(reply), Some(headers)) = (request.reply, request.headers) else { return };
    let published = match context.publish_with_headers(BARE_LOG, headers, request.payload).await {
        Ok(ack) => ack.await.is_ok(),
        Err(_) => false,
    };
    let said: &'static [u8] = if published { b"ok" } else { b"no" };
    if let Err(error) = nats.publish(reply, Bytes::from_static(said)).await {
        tracing::debug!(%error, "the bare program cannot reply");
    }
}

/// Koe's votes service and projector, with comments to vote on.
struct Koe {
    client: Client,
    journal: Journal,
    place: Place,
    comments: Vec<CommentId>,
    /// How many voters have voted: each once, so that the order in which votes arrive does not matter.
    voters: Arc<std::sync::atomic::AtomicU64>,
    stop: CancellationToken,
    roles: JoinSet<anyhow::Result<()>>,
}

impl Koe {
    async fn start(server: &Server) -> anyhow::Result<Self> {
        let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
        let (place, comments) = Self::begin(&journal).await?;
        let (stop, mut roles) = (CancellationToken::new(), JoinSet::new());
        let projector =
            projector::Options { nats: server.options(), data: server.beside("projector"), cache_mib: 256 };
        let stopping = stop.clone();
        roles.spawn(async move { projector::run(projector, &prometheus::Registry::new(), stopping).await });
        let often = std::num::NonZeroU32::MAX;
        let rates = votes::RateOptions { actor_rate: often, actor_burst: often };
        let (votes, stopping) = (votes::Options { nats: server.options(), rates }, stop.clone());
        roles.spawn(async move { votes::run(votes, &prometheus::Registry::new(), stopping).await });
        let client = Client::new(server.connect("koe-bench-ask").await?);
        let voters = Arc::default();
        let koe = Self { client, journal, place, comments, voters, stop, roles };
        // Until both answer.
        while koe.cast().await.is_err() {
            tokio::time::sleep(crate::limits::LOOK_PAUSE).await;
        }
        Ok(koe)
    }

    /// A site, threads and comments, past the writers: one thread gets all that is voted on.
    async fn begin(journal: &Journal) -> anyhow::Result<(Place, Vec<CommentId>)> {
        let mut load = Load::new();
        let mut first = None;
        for _ in 0..BEGINNING {
            let (place, envelope) = load.next();
            if place.thread.is_none() || first.as_ref().is_none_or(|first| *first == place) {
                if place.thread.is_some() {
                    first = Some(place.clone());
                }
                journal.append(&place, &envelope, None).await?;
            }
        }
        let place = first.context("the load opens a thread")?;
        let mut comments = Vec::with_capacity(COMMENTS);
        while comments.len() < COMMENTS {
            let (_, envelope) = load.next();
            if matches!(envelope.event, Event::CommentPosted { .. }) {
                comments.push(CommentId(envelope.id));
                journal.append(&place, &envelope, None).await?;
            }
        }
        Ok((place, comments))
    }

    async fn cast(&self) -> anyhow::Result<()> {
        let voter = self.voters.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let comment = usize::try_from(voter).ok().and_then(|voter| self.comments.get(voter % self.comments.len()));
        let comment = *comment.context("there are comments")?;
        let actor = Actor { id: format!("voter-{voter}").parse()?, roles: Roles::default() };
        let body = CommandBody::CastVote { comment, vote: Vote::Up };
        let command = Command { id: new_command_id(), actor, place: self.place.clone(), body };
        self.client.send(&command, false).await?;
        Ok(())
    }

    async fn measure(&self, commands: u64, in_flight: usize, progress: &Progress) -> anyhow::Result<f64> {
        let began = Instant::now();
        let mut answers = stream::iter(0..commands).map(|_| self.cast()).buffer_unordered(in_flight);
        while let Some(answer) = answers.next().await {
            answer.context("a vote is refused")?;
            progress.one_more();
        }
        Ok(rate(commands, began.elapsed()))
    }

    /// Every accepted vote is counted, and none twice. Those that were tried before the services were up count too if
    /// they were recorded: the log says how many there are.
    async fn check(&self) -> anyhow::Result<()> {
        let head = self.journal.look().await?;
        let end = wire::Position { epoch: head.epoch, sequence: head.sequence }.to_string();
        let recorded = head.sequence - u64::try_from(COMMENTS)? - 3;
        let thread = self.place.thread.clone().context("a thread")?;
        let (mut counted, mut page) = (0, PageOf { limit: 200, at_least: end, ..PageOf::default() });
        loop {
            let reply = self.client.thread_page(&self.place.site, &thread, page.clone()).await?;
            for comment in &reply.comments {
                counted += comment.tally.as_ref().map_or(0, |tally| u64::from(tally.up));
            }
            if reply.next.is_empty() {
                break;
            }
            page.after = reply.next;
        }
        ensure!(counted == recorded, "{recorded} votes are recorded and {counted} are counted");
        let tried = self.voters.load(std::sync::atomic::Ordering::Relaxed);
        ensure!(recorded <= tried, "more votes than were cast");
        Ok(())
    }

    async fn end(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.roles.join_next().await {
            ended??;
        }
        Ok(())
    }
}
