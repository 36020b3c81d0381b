//! Every limit of the domain, each with its reason. Nothing in Koe is unbounded.

/// A token is part of a NATS subject and of many keys; 64 characters hold a UUID, a slug or a database id.
pub const TOKEN_CHARS_MAX: usize = 64;
/// Longer than almost every reader's comment, short enough that several fit into one message of the broker.
pub const TEXT_CHARS_MAX: usize = 10_000;
/// A comment that quotes more than this is a digest of the thread; each quote costs a look-up for every page.
pub const QUOTES_MAX: usize = 20;
/// What still fits on one line beside the time on a phone, twice over.
pub const NAME_CHARS_MAX: usize = 50;
/// The longest headlines in use are below 200 characters.
pub const HEADLINE_CHARS_MAX: usize = 300;
/// The name of a publication.
pub const SITE_NAME_CHARS_MAX: usize = 200;
/// The name of a section.
pub const CATEGORY_CHARS_MAX: usize = 100;
/// What browsers and caches handle everywhere.
pub const ADDRESS_CHARS_MAX: usize = 2_000;
/// A moderator's reason is a sentence or two.
pub const REASON_CHARS_MAX: usize = 500;
/// Bytes of a text that stands in the log. The fold judges no words, but what it stores has an end: a message beyond it
/// cannot be read. Above what any release lets in, for ever.
pub const RECORDED_TEXT_BYTES_MAX: usize = 48 * 1024;
/// Bytes of any other field that stands in the log, for the same reason.
pub const RECORDED_LINE_BYTES_MAX: usize = 8 * 1024;
/// Quotes of a comment that stands in the log, for the same reason.
pub const RECORDED_QUOTES_MAX: usize = 64;
/// Bytes of a message's id that are kept: a UUID has 36, and anybody may publish with another.
pub const MESSAGE_ID_BYTES_MAX: usize = 128;
/// The longest IANA zone name has 32 characters.
pub const ZONE_CHARS_MAX: usize = 64;
/// BCP 47 recommends room for 35 characters (RFC 5646, 4.4.1).
pub const LOCALE_CHARS_MAX: usize = 35;
/// The rule of the house that a comment broke: one line beside the placeholder.
pub const RULE_CHARS_MAX: usize = 100;
/// What a reader says to a flag: a paragraph.
pub const FLAG_WORDS_CHARS_MAX: usize = 1_000;
/// A statement of reasons names facts, grounds and remedies: a page.
pub const STATEMENT_CHARS_MAX: usize = 4_000;
/// Long enough for the mistake seen on sending, short enough that replies stay true to what they reply to.
pub const EDIT_WINDOW_SECS_DEFAULT: u32 = 300;
/// A year: beyond it "may always edit" is meant.
pub const EDIT_WINDOW_SECS_MAX: u32 = 31_536_000;
/// Fewer are a quarrel between two readers.
pub const REPORT_THRESHOLD_DEFAULT: u32 = 5;
/// More readers than ever flagged one comment.
pub const REPORT_THRESHOLD_MAX: u32 = 10_000;
/// Beyond it an author is not new on any site.
pub const PREMODERATE_FIRST_MAX: u32 = 1_000;
/// A hundred a second: what no person does.
pub const PER_MINUTE_MAX: u32 = 6_000;
/// The longest lists of words in use have some thousands.
pub const WORDS_MAX: usize = 10_000;
/// A word, or a phrase of several.
pub const WORD_CHARS_MAX: usize = 64;
/// Bytes of a list of words: 10,000 of usual length, and small enough for one message.
pub const WORDS_BYTES_MAX: usize = 128 * 1024;
/// Each revision is kept, and all of them fit into one message of the broker.
pub const EDITS_MAX: u32 = 10;
/// Each former address is kept; an article moves once or twice.
pub const MOVES_MAX: u32 = 50;
/// Voters that one command names: a brigade that takes more takes several commands, and each is one message of the broker.
pub const VOTERS_MAX: usize = 1_000;
/// Voters of such a command that stands in the log, above what any release lets in.
pub const RECORDED_VOTERS_MAX: usize = 4_000;
/// Erased messages that one event carries, above what any release writes.
pub const RECORDED_ERASED_MAX: usize = 4_000;
/// Bytes of a list of words that stands in the log, above what any release lets in.
pub const RECORDED_WORDS_BYTES_MAX: usize = 256 * 1024;
/// Words of a list that stands in the log, for the same reason.
pub const RECORDED_WORDS_MAX: usize = 20_000;
