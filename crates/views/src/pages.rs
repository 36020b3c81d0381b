//! What readers see: pages of a thread, all as of one position.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{PoisonError, RwLockReadGuard};

use domain::moderation::Ban;
use domain::thread::FlagFacts;
use domain::{
    AuthorId, CommandId, CommentId, Hold, Mode, Rejection, SiteId, State, Tally, ThreadId, Timestamp, Vote,
};

use crate::ballots::Ballots;
use crate::boards::Boards;
use crate::codes;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::fold::author_facts;
use crate::keys::{Key, KeyBytes, PlaceNo};
use crate::quotes::Ink;
use crate::reading::{Frame, Reading, Rows};
use crate::records::{self, Comment, Flag, Removal, Scores, Settings, Site, Thread, Words};
use crate::sheet::Branch;
use crate::store::Store;
use crate::value::Value;
use crate::voters::{self, Bucket};

/// What a row takes on the way beside its words: ids, names, time and tally.
const ROW_BYTES: usize = 256;

/// The store at one position. Folding waits while it is held.
pub struct View<'s> {
    pub(crate) tree: &'s sled::Tree,
    pub(crate) boards: &'s Boards,
    sequence: u64,
    is_whole: bool,
    _gate: RwLockReadGuard<'s, ()>,
}

/// Whom a page is for.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    /// The reader, whose own votes and flags the page names.
    pub id: Option<AuthorId>,
    /// Whether that is a moderator, from whom nothing is kept.
    pub moderator: bool,
}

