//! Waiting for a projector: how far it is at which moment, and its first answer after a start.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use client::{Client, PageOf};

use crate::limits::{LOOK_PAUSE, STALLED_MAX, START_MAX};
use crate::load::Load;
use crate::process::Process;
use crate::progress::Progress;
use crate::server::Server;

/// How a fold went: moments after its begin, with what was folded by then.
#[derive(Debug)]
pub(crate) struct Course {
    /// The last moment at which nothing was folded.
    begun: Duration,
    samples: Vec<(Duration, u64)>,
    /// Where it ended, for the `at_least` of a question.
    pub(crate) position: String,
}

impl Course {
    /// How long all of it took, with the start of the process.
    pub(crate) fn took(&self) -> Duration {
        self.samples.last().map(|(at, _)| *at).unwrap_or_default()
    }

    /// Events a second between two sequences. Between two moments it is taken as even.
    pub(crate) fn rate(&self, from: u64, to: u64) -> f64 {
        let took = self.when(to) - self.when(from);
        crate::report::number(to - from) / took
    }

    /// The second in which a sequence was folded.
    fn when(&self, sequence: u64) -> f64 {
        let (mut before, mut done) = (self.begun.as_secs_f64(), 0);
        for (at, sampled) in &self.samples {
            let at = at.as_secs_f64();
            if *sampled >= sequence && *sampled > done {
                let part = crate::report::number(sequence - done) / crate::report::number(sampled - done);
                return before + (at - before) * part;
            }
            (before, done) = (at, *sampled);
        }
        before
    }
}

/// Starts a projector and waits until everything is folded, as whoever starts it would.
pub(crate) async fn start_and_fold(
    server: &Server,
    data: &Path,
    end: u64,
    progress: &Progress,
) -> anyhow::Result<(Process, Course)> {
    let client = Client::new(server.connect("koe-bench-ask").await?);
    let began = Instant::now();
    let mut projector = Process::projector(server, data)?;
    let course = folded(&client, &mut projector, (began, end), progress).await?;
    Ok((projector, course))
}

/// Waits until everything up to the end is folded and served.
pub(crate) async fn folded(
    client: &Client,
    projector: &mut Process,
    (began, end): (Instant, u64),
    progress: &Progress,
) -> anyhow::Result<Course> {
    let (mut last, mut moved) = (0, Instant::now());
    let (mut begun, mut samples) = (Duration::ZERO, Vec::new());
    loop {
        projector.need_running()?;
        if let Ok(status) = client.status().await {
            let at = status.sequence.max(status.rebuilding_sequence);
            if at == 0 {
                begun = began.elapsed();
            } else if at > last {
                (last, moved) = (at, Instant::now());
                progress.at(at);
                samples.push((began.elapsed(), at));
            }
            if status.sequence >= end {
                return Ok(Course { begun, samples, position: status.position });
            }
        }
        ensure!(moved.elapsed() < STALLED_MAX, "the fold stands still at {last} of {end}");
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// Starts a projector on what it has, and says how long a reader waits for a page of the thread with the most comments.
pub(crate) async fn start_and_answer(server: &Server, data: &Path) -> anyhow::Result<(Process, Duration)> {
    let client = Client::new(server.connect("koe-bench-ask").await?);
    let load = Load::new();
    let began = Instant::now();
    let mut projector = Process::projector(server, data)?;
    loop {
        let page = client.thread_page(load.site(), &Load::thread(0), PageOf::default()).await;
        if let Ok(page) = page {
            ensure!(!page.comments.is_empty(), "the first page after a start has no comment");
            return Ok((projector, began.elapsed()));
        }
        projector.need_running()?;
        ensure!(began.elapsed() < START_MAX, "the projector does not answer after {} s", START_MAX.as_secs());
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_its_part() {
        let at = |second: u64, sequence: u64| (Duration::from_secs(second), sequence);
        let samples = vec![at(2, 100), at(3, 300), at(7, 400)];
        let course = Course { begun: Duration::from_secs(1), samples, position: String::new() };
        let near = |figure: f64, right: f64| (figure - right).abs() < 1e-9;
        assert!(near(course.rate(0, 100), 100.0) && near(course.rate(100, 300), 200.0));
        assert!(near(course.rate(350, 400), 25.0) && near(course.rate(0, 400), 400.0 / 6.0));
        assert_eq!(course.took(), Duration::from_secs(7));
    }
}
