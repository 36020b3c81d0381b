//! Generations from the start to the end of a projector, over a log in memory and without a broker.

use std::path::Path;
use std::time::Duration;

use domain::{Actor, CommandId, Envelope, Event, Place, Role, Timestamp};
use journal::Journal;
use prometheus::Registry;
use service::Refusal;
use tempfile::TempDir;

use super::*;
use crate::generations::lying;
use crate::limits::{FINDS_WAITING_MAX, ORDERS_WAITING_MAX};
use crate::metrics::Metrics;

/// A manager that runs.
struct Running {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Appends what the eraser writes once it has found messages.
async fn erase(journal: &Journal, id: u128) -> u64 {
    let actor = Actor { id: "koe-eraser".parse().unwrap(), roles: [Role::Service].into_iter().collect() };
    let event = Event::MessagesErased { messages: Vec::new() };
    let envelope = Envelope { id: CommandId::from_u128(id), time: Timestamp(1), actor, event };
    let place = Place { site: "s1".parse().unwrap(), thread: None };
    match journal.append(&place, &envelope, None).await.unwrap() {
        journal::Appended::New { sequence } => sequence,
        appended => panic!("{appended:?}"),
    }
}

async fn log_of(events: u32) -> Journal {
    let journal = Journal::in_memory(Duration::from_mins(1));
    for number in 1..=events {
        let roles = [Role::Administrator].into_iter().collect();
        let actor = Actor { id: "staff".parse().unwrap(), roles };
        let event = Event::SiteOpened { name: "Site".into(), zone: "Asia/Tokyo".into() };
        let id = CommandId::from_u128(u128::from(number));
        let envelope = Envelope { id, time: Timestamp(1), actor, event };
        let site = format!("s{number}").parse().unwrap();
        journal.append(&Place { site, thread: None }, &envelope, None).await.unwrap();
    }
    journal
}

fn generations(dir: &Path) -> Generations {
    Generations::open(dir, views::Options { cache_bytes: 8 << 20, ..views::Options::default() }).unwrap()
}

type Asked = (mpsc::Receiver<Order>, mpsc::Receiver<Weak<Generation>>);

async fn shared_on(dir: &Path, journal: Journal) -> (Arc<Shared>, Asked) {
    // Nobody is there to be told of changes.
    let nats = async_nats::ConnectOptions::new().retry_on_initial_connect().connect("127.0.0.1:1").await.unwrap();
    let (orders, ordered) = mpsc::channel(ORDERS_WAITING_MAX);
    let (finds, found) = mpsc::channel(FINDS_WAITING_MAX);
    let metrics = Metrics::new(&Registry::new()).unwrap();
    let shared = Arc::new(Shared::new((journal, None), nats, metrics, (orders, finds), dir.to_owned()));
    (shared, (ordered, found))
}

async fn run_on(dir: &Path, journal: Journal) -> Running {
    run_forgetting_after(Duration::from_hours(1), dir, journal).await
}

async fn run_forgetting_after(forget_after: Duration, dir: &Path, journal: Journal) -> Running {
    let (shared, asked) = shared_on(dir, journal).await;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(run(generations(dir), Arc::clone(&shared), asked, forget_after, stop.clone()));
    Running { shared, stop, tasks }
}

impl Running {
    /// Waits until this generation serves everything.
    async fn serves(&self, number: u32, sequence: u64) -> Arc<Generation> {
        let mut serving = self.shared.serving.subscribe();
        let is = |serving: &Option<Arc<Generation>>| serving.as_ref().is_some_and(|found| found.number == number);
        let generation = serving.wait_for(is).await.unwrap().clone().unwrap();
        generation.position.subscribe().wait_for(|position| *position >= sequence).await.unwrap();
        generation
    }

    async fn dropped(&self, number: u32) -> Result<u64, Failure> {
        let (answer, dropped) = tokio::sync::oneshot::channel();
        self.shared.orders.send(Order::Drop(number, answer)).await.unwrap();
        dropped.await.unwrap()
    }

