//! `pages`: pages of threads by query over NATS, by length, order and shape, with what rankings are made of in memory and
//! right after a start; the ceiling is a service that answers with as many bytes.
//!
//! What comes from other pages, and how it moves while votes arrive, is not measured here: nobody writes meanwhile.

mod check;
mod threads;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use client::{Client, PageOf, Reading, Viewer};
use domain::Order;
use futures::{StreamExt as _, stream};
use wire::codec::Format;
use wire::v1::ThreadPageReply;

use crate::Bench;
use crate::catch_up::{folded, start_and_fold};
use crate::echo::Echo;
use crate::fill::fill;
use crate::limits::{COUNTED, PAGES_IN_FLIGHT, QUESTIONS, QUESTIONS_ALONE, STARTS};
use crate::process::Process;
use crate::report::{Figure, rate, whole};
use crate::server::{Server, Sync};
use check::Check;
use threads::{Thread, Threads};

/// What an order is made of is in memory, or nobody has asked about the thread since the projector's start.
const CACHED: &str = "ranking cached";
const NOT_CACHED: &str = "ranking not cached";
/// Pages after the first until the tenth.
const TENTH: usize = 9;

/// One way to read: an order, flat or as a tree.
#[derive(Clone, Copy)]
struct Way {
    order: Order,
    tree: bool,
}

impl Way {
    fn every() -> impl Iterator<Item = Self> {
        [false, true].into_iter().flat_map(|tree| Order::EVERY.map(|order| Self { order, tree }))
    }

    fn name(self) -> String {
        let shape = if self.tree { ", tree" } else { "" };
        format!("{}{shape}", self.order.as_str())
    }
}

/// A thread read in one way: its first page, and the cursor and content of its tenth, if there is one.
struct Read<'t> {
    thread: &'t Thread,
    way: Way,
    first: ThreadPageReply,
    tenth: Option<(String, ThreadPageReply)>,
}

impl Read<'_> {
    fn figure(&self, page: &str, cached: &str, value: f64, ceiling: f64) -> Figure {
        let (comments, way) = (comments(self.thread), self.way.name());
        Figure::new(format!("pages: {page} of {comments}, {way}, {cached}"), value, Some(ceiling), "pages/s")
    }
}

/// Rates of first pages by thread, the largest last, for each way to read.
type Rates = Vec<Vec<f64>>;

/// Who asks, and what.
struct Asking<'a> {
    client: Client,
    echo: Echo,
    server: &'a Server,
    threads: &'a Threads,
    bench: &'a Bench<'a>,
    /// The log's end.
    end: u64,
}

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let threads = Threads::new(usize::try_from(bench.events)?);
    bench.progress.begin("making the log", u64::try_from(threads.events_count())?);
    let mut end = fill(&server, threads.events(), bench.progress).await?;
    if bench.plant_error {
        end = fill(&server, threads.unexpected().into_iter(), bench.progress).await?;
    }
    let data = server.beside("projector");
    bench.progress.begin("folding it", end);
    let (projector, _) = start_and_fold(&server, &data, end, bench.progress).await?;
    let client = Client::new(server.connect("koe-bench-ask").await?);
    let echo = Echo::start(&server).await?;
    let asking = Asking { client, echo, server: &server, threads: &threads, bench, end };
    let (mut figures, mut reads, mut rates) = (Vec::new(), Vec::new(), Rates::new());
    for way in Way::every() {
        let mut of_way = Vec::new();
        for thread in threads.read() {
            let read = asking.read(thread, way).await?;
            let kept = asking.kept(&read).await?;
            of_way.extend(kept.first().map(|first| first.value));
            figures.extend(kept);
            reads.push(read);
        }
        rates.push(of_way);
    }
    figures.push(asking.counts().await?);
    projector.stop().await?;
    let (fresh, fresh_rates) = asking.fresh(&reads).await?;
    figures.extend(fresh);
    for (rates, cached) in [(rates, CACHED), (fresh_rates, NOT_CACHED)] {
        figures.extend(largest_over_a_hundredth(&threads, &rates, cached));
    }
    Ok(figures)
}