/// A page of a thread.
#[derive(Debug)]
pub struct CommentPage {
    /// What readers call the site.
    pub site_name: String,
    /// The site's time zone.
    pub zone: String,
    /// The site's language, or empty.
    pub locale: String,
    /// For how long authors may edit what they posted.
    pub edit_window_secs: u32,
    /// Characters of a comment.
    pub text_chars_max: u32,
    /// The article.
    pub article: Article,
    /// Why the thread has its mode, or empty.
    pub mode_reason: String,
    /// The thread where the discussion goes on, or empty.
    pub successor: String,
    /// The thread's rows.
    pub count: u32,
    /// Whether the thread or its site stands still.
    pub frozen: bool,
    /// The viewer's ban that was spoken last; it may be over.
    pub viewer_ban: Option<Ban>,
    /// The comments.
    pub comments: Vec<CommentView>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// An article and how its thread stands.
#[derive(Debug)]
pub struct Article {
    /// What it is headed.
    pub headline: String,
    /// Its address, or empty.
    pub address: String,
    /// Its section, or empty.
    pub category: String,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// From when on its thread takes no comments and no votes.
    pub closes_at: Option<Timestamp>,
    /// What may happen to its thread: the stricter of the site's mode and its own.
    pub mode: Mode,
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
    /// How it stands.
    pub state: State,
    /// Who said what; `None` for readers of a comment that is not visible, but for its author while it is held.
    pub said: Option<Said>,
    /// The rule of the house that a removed comment broke, or empty.
    pub rule: String,
    /// The number of its latest revision.
    pub revision: u32,
    /// When it was edited last.
    pub edited: Option<Timestamp>,
    /// Whether it is featured.
    pub featured: bool,
    /// Its votes.
    pub tally: Tally,
    /// The viewer's own vote.
    pub own_vote: Option<Vote>,
    /// Whether the viewer wrote it.
    pub own: bool,
    /// Whether the viewer has a flag on it, and whether that waits for a decision.
    pub own_flag: Option<FlagFacts>,
    /// Why it is held, for moderators.
    pub held: Option<Hold>,
    /// Flags that wait for a decision, for moderators.
    pub flags: u32,
    /// Of those, the ones that say that its content is illegal, for moderators.
    pub flags_illegal: u32,
    /// How it stands in a tree, on a page that is one.
    pub branch: Option<Branch>,
}

/// Who said what, and what it quotes.
#[derive(Debug)]
pub struct Said {
    /// Who.
    pub author: Author,
    /// The words.
    pub body: String,
    /// The quotes, drawn.
    pub quotes: Vec<Drawn>,
}

/// An author as the site knows them.
#[derive(Clone, Debug)]
pub struct Author {
    /// The opaque id.
    pub id: String,
    /// What they are called, or empty.
    pub name: String,
    /// Whether they were erased, and this is a pseudonym.
    pub erased: bool,
}

/// A quote, drawn from the comment that it quotes.
#[derive(Debug)]
pub struct Drawn {
    /// The comment that is quoted.
    pub id: CommentId,
    /// Its number.
    pub number: u32,
    /// How it stands.
    pub state: State,
    /// The revision that is quoted.
    pub revision: u32,
    /// Whether the comment has a later revision.
    pub edited_since: bool,
    /// Where in the quoting text it stands.
    pub at: u32,
    /// The first character quoted.
    pub start: u32,
    /// The character after the last one quoted.
    pub end: u32,
    /// Who said what; `None` when the quoted comment is not visible.
    pub said: Option<Said>,
}

/// The names that one page has looked up.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, Author>);

impl<'s> View<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        // sled may panic in a batch, which is then no whole one.
        let gate = store.gate.read().unwrap_or_else(PoisonError::into_inner);
        let is_whole = store.is_whole.load(Ordering::Acquire);
        Self { tree: &store.tree, boards: &store.boards, sequence: store.sequence(), is_whole, _gate: gate }
    }

    /// Whether this is of one position. It is not once a batch broke halfway: nothing may be read then.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The last sequence that is folded.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn get<V: Value>(&self, key: &Key<'_>) -> Result<Option<V>, Error> {
        self.tree.get(key.encode())?.map(|stored| V::from_stored(&stored)).transpose()
    }

    pub(crate) fn scan<V: Value>(
        &self,
        prefix: KeyBytes,
    ) -> impl DoubleEndedIterator<Item = Result<(sled::IVec, V), Error>> {
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

    /// A part of a thread; a rejection if there is no such site, thread or comment to read around.
    ///
    /// At most as many rows as the first of `limits`, and at least one if there is one: the page ends before the comment
    /// whose words would bring it over the second, in bytes. A hidden thread has none but for moderators.
    pub fn comments(
        &self,
        site: &SiteId,
        thread: &ThreadId,
        viewer: &Viewer,
        reading: Reading,
        limits: (u32, usize),
    ) -> Result<Result<CommentPage, Rejection>, Error> {
        let Some(site_record) = self.site(site)? else {
            return Ok(Err(Rejection::SiteUnknown));
        };
        let Some(site_opened) = &site_record.opened else {
            return Ok(Err(Rejection::SiteUnknown));
        };
        let Some(record) = self.thread(site, thread)? else {
            return Ok(Err(Rejection::ThreadUnknown));
        };
        let Some(article) = article(&site_record, &record)? else {
            return Ok(Err(Rejection::ThreadUnknown));
        };
        let site_no = PlaceNo(site_record.place);
        let hidden = article.mode == Mode::Hidden && !viewer.moderator;
        let places = (site_no, PlaceNo(record.place));
        let voter = self.viewer_number(&site_record, viewer)?;
        let frame = Frame { places, posted: record.posted, viewer, voter, limits };
        let rows = match if hidden { Ok(Rows::default()) } else { self.rows(&frame, reading)? } {
            Ok(rows) => rows,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let settings: Settings = self.get(&Key::Settings(site_no))?.unwrap_or_default();
        // The reason of the stricter mode is the one that readers need.
        let (of_site, of_thread) = (&site_record.mode, &record.mode);
        let of_site =
            of_site.code > of_thread.code || (of_site.code == of_thread.code && of_thread.reason.is_empty());
        let mode_reason = if of_site { &site_record.mode.reason } else { &record.mode.reason };
        Ok(Ok(CommentPage {
            site_name: site_opened.name.clone(),
            zone: site_opened.zone.clone(),
            locale: settings.locale,
            edit_window_secs: site_record.rules.edit_window_secs,
            text_chars_max: site_record.rules.text_chars_max,
            article,
            mode_reason: mode_reason.clone(),
            successor: record.mode.successor.clone(),
            count: record.count,
            frozen: record.frozen || site_record.frozen,
            viewer_ban: match &viewer.id {
                Some(id) => author_facts(self.get(&Key::Author(site_no, id))?.as_ref(), None).ban,
                None => None,
            },
            comments: rows.comments,
            next: rows.next,
        }))
    }

    /// The viewer's number as a voter.
    pub(crate) fn viewer_number(&self, site: &Site, viewer: &Viewer) -> Result<Option<u32>, Error> {
        match &viewer.id {
            Some(id) => self.voter_number(site, id),
            None => Ok(None),
        }
    }

    /// Somebody's number as a voter.
    pub(crate) fn voter_number(&self, site: &Site, id: &AuthorId) -> Result<Option<u32>, Error> {
        voters::known(site.voters, id, |bucket| {
            let bucket: Option<Bucket> = self.get(&Key::VoterBucket(PlaceNo(site.place), bucket))?;
            Ok(bucket.and_then(|bucket| bucket.number(id.as_str())))
        })
    }

    /// A row, and about how many bytes it takes on the way.
    pub(crate) fn comment(
        &self,
        places: (PlaceNo, PlaceNo),
        (number, record): (u32, &Comment),
        (viewer, voter): (&Viewer, Option<u32>),
        names: &mut Names,
    ) -> Result<(CommentView, usize), Error> {
        let thread = places.1;
        let parent = if record.parent == 0 { None } else { Some(id_of(&self.row(thread, record.parent)?)) };
        let state = record.state()?;
        let mut bytes = ROW_BYTES;
        let own = viewer.id.as_ref().is_some_and(|id| id.as_str() == record.author);
        let said = if state == State::Visible || viewer.moderator || (own && state == State::Held) {
            let words = self.words(thread, number)?;
            let mut ink = Ink::default();
            let quotes = self.draw(places, &words.quotes, names, &mut ink)?;
            bytes += words.text.len() + ink.used();
            Some(Said { author: self.author(places.0, &record.author, names)?, body: words.text, quotes })
        } else {
            None
        };
        let own_vote = match (&viewer.id, voter) {
            (None, _) => None,
            (Some(_), None) => Some(Vote::None),
            (Some(_), Some(voter)) => Some(self.vote(thread, number, voter)?),
        };
        let own_flag = match &viewer.id {
            Some(id) => self.get::<Flag>(&Key::Flag(thread, number, id))?,
            None => None,
        };
        let own_flag = own_flag.map(|flag| FlagFacts { waits: flag.waits(&record.flags) });
        let held = viewer.moderator && state == State::Held && record.held != 0;
        let held = if held { Some(codes::hold(record.held)?) } else { None };
        let view = CommentView {
            number,
            id: id_of(record),
            time: Timestamp(record.shown_millis()),
            parent,
            state,
            said,
            rule: if state == State::Removed { self.rule(places, record)? } else { String::new() },
            revision: revision_of(record),
            edited: record.edited_millis.map(Timestamp),
            featured: record.featured && state == State::Visible,
            tally: self.tally(thread, number)?,
            own_vote,
            own,
            own_flag,
            held,
            flags: if viewer.moderator { record.flags.open } else { 0 },
            flags_illegal: if viewer.moderator { record.flags.illegal } else { 0 },
            branch: None,
        };
        Ok((view, bytes))
    }

    /// The rule that a removed comment broke, by the latest removal that said one, or empty.
    fn rule(&self, (site, thread): (PlaceNo, PlaceNo), record: &Comment) -> Result<String, Error> {
        for cover in record.covers.iter().rev() {
            let place = if cover.of_site { site } else { thread };
            let removal: Option<Removal> = self.get(&Key::Removal(place, CommandId::from_u128(cover.id)))?;
            if let Some(removal) = removal.filter(|removal| !removal.rule.is_empty()) {
                return Ok(removal.rule);
            }
        }
        Ok(record.removed.as_ref().map_or_else(String::new, |removed| removed.rule.clone()))
    }

    /// How a voter voted on a comment.
    pub(crate) fn vote(&self, thread: PlaceNo, number: u32, voter: u32) -> Result<Vote, Error> {
        let (container, low) = Ballots::place_of(voter);
        let ballots: Option<Ballots> = self.get(&Key::Ballots(thread, number, container))?;
        Ok(ballots.map_or(Vote::None, |ballots| ballots.vote(low)))
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
        if let Some(author) = names.0.get(id) {
            return Ok(author.clone());
        }
        let author: AuthorId = id.parse().or(Err(Error::Damaged("an author's id")))?;
        let record: Option<records::Author> = self.get(&Key::Author(site, &author))?;
        let records::Author { name, erased, .. } = record.unwrap_or_default();
        let author = Author { id: id.to_owned(), name, erased };
        names.0.insert(id.to_owned(), author.clone());
        Ok(author)
    }
}

/// The article of a thread that is open.
pub(crate) fn article(site: &Site, thread: &Thread) -> Result<Option<Article>, Error> {
    let mode = codes::mode(site.mode.code.max(thread.mode.code))?;
    Ok(thread.opened.as_ref().map(|opened| Article {
        headline: opened.headline.clone(),
        address: opened.address.clone(),
        category: opened.category.clone(),
        published: opened.published_millis.map(Timestamp),
        closes_at: opened.closes_at_millis.map(Timestamp),
        mode,
    }))
}

/// The number of the latest revision.
pub(crate) fn revision_of(comment: &Comment) -> u32 {
    u32::try_from(comment.lengths.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

pub(crate) fn id_of(comment: &Comment) -> CommentId {
    CommentId(CommandId::from_u128(comment.id))
}
