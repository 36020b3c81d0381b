//! Whether queries are answered with what was accepted a moment ago.

use crate::limits::{READY_HEAD_AGE_MAX, READY_LAG_EVENTS_MAX};
use crate::shared::{Shared, StoreState};

/// Ready is who serves, sees the log's end, and is near it.
pub(crate) fn ready(shared: &Shared) -> Result<(), String> {
    let store = *shared.store_state.borrow();
    let Some(serving) = shared.serving.borrow().clone() else {
        return Err(match store {
            StoreState::DiskFull => "the disk is full: make room".to_owned(),
            StoreState::Ok | StoreState::Unreadable => {
                "no read model serves yet: the log is being folded".to_owned()
            }
        });
    };
    let head = *shared.head.borrow();
    let age = head.seen.elapsed();
    if age > READY_HEAD_AGE_MAX {
        return Err(format!("the log was last seen {} s ago: check that NATS runs and answers", age.as_secs()));
    }
    let lag = head.sequence.saturating_sub(*serving.position.borrow());
    if lag > READY_LAG_EVENTS_MAX {
        return Err(format!("{lag} events behind the log, more than {READY_LAG_EVENTS_MAX}: catching up"));
    }
    Ok(())
}
