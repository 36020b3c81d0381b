//! Every limit of the domain, each with its reason. Nothing in Koe is unbounded.

/// A token is part of a NATS subject and of many keys; 64 characters hold a UUID, a slug or a database id.
pub const TOKEN_CHARS_MAX: usize = 64;
/// Longer than almost every reader's comment, short enough that a page of 200 stays below 10 MB.
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
/// The longest IANA zone name has 32 characters.
pub const ZONE_CHARS_MAX: usize = 64;
