//! Whether a role can do its work, and if not, why: what `/readyz` says.
//!
//! Living is not being ready: a role that waits for the broker lives, and a restart would not help it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use tokio::time::timeout;

/// A check that takes longer has failed: an orchestrator's probe waits a second or a few, and then knows no reason.
const CHECK_MAX: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How the roles of a process are.
#[derive(Clone, Default)]
pub(crate) struct Health {
    /// By role; none while it starts.
    checks: Arc<Mutex<BTreeMap<&'static str, Option<Check>>>>,
}

impl Health {
    /// A role starts: it is not ready until it says how that is told.
    pub(crate) fn starts(&self, role: &'static str) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(role, None);
    }

    /// From now on this tells whether a role is ready.
    pub(crate) fn ready_when<C, F>(&self, role: &'static str, check: C)
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || check().boxed());
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(role, Some(check));
    }

    /// Every role that is not ready, with the reason, a line for each; `None` if all are.
    pub(crate) async fn reasons(&self) -> Option<String> {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // As many as the process has roles.
        let mut reasons: Vec<_> = join_all(checks.into_iter().map(asked)).await.into_iter().flatten().collect();
        reasons.sort_unstable();
        if reasons.is_empty() {
            return None;
        }
        let mut lines = String::new();
        for (role, reason) in reasons {
            writeln!(lines, "{role}: {reason}").expect("a string takes all");
        }
        Some(lines)
    }
}

/// A role with why it is not ready, if so.
async fn asked((role, check): (&'static str, Option<Check>)) -> Option<(&'static str, String)> {
    let Some(check) = check else { return Some((role, "it starts".to_owned())) };
    match timeout(CHECK_MAX, check()).await {
        Ok(checked) => checked.err().map(|reason| (role, reason)),
        Err(_) => Some((role, format!("it cannot tell within {} s", CHECK_MAX.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_role_that_is_not_ready_is_named_with_its_reason() {
        let health = Health::default();
        assert_eq!(health.reasons().await, None);
        health.starts("votes");
        health.ready_when("projector", || async { Err("4 events behind".to_owned()) });
        health.ready_when("comments", || async { Ok(()) });
        assert_eq!(health.reasons().await.unwrap(), "projector: 4 events behind\nvotes: it starts\n");
        health.ready_when("votes", || async { Ok(()) });
        health.ready_when("projector", || async { Ok(()) });
        assert_eq!(health.reasons().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_a_reason() {
        let health = Health::default();
        health.ready_when("gateway", std::future::pending);
        assert_eq!(health.reasons().await.unwrap(), "gateway: it cannot tell within 2 s\n");
    }
}
