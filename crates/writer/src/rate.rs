//! How often one actor may ask, in each writer.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{AuthorId, SiteId};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::limits::{ACTORS_CHECK_INTERVAL, ACTORS_MAX};

/// How often one actor may ask.
#[derive(Clone, Debug, clap::Args)]
pub struct RateOptions {
    /// Commands of one actor in a second, over time, in each writer.
    #[arg(long, env = "KOE_ACTOR_RATE", value_name = "N", default_value = "20")]
    pub actor_rate: NonZeroU32,
    /// Commands of one actor at once, before the rate holds.
    #[arg(long, env = "KOE_ACTOR_BURST", value_name = "N", default_value = "100")]
    pub actor_burst: NonZeroU32,
}

pub(crate) struct Rates {
    limiter: DefaultKeyedRateLimiter<(SiteId, AuthorId)>,
    checks: AtomicU64,
}

impl Rates {
    pub(crate) fn new(options: &RateOptions) -> Self {
        let quota = Quota::per_second(options.actor_rate).allow_burst(options.actor_burst);
        Self { limiter: RateLimiter::keyed(quota), checks: AtomicU64::new(0) }
    }

    /// Whether the actor may ask once more now.
    pub(crate) fn allow(&self, site: &SiteId, actor: &AuthorId) -> bool {
        let check = self.checks.fetch_add(1, Ordering::Relaxed);
        if check.is_multiple_of(ACTORS_CHECK_INTERVAL) && self.limiter.len() > ACTORS_MAX {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&(site.clone(), actor.clone())).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_actor_is_held_back_and_another_is_not() {
        let one = NonZeroU32::MIN;
        let rates = Rates::new(&RateOptions { actor_rate: one, actor_burst: one });
        let (site, ann, ben) = ("s".parse().unwrap(), "ann".parse().unwrap(), "ben".parse().unwrap());
        assert!(rates.allow(&site, &ann));
        assert!(!rates.allow(&site, &ann));
        assert!(rates.allow(&site, &ben));
    }
}
