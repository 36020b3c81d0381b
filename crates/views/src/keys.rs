//! The layout of the store: one tree, every kind of key in one enum.
//!
//! Stored: a change is a new schema. A key is a tag byte and then its parts, numbers big-endian, so that byte order is
//! the order one reads in. Places (sites and threads) have a number of their own, given out by the fold in log order,
//! which keeps keys short; it stands in no digest.

use crate::queues::QueueKind;
use domain::{AuthorId, CommandId, CommentId, Place, SiteId, ThreadId};
use smallvec::{SmallVec, smallvec};

/// A key as bytes; those of votes need no memory of their own.
pub(crate) type KeyBytes = SmallVec<[u8; 36]>;

/// The number of a site or a thread inside one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceNo(pub(crate) u32);

/// Which of a site's two lists of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordList {
    Premoderate,
    Reserved,
}

/// What somebody did with comments of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Said,
    Flagged,
}

/// What the audit of a site can be asked for, beside time and thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuditOf {
    /// Everything.
    Site,
    /// What is about a comment.
    Comment(CommentId),
    /// What is about an author.
    Author(AuthorId),
    /// What an actor did.
    By(AuthorId),
}

impl AuditOf {
    /// A tag and 16 bytes of BLAKE3, so that every key has one length; whoever reads compares the record.
    fn encode(&self) -> [u8; 17] {
        let (tag, hash) = match self {
            Self::Site => (0, blake3::hash(b"")),
            Self::Comment(comment) => (1, blake3::hash(&comment.0.as_u128().to_be_bytes())),
            Self::Author(author) => (2, blake3::hash(author.as_str().as_bytes())),
            Self::By(actor) => (3, blake3::hash(actor.as_str().as_bytes())),
        };
        let mut bytes = [tag; 17];
        bytes.iter_mut().skip(1).zip(hash.as_bytes()).for_each(|(byte, hashed)| *byte = *hashed);
        bytes
    }
}

/// Voters in one value of ids: some 2 KB.
pub(crate) const VOTERS_IN_CHUNK: u32 = 128;

/// Comments in one value of scores or outlines: 128 scores are up to 1 KB, so that a vote writes little, and a long thread is
/// read in few values when it is ranked.
pub(crate) const SCORES_IN_CHUNK: u32 = 128;

