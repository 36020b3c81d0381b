//! Who waits, who goes alone, and what makes a batch.

use domain::CommandId;

use super::*;

const WINDOW: Duration = Duration::from_mins(1);

/// A broker that is asked for batches whenever two wait, with so many lone publishes in flight.
fn busy(in_flight: u32) -> (State, Instant) {
    let now = Instant::now();
    let mut state = State::new(WINDOW, GroupCommit::Always, now);
    state.in_flight = in_flight;
    (state, now)
}

fn event(id: u128) -> Outgoing {
    sized(id, 100)
}

fn sized(id: u128, bytes: usize) -> Outgoing {
    Outgoing { id: CommandId::from_u128(id), subject: "s".into(), payload: vec![0; bytes].into(), resent: false }
}

fn ids(waiting: &[Waiting]) -> Vec<u128> {
    waiting.iter().map(|waiting| waiting.event.id.as_u128()).collect()
}

/// Lets them wait and takes what is ripe once nothing is in flight.
fn taken(state: &mut State, now: Instant, events: &[(Outgoing, Option<Instant>)]) -> (Taken, Vec<Answer>) {
    let answers = events.iter().map(|(event, until)| state.enter(event, *until, now).unwrap()).collect();
    assert!(state.take(true, now).is_none(), "others are in flight");
    state.in_flight = 0;
    (state.take(true, now).unwrap(), answers)
}

type Answer = oneshot::Receiver<Gathered>;

#[test]
fn a_lone_event_does_not_wait() {
    let (mut state, now) = busy(0);
    assert!(state.enter(&event(1), None, now).is_none());
}

#[test]
fn those_that_come_while_others_are_in_flight_make_one_batch() {
    let (mut state, now) = busy(1);
    let (Taken { batch, alone, .. }, _answers) = taken(&mut state, now, &[1, 2, 3].map(|id| (event(id), None)));
    assert_eq!((ids(&batch), ids(&alone)), (vec![1, 2, 3], vec![]));
    assert!(state.enter(&event(4), None, now).is_some(), "a batch is under way");
    assert!(state.take(true, now).is_none(), "one batch at a time");
}

#[test]
fn a_repeat_goes_alone_and_behind_the_first() {
    let (mut state, now) = busy(1);
    let (Taken { batch, alone, .. }, _answers) = taken(&mut state, now, &[1, 2, 1].map(|id| (event(id), None)));
    assert_eq!((ids(&batch), ids(&alone)), (vec![1, 2], vec![1]));
    let behind = state.enter(&event(2), None, now);
    assert!(behind.is_some(), "the first is in a batch under way");
    state.committed(&Ok(1), 2, Duration::ZERO);
    let Taken { batch, alone, .. } = state.take(true, now).unwrap();
    assert_eq!((ids(&batch), ids(&alone)), (vec![], vec![2]));
    assert!(state.enter(&event(2), None, now).is_none(), "nothing is there to wait for");
}

#[test]
fn an_event_whose_time_is_nearly_over_goes_alone() {
    let (mut state, now) = busy(1);
    assert!(state.enter(&event(1), Some(now + ACK_TIMEOUT / 2), now).is_none(), "at once");
    let waiting = [(event(2), Some(now + ACK_TIMEOUT)), (event(3), None), (event(4), None)];
    let _answers = waiting.map(|(event, until)| state.enter(&event, until, now).unwrap());
    state.in_flight = 0;
    let Taken { ending, batch, alone } = state.take(true, now + ACK_TIMEOUT / 2).unwrap();
    assert_eq!((ids(&ending), ids(&batch), ids(&alone)), (vec![2], vec![3, 4], vec![]));
}

#[test]
fn a_command_that_may_have_been_sent_before_goes_alone() {
    let (mut state, now) = busy(1);
    let resent = |id| Outgoing { resent: true, ..event(id) };
    assert!(state.enter(&resent(1), None, now).is_none());
    let _first = state.enter(&event(2), None, now).unwrap();
    assert!(state.enter(&resent(2), None, now).is_some(), "its first waits here, and it stays behind");
}

#[test]
fn what_nobody_waits_for_is_not_published() {
    let (mut state, now) = busy(1);
    drop(state.enter(&event(1), None, now).unwrap());
    let (Taken { batch, alone, .. }, _answers) = taken(&mut state, now, &[2, 3].map(|id| (event(id), None)));
    assert_eq!((ids(&batch), ids(&alone)), (vec![2, 3], vec![]));
}

#[test]
fn a_batch_is_bounded_in_events_and_in_bytes() {
    let (mut state, now) = busy(1);
    let many: Vec<_> = (0..1_001).map(|id| (event(id), None)).collect();
    let (Taken { batch, .. }, _answers) = taken(&mut state, now, &many);
    assert_eq!(batch.len(), GROUP_EVENTS_MAX);
    assert_eq!(state.waiting.len(), 1, "the rest waits for the next");

    let (mut state, now) = busy(1);
    let large = [1, 2, 3].map(|id| (sized(id, GROUP_BYTES_MAX / 2), None));
    let (Taken { batch, .. }, _answers) = taken(&mut state, now, &large);
    assert_eq!(ids(&batch), [1, 2]);
}

#[test]
fn those_that_wait_are_bounded_and_whoever_comes_then_goes_alone() {
    let (mut state, now) = busy(1);
    let answers: Vec<_> = (0..).map_while(|id| state.enter(&event(id), None, now)).collect();
    assert_eq!(answers.len(), GATHERED_MAX);
}

#[test]
fn one_that_waits_alone_makes_no_batch() {
    let (mut state, now) = busy(1);
    let (Taken { batch, alone, .. }, _answers) = taken(&mut state, now, &[(event(1), None)]);
    assert_eq!((ids(&batch), ids(&alone)), (vec![], vec![1]));
}

#[test]
fn after_a_batch_that_was_lost_or_refused_everything_goes_alone_for_a_while() {
    for failed in [Failed::Lost(String::new()), Failed::Refused(String::new()), Failed::Duplicate] {
        let (mut state, now) = busy(1);
        let (_taken, _answers) = taken(&mut state, now, &[1, 2].map(|id| (event(id), None)));
        let waiting = [3, 4].map(|id| state.enter(&event(id), None, now).unwrap());
        state.committed(&Err(failed), 2, Duration::ZERO);
        let Taken { batch, alone, .. } = state.take(true, now).unwrap();
        assert_eq!((ids(&batch), ids(&alone)), (vec![], vec![3, 4]));
        state.in_flight = 1;
        assert!(state.enter(&event(5), None, now).is_none());
        assert!(state.enter(&event(6), None, Instant::now() + GROUP_PAUSE).is_some());
        drop(waiting);
    }
}

#[test]
fn a_broker_that_takes_no_batches_is_not_asked_again() {
    let (mut state, now) = busy(1);
    let (_taken, _answers) = taken(&mut state, now, &[1, 2].map(|id| (event(id), None)));
    state.committed(&Err(Failed::Unable(String::new())), 2, Duration::ZERO);
    state.in_flight = 1;
    assert!(state.enter(&event(3), None, Instant::now() + GROUP_PAUSE).is_none());
}

#[test]
fn without_a_connection_there_are_no_batches() {
    let (mut state, now) = busy(1);
    let answers = [1, 2].map(|id| state.enter(&event(id), None, now).unwrap());
    state.in_flight = 0;
    let Taken { batch, alone, .. } = state.take(false, now).unwrap();
    assert_eq!((ids(&batch), ids(&alone)), (vec![], vec![1, 2]));
    drop(answers);
}
