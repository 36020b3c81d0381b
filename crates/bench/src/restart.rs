//! `restart`: from the start of a projector with a full store to the first page it serves, after a clean stop and after
//! `kill -9`.

use std::time::Instant;

use client::Client;

use crate::catch_up::{folded, start_and_answer, start_and_fold};
use crate::limits::UNFOLDED_PART;
use crate::load::{LOAD_MIN, Load};
use crate::report::Figure;
use crate::server::{Server, Sync};
use crate::{Bench, check};

pub(crate) async fn run(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let progress = bench.progress;
    let server = Server::start(bench.nats_server, Sync::Default).await?;
    let client = Client::new(server.connect("koe-bench-ask").await?);
    let (mut load, data) = (Load::new(), server.beside("projector"));
    let events = bench.events.max(LOAD_MIN);
    let end = load.fill(&server, events, bench).await?;
    progress.begin("folding it", end);
    let (projector, _) = start_and_fold(&server, &data, end, progress).await?;
    projector.stop().await?;
    let (mut projector, stopped) = start_and_answer(&server, &data).await?;
    let course = folded(&client, &mut projector, (Instant::now(), end), progress).await?;
    check::tallies(&client, &load, &course.position).await?;
    // Killed while sled has not brought all of it to the disk.
    let end = load.fill(&server, events + events / UNFOLDED_PART, bench).await?;
    folded(&client, &mut projector, (Instant::now(), end), progress).await?;
    projector.kill().await?;
    let (mut projector, killed) = start_and_answer(&server, &data).await?;
    let course = folded(&client, &mut projector, (Instant::now(), end), progress).await?;
    check::tallies(&client, &load, &course.position).await?;
    projector.stop().await?;
    Ok(vec![
        Figure::new("restart: first page after a clean stop", stopped.as_secs_f64(), None, "s"),
        Figure::new("restart: first page after kill -9", killed.as_secs_f64(), None, "s"),
    ])
}
