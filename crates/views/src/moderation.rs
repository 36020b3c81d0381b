//! What moderators ask: what waits, one comment with its history, an author, and the audit.

use domain::{AuthorId, CommandId, CommentId, FlagCategory, Place, SiteId, ThreadId, Timestamp, moderation::Ban};

use crate::codes;
use crate::error::Error;
use crate::fold::author_facts;
use crate::keys::{AuditOf, Key, PlaceNo, flag_tail, prefix, sequence_tail, waiting_tail};
use crate::pages::{CommentView, Names, View, Viewer, revision_of};
use crate::records::{self, Audit, Flag, FormerName, Resolution, Words};
use crate::value::Value;

/// Records that one page of the audit looks at to find those that were asked for.
const LOOKED_AT_MAX: usize = 2_000;
/// Bytes of flags that are told of one comment, beside all its revisions.
const FLAGS_BYTES_MAX: usize = 192 * 1024;
/// Flags of one comment that are looked at to find those that wait.
const FLAGS_LOOKED_AT_MAX: usize = 10_000;
/// Flags that are told of one comment.
const FLAGS_MAX: usize = 200;
/// Bytes of words in one answer, which then ends: a message of NATS has 1 MB, and JSON may double them.
pub(crate) const BYTES_MAX: usize = 384 * 1024;
/// A moderator, who sees everything.
const MODERATOR: Viewer = Viewer { id: None, moderator: true };

/// A comment that waits for a moderator.
#[derive(Debug)]
pub struct WaitingComment {
    /// The thread it stands in.
    pub thread: ThreadId,
    /// The comment as a moderator sees it.
    pub comment: CommentView,
    /// Of its flags that wait, those that say that its content is illegal.
    pub flags_illegal: u32,
    /// When the oldest flag that waits was made.
    pub flagged: Option<Timestamp>,
    /// Since when it waits as the kind that was asked for; `None` where none was.
    pub since: Option<Timestamp>,
}

/// One comment with all its revisions and flags.
#[derive(Debug)]
pub struct CommentHistory {
    /// The comment as a moderator sees it.
    pub comment: CommentView,
    /// Its revisions, from 0: since when and what it said.
    pub revisions: Vec<(Timestamp, String)>,
    /// Its flags, those that wait first.
    pub flags: Vec<FlagView>,
}

/// A flag.
#[derive(Debug)]
pub struct FlagView {
    /// Who reported the comment.
    pub author: AuthorId,
    /// What is wrong with it.
    pub category: FlagCategory,
    /// In the reporter's words.
    pub words: String,
    /// When.
    pub time: Timestamp,
    /// What was decided.
    pub resolution: Option<FlagResolution>,
}

/// What was decided on a flag.
#[derive(Clone, Debug)]
pub struct FlagResolution {
    /// Whether the reporter was right.
    pub upheld: bool,
    /// The statement of reasons.
    pub statement: String,
    /// The moderator.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// An author as the site knows them.
#[derive(Debug, Default)]
pub struct AuthorHistory {
    /// What they are called, or empty.
    pub name: String,
    /// What they were called before and until when, the latest first.
    pub names: Vec<(String, Timestamp)>,
    /// The ban that was spoken last; it may be over.
    pub ban: Option<Ban>,
    /// How many of their comments were shown once.
    pub shown: u32,
    /// Whether they were erased, and this is a pseudonym.
    pub erased: bool,
}

/// What of the audit is asked for.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// Of which place; a site's holds what is about its threads.
    pub place: Place,
    /// Only about this comment.
    pub comment: Option<CommentId>,
    /// Only about this author.
    pub author: Option<AuthorId>,
    /// Only what this actor did.
    pub by: Option<AuthorId>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
    /// Only what stands before this place in the log.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// A decision.
#[derive(Debug)]
pub struct AuditEntry {
    /// Where its event stands in the log.
    pub sequence: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: String,
    /// The event's type.
    pub kind: String,
    /// The thread, or empty.
    pub thread: String,
    /// The comment.
    pub comment: Option<CommentId>,
    /// The author, or empty.
    pub author: String,
    /// Why.
    pub reason: String,
    /// How it stood before.
    pub before: String,
    /// How it stands since.
    pub after: String,
}

impl View<'_> {
    /// Comments of a site that wait for a moderator, after one, by thread and number; and whether more follow.
    pub fn waiting(
        &self,
        site: &SiteId,
        after: Option<(&ThreadId, u32)>,
        limit: usize,
    ) -> Result<(Vec<WaitingComment>, bool), Error> {
        let Some(record) = self.site(site)? else { return Ok((Vec::new(), false)) };
        let no = PlaceNo(record.place);
        let prefix = prefix::waiting(no);
        let from = after.map_or_else(
            || prefix.clone(),
            |(thread, number)| Key::Waiting(no, thread, number.saturating_add(1)).encode(),
        );
        let (mut names, mut waiting, mut bytes) = (Names::default(), Vec::new(), 0);
        for entry in self.tree.range(from..) {
            let (key, _) = entry?;
            if !key.starts_with(&prefix) {
                break;
            }
            if waiting.len() == limit || bytes > BYTES_MAX {
                return Ok((waiting, true));
            }
            let (thread, number) = waiting_tail(&key).ok_or(Error::Damaged("a key of what waits"))?;
            let (comment, comment_bytes) = self.waits((site, no), (thread, number), &mut names)?;
            bytes += comment_bytes;
            waiting.push(comment);
        }
        Ok((waiting, false))
    }

