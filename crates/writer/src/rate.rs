//! How often one actor may ask, in each writer.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{AuthorId, SiteId};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

use crate::limits::{ACTORS_CHECK_INTERVAL, ACTORS_MAX, RATES_MAX};

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

type Limiter = DefaultKeyedRateLimiter<(SiteId, AuthorId)>;

pub(crate) struct Rates {
    /// For sites that have set no rate.
    own: Arc<Limiter>,
    /// For sites that have, by that rate.
    set: Cache<NonZeroU32, Arc<Limiter>>,
    checks: AtomicU64,
}

impl Rates {
    pub(crate) fn new(options: &RateOptions) -> Self {
        let quota = Quota::per_second(options.actor_rate).allow_burst(options.actor_burst);
        let own = Arc::new(RateLimiter::keyed(quota));
        Self { own, set: Cache::new(RATES_MAX), checks: AtomicU64::new(0) }
    }

    /// Whether the actor may ask once more now, at the rate in a minute that the site has set, 0 for none.
    pub(crate) fn allow(&self, site: &SiteId, actor: &AuthorId, per_minute: u32) -> bool {
        let limiter = match NonZeroU32::new(per_minute) {
            None => Arc::clone(&self.own),
            Some(rate) => self.set.get_with(rate, || Arc::new(RateLimiter::keyed(Quota::per_minute(rate)))),
        };
        let check = self.checks.fetch_add(1, Ordering::Relaxed);
        if check.is_multiple_of(ACTORS_CHECK_INTERVAL) && limiter.len() > ACTORS_MAX {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&(site.clone(), actor.clone())).is_ok()
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
        assert!(rates.allow(&site, &ann, 0));
        assert!(!rates.allow(&site, &ann, 0));
        assert!(rates.allow(&site, &ben, 0));
    }

    #[test]
    fn a_site_may_set_its_own_rate() {
        let one = NonZeroU32::MIN;
        let rates = Rates::new(&RateOptions { actor_rate: one, actor_burst: one });
        let (site, ann) = ("s".parse().unwrap(), "ann".parse().unwrap());
        let allowed = (0..10).filter(|_| rates.allow(&site, &ann, 3)).count();
        assert_eq!(allowed, 3, "the whole minute's at once, and then no more");
    }
}
