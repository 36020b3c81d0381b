//! What is looked at in its own time, so that no scrape has to: the disk, the caches, and how long a flush takes.

use std::path::Path;
use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};

use crate::generations::lying;
use crate::limits::HOUSEKEEPING_INTERVAL;
use crate::shared::Shared;

/// Looks for ever.
pub(crate) async fn keep(shared: &Arc<Shared>) {
    let mut tick = interval(HOUSEKEEPING_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let shared = Arc::clone(shared);
        if let Err(error) = tokio::task::spawn_blocking(move || look(&shared)).await {
            tracing::warn!(%error, "the store cannot be looked after");
        }
    }
}

fn look(shared: &Shared) {
    let serving = shared.serving.borrow().clone();
    if let Some(generation) = &serving {
        // sled flushes by itself twice a second; how long that takes, only a flush of ours can tell.
        let timer = shared.metrics.kept.flush.start_timer();
        match generation.store.flush() {
            Ok(()) => timer.observe_duration(),
            Err(error) => {
                timer.stop_and_discard();
                // The fold meets it too, and does what is to be done.
                tracing::debug!(%error, "the store cannot be flushed");
            }
        }
        shared.metrics.kept.looked_up(generation.number, generation.store.lookups());
    }
    let number = serving.map_or(0, |generation| generation.number);
    match lying(&shared.dir) {
        Ok(lying) => {
            let bytes = |serving: bool| {
                lying.iter().filter(|one| (one.number == number) == serving).map(|one| one.bytes).sum()
            };
            shared.metrics.kept.stored(bytes(true), bytes(false));
        }
        Err(error) => tracing::debug!(%error, "the generations on the disk cannot be listed"),
    }
    match disk(&shared.dir) {
        Ok((free, size)) => shared.metrics.kept.disk(free, size),
        Err(error) => tracing::debug!(%error, "the disk cannot be looked at"),
    }
}

/// Bytes of the disk under a directory that are free for us, and all of them.
fn disk(dir: &Path) -> rustix::io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(dir)?;
    Ok((disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_a_size() {
        let dir = tempfile::tempdir().unwrap();
        let (free, size) = disk(dir.path()).unwrap();
        assert!(free <= size && size > 0, "{free} of {size}");
    }
}
