//! How fast a rebuild may go: what readers see comes first.
//!
//! Both folds share the cores and the disk. Before each batch the rebuild looks how far the serving generation is behind
//! the log's end, and while that is too far, it stands still. During a switch it waits for nobody: what serves stands still
//! then, for it to get past.

use std::sync::Arc;

use journal::Head;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::limits::REBUILD_YIELDS_LAG_MAX;
use crate::shared::Generation;

/// What a rebuild looks at before each batch.
pub(crate) struct Pace {
    head: watch::Receiver<Head>,
    serving: watch::Receiver<Option<Arc<Generation>>>,
    /// Cancelled when the switch to this rebuild begins.
    goes_first: CancellationToken,
}

impl Pace {
    pub(crate) fn new(
        head: watch::Receiver<Head>,
        serving: watch::Receiver<Option<Arc<Generation>>>,
        goes_first: CancellationToken,
    ) -> Self {
        Self { head, serving, goes_first }
    }

    /// Whether the serving generation needs the machine for itself. It goes its own way whatever it lags.
    pub(crate) fn must_wait(&self, number: u32) -> bool {
        if self.goes_first.is_cancelled() {
            return false;
        }
        let serving = self.serving.borrow();
        let Some(serving) = serving.as_ref().filter(|serving| serving.number != number) else { return false };
        let position = *serving.position.borrow();
        self.head.borrow().sequence.saturating_sub(position) > REBUILD_YIELDS_LAG_MAX
    }

    /// Waits until the serving generation is near the log's end or stands still for a switch, or none serves any more.
    pub(crate) async fn turn(&mut self, number: u32) {
        while self.must_wait(number) {
            let position = self.serving.borrow().as_ref().map(|serving| serving.position.subscribe());
            let Some(mut position) = position else { return };
            // Looked at again after the subscription, so that no step is missed.
            if !self.must_wait(number) {
                return;
            }
            tokio::select! {
                _ = position.changed() => {}
                _ = self.serving.changed() => {}
                _ = self.head.changed() => {}
                () = self.goes_first.cancelled() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Instant;

    use super::*;

    fn head(sequence: u64) -> Head {
        let seen = Instant::now();
        Head { sequence, messages: 0, bytes: 0, created_nanos: 0, epoch: 1, clock_skew_millis: 0, seen }
    }

    async fn is_ready(turn: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        tokio::select! {
            biased;
            () = turn => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn a_rebuild_stands_still_while_what_is_served_lags() {
        let dir = tempfile::tempdir().unwrap();
        let store = views::Store::open(dir.path(), views::Options::default()).unwrap();
        let old = Arc::new(Generation::new(1, store));
        let end = watch::Sender::new(head(REBUILD_YIELDS_LAG_MAX + 1));
        let serving = watch::Sender::new(Some(Arc::clone(&old)));
        let mut pace = Pace::new(end.subscribe(), serving.subscribe(), CancellationToken::new());
        assert!(!pace.must_wait(1), "the serving one waits for nobody");
        {
            let mut turn = pin!(pace.turn(2));
            assert!(!is_ready(turn.as_mut()).await);
            end.send_replace(head(REBUILD_YIELDS_LAG_MAX + 10));
            old.position.send_replace(9);
            assert!(!is_ready(turn.as_mut()).await);
            old.position.send_replace(10);
            assert!(is_ready(turn.as_mut()).await);
        }
        end.send_replace(head(2 * REBUILD_YIELDS_LAG_MAX));
        let mut turn = pin!(pace.turn(2));
        assert!(!is_ready(turn.as_mut()).await);
        serving.send_replace(None);
        assert!(is_ready(turn.as_mut()).await, "nobody is served: as fast as it can");
    }

    #[tokio::test]
    async fn a_rebuild_goes_first_once_the_old_fold_stands_still_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = views::Store::open(dir.path(), views::Options::default()).unwrap();
        let end = watch::Sender::new(head(REBUILD_YIELDS_LAG_MAX + 1));
        let serving = watch::Sender::new(Some(Arc::new(Generation::new(1, store))));
        let switch = CancellationToken::new();
        let mut pace = Pace::new(end.subscribe(), serving.subscribe(), switch.clone());
        {
            let mut turn = pin!(pace.turn(2));
            assert!(!is_ready(turn.as_mut()).await);
            switch.cancel();
            assert!(is_ready(turn.as_mut()).await);
        }
        assert!(!pace.must_wait(2), "nor does any later step wait");
    }
}
