//! What a site's settings say of words: whether a comment is held, and whether a name is reserved.
//!
//! The fold never judges words, so that a list may change without changing the past: the writer judges once and records
//! `held` with its reason.

use std::sync::Arc;

use domain::text::Text;
use domain::thread::Facts;
use domain::{Hold, SiteId};
use moka::sync::Cache;
use pulldown_cmark::{Event as MarkdownEvent, Options, Parser, Tag};
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

    /// Why the words of somebody are held back. Whether the mode holds them is the fold's to find, by their place in the
    /// log: here it may be a moment old. Staff may say what they like, which the fold sees to as well.
    pub(crate) fn hold(&self, facts: &Facts, text: &Text) -> Option<Hold> {
        let settings = &self.settings.settings;
        if facts.author.shown < settings.premoderate_first.unwrap_or_default() {
            return Some(Hold::NewAuthor);
        }
        if settings.premoderate_links.unwrap_or_default() && holds_a_link(text.as_str()) {
            return Some(Hold::Link);
        }
        self.held.first_in(text.as_str()).map(|_| Hold::Word)
    }
}

/// Whether readers get a link: one of Markdown, whatever it leads to, or an address in the words as they are drawn.
fn holds_a_link(text: &str) -> bool {
    let mut words = String::new();
    for event in Parser::new_ext(text, Options::empty()) {
        match event {
            MarkdownEvent::Start(Tag::Link { .. } | Tag::Image { .. }) => return true,
            MarkdownEvent::Text(part)
            | MarkdownEvent::Code(part)
            | MarkdownEvent::Html(part)
            | MarkdownEvent::InlineHtml(part) => {
                words.push_str(&part);
            }
            _ => {}
        }
    }
    let words = words.to_lowercase();
    ["://", "www.", "mailto:", "href"].iter().any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::settings::SettingsPatch;

    fn rules(settings: SettingsPatch) -> HouseRules {
        HouseRules::new(Arc::new(SiteSettings { version: "1".into(), settings }))
    }

    fn hold(rules: &HouseRules, facts: &Facts, text: &str) -> Option<Hold> {
        rules.hold(facts, &Text::parse(text).unwrap())
    }

    #[test]
    fn nothing_is_held_where_nothing_is_set() {
        assert_eq!(hold(&rules(SettingsPatch::default()), &Facts::default(), "see https://x"), None);
    }

    #[test]
    fn a_new_authors_first_comments_are_held() {
        let rules = rules(SettingsPatch { premoderate_first: Some(2), ..SettingsPatch::default() });
        let mut facts = Facts::default();
        assert_eq!(hold(&rules, &facts, "hello"), Some(Hold::NewAuthor));
        facts.author.shown = 2;
        assert_eq!(hold(&rules, &facts, "hello"), None);
    }

    #[test]
    fn a_link_is_held_however_it_is_written() {
        let rules = rules(SettingsPatch { premoderate_links: Some(true), ..SettingsPatch::default() });
        for text in [
            "HTTPS://x.example",
            "at www.x.example",
            "mailto:a@b",
            "[a](//b)",
            "[a](https:\\/\\/evil.example)",
            "[a](https&colon;//evil.example)",
            "<a@b.example>",
            "[a](http:evil.example)",
            "https&colon;//evil.example",
            "![a](b)",
            "[a][1]\n\n[1]: //b",
        ] {
            assert_eq!(hold(&rules, &Facts::default(), text), Some(Hold::Link), "{text}");
        }
        assert_eq!(hold(&rules, &Facts::default(), "[no] link (is it), 3 < 4 && b@c"), None);
    }

    #[test]
    fn a_listed_word_is_held() {
        let words = Some(vec!["casino".into()]);
        let rules = rules(SettingsPatch { premoderate_words: words, ..SettingsPatch::default() });
        assert_eq!(hold(&rules, &Facts::default(), "a C-A-S-I-N-O"), Some(Hold::Word));
    }
}
