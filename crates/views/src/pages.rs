//! What is read: pages, lists and facts, all as of one position.

use std::collections::HashMap;
use std::sync::RwLockReadGuard;

use domain::thread::{Facts, Standing};
use domain::{AuthorId, CommandId, CommentId, Place, Rejection, SiteId, Tally, ThreadId, Timestamp};

use crate::error::Error;
use crate::fold::facts_of;
use crate::keys::{Key, PlaceNo, prefix};
use crate::quotes::Ink;
use crate::records::{Command, Comment, Frozen, Scores, Site, Thread, Words};
use crate::store::Store;
use crate::value::Value;

/// What a row takes on the way beside its words: ids, names, time and tally.
const ROW_BYTES: usize = 256;

/// The store at one position. Folding waits while it is held.
pub struct View<'s> {
    pub(crate) tree: &'s sled::Tree,
    sequence: u64,
    _gate: RwLockReadGuard<'s, ()>,
}

/// A page of a thread.
#[derive(Debug)]
pub struct CommentPage {
    /// What readers call the site.
    pub site_name: String,
    /// The site's time zone.
    pub zone: String,
    /// What the article is headed.
    pub headline: String,
    /// The address of the article, or empty.
    pub address: String,
    /// The section of the article, or empty.
    pub category: String,
    /// The thread's rows.
    pub count: u32,
    /// Whether the thread or its site stands still.
    pub frozen: bool,
    /// The comments, by number.
    pub comments: Vec<CommentView>,
    /// Whether more follow.
    pub more: bool,
}

/// A row of a page.
#[derive(Debug)]
pub struct CommentView {
    /// Its place in the thread, from 1.
    pub number: u32,
    /// The comment.
    pub id: CommentId,
    /// When it was posted.
    pub time: Timestamp,
    /// The comment it replies to.
    pub parent: Option<CommentId>,
    /// Who said what; `None` when a moderator removed it.
    pub words: Option<(Author, String, Vec<Drawn>)>,
    /// Its votes.
    pub tally: Tally,
}

/// An author as the site knows them.
#[derive(Clone, Debug)]
pub struct Author {
    /// The opaque id.
    pub id: String,
    /// What they are called, or empty.
    pub name: String,
}

/// A quote, drawn from the comment that it quotes.
#[derive(Debug)]
pub struct Drawn {
    /// The comment that is quoted.
    pub id: CommentId,
    /// Its number.
    pub number: u32,
    /// Where in the quoting text it stands.
    pub at: u32,
    /// Who said what; `None` when the quoted comment was removed.
    pub words: Option<(Author, String, Vec<Drawn>)>,
}

/// A thread in a list.
#[derive(Debug)]
pub struct ThreadEntry {
    /// The thread.
    pub thread: String,
    /// What the article is headed.
    pub headline: String,
    /// Its rows.
    pub count: u32,
}

/// A command that the fold remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownCommand {
    /// Where its event stands in the log.
    pub sequence: u64,
    /// The rule that its event broke.
    pub void: Option<Rejection>,
}

/// The names that one page has looked up.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, String>);