    async fn rebuilt(&self) -> Result<u32, Failure> {
        let (answer, begun) = tokio::sync::oneshot::channel();
        self.shared.orders.send(Order::Rebuild(answer)).await.unwrap();
        begun.await.unwrap()
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

fn on_disk(dir: &TempDir) -> Vec<(u32, bool)> {
    lying(dir.path()).unwrap().iter().map(|lying| (lying.number, lying.unusable)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reader_finds_damaged_is_told_folded_again_and_set_aside_once() {
    let dir = tempfile::tempdir().unwrap();
    let running = run_on(dir.path(), log_of(3).await).await;
    let generation = running.serves(1, 3).await;
    let find = crate::queries::tests::meets_damage(&running.shared, &generation).await;
    assert_eq!(find, Refusal::from(Failure::StoreUnreadable));
    // Somebody who read the old one finds it later, and again.
    running.serves(2, 3).await;
    crate::queries::tests::meets_damage(&running.shared, &generation).await;
    drop(generation);
    let mut state = running.shared.store_state.subscribe();
    state.wait_for(|state| *state == StoreState::Ok).await.unwrap();
    assert_eq!(running.dropped(1).await.map(|bytes| bytes > 0), Ok(true), "it lies aside");
    assert_eq!((running.shared.metrics.damaged.get(), on_disk(&dir)), (1, vec![(2, false)]));
    assert_eq!(running.shared.rebuilding.load(Ordering::Relaxed), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_breaks_is_a_find_of_damage() {
    let dir = tempfile::tempdir().unwrap();
    let running = run_on(dir.path(), log_of(3).await).await;
    let generation = running.serves(1, 3).await;
    let find = crate::queries::tests::breaks(&running.shared, &generation).await;
    assert_eq!(find, Refusal::from(Failure::StoreUnreadable));
    running.serves(2, 3).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_find_in_a_store_that_is_not_open_any_more_is_no_find() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let running = run_on(dir.path(), log_of(3).await).await;
    running.serves(1, 3).await;
    let before = views::Store::open(other.path(), views::Options::default()).unwrap();
    crate::queries::tests::meets_damage(&running.shared, &Arc::new(Generation::new(1, before))).await;
    // An order is obeyed after a find that was taken before it.
    drop(running.shared.finds.reserve().await.unwrap());
    assert_eq!(running.dropped(7).await, Err(Failure::GenerationUnknown));
    assert_eq!(*running.shared.store_state.borrow(), StoreState::Ok);
    assert_eq!(on_disk(&dir), [(1, false)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_generations_are_kept_in_bounds_and_dropped_on_order() {
    let dir = tempfile::tempdir().unwrap();
    let running = run_on(dir.path(), log_of(3).await).await;
    running.serves(1, 3).await;
    assert_eq!(running.dropped(1).await, Err(Failure::GenerationInUse));
    assert_eq!(running.dropped(7).await, Err(Failure::GenerationUnknown));
    for number in 2..=3 {
        assert_eq!(running.rebuilt().await, Ok(number));
        running.serves(number, 3).await;
    }
    // An order is obeyed after the switch is done.
    assert_eq!(running.dropped(1).await, Err(Failure::GenerationUnknown), "the oldest made room");
    assert_eq!(on_disk(&dir), [(2, false), (3, false)]);
    assert!(running.dropped(2).await.is_ok());
    assert_eq!(on_disk(&dir), [(3, false)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_whose_store_is_not_free_yet_is_unavailable_and_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let running = run_on(dir.path(), log_of(3).await).await;
    running.serves(1, 3).await;
    let held = views::Store::open(&dir.path().join("generation-2"), views::Options::default()).unwrap();
    assert_eq!(running.rebuilt().await, Err(Failure::Unavailable));
    drop(held);
    // sled lets go of its files a moment after it was dropped.
    while running.rebuilt().await != Ok(2) {
        tokio::task::yield_now().await;
    }
    running.serves(2, 3).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_opened_is_set_aside_and_all_is_well_when_another_serves() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("generation-1")).unwrap();
    std::fs::write(dir.path().join("generation-1/conf"), "something else").unwrap();
    std::fs::write(dir.path().join("serving"), "1").unwrap();
    let running = run_on(dir.path(), log_of(3).await).await;
    running.serves(2, 3).await;
    let mut state = running.shared.store_state.subscribe();
    state.wait_for(|state| *state == StoreState::Ok).await.unwrap();
    assert_eq!((running.shared.metrics.damaged.get(), on_disk(&dir)), (1, vec![(1, true), (2, false)]));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_waits_for_the_disk_is_in_use_and_given_up_if_something_else_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("generation-1")).unwrap();
    std::fs::write(dir.path().join("generation-1/conf"), "something else").unwrap();
    std::fs::write(dir.path().join("serving"), "1").unwrap();
    let (shared, _asked) = shared_on(dir.path(), log_of(3).await).await;
    let (told, _tidings) = mpsc::channel(TIDINGS_WAITING_MAX);
    let mut manager = Manager::new(
        generations(dir.path()),
        Arc::clone(&shared),
        told,
        Duration::from_hours(1),
        CancellationToken::new(),
    );
    manager.wait_for_disk(1, true, &views::Error::InUse).unwrap();
    assert_eq!(*shared.store_state.borrow(), StoreState::DiskFull);
    assert_eq!(manager.drop_generation(1).unwrap(), Err(Failure::GenerationInUse));
    let (answer, begun) = tokio::sync::oneshot::channel();
    manager.obey(Order::Rebuild(answer)).unwrap();
    assert_eq!(begun.await.unwrap(), Err(Failure::Unavailable), "no second store on a full disk");
    manager.look_at_waiting().unwrap();
    assert!(manager.waiting.is_none());
    assert_eq!((on_disk(&dir), manager.build().unwrap()), (vec![(1, true), (2, false)], 2));
    manager.stop.cancel();
    manager.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_a_stop_interrupted_goes_on_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let begun = generations(dir.path());
    for number in 1..=2 {
        let store = dir.path().join(format!("generation-{number}"));
        std::fs::create_dir(&store).unwrap();
        std::fs::write(store.join("schema"), views::SCHEMA.to_string()).unwrap();
    }
    begun.set_serving(1).unwrap();
    begun.set_unfinished(2).unwrap();
    drop(begun);
    let running = run_on(dir.path(), log_of(3).await).await;
    running.serves(2, 3).await;
    assert_eq!(lying(dir.path()).unwrap().iter().filter(|lying| lying.unfinished).count(), 0);
    running.stop().await;
}

#[tokio::test]
async fn what_was_erased_is_in_no_store_once_a_generation_serves_that_began_later() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), log_of(3).await);
    let running = run_forgetting_after(Duration::ZERO, dir.path(), journal.clone()).await;
    running.serves(1, 3).await;
    assert_eq!(running.rebuilt().await, Ok(2));
    running.serves(2, 3).await;
    let numbers = || lying(dir.path()).unwrap().iter().map(|lying| lying.number).collect::<Vec<_>>();
    assert_eq!(numbers(), [1, 2], "the one before is kept");
    let erased = erase(&journal, 99).await;
    let third = running.serves(3, erased).await;
    assert_eq!(third.store.view().erased_up_to().unwrap(), erased);
    while numbers() != [3] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(lying(dir.path()).unwrap()[0].begun_at >= erased);
    drop(third);
    running.stop().await;
}

#[tokio::test]
async fn erasures_are_gathered_and_the_wait_outlives_a_start() {
    let (dir, journal) = (tempfile::tempdir().unwrap(), log_of(3).await);
    let due = dir.path().join("forget-at");
    let running = run_on(dir.path(), journal.clone()).await;
    running.serves(1, 3).await;
    running.serves(1, erase(&journal, 98).await).await;
    while !due.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = std::fs::read_to_string(&due).unwrap();
    running.stop().await;
    let known = generations(dir.path()).forget_at(7).unwrap();
    assert_eq!(first.trim(), known.to_string(), "the earlier one decides");
    // The time has come.
    std::fs::write(&due, "1").unwrap();
    let running = run_on(dir.path(), journal).await;
    running.serves(2, 4).await;
    running.stop().await;
}