    /// A comment that waits, and about how many bytes it takes on the way.
    pub(crate) fn waits(
        &self,
        (site, no): (&SiteId, PlaceNo),
        (thread, number): (ThreadId, u32),
        names: &mut Names,
    ) -> Result<(WaitingComment, usize), Error> {
        let place = self.thread(site, &thread)?.ok_or(Error::Damaged("a thread is missing"))?.place;
        let record = self.row(PlaceNo(place), number)?;
        let places = (no, PlaceNo(place));
        let (comment, bytes) = self.comment(places, (number, &record), (&MODERATOR, None), names)?;
        let flagged = record.flags.since_millis.map(Timestamp);
        let flags_illegal = record.flags.illegal;
        Ok((WaitingComment { thread, comment, flags_illegal, flagged, since: None }, bytes))
    }

    /// One comment with its history.
    pub fn history(&self, place: &Place, id: CommentId) -> Result<Option<CommentHistory>, Error> {
        let (Some(thread), Some(site)) = (&place.thread, self.site(&place.site)?) else { return Ok(None) };
        let Some(thread) = self.thread(&place.site, thread)? else { return Ok(None) };
        let places = (PlaceNo(site.place), PlaceNo(thread.place));
        let Some(number) = self.number_of(places.1, id)? else { return Ok(None) };
        let record = self.row(places.1, number)?;
        let mut names = Names::default();
        let (comment, _) = self.comment(places, (number, &record), (&MODERATOR, None), &mut names)?;
        let mut revisions = Vec::with_capacity(record.lengths.len());
        for revision in 0..revision_of(&record) {
            let words: Option<Words> = self.get(&Key::Revision(places.1, number, revision))?;
            let words = words.ok_or(Error::Damaged("a revision is missing"))?;
            revisions.push((Timestamp(words.time_millis), words.text));
        }
        let words = self.words(places.1, number)?;
        revisions.push((Timestamp(words.time_millis), words.text));
        Ok(Some(CommentHistory { comment, revisions, flags: self.flags(places.1, number, &record.flags)? }))
    }

    fn flags(&self, thread: PlaceNo, number: u32, come_to: &records::Flags) -> Result<Vec<FlagView>, Error> {
        let (mut waiting, mut decided, mut bytes) = (Vec::new(), Vec::new(), 0);
        for entry in self.scan::<Flag>(prefix::flags(thread, number)).take(FLAGS_LOOKED_AT_MAX) {
            let (key, flag) = entry?;
            let waits = flag.waits(come_to);
            // Old decisions leave room for what waits.
            if !waits && decided.len() == FLAGS_MAX / 2 {
                continue;
            }
            let resolution = self.resolution(thread, number, flag.round)?;
            let statement_bytes = resolution.as_ref().map_or(0, |resolution| resolution.statement.len());
            let flag_bytes = flag.words.len() + statement_bytes;
            if !waits && bytes + flag_bytes > FLAGS_BYTES_MAX / 2 {
                continue;
            }
            bytes += flag_bytes;
            let view = FlagView {
                author: flag_tail(&key).ok_or(Error::Damaged("a flag's key"))?,
                category: codes::category(flag.category)?,
                words: flag.words,
                time: Timestamp(flag.time_millis),
                resolution,
            };
            if waits { &mut waiting } else { &mut decided }.push(view);
            if waiting.len() + decided.len() == FLAGS_MAX || bytes > FLAGS_BYTES_MAX {
                break;
            }
        }
        waiting.append(&mut decided);
        Ok(waiting)
    }