impl<'s> View<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        let gate = store.gate.read().expect("nothing panics while it holds the gate");
        Self { tree: &store.tree, sequence: store.sequence(), _gate: gate }
    }

    /// The last sequence that is folded.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn get<V: Value>(&self, key: &Key<'_>) -> Result<Option<V>, Error> {
        self.tree.get(key.encode())?.map(|stored| V::from_stored(&stored)).transpose()
    }

    pub(crate) fn scan<V: Value>(&self, prefix: Vec<u8>) -> impl Iterator<Item = Result<(sled::IVec, V), Error>> {
        self.tree.scan_prefix(prefix).map(|entry| {
            let (key, stored) = entry?;
            Ok((key, V::from_stored(&stored)?))
        })
    }

    pub(crate) fn site(&self, id: &SiteId) -> Result<Option<Site>, Error> {
        self.get(&Key::Site(id))
    }

    pub(crate) fn thread(&self, site: &SiteId, id: &ThreadId) -> Result<Option<Thread>, Error> {
        self.get(&Key::Thread(site, id))
    }

    /// Comments of a thread after a number, oldest first; a rejection if there is no such site or thread.
    ///
    /// At most `limit` of them, and at least one: the page ends before the comment whose words would bring it over
    /// `bytes_max`.
    pub fn comments(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        after: u32,
        (limit, bytes_max): (u32, usize),
    ) -> Result<Result<CommentPage, Rejection>, Error> {
        let Some(site_record) = self.site(site)? else {
            return Ok(Err(Rejection::SiteUnknown));
        };
        let Some(site_opened) = site_record.opened else {
            return Ok(Err(Rejection::SiteUnknown));
        };
        let Some(record) = self.thread(site, thread)? else {
            return Ok(Err(Rejection::ThreadUnknown));
        };
        let Some(opened) = record.opened else {
            return Ok(Err(Rejection::ThreadUnknown));
        };
        let places = (PlaceNo(site_record.place), PlaceNo(record.place));
        let mut last = record.count.min(after.saturating_add(limit));
        let (mut names, mut comments, mut bytes) = (Names::default(), Vec::new(), 0);
        for number in after.saturating_add(1)..=last {
            let (comment, comment_bytes) = self.comment(places, number, &mut names)?;
            bytes += comment_bytes;
            if bytes > bytes_max && !comments.is_empty() {
                last = number - 1;
                break;
            }
            comments.push(comment);
        }
        Ok(Ok(CommentPage {
            site_name: site_opened.name,
            zone: site_opened.zone,
            headline: opened.headline,
            address: opened.address,
            category: opened.category,
            count: record.count,
            frozen: record.frozen || site_record.frozen,
            comments,
            more: last < record.count,
        }))
    }

    /// A row, and about how many bytes it takes on the way.
    fn comment(
        &self,
        places: (PlaceNo, PlaceNo),
        number: u32,
        names: &mut Names,
    ) -> Result<(CommentView, usize), Error> {
        let thread = places.1;
        let record = self.row(thread, number)?;
        let parent = if record.parent == 0 { None } else { Some(id_of(&self.row(thread, record.parent)?)) };
        let mut bytes = ROW_BYTES;
        let words = if record.removed.is_some() {
            None
        } else {
            let words = self.words(thread, number)?;
            let mut ink = Ink::default();
            let quotes = self.draw(places, &words.quotes, names, &mut ink)?;
            bytes += words.text.len() + ink.used();
            Some((self.author(places.0, &record.author, names)?, words.text, quotes))
        };
        let (id, time) = (id_of(&record), Timestamp(record.time_millis));
        Ok((CommentView { number, id, time, parent, words, tally: self.tally(thread, number)? }, bytes))
    }

    pub(crate) fn row(&self, thread: PlaceNo, number: u32) -> Result<Comment, Error> {
        self.get(&Key::Comment(thread, number))?.ok_or(Error::Damaged("a comment is missing"))
    }

    pub(crate) fn words(&self, thread: PlaceNo, number: u32) -> Result<Words, Error> {
        self.get(&Key::Words(thread, number))?.ok_or(Error::Damaged("words are missing"))
    }

    pub(crate) fn tally(&self, thread: PlaceNo, number: u32) -> Result<Tally, Error> {
        let (chunk, slot) = Scores::place_of(number);
        let scores: Option<Scores> = self.get(&Key::Scores(thread, chunk))?;
        Ok(scores.map(|scores| scores.get(slot)).unwrap_or_default())
    }

    pub(crate) fn author(&self, site: PlaceNo, id: &str, names: &mut Names) -> Result<Author, Error> {
        if let Some(name) = names.0.get(id) {
            return Ok(Author { id: id.to_owned(), name: name.clone() });
        }
        let author: AuthorId = id.parse().or(Err(Error::Damaged("an author's id")))?;
        let name: String = self.get(&Key::Author(site, &author))?.unwrap_or_default();
        names.0.insert(id.to_owned(), name.clone());
        Ok(Author { id: id.to_owned(), name })
    }

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
    pub fn threads(&self, site: &SiteId, after: &str, limit: usize) -> Result<Vec<ThreadEntry>, Error> {
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
            let Some(opened) = record.opened.filter(|_| thread != after) else { continue };
            let count = record.count;
            threads.push(ThreadEntry { thread: thread.into_owned(), headline: opened.headline, count });
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

    /// What rules need to know of a place and of comments in it.
    pub fn facts(&self, place: &Place, mentioned: &[CommentId]) -> Result<Facts, Error> {
        let standing = |opened: bool, frozen: bool| match (opened, frozen) {
            (_, true) => Some(Standing::Frozen),
            (true, false) => Some(Standing::Open),
            (false, false) => None,
        };
        let site = self.site(&place.site)?;
        let mut facts =
            Facts { site: site.and_then(|site| standing(site.opened.is_some(), site.frozen)), ..Facts::default() };
        let Some(thread) = &place.thread else {
            return Ok(facts);
        };
        let Some(thread) = self.thread(&place.site, thread)? else {
            return Ok(facts);
        };
        facts.thread = standing(thread.opened.is_some(), thread.frozen);
        let thread = PlaceNo(thread.place);
        for &id in mentioned {
            let Some(number) = self.get(&Key::Number(thread, id.0))? else {
                continue;
            };
            facts.comments.push((id, facts_of(&self.row(thread, number)?)?));
        }
        Ok(facts)
    }

    /// What came of a command; votes are not remembered by id.
    pub fn command(&self, place: &Place, id: CommandId) -> Result<Option<KnownCommand>, Error> {
        let number = match &place.thread {
            Some(thread) => self.thread(&place.site, thread)?.map(|thread| thread.place),
            None => self.site(&place.site)?.map(|site| site.place),
        };
        let Some(number) = number else { return Ok(None) };
        let Some(command) = self.get::<Command>(&Key::Command(PlaceNo(number), id))? else {
            return Ok(None);
        };
        let void = command.void.as_deref().map(Rejection::from_code);
        let void = void.map(|code| code.ok_or(Error::Damaged("a rejection's code"))).transpose()?;
        Ok(Some(KnownCommand { sequence: command.sequence, void }))
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

pub(crate) fn id_of(comment: &Comment) -> CommentId {
    CommentId(CommandId::from_u128(comment.id))
}
