//! `growth`: the fold, its memory, its disk and its restart at a tenth of the events, at all of them and, if asked for, at
//! ten times as many; the ceiling is what the tenth reached.

use client::Client;

use crate::catch_up::{Course, start_and_answer, start_and_fold};
use crate::fold::size_of;
use crate::load::{LOAD_MIN, Load};
use crate::report::{Figure, number, rate, written};
use crate::server::{Server, Sync};
use crate::{Bench, check};

/// What is told of one size of the log.
struct Size {
    events: u64,
    /// Each with what it is called and its unit.
    figures: Vec<(&'static str, f64, &'static str)>,
    course: Course,
}

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let (mut load, mut sizes) = (Load::new(), Vec::<Size>::new());
    let large = bench.large.then_some(bench.events.saturating_mul(10));
    let (least, events) = ((bench.events / 10).max(LOAD_MIN), bench.events.max(LOAD_MIN * 2));
    for events in [Some(least), Some(events), large].into_iter().flatten() {
        let end = load.fill(&server, events, bench).await?;
        sizes.push(measure(&server, &load, end, bench).await?);
    }
    let mut figures = Vec::new();
    for size in &sizes {
        let name = format!("growth: {} events", written(number(size.events)));
        for (index, (what, value, unit)) in size.figures.iter().enumerate() {
            let least = sizes.first().and_then(|least| least.figures.get(index)).map(|(_, value, _)| *value);
            let ceiling = least.filter(|_| figures.len() >= size.figures.len());
            figures.push(Figure::new(format!("{name}, {what}"), *value, ceiling, unit));
        }
        let (events, course) = (size.events, &size.course);
        let (first, last) = (course.rate(0, events / 10), course.rate(events - events / 10, events));
        figures.push(Figure::new(format!("{name}, last tenth of first"), last, Some(first), "events/s"));
    }
    Ok(figures)
}

/// Folds the log as it is into a store of its own.
async fn measure(server: &Server, load: &Load, events: u64, bench: &Bench<'_>) -> anyhow::Result<Size> {
    let data = server.beside("projector");
    bench.progress.begin("folding it", events);
    let (projector, course) = start_and_fold(server, &data, events, bench.progress).await?;
    let memory = number(projector.memory_max_bytes()?) / f64::from(1 << 20);
    let client = Client::new(server.connect("koe-bench-ask").await?);
    check::tallies(&client, load, &course.position).await?;
    projector.stop().await?;
    let disk = number(size_of(&data)?) / number(events);
    let (projector, restart) = start_and_answer(server, &data).await?;
    projector.stop().await?;
    std::fs::remove_dir_all(&data)?;
    let figures = vec![
        ("fold", rate(events, course.took()), "events/s"),
        ("memory at most", memory, "MiB"),
        ("disk", disk, "bytes/event"),
        ("first page after a clean stop", restart.as_secs_f64(), "s"),
    ];
    Ok(Size { events, figures, course })
}
