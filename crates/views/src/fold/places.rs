//! What happens to sites, threads and authors.

use domain::moderation::{Ban, ModeChange};
use domain::settings::{Closing, SettingsPatch, ThreadPatch};
use domain::{AuthorId, Event, SiteId};

use super::audit::Noted;
use super::{At, Happening};
use crate::codes;
use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo, WordList};
use crate::records::{self, Address, FormerName, SiteOpened, ThreadOpened};

/// Bytes of words in one value: sled keeps several values of this size in a page.
const CHUNK_BYTES: usize = 4_000;

pub(super) fn open_site(draft: &mut Draft, site: &SiteId, name: &str, zone: &str) -> Result<Noted, Error> {
    draft.site(site)?.opened = Some(SiteOpened { name: name.to_owned(), zone: zone.to_owned() });
    Ok(Noted { after: name.to_owned(), ..Noted::default() })
}

/// What a patch changes, a line for each setting.
#[derive(Default)]
struct Lines {
    before: Vec<String>,
    after: Vec<String>,
}

impl Lines {
    fn set<T: std::fmt::Display>(&mut self, name: &str, before: &T, after: &T) {
        self.before.push(format!("{name}: {before}"));
        self.after.push(format!("{name}: {after}"));
    }

    /// Sets a field if the patch has one for it.
    fn patch<T: std::fmt::Display + Clone>(&mut self, name: &str, field: &mut T, patch: Option<&T>) {
        if let Some(patch) = patch {
            self.set(name, field, patch);
            *field = patch.clone();
        }
    }

    fn text(&mut self, name: &str, field: &mut String, patch: Option<&str>) {
        self.patch(name, field, patch.map(str::to_owned).as_ref());
    }

    fn noted(self) -> Noted {
        Noted { before: self.before.join("\n"), after: self.after.join("\n"), ..Noted::default() }
    }
}

pub(super) fn set_site(
    draft: &mut Draft,
    id: &SiteId,
    no: PlaceNo,
    sequence: u64,
    patch: &SettingsPatch,
) -> Result<Noted, Error> {
    let mut lines = Lines::default();
    let site = draft.site(id)?;
    site.set_at = sequence;
    if let Some(opened) = &mut site.opened {
        lines.text("name", &mut opened.name, patch.name.as_deref());
        lines.text("zone", &mut opened.zone, patch.zone.as_deref());
    }
    let rules = &mut site.rules;
    lines.patch("edit_window_secs", &mut rules.edit_window_secs, patch.edit_window_secs.as_ref());
    lines.patch("text_chars_max", &mut rules.text_chars_max, patch.text_chars_max.as_ref());
    lines.patch("report_threshold", &mut rules.report_threshold, patch.report_threshold.as_ref());
    let settings = draft.settings.change(&Key::Settings(no))?.get_or_insert_default();
    lines.text("locale", &mut settings.locale, patch.locale.as_deref());
    lines.patch("premoderate_first", &mut settings.premoderate_first, patch.premoderate_first.as_ref());
    lines.patch("premoderate_links", &mut settings.premoderate_links, patch.premoderate_links.as_ref());
    lines.patch("comments_per_minute", &mut settings.comments_per_minute, patch.comments_per_minute.as_ref());
    lines.patch("votes_per_minute", &mut settings.votes_per_minute, patch.votes_per_minute.as_ref());
    let mut chunks = settings.chunks;
    let lists = [
        ("premoderate_words", WordList::Premoderate, &patch.premoderate_words),
        ("reserved_names", WordList::Reserved, &patch.reserved_names),
    ];
    for (chunks, (name, list, words)) in chunks.iter_mut().zip(lists) {
        let Some(words) = words else { continue };
        let before = set_words(draft, (no, list), chunks, words)?;
        lines.set(name, &format!("{before} words"), &format!("{} words", words.len()));
    }
    if let Some(settings) = draft.settings.change(&Key::Settings(no))? {
        settings.chunks = chunks;
    }
    Ok(lines.noted())
}

/// Puts a list in the place of another; how many words that had.
fn set_words(
    draft: &mut Draft,
    (site, list): (PlaceNo, WordList),
    chunks: &mut u32,
    words: &[Box<str>],
) -> Result<usize, Error> {
    let mut before = 0;
    for chunk in 0..*chunks {
        let stored = draft.texts.change(&Key::WordList(site, list, chunk))?;
        before += stored.take().map_or(0, |words| words.lines().count());
    }
    *chunks = 0;
    let mut chunk = String::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        // One a line: a word that holds several lines would be several words.
        chunk.extend(word.chars().map(|c| if c.is_control() { ' ' } else { c }));
        chunk.push('\n');
        if chunk.len() >= CHUNK_BYTES || words.peek().is_none() {
            draft.texts.put(&Key::WordList(site, list, *chunks), std::mem::take(&mut chunk));
            *chunks += 1;
        }
    }
    Ok(before)
}