/// Threads in one value of a site's board: some 2 KB, so that an order of 10,000 threads reads 80 values.
pub(crate) const THREADS_IN_CHUNK: u32 = 128;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<'a> {
    /// 0: what is folded, [`crate::Checkpoint`].
    Checkpoint,
    /// 1: how many places have a number, `u32`.
    Places,
    /// 2 site: [`crate::records::Site`].
    Site(&'a SiteId),
    /// 3 site 0 thread: [`crate::records::Thread`].
    Thread(&'a SiteId, &'a ThreadId),
    /// 4 place(site) author: [`crate::records::Author`].
    Author(PlaceNo, &'a AuthorId),
    /// 5 place(site) author 0 number: [`crate::records::FormerName`], by number from 0.
    FormerName(PlaceNo, &'a AuthorId, u32),
    /// 6 place(site) chunk: [`crate::records::VoterIds`] of the voters number `chunk * 128` and on: numbers are given out one
    /// after another, so that a batch of new voters writes a few values.
    VoterIds(PlaceNo, u32),
    /// 7 place(thread) number: [`crate::records::Comment`].
    Comment(PlaceNo, u32),
    /// 8 place(thread) number: [`crate::records::Words`], apart, since votes read the comment and not its words.
    Words(PlaceNo, u32),
    /// 9 place(site) bucket: [`crate::voters::Bucket`] of voters' numbers, by the hash of their ids.
    VoterBucket(PlaceNo, u32),
    /// 10 place(thread) chunk: [`crate::records::Scores`] of the comments number `chunk * 128 + 1` and on.
    Scores(PlaceNo, u32),
    /// 11 place(thread) number container: [`crate::ballots::Ballots`] of the voters whose numbers share these upper 16 bits, so
    /// that a value stays below 25 KB however hot the comment is.
    Ballots(PlaceNo, u32, u16),
    /// 12 place id: [`crate::records::Command`], for all commands but votes. A comment's id is that of its command.
    Command(PlaceNo, CommandId),
    /// 13 site 0 (thread): [`crate::Frozen`].
    Frozen(&'a Place),
    /// 14 code: how many events were void for this reason, `u64`.
    Void(&'a str),
    /// 15 place(site): [`crate::records::Settings`].
    Settings(PlaceNo),
    /// 16 place(site) list chunk: words of a list, one a line, `String` of some 4 KB, which sled handles well.
    WordList(PlaceNo, WordList, u32),
    /// 17 place(thread) number revision: [`crate::records::Words`] that the comment had before.
    Revision(PlaceNo, u32, u32),
    /// 18 place(thread) number author: [`crate::records::Flag`].
    Flag(PlaceNo, u32, &'a AuthorId),
    /// 19 place(thread) number round: [`crate::records::Resolution`].
    Resolution(PlaceNo, u32, u32),
    /// 20 place(site) thread 0 number: a comment that waits for a moderator, `u32` 1.
    Waiting(PlaceNo, &'a ThreadId, u32),
    /// 21 place sequence: [`crate::records::Audit`], by the place that the event is about.
    Audit(PlaceNo, u64),
    /// 22 place(site) of-what sequence: where the audit of that event stands, the number of its place, `u32`.
    AuditOf(PlaceNo, &'a AuditOf, u64),
    /// 23 place(site) hash of an address: [`crate::records::Address`].
    Address(PlaceNo, &'a str),
    /// 24 place(thread) number: an address that the article had before, `String`, by number from 0.
    FormerAddress(PlaceNo, u32),
    /// 25 place(thread) chunk: [`crate::records::Outline`] of the comments number `chunk * 128 + 1` and on. It says again what
    /// the comments say, in few values, and stands in no digest.
    Outline(PlaceNo, u32),
    /// 26: [`crate::inventory::Inventory`] of everything else but the checkpoint.
    Inventory,
    /// 30 place(site) chunk: [`crate::records::Board`] of the threads opened as number `chunk * 128` and on.
    Board(PlaceNo, u32),
    /// 31 place(site) ordinal: the thread that was opened as this number of its site, from 0, `String`.
    Ordinal(PlaceNo, u32),
    /// 32 place(thread): [`crate::records::Activity`].
    Activity(PlaceNo),
    /// 33 place(site): [`crate::records::Totals`].
    Totals(PlaceNo),
    /// 34 place(site) kind since thread 0 number: a comment that waits as this since then, in milliseconds, `u32` 1.
    Queued(PlaceNo, QueueKind, i64, &'a ThreadId, u32),
    /// 35 place(thread) number: [`crate::records::Waits`], of a comment that waits.
    Waits(PlaceNo, u32),
    /// 36 place(site) author 0 sequence: [`crate::records::Posted`], by where the post stands in the log.
    Posted(PlaceNo, &'a AuthorId, u64),
    /// 37 place(thread) chunk: [`crate::records::VotesCast`] number `chunk * 256` and on.
    VotesCast(PlaceNo, u32),
    /// 38 place(thread) author: [`crate::records::TookPart`].
    TookPart(PlaceNo, &'a AuthorId),
    /// 42 place(thread) author 0 how chunk: [`crate::records::Numbers`] of comments, number `chunk * 512` and on of those.
    TookPartIn(PlaceNo, &'a AuthorId, Deed, u32),
    /// 43 place(site) author 0 number: [`crate::records::RemovalOf`], by number from 0.
    RemovalOf(PlaceNo, &'a AuthorId, u32),
    /// 39 place(site) number: [`crate::records::Decision`], by number from 1.
    Decision(PlaceNo, u32),
    /// 40 place id: [`crate::records::Removal`], by the place that it is about.
    Removal(PlaceNo, CommandId),
    /// 41: where the latest `messages-erased` stands in the log, `u64`.
    ErasedUpTo,
}

/// Votes in one value of those that were cast in a thread: some 2 KB, and one of them changes with each vote.
pub(crate) const VOTES_IN_CHUNK: u32 = 256;

/// Comments of one author in one value: some 2 KB at most.
pub(crate) const NUMBERS_IN_CHUNK: u32 = 512;

impl Key<'_> {
    /// The key as bytes.
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of key, and nothing else")]
    pub(crate) fn encode(&self) -> KeyBytes {
        match self {
            Self::Checkpoint => Parts::of(0),
            Self::Places => Parts::of(1),
            Self::Site(site) => Parts::of(2).text(site.as_str()),
            Self::Thread(site, thread) => Parts::of(3).text(site.as_str()).end().text(thread.as_str()),
            Self::Author(site, author) => Parts::of(4).place(*site).text(author.as_str()),
            Self::FormerName(site, author, number) => {
                Parts::of(5).place(*site).text(author.as_str()).end().number(*number)
            }
            Self::VoterIds(site, chunk) => Parts::of(6).place(*site).number(*chunk),
            Self::Comment(thread, number) => Parts::of(7).place(*thread).number(*number),
            Self::Words(thread, number) => Parts::of(8).place(*thread).number(*number),
            Self::VoterBucket(site, bucket) => Parts::of(9).place(*site).number(*bucket),
            Self::Scores(thread, chunk) => Parts::of(10).place(*thread).number(*chunk),
            Self::Ballots(thread, number, container) => {
                Parts::of(11).place(*thread).number(*number).bytes(&container.to_be_bytes())
            }
            Self::Command(place, id) => Parts::of(12).place(*place).bytes(&id.as_u128().to_be_bytes()),
            Self::Frozen(place) => {
                let thread = place.thread.as_ref().map_or("", ThreadId::as_str);
                Parts::of(13).text(place.site.as_str()).end().text(thread)
            }
            Self::Void(code) => Parts::of(14).text(code),
            Self::Settings(site) => Parts::of(15).place(*site),
            Self::WordList(site, list, chunk) => {
                let list = match list {
                    WordList::Premoderate => 0,
                    WordList::Reserved => 1,
                };
                Parts::of(16).place(*site).bytes(&[list]).number(*chunk)
            }
            Self::Revision(thread, number, revision) => {
                Parts::of(17).place(*thread).number(*number).number(*revision)
            }
            Self::Flag(thread, number, author) => {
                Parts::of(18).place(*thread).number(*number).text(author.as_str())
            }
            Self::Resolution(thread, number, round) => Parts::of(19).place(*thread).number(*number).number(*round),
            Self::Waiting(site, thread, number) => {
                Parts::of(20).place(*site).text(thread.as_str()).end().number(*number)
            }
            Self::Audit(place, sequence) => Parts::of(21).place(*place).bytes(&sequence.to_be_bytes()),
            Self::AuditOf(site, what, sequence) => {
                Parts::of(22).place(*site).bytes(&what.encode()).bytes(&sequence.to_be_bytes())
            }
            Self::Address(site, address) => {
                let hash = blake3::hash(address.as_bytes());
                Parts::of(23).place(*site).bytes(hash.as_bytes().split_at(ADDRESS_HASH_BYTES).0)
            }
            Self::FormerAddress(thread, number) => Parts::of(24).place(*thread).number(*number),
            Self::Outline(thread, chunk) => Parts::of(25).place(*thread).number(*chunk),
            Self::Inventory => Parts::of(26),
            Self::Board(site, chunk) => Parts::of(30).place(*site).number(*chunk),
            Self::Ordinal(site, ordinal) => Parts::of(31).place(*site).number(*ordinal),
            Self::Activity(thread) => Parts::of(32).place(*thread),
            Self::Totals(site) => Parts::of(33).place(*site),
            Self::Queued(site, kind, since_millis, thread, number) => {
                // Times before 1970 come first too.
                let since = (since_millis ^ i64::MIN).to_be_bytes();
                let parts = Parts::of(34).place(*site).bytes(&[kind.code()]).bytes(&since);
                parts.text(thread.as_str()).end().number(*number)
            }
            Self::Waits(thread, number) => Parts::of(35).place(*thread).number(*number),
            Self::Posted(site, author, sequence) => {
                Parts::of(36).place(*site).text(author.as_str()).end().bytes(&sequence.to_be_bytes())
            }
            Self::VotesCast(thread, chunk) => Parts::of(37).place(*thread).number(*chunk),
            Self::TookPart(thread, author) => Parts::of(38).place(*thread).text(author.as_str()),
            Self::TookPartIn(thread, author, deed, chunk) => {
                let deed = match deed {
                    Deed::Said => 0,
                    Deed::Flagged => 1,
                };
                Parts::of(42).place(*thread).text(author.as_str()).end().bytes(&[deed]).number(*chunk)
            }
            Self::RemovalOf(site, author, number) => {
                Parts::of(43).place(*site).text(author.as_str()).end().number(*number)
            }
            Self::Decision(site, number) => Parts::of(39).place(*site).number(*number),
            Self::Removal(place, id) => Parts::of(40).place(*place).bytes(&id.as_u128().to_be_bytes()),
            Self::ErasedUpTo => Parts::of(41),
        }
        .0
    }
}

/// Bytes of a hash that stand in a key: who reads compares the record, so that a collision would only be forgetful.
const ADDRESS_HASH_BYTES: usize = 16;

/// A key on the way.
struct Parts(KeyBytes);

impl Parts {
    fn of(tag: u8) -> Self {
        Self(smallvec![tag])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn place(self, place: PlaceNo) -> Self {
        self.number(place.0)
    }

    fn number(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Ids hold no zero byte, so a zero after one of them keeps their order.
    fn end(self) -> Self {
        self.bytes(&[0])
    }
}

/// Prefixes to scan, each all keys of one kind below something.
pub(crate) mod prefix {
    use super::{AuditOf, AuthorId, KeyBytes, Parts, PlaceNo, QueueKind, SiteId};

    pub(crate) fn sites() -> KeyBytes {
        Parts::of(2).0
    }

    pub(crate) fn threads(site: &SiteId) -> KeyBytes {
        Parts::of(3).text(site.as_str()).end().0
    }

    pub(crate) fn authors(site: PlaceNo) -> KeyBytes {
        Parts::of(4).place(site).0
    }

    pub(crate) fn former_names(site: PlaceNo, author: &AuthorId) -> KeyBytes {
        Parts::of(5).place(site).text(author.as_str()).end().0
    }

    pub(crate) fn comments(thread: PlaceNo) -> KeyBytes {
        Parts::of(7).place(thread).0
    }

    pub(crate) fn scores(thread: PlaceNo) -> KeyBytes {
        Parts::of(10).place(thread).0
    }

    pub(crate) fn ballots(thread: PlaceNo, number: u32) -> KeyBytes {
        Parts::of(11).place(thread).number(number).0
    }

    pub(crate) fn commands(place: PlaceNo) -> KeyBytes {
        Parts::of(12).place(place).0
    }

    pub(crate) fn frozen() -> KeyBytes {
        Parts::of(13).0
    }

    pub(crate) fn void() -> KeyBytes {
        Parts::of(14).0
    }

    pub(crate) fn revisions(thread: PlaceNo, number: u32) -> KeyBytes {
        Parts::of(17).place(thread).number(number).0
    }

    pub(crate) fn flags(thread: PlaceNo, number: u32) -> KeyBytes {
        Parts::of(18).place(thread).number(number).0
    }

    pub(crate) fn resolutions(thread: PlaceNo, number: u32) -> KeyBytes {
        Parts::of(19).place(thread).number(number).0
    }

    pub(crate) fn waiting(site: PlaceNo) -> KeyBytes {
        Parts::of(20).place(site).0
    }

    pub(crate) fn audits(place: PlaceNo) -> KeyBytes {
        Parts::of(21).place(place).0
    }

    pub(crate) fn audits_of(site: PlaceNo, what: &AuditOf) -> KeyBytes {
        Parts::of(22).place(site).bytes(&what.encode()).0
    }

    pub(crate) fn board(site: PlaceNo) -> KeyBytes {
        Parts::of(30).place(site).0
    }

    pub(crate) fn queued(site: PlaceNo, kind: QueueKind) -> KeyBytes {
        Parts::of(34).place(site).bytes(&[kind.code()]).0
    }

    pub(crate) fn posted(site: PlaceNo, author: &AuthorId) -> KeyBytes {
        Parts::of(36).place(site).text(author.as_str()).end().0
    }

    pub(crate) fn removals(place: PlaceNo) -> KeyBytes {
        Parts::of(40).place(place).0
    }

    pub(crate) fn former_addresses(thread: PlaceNo) -> KeyBytes {
        Parts::of(24).place(thread).0
    }

    pub(crate) fn outlines(thread: PlaceNo) -> KeyBytes {
        Parts::of(25).place(thread).0
    }
}

/// The container of a key under [`prefix::ballots`].
pub(crate) fn container_tail(key: &[u8]) -> Option<u16> {
    key.last_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// The number or chunk in the tail of a key under [`prefix::comments`], [`prefix::scores`] or [`prefix::outlines`].
pub(crate) fn number_tail(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The sequence in the tail of a key of the audit.
pub(crate) fn sequence_tail(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The thread and number of a key under [`prefix::waiting`].
pub(crate) fn waiting_tail(key: &[u8]) -> Option<(ThreadId, u32)> {
    let (rest, number) = key.get(5..)?.split_last_chunk()?;
    let thread = std::str::from_utf8(rest.strip_suffix(&[0])?).ok()?;
    Some((thread.parse().ok()?, u32::from_be_bytes(*number)))
}

/// Since when, the thread and the number of a key under [`prefix::queued`].
pub(crate) fn queued_tail(key: &[u8]) -> Option<(i64, ThreadId, u32)> {
    let (since, rest) = key.get(6..)?.split_first_chunk()?;
    let (thread, number) = rest.split_last_chunk()?;
    let thread = std::str::from_utf8(thread.strip_suffix(&[0])?).ok()?;
    Some((i64::from_be_bytes(*since) ^ i64::MIN, thread.parse().ok()?, u32::from_be_bytes(*number)))
}

/// The author of a key under [`prefix::flags`].
pub(crate) fn flag_tail(key: &[u8]) -> Option<AuthorId> {
    std::str::from_utf8(key.get(9..)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
