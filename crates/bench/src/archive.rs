//! `archive`: the log into an archive and back into an empty log, a thread as it was, and the log verified: the commands as
//! somebody calls them, from start to end. The ceilings are reading the same log raw, publishing as many bytes in bare batches,
//! reading the same subjects raw, and the fold alone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::HeaderMap;
use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE};
use async_nats::jetstream::stream::Config;
use bytes::Bytes;
use client::Client;
use domain::text::Text;
use domain::{CommentId, Envelope, Event, Place, Timestamp, Vote};
use journal::Journal;
use journal::limits::GROUP_EVENTS_MAX;
use serde_json::Value;
use tokio::process::Command;

use crate::Bench;
use crate::catch_up::start_and_fold;
use crate::check;
use crate::fill::fill;
use crate::fold::read;
use crate::load::{LOAD_MIN, Load, reader, staff};
use crate::progress::Progress;
use crate::report::{Figure, number, rate, whole};
use crate::server::{Server, Sync};

/// The thread that is shown as it was, its comments and the votes on them: a thousand events with its opening.
const THREAD: &str = "as-of";
const COMMENTS: u32 = 100;
const VOTES: u32 = 899;
/// How often a command of some milliseconds is timed; the median counts.
const TIMES: usize = 7;
/// When the thread's events happened: anything that a clock may say.
const MILLIS: i64 = 1_760_000_000_000;
/// The bare program's subject.
const BARE: &str = "bench.batched";

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let (events, progress) = (bench.events.max(LOAD_MIN * 10), bench.progress);
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let mut load = Load::new();
    let mut figures = Vec::new();
    load.fill(&server, events / 10, bench).await?;
    fill(&server, thread(load.site()).into_iter(), progress).await?;
    for size in [events / 10, events] {
        load.fill(&server, size, bench).await?;
        figures.extend(as_of(&server, &load, size, progress).await?);
    }
    let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
    let head = journal.look().await?;
    let end = head.sequence;
    progress.begin("reading it raw", end);
    let raw = rate(end, read(&journal, end, progress).await?);
    let archive = server.beside("log.koe");
    let out = archive.display().to_string();
    progress.begin("exporting it", 1);
    let (took, report) = timed(&server, &["export", &out]).await?;
    ensure!(report.get("events") == Some(&end.into()), "of {end} events were exported: {report}");
    figures.push(Figure::new("archive: export", rate(end, took), Some(raw), "events/s"));
    let bytes = number(std::fs::metadata(&archive)?.len()) / number(end);
    figures.push(Figure::new("archive: size", bytes, Some(number(head.bytes) / number(end)), "bytes/event"));

    progress.begin("publishing as much in bare batches", end);
    let bare = bare(bench, end, usize::try_from(head.bytes / end.max(1))?).await?;
    let second = Server::start(bench.nats_server, Sync::Default).await?;
    progress.begin("importing it", 1);
    let (took, report) = timed(&second, &["import", &out]).await?;
    ensure!(report.get("imported") == Some(&end.into()), "of {end} events were imported: {report}");
    figures.push(Figure::new("archive: import", rate(end, took), Some(bare), "events/s"));

    let (fold, verify, first) = folded(&server, &load, end, true, progress).await?;
    figures.push(Figure::new("archive: verify", verify.as_secs_f64(), Some(fold.as_secs_f64()), "s"));
    let (_, _, other) = folded(&second, &load, end, false, progress).await?;
    ensure!(first == other, "the digest is {first} before and {other} after");
    Ok(figures)
}

/// Runs `koe replay` with these words, and what it says as JSON.
async fn command(server: &Server, words: &[&str]) -> anyhow::Result<Value> {
    let koe = std::env::current_exe().context("this executable cannot be found again")?;
    let mut replay = Command::new(koe);
    replay.args(["--log", "error", "replay"]).args(words).args(["--json", "--nats", server.address()]);
    // Where it puts its own files is the machine's to say.
    let tmp = std::env::temp_dir();
    replay.env_clear().env("TMPDIR", tmp).process_group(0).kill_on_drop(true).stdin(std::process::Stdio::null());
    let output = replay.output().await.context("replay cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "replay {words:?} ended with {}: {said}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("replay {words:?} says no JSON"))
}

/// The same, timed from start to end.
async fn timed(server: &Server, words: &[&str]) -> anyhow::Result<(Duration, Value)> {
    let began = Instant::now();
    let said = command(server, words).await?;
    Ok((began.elapsed(), said))
}

/// Folds a log by the projector, checks every tally, and verifies it if that is asked for: how long both took, and the digest.
async fn folded(
    server: &Server,
    load: &Load,
    end: u64,
    verify: bool,
    progress: &Progress,
) -> anyhow::Result<(Duration, Duration, String)> {
    progress.begin("folding it", end);
    let (projector, course) = start_and_fold(server, &server.beside("projector"), end, progress).await?;
    let client = Client::new(server.connect("koe-bench-ask").await?);
    check::tallies(&client, load, &course.position).await?;
    let status = command(server, &["status", "--digest"]).await?;
    let digest = status.get("digest").and_then(Value::as_str).context("no digest")?.to_owned();
    let mut verified = Duration::ZERO;
    if verify {
        progress.begin("verifying it", 1);
        let (took, report) = timed(server, &["verify"]).await?;
        ensure!(report.get("equal") == Some(&true.into()), "it is not equal: {report}");
        ensure!(report.get("events") == Some(&end.into()), "of {end} events were verified: {report}");
        verified = took;
    }
    projector.stop().await?;
    Ok((course.took(), verified, digest))
}