fn set_mode(mode: &mut records::Mode, change: &ModeChange) -> Result<Noted, Error> {
    let before = codes::mode(mode.code)?;
    *mode = records::Mode {
        code: codes::of_mode(change.mode),
        reason: change.reason.to_string(),
        successor: change.successor.as_ref().map_or_else(String::new, ToString::to_string),
    };
    let after = match &change.successor {
        Some(successor) => format!("{}, goes on in {successor}", change.mode.as_str()),
        None => change.mode.as_str().to_owned(),
    };
    let (before, reason) = (before.as_str().to_owned(), change.reason.to_string());
    Ok(Noted { reason, before, after, ..Noted::default() })
}

pub(super) fn set_site_mode(draft: &mut Draft, site: &SiteId, change: &ModeChange) -> Result<Noted, Error> {
    set_mode(&mut draft.site(site)?.mode, change)
}

pub(super) fn set_thread_mode(draft: &mut Draft, at: At<'_>, change: &ModeChange) -> Result<Noted, Error> {
    set_mode(&mut draft.thread(at.site, at.thread)?.mode, change)
}

pub(super) fn open_thread(draft: &mut Draft, at: At<'_>, event: &Event) -> Result<Noted, Error> {
    let Event::ThreadOpened { headline, address, category, published, closes_at } = event else {
        return Ok(Noted::default());
    };
    draft.thread(at.site, at.thread)?.opened = Some(ThreadOpened {
        headline: headline.to_string(),
        address: address.to_string(),
        category: category.to_string(),
        published_millis: published.map(|time| time.0),
        closes_at_millis: closes_at.map(|time| time.0),
    });
    take_address(draft, at, address);
    Ok(Noted { after: headline.to_string(), ..Noted::default() })
}

/// Where several threads had an address, it leads to the one that took it last.
fn take_address(draft: &mut Draft, at: At<'_>, address: &str) {
    if !address.is_empty() {
        let record = Address { address: address.to_owned(), thread: at.thread.to_string() };
        draft.addresses.put(&Key::Address(at.site_no, address), record);
    }
}

pub(super) fn update_thread(draft: &mut Draft, at: At<'_>, patch: &ThreadPatch) -> Result<Noted, Error> {
    let mut lines = Lines::default();
    if let Some(opened) = &mut draft.thread(at.site, at.thread)?.opened {
        lines.text("headline", &mut opened.headline, patch.headline.as_deref());
        lines.text("category", &mut opened.category, patch.category.as_deref());
        let time = |millis: Option<i64>| millis.map_or_else(|| "never".to_owned(), |millis| millis.to_string());
        if let Some(published) = patch.published {
            let millis = Some(published.0);
            lines.set("published", &time(opened.published_millis), &time(millis));
            opened.published_millis = millis;
        }
        if let Some(closing) = patch.closing {
            let millis = match closing {
                Closing::At(closes_at) => Some(closes_at.0),
                Closing::Never => None,
            };
            lines.set("closes_at", &time(opened.closes_at_millis), &time(millis));
            opened.closes_at_millis = millis;
        }
    }
    Ok(lines.noted())
}

pub(super) fn move_thread(draft: &mut Draft, at: At<'_>, address: &str) -> Result<Noted, Error> {
    let thread = draft.thread(at.site, at.thread)?;
    let number = thread.moves;
    thread.moves += 1;
    let before = thread.opened.as_mut().map(|opened| std::mem::replace(&mut opened.address, address.to_owned()));
    let before = before.unwrap_or_default();
    draft.texts.put(&Key::FormerAddress(at.no, number), before.clone());
    take_address(draft, at, address);
    Ok(Noted { before, after: address.to_owned(), ..Noted::default() })
}

pub(super) fn name(
    draft: &mut Draft,
    site: PlaceNo,
    id: &AuthorId,
    name: &str,
    it: &Happening<'_>,
) -> Result<Noted, Error> {
    let author = draft.author(site, id)?;
    let before = std::mem::replace(&mut author.name, name.to_owned());
    if !before.is_empty() && before != name {
        let number = author.former_names;
        author.former_names += 1;
        let former = FormerName { name: before.clone(), until_millis: it.time_millis() };
        draft.former_names.put(&Key::FormerName(site, id, number), former);
    }
    Ok(Noted { author: id.to_string(), before, after: name.to_owned(), ..Noted::default() })
}

pub(super) fn ban(
    draft: &mut Draft,
    site: &SiteId,
    no: PlaceNo,
    id: &AuthorId,
    ban: &Ban,
) -> Result<Noted, Error> {
    draft.site(site)?.bans += 1;
    let record = records::Ban { until_millis: ban.until.map(|time| time.0), reason: ban.reason.to_string() };
    let before = draft.author(no, id)?.ban.replace(record);
    let (author, reason) = (id.to_string(), ban.reason.to_string());
    let before = before.map_or_else(String::new, |before| banned(before.until_millis));
    Ok(Noted { author, reason, before, after: banned(ban.until.map(|time| time.0)) })
}

fn banned(until_millis: Option<i64>) -> String {
    until_millis.map_or_else(|| "banned for good".to_owned(), |millis| format!("banned until {millis}"))
}

pub(super) fn unban(draft: &mut Draft, site: PlaceNo, id: &AuthorId, reason: &str) -> Result<Noted, Error> {
    let before = draft.author(site, id)?.ban.take();
    let before = before.map_or_else(String::new, |before| banned(before.until_millis));
    Ok(Noted { author: id.to_string(), reason: reason.to_owned(), before, after: String::new() })
}