    /// The decision on a flag: the first of its round or a later one.
    fn resolution(&self, thread: PlaceNo, number: u32, round: u32) -> Result<Option<FlagResolution>, Error> {
        let prefix = prefix::resolutions(thread, number);
        let Some(entry) = self.tree.range(Key::Resolution(thread, number, round).encode()..).next() else {
            return Ok(None);
        };
        let (key, stored) = entry?;
        if !key.starts_with(&prefix) {
            return Ok(None);
        }
        let Resolution { upheld, statement, by, time_millis, sequence: _ } = Resolution::from_stored(&stored)?;
        Ok(Some(FlagResolution { upheld, statement, by, time: Timestamp(time_millis) }))
    }

    /// An author as the site knows them, with so many former names at most; nobody yet if they did nothing.
    pub fn author_history(&self, site: &SiteId, id: &AuthorId, names_max: usize) -> Result<AuthorHistory, Error> {
        let Some(record) = self.site(site)? else { return Ok(AuthorHistory::default()) };
        let no = PlaceNo(record.place);
        let Some(author) = self.get::<records::Author>(&Key::Author(no, id))? else {
            return Ok(AuthorHistory::default());
        };
        let former = self.scan::<FormerName>(prefix::former_names(no, id)).rev().take(names_max);
        let names = former.map(|entry| entry.map(|(_, former)| (former.name, Timestamp(former.until_millis))));
        let ban = author_facts(Some(&author), None).ban;
        Ok(AuthorHistory {
            names: names.collect::<Result<_, Error>>()?,
            name: author.name,
            ban,
            shown: author.shown,
            erased: author.erased,
        })
    }

    /// Decisions, the latest first, and the place in the log before which the next page looks on.
    pub fn audit(&self, query: &AuditQuery) -> Result<(Vec<AuditEntry>, Option<u64>), Error> {
        let Some(site) = self.site(&query.place.site)? else { return Ok((Vec::new(), None)) };
        let site_no = PlaceNo(site.place);
        let thread = match &query.place.thread {
            Some(thread) => match self.thread(&query.place.site, thread)? {
                Some(thread) => Some(PlaceNo(thread.place)),
                None => return Ok((Vec::new(), None)),
            },
            None => None,
        };
        let way = match (query.comment, &query.author, &query.by, thread) {
            (Some(comment), ..) => Some(AuditOf::Comment(comment)),
            (None, Some(author), ..) => Some(AuditOf::Author(author.clone())),
            (None, None, Some(by), _) => Some(AuditOf::By(by.clone())),
            (None, None, None, None) => Some(AuditOf::Site),
            (None, None, None, Some(_)) => None,
        };
        let prefix = match (&way, thread) {
            (None, Some(thread)) => prefix::audits(thread),
            (way, _) => prefix::audits_of(site_no, way.as_ref().unwrap_or(&AuditOf::Site)),
        };
        let mut end = prefix.clone();
        end.extend(query.before.unwrap_or(u64::MAX).to_be_bytes());
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (looked_at, entry) in self.tree.range(prefix..end).rev().enumerate() {
            let (key, stored) = entry?;
            let sequence = sequence_tail(&key).ok_or(Error::Damaged("a key of the audit"))?;
            if looked_at == LOOKED_AT_MAX || entries.len() == query.limit || bytes > BYTES_MAX {
                return Ok((entries, Some(sequence + 1)));
            }
            let no = match (&way, thread) {
                (None, Some(thread)) => thread,
                _ => PlaceNo(u32::from_stored(&stored)?),
            };
            if thread.is_some_and(|thread| thread != no) {
                continue;
            }
            let audit: Audit =
                self.get(&Key::Audit(no, sequence))?.ok_or(Error::Damaged("a record of the audit is missing"))?;
            if fits(query, &audit) {
                bytes += audit.reason.len() + audit.before.len() + audit.after.len();
                entries.push(entry_of(sequence, audit));
            }
        }
        Ok((entries, None))
    }
}

fn fits(query: &AuditQuery, audit: &Audit) -> bool {
    let is = |asked: &Option<AuthorId>, found: &str| asked.as_ref().is_none_or(|asked| asked.as_str() == found);
    query.comment.is_none_or(|comment| comment.0.as_u128() == audit.comment)
        && is(&query.author, &audit.author)
        && is(&query.by, &audit.by)
        && query.since.is_none_or(|since| since.0 <= audit.time_millis)
        && query.until.is_none_or(|until| audit.time_millis < until.0)
}

fn entry_of(sequence: u64, audit: Audit) -> AuditEntry {
    AuditEntry {
        sequence,
        time: Timestamp(audit.time_millis),
        by: audit.by,
        kind: audit.kind,
        thread: audit.thread,
        comment: (audit.comment != 0).then(|| CommentId(CommandId::from_u128(audit.comment))),
        author: audit.author,
        reason: audit.reason,
        before: audit.before,
        after: audit.after,
    }
}