/// A thread of a thousand events.
fn thread(site: &domain::SiteId) -> Vec<(Place, Envelope)> {
    let place = Place { site: site.clone(), thread: THREAD.parse().ok() };
    let (none, mut events) = (Box::<str>::default(), Vec::new());
    let id = client::new_command_id;
    let mut add = |actor, event| {
        let id = id();
        events.push((place.clone(), Envelope { id, time: Timestamp(MILLIS), actor, event }));
        CommentId(id)
    };
    let headline = "As it was".into();
    let (address, category) = (none.clone(), none);
    add(staff(), Event::ThreadOpened { headline, address, category, published: None, closes_at: None });
    let comments: Vec<_> = (0..COMMENTS)
        .map(|number| {
            let text = Text::recorded(&format!("What was said then, number {number}."));
            let (length, quotes) = (text.length(), Vec::new());
            let event =
                Event::CommentPosted { parent: None, text, quotes, length, held: None, original_time: None };
            add(reader(&format!("author-{number}")), event)
        })
        .collect();
    for (number, comment) in (0..VOTES).zip(comments.iter().cycle()) {
        add(reader(&format!("voter-{number}")), Event::VoteCast { comment: *comment, vote: Vote::Up });
    }
    events
}

/// A thread as it was, against reading the same subjects raw; both with a connection of their own.
async fn as_of(server: &Server, load: &Load, size: u64, progress: &Progress) -> anyhow::Result<Vec<Figure>> {
    let name = format!("as-of: 1,000 events of {}", whole(usize::try_from(size)?));
    progress.begin(name.clone(), 2);
    let journal = Journal::open(server.connect("koe-bench").await?, &journal::Options::default()).await?;
    let end = journal.look().await?.sequence.to_string();
    let site = load.site().to_string();
    let words = ["as-of", "--thread", THREAD, "--site", &site, "--sequence", &end];
    let (thread, sequence) = (THREAD.parse()?, end.parse()?);
    let (mut shown, mut raw, mut whole_command) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let began = Instant::now();
        let nats = server.connect("koe-bench-as-of").await?;
        let page = replay::as_of(nats, load.site(), &thread, sequence).await?;
        shown.push(began.elapsed());
        is_right(&serde_json::from_str(&page)?)?;
        raw.push(read_raw(server, load).await?);
        let (took, page) = timed(server, &words).await?;
        is_right(&page)?;
        whole_command.push(took);
    }
    progress.one_more();
    let millis = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times.get(TIMES / 2).map_or(0.0, |median| median.as_secs_f64() * 1_000.0)
    };
    let command = format!("{name}, the whole command");
    let as_of = Figure::new(name, millis(shown), Some(millis(raw)), "ms");
    Ok(vec![as_of, Figure::new(command, millis(whole_command), None, "ms")])
}

/// Whether a thread is shown with all its comments and votes.
fn is_right(page: &Value) -> anyhow::Result<()> {
    let comments = page.get("comments").and_then(Value::as_array).context("no comments")?;
    let up = |comment: &Value| comment.pointer("/tally/up").and_then(Value::as_u64);
    let votes: u64 = comments.iter().filter_map(up).sum();
    ensure!(comments.len() == usize::try_from(COMMENTS)? && votes == u64::from(VOTES), "it shows {votes} votes");
    Ok(())
}

/// Reads the thread's subjects and the site's, and does nothing with them.
async fn read_raw(server: &Server, load: &Load) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let journal = Journal::open(server.connect("koe-bench-raw").await?, &journal::Options::default()).await?;
    let at = |thread: Option<&str>| {
        let thread = thread.and_then(|thread| thread.parse().ok());
        wire::subject::events_at(&Place { site: load.site().clone(), thread })
    };
    let mut scan = journal.scan(vec![at(Some(THREAD)), at(None)], 0).await?;
    let mut count = 0;
    while let Some(batch) = scan.next().await? {
        count += batch.len();
    }
    ensure!(count >= usize::try_from(COMMENTS + VOTES)?, "{count} events were read");
    Ok(began.elapsed())
}

/// Publishes as many messages of as many bytes in atomic batches, each acknowledged before the next.
async fn bare(bench: &Bench<'_>, count: u64, bytes: usize) -> anyhow::Result<f64> {
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let nats = server.connect("koe-bench-bare").await?;
    let config = Config {
        name: "BENCH".into(),
        subjects: vec![BARE.into()],
        duplicate_window: Duration::from_mins(2),
        allow_atomic_publish: true,
        ..Config::default()
    };
    let context = async_nats::jetstream::new(nats.clone());
    let mut stream = context.create_stream(config).await.context("the bare program's stream cannot be made")?;
    // What a message takes in the log beside its payload: its subject, its headers, a checksum.
    let payload = Bytes::from(vec![b'x'; bytes.saturating_sub(150).max(1)]);
    let began = Instant::now();
    let mut left = usize::try_from(count)?;
    let mut batch = 0_u64;
    while left > 0 {
        let size = left.min(GROUP_EVENTS_MAX);
        batch += 1;
        for place in 1..=size {
            let mut headers = HeaderMap::new();
            headers.insert(wire::envelope::MESSAGE_ID, client::new_command_id().to_string());
            headers.insert(NATS_BATCH_ID, batch.to_string());
            headers.insert(NATS_BATCH_SEQUENCE, place.to_string());
            if place == size {
                headers.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
            }
            if place == 1 || place == size {
                nats.request_with_headers(BARE, headers, payload.clone()).await.context("a batch is not taken")?;
            } else {
                nats.publish_with_headers(BARE, headers, payload.clone()).await?;
            }
            bench.progress.one_more();
        }
        left -= size;
    }
    let took = began.elapsed();
    let stored = stream.info().await?.state.messages;
    ensure!(stored == count, "the bare program stored {stored} of {count}");
    Ok(rate(count, took))
}