impl Asking<'_> {
    async fn page(&self, thread: &Thread, way: Way, after: &str) -> anyhow::Result<ThreadPageReply> {
        let page = PageOf { after: after.to_owned(), ..PageOf::default() };
        let reading = Reading { order: way.order, tree: way.tree, around: None };
        let place = (&self.threads.site, &thread.id);
        Ok(self.client.read_thread(place, page, reading, &Viewer::default()).await?)
    }

    /// Reads a thread up to its tenth page, and compares every row. What is ranked is kept from then on.
    async fn read<'t>(&self, thread: &'t Thread, way: Way) -> anyhow::Result<Read<'t>> {
        let mut check = Check::new(thread, way.order, way.tree);
        let first = self.page(thread, way, "").await?;
        check.page(&first)?;
        let (mut after, mut tenth) = (first.next.clone(), None);
        for at in 1..=TENTH {
            if after.is_empty() {
                break;
            }
            let page = self.page(thread, way, &after).await?;
            check.page(&page)?;
            let next = page.next.clone();
            if at == TENTH {
                tenth = Some((after, page));
                break;
            }
            after = next;
        }
        // An order is sorted when it is asked for again.
        for _ in 0..2 {
            ensure!(self.page(thread, way, "").await? == first, "the same page is another one");
        }
        Ok(Read { thread, way, first, tenth })
    }

    /// The first page and the tenth, asked for again and again.
    async fn kept(&self, read: &Read<'_>) -> anyhow::Result<Vec<Figure>> {
        let mut figures = vec![self.again(read, ("first", ""), &read.first).await?];
        if let Some((after, page)) = &read.tenth {
            figures.push(self.again(read, ("tenth", after), page).await?);
        }
        Ok(figures)
    }

    async fn again(
        &self,
        read: &Read<'_>,
        (name, after): (&str, &str),
        page: &ThreadPageReply,
    ) -> anyhow::Result<Figure> {
        let bytes = Format::Protobuf.encode(page).len();
        let ceiling = self.echo.answers(bytes, QUESTIONS, PAGES_IN_FLIGHT).await?;
        self.bench.progress.begin(format!("pages of {}, {}", comments(read.thread), read.way.name()), QUESTIONS);
        let began = Instant::now();
        let mut pages = stream::iter(0..QUESTIONS)
            .map(|_| self.page(read.thread, read.way, after))
            .buffer_unordered(PAGES_IN_FLIGHT);
        while let Some(answer) = pages.next().await {
            ensure!(answer? == *page, "a page of {} is another one than it was", read.thread.id);
            self.bench.progress.one_more();
        }
        let value = rate(QUESTIONS, began.elapsed());
        Ok(read.figure(name, CACHED, value, ceiling))
    }

    /// First pages, each the first question about its thread that a projector is asked since its start.
    async fn fresh(&self, reads: &[Read<'_>]) -> anyhow::Result<(Vec<Figure>, Rates)> {
        let (mut figures, mut rates) = (Vec::new(), Rates::new());
        for of_way in reads.chunks(self.threads.read().len()) {
            let mut times = vec![Vec::new(); of_way.len()];
            for _ in 0..STARTS {
                let projector = self.started().await?;
                for (read, times) in of_way.iter().zip(&mut times) {
                    let began = Instant::now();
                    let page = self.page(read.thread, read.way, "").await?;
                    times.push(began.elapsed());
                    ensure!(page == read.first, "after a start, a page of {} is another one", read.thread.id);
                }
                projector.stop().await?;
            }
            let mut of_threads = Vec::new();
            for (read, times) in of_way.iter().zip(times) {
                let value = rate(1, median(times)?);
                let bytes = Format::Protobuf.encode(&read.first).len();
                let ceiling = self.echo.answers(bytes, QUESTIONS_ALONE, 1).await?;
                figures.push(read.figure("first", NOT_CACHED, value, ceiling));
                of_threads.push(value);
            }
            rates.push(of_threads);
        }
        Ok((figures, rates))
    }

    /// A projector on the full store, which has answered, and nothing about a thread.
    async fn started(&self) -> anyhow::Result<Process> {
        let (progress, began) = (self.bench.progress, (Instant::now(), self.end));
        progress.begin("starting again", self.end);
        let mut projector = Process::projector(self.server, &self.server.beside("projector"))?;
        folded(&self.client, &mut projector, began, progress).await?;
        Ok(projector)
    }

    /// How many comments the threads of a front page have, asked for at once.
    async fn counts(&self) -> anyhow::Result<Figure> {
        let threads: Vec<_> = self.threads.counted().iter().map(|thread| thread.id.clone()).collect();
        let ask = || self.client.counts(&self.threads.site, &threads, "");
        let right = ask().await?;
        ensure!(right.counts.len() == COUNTED, "{} threads are counted", right.counts.len());
        for thread in self.threads.counted() {
            let found = right.counts.iter().find(|count| count.thread == thread.id.to_string());
            let count = found.map_or(0, |found| found.count);
            let (id, comments) = (&thread.id, thread.len());
            ensure!(usize::try_from(count)? == comments, "{id} has {count} comments and not {comments}");
        }
        let bytes = Format::Protobuf.encode(&right).len();
        let ceiling = self.echo.answers(bytes, QUESTIONS, PAGES_IN_FLIGHT).await?;
        let began = Instant::now();
        let mut answers = stream::iter(0..QUESTIONS).map(|_| ask()).buffer_unordered(PAGES_IN_FLIGHT);
        while let Some(answer) = answers.next().await {
            ensure!(answer? == right, "counts are others than they were");
        }
        let value = rate(QUESTIONS, began.elapsed());
        Ok(Figure::new(format!("pages: counts of {COUNTED} threads"), value, Some(ceiling), "answers/s"))
    }
}

fn comments(thread: &Thread) -> String {
    whole(thread.len())
}

/// First pages of the largest thread over those of one of a hundredth, in the order in which that is least; flat and trees.
fn largest_over_a_hundredth(threads: &Threads, rates: &Rates, cached: &str) -> Vec<Figure> {
    let [_, hundredth, _, largest] = threads.read() else { return Vec::new() };
    let name = format!("pages: first of {} over {}", comments(largest), comments(hundredth));
    let pairs = rates.iter().map(|rates| (rates.get(1).copied(), rates.get(3).copied()));
    let pairs: Vec<(f64, f64)> = pairs.filter_map(|(hundredth, largest)| hundredth.zip(largest)).collect();
    let shapes = [("", 0..Order::EVERY.len()), (", trees", Order::EVERY.len()..pairs.len())];
    let least = |(shape, orders): (&str, std::ops::Range<usize>)| {
        let of_shape = pairs.get(orders)?.iter();
        let least = of_shape.min_by(|one, other| (one.1 / one.0).total_cmp(&(other.1 / other.0)))?;
        let name = format!("{name}, least of all orders{shape}, {cached}");
        Some(Figure::new(name, least.1, Some(least.0), "pages/s"))
    };
    shapes.into_iter().filter_map(least).collect()
}

fn median(mut times: Vec<Duration>) -> anyhow::Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("nothing was timed")
}
