//! Settings of sites, kept for a moment.

use std::sync::Arc;

use client::Client;
use domain::settings::SettingsPatch;
use domain::{Rejection, SiteId};
use moka::sync::Cache;
use wire::Code;
use wire::values::settings_recorded;

use crate::limits::{FACTS_AGE_MAX, HEARD_KEPT, SITES_CACHED_MAX};

/// The settings of a site at one version.
#[derive(Debug, Default)]
pub struct SiteSettings {
    /// Changes whenever the settings change; empty for a site that is not open.
    pub version: String,
    /// Every setting.
    pub settings: SettingsPatch,
}

pub(crate) struct SettingsSource {
    client: Client,
    recent: Cache<SiteId, Arc<SiteSettings>>,
    /// What was known last, so that a list of 10,000 words comes only when it changes.
    last: Cache<SiteId, Arc<SiteSettings>>,
    /// Sites whose settings were heard to change: what the projector says meanwhile may be from before.
    heard: Cache<SiteId, ()>,
}

impl SettingsSource {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            recent: Cache::builder().max_capacity(SITES_CACHED_MAX).time_to_live(FACTS_AGE_MAX).build(),
            last: Cache::new(SITES_CACHED_MAX),
            heard: Cache::builder().max_capacity(SITES_CACHED_MAX).time_to_live(HEARD_KEPT).build(),
        }
    }

    /// Settings that are a moment old at most.
    pub(crate) async fn recent(&self, site: &SiteId) -> Result<Arc<SiteSettings>, client::Error> {
        match self.recent.get(site) {
            Some(settings) => Ok(settings),
            None => self.asked(site, "").await,
        }
    }

    /// Settings at a position. A site that is not open has none; its commands are refused for that.
    pub(crate) async fn asked(&self, site: &SiteId, at_least: &str) -> Result<Arc<SiteSettings>, client::Error> {
        let last = self.last.get(site);
        let known = last.as_ref().map_or("", |last| last.version.as_str());
        let reply = match self.client.site(site, known, at_least).await {
            Err(error) if error.code() == Some(Code::Rejected(Rejection::SiteUnknown)) => {
                return Ok(Arc::default());
            }
            reply => reply?,
        };
        let settings = match (reply.settings, last) {
            (None, Some(last)) => last,
            (settings, _) => {
                let settings = settings_recorded(settings.unwrap_or_default());
                Arc::new(SiteSettings { version: reply.version, settings })
            }
        };
        self.last.insert(site.clone(), Arc::clone(&settings));
        self.recent.insert(site.clone(), Arc::clone(&settings));
        if self.heard.contains_key(site) {
            self.recent.invalidate(site);
        }
        Ok(settings)
    }

    /// The settings of a site were heard to change.
    pub(crate) fn forget(&self, site: &SiteId) {
        self.heard.insert(site.clone(), ());
        self.recent.invalidate(site);
    }
}
