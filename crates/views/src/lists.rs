//! Lists of sites and threads, and what stands in one line of them.

use domain::{SiteId, ThreadId, Timestamp};

use crate::error::Error;
use crate::keys::{Key, PlaceNo, WordList, prefix};
use crate::pages::{Article, View, article};
use crate::records::{Address, Frozen, Settings, Site, Thread};
use crate::value::Value;
use domain::Mode;
use domain::settings::SettingsPatch;

/// A thread in a list.
#[derive(Debug)]
pub struct ThreadEntry {
    /// The thread.
    pub thread: String,
    /// Its article.
    pub article: Article,
    /// Its rows.
    pub count: u32,
    /// When the latest of its rows was posted.
    pub last_comment: Option<Timestamp>,
}

/// The settings of a site.
#[derive(Debug)]
pub struct SiteSettings {
    /// Every setting; `None` where they are those of the version that is known.
    pub settings: Option<SettingsPatch>,
    /// Where the settings were set last: 0 for never.
    pub version: u64,
    /// What may happen to the threads of the site.
    pub mode: Mode,
    /// Why.
    pub mode_reason: String,
}

impl View<'_> {
    /// What readers call a site that is open.
    pub fn site_name(&self, site: &SiteId) -> Result<Option<String>, Error> {
        Ok(self.site(site)?.and_then(|site| site.opened).map(|opened| opened.name))
    }

    /// How many comments a thread has; `None` if it is not open.
    pub fn count(&self, site: &SiteId, thread: &ThreadId) -> Result<Option<u32>, Error> {
        let thread = self.thread(site, thread)?;
        Ok(thread.filter(|thread| thread.opened.is_some()).map(|thread| thread.count))
    }

    /// Whether the site is open.
    pub fn is_open(&self, site: &SiteId) -> Result<bool, Error> {
        Ok(self.site(site)?.is_some_and(|site| site.opened.is_some()))
    }

    /// Threads of a site after an id, by id.
    pub(crate) fn threads(&self, site: &SiteId, after: &str, limit: usize) -> Result<Vec<ThreadEntry>, Error> {
        let Some(site_record) = self.site(site)? else { return Ok(Vec::new()) };
        let prefix = prefix::threads(site);
        let mut from = prefix.clone();
        from.extend(after.bytes());
        let mut threads = Vec::new();
        for entry in self.tree.range(from..) {
            let (key, stored) = entry?;
            let Some(id) = key.strip_prefix(prefix.as_slice()) else {
                break;
            };
            let thread = String::from_utf8_lossy(id);
            let record = Thread::from_stored(&stored)?;
            let Some(article) = article(&site_record, &record)?.filter(|_| thread != after) else { continue };
            let last_comment = self.last_comment(PlaceNo(record.place))?;
            let thread = thread.into_owned();
            threads.push(ThreadEntry { thread, article, count: record.count, last_comment });
            if threads.len() == limit {
                break;
            }
        }
        Ok(threads)
    }

    /// Open sites, by id: id and name.
    pub fn sites(&self, limit: usize) -> Result<Vec<(String, String)>, Error> {
        let mut sites = Vec::new();
        for entry in self.scan::<Site>(prefix::sites()) {
            let (key, site) = entry?;
            let Some(opened) = site.opened else { continue };
            let id = String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned();
            sites.push((id, opened.name));
            if sites.len() == limit {
                break;
            }
        }
        Ok(sites)
    }

    /// The thread that has an address or had it, and its address now.
    pub fn resolve(&self, site: &SiteId, address: &str) -> Result<Option<(String, String)>, Error> {
        let Some(record) = self.site(site)? else { return Ok(None) };
        let found: Option<Address> = self.get(&Key::Address(PlaceNo(record.place), address))?;
        let Some(found) = found.filter(|found| found.address == address) else { return Ok(None) };
        let thread = found.thread.parse().or(Err(Error::Damaged("a thread's id")))?;
        let opened = self.thread(site, &thread)?.and_then(|thread| thread.opened);
        Ok(opened.map(|opened| (found.thread, opened.address)))
    }

    /// The settings of a site that is open, unless they are those of `known`.
    pub fn settings(&self, site: &SiteId, known: Option<u64>) -> Result<Option<SiteSettings>, Error> {
        let Some(record) = self.site(site)? else { return Ok(None) };
        let Some(opened) = &record.opened else { return Ok(None) };
        let no = PlaceNo(record.place);
        let settings = if known == Some(record.set_at) {
            None
        } else {
            let stored: Settings = self.get(&Key::Settings(no))?.unwrap_or_default();
            let words = |list| -> Result<_, Error> {
                Ok(Some(self.word_list(no, &stored, list)?.into_iter().map(Into::into).collect()))
            };
            Some(SettingsPatch {
                name: Some(opened.name.as_str().into()),
                zone: Some(opened.zone.as_str().into()),
                locale: Some(stored.locale.as_str().into()),
                edit_window_secs: Some(record.rules.edit_window_secs),
                text_chars_max: Some(record.rules.text_chars_max),
                report_threshold: Some(record.rules.report_threshold),
                premoderate_first: Some(stored.premoderate_first),
                premoderate_links: Some(stored.premoderate_links),
                premoderate_words: words(WordList::Premoderate)?,
                reserved_names: words(WordList::Reserved)?,
                comments_per_minute: Some(stored.comments_per_minute),
                votes_per_minute: Some(stored.votes_per_minute),
            })
        };
        let mode = crate::codes::mode(record.mode.code)?;
        Ok(Some(SiteSettings { settings, version: record.set_at, mode, mode_reason: record.mode.reason }))
    }

    pub(crate) fn word_list(
        &self,
        site: PlaceNo,
        settings: &Settings,
        list: WordList,
    ) -> Result<Vec<String>, Error> {
        let [premoderate, reserved] = settings.chunks;
        let chunks = match list {
            WordList::Premoderate => premoderate,
            WordList::Reserved => reserved,
        };
        let mut words = Vec::new();
        for chunk in 0..chunks {
            let text: Option<String> = self.get(&Key::WordList(site, list, chunk))?;
            let text = text.ok_or(Error::Damaged("a list of words is missing"))?;
            words.extend(text.lines().map(str::to_owned));
        }
        Ok(words)
    }

    /// Places that stand still.
    pub fn frozen(&self, limit: usize) -> Result<Vec<Frozen>, Error> {
        self.scan(prefix::frozen()).take(limit).map(|entry| Ok(entry?.1)).collect()
    }

    /// Void events, by code.
    pub fn void(&self) -> Result<Vec<(String, u64)>, Error> {
        let entries = self.scan(prefix::void()).map(|entry| {
            let (key, count) = entry?;
            Ok((String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into_owned(), count))
        });
        entries.collect()
    }
}
