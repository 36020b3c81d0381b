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
