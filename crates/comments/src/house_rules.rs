//! What a site's settings say of words: whether a comment is held, and whether a name is reserved.
//!
//! The fold never judges words, so that a list may change without changing the past: the writer judges once and records
//! `held` with its reason.

use std::sync::Arc;

use domain::text::Text;
use domain::thread::{self, Facts};
use domain::{Actor, Hold, Mode, SiteId};
use moka::sync::Cache;
use tokio::sync::Mutex;
use writer::SiteSettings;

use crate::words::WordList;

/// Sites whose lists are kept ready; some megabytes each at most.
const SITES_MAX: u64 = 200;

/// The rules of each site, made ready once for each version of its settings.
pub(crate) struct RulesOfSites {
    ready: Cache<SiteId, Arc<HouseRules>>,
    /// Held while lists are made ready, which takes up to a second: once is enough.
    making: Mutex<()>,
}

impl Default for RulesOfSites {
    fn default() -> Self {
        Self { ready: Cache::new(SITES_MAX), making: Mutex::new(()) }
    }
}

impl RulesOfSites {
    pub(crate) async fn of(&self, site: &SiteId, settings: &Arc<SiteSettings>) -> anyhow::Result<Arc<HouseRules>> {
        let ready = || self.ready.get(site).filter(|rules| rules.settings.version == settings.version);
        if let Some(rules) = ready() {
            return Ok(rules);
        }
        let _making = self.making.lock().await;
        if let Some(rules) = ready() {
            return Ok(rules);
        }
        let settings = Arc::clone(settings);
        let rules = Arc::new(tokio::task::spawn_blocking(move || HouseRules::new(settings)).await?);
        self.ready.insert(site.clone(), Arc::clone(&rules));
        Ok(rules)
    }
}

/// What one version of a site's settings says of words.
pub(crate) struct HouseRules {
    settings: Arc<SiteSettings>,
    held: WordList,
    reserved: WordList,
}

impl HouseRules {
    fn new(settings: Arc<SiteSettings>) -> Self {
        let list = |words: &Option<Vec<Box<str>>>| WordList::new(words.iter().flatten().map(|word| &**word));
        let held = list(&settings.settings.premoderate_words);
        let reserved = list(&settings.settings.reserved_names);
        Self { settings, held, reserved }
    }

    /// Comments and edits of one author in a minute, 0 for no rate of the site's own.
    pub(crate) fn comments_per_minute(&self) -> u32 {
        self.settings.settings.comments_per_minute.unwrap_or_default()
    }

    /// Whether the site keeps a name for itself.
    pub(crate) fn reserves(&self, name: &str) -> bool {
        self.reserved.first_in(name).is_some()
    }

    /// Why what somebody says is held back.
    pub(crate) fn hold(&self, facts: &Facts, actor: &Actor, text: &Text) -> Option<Hold> {
        thread::hold(facts, actor, self.judge(facts, text))
    }

    fn judge(&self, facts: &Facts, text: &Text) -> Option<Hold> {
        let settings = &self.settings.settings;
        if facts.mode() == Mode::Premoderated {
            return Some(Hold::Mode);
        }
        if facts.author.shown < settings.premoderate_first.unwrap_or_default() {
            return Some(Hold::NewAuthor);
        }
        if settings.premoderate_links.unwrap_or_default() && holds_a_link(text.as_str()) {
            return Some(Hold::Link);
        }
        self.held.first_in(text.as_str()).map(|_| Hold::Word)
    }
}

/// What browsers and readers take for a link, with or without Markdown around it.
fn holds_a_link(text: &str) -> bool {
    let text = text.to_lowercase();
    ["://", "www.", "mailto:"].iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::settings::SettingsPatch;
    use domain::{Role, Roles};

    fn rules(settings: SettingsPatch) -> HouseRules {
        HouseRules::new(Arc::new(SiteSettings { version: "1".into(), settings }))
    }

    fn hold(rules: &HouseRules, facts: &Facts, role: Option<Role>, text: &str) -> Option<Hold> {
        let roles: Roles = role.into_iter().collect();
        let actor = Actor { id: "ann".parse().unwrap(), roles };
        rules.hold(facts, &actor, &Text::parse(text).unwrap())
    }

    #[test]
    fn nothing_is_held_where_nothing_is_set() {
        assert_eq!(hold(&rules(SettingsPatch::default()), &Facts::default(), None, "see https://x"), None);
    }

    #[test]
    fn a_new_authors_first_comments_are_held() {
        let rules = rules(SettingsPatch { premoderate_first: Some(2), ..SettingsPatch::default() });
        let mut facts = Facts::default();
        assert_eq!(hold(&rules, &facts, None, "hello"), Some(Hold::NewAuthor));
        facts.author.shown = 2;
        assert_eq!(hold(&rules, &facts, None, "hello"), None);
    }

    #[test]
    fn a_link_is_held_however_it_is_written() {
        let rules = rules(SettingsPatch { premoderate_links: Some(true), ..SettingsPatch::default() });
        for text in ["HTTPS://x.example", "[a](//b) at www.x.example", "mailto:a@b"] {
            assert_eq!(hold(&rules, &Facts::default(), None, text), Some(Hold::Link), "{text}");
        }
        assert_eq!(hold(&rules, &Facts::default(), None, "no link, is it"), None);
    }

    #[test]
    fn a_listed_word_is_held_and_staff_may_say_it() {
        let words = Some(vec!["casino".into()]);
        let rules = rules(SettingsPatch { premoderate_words: words, ..SettingsPatch::default() });
        assert_eq!(hold(&rules, &Facts::default(), None, "a C-A-S-I-N-O"), Some(Hold::Word));
        assert_eq!(hold(&rules, &Facts::default(), Some(Role::Moderator), "a casino"), None);
    }

    #[test]
    fn in_a_premoderated_thread_everything_of_readers_is_held() {
        let facts = Facts { thread_mode: Mode::Premoderated, ..Facts::default() };
        let rules = rules(SettingsPatch::default());
        assert_eq!(hold(&rules, &facts, None, "hello"), Some(Hold::Mode));
        assert_eq!(hold(&rules, &facts, Some(Role::Administrator), "hello"), None);
    }
}
