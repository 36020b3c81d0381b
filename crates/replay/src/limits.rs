//! The tools' limits and waits, each with its reason.

use std::time::Duration;

/// Memory for the temporary store's cache, in bytes: a tool beside the running service takes little.
pub(crate) const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How often the temporary store writes to the disk; nobody needs it after a crash.
pub(crate) const FLUSH_EVERY_MILLIS: u64 = 5_000;
/// Places asked for at once: what the projector reads within the patience of a question.
pub(crate) const PAGE_PLACES: u32 = 100;
/// The same, as a length.
pub(crate) const PAGE_PLACES_LEN: usize = 100;
/// Comments asked for at once where a thread differs: the projector's fold waits while it reads them.
pub(crate) const PAGE_COMMENTS: u32 = 4_096;
/// How often a comparison starts over: an epoch or a generation changes rarely, and three times in one run means that
/// somebody has a greater worry.
pub(crate) const ATTEMPTS_MAX: u32 = 3;
/// A projector that neither answers nor gets on for this long is given up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// The pause before a projector that is not ready is asked again.
pub(crate) const ASK_PAUSE: Duration = Duration::from_millis(300);
/// After the log was quiet for this long, what is missing may be a gap: the broker is asked.
pub(crate) const QUIET: Duration = Duration::from_millis(500);
/// Differences that a report keeps; more are only counted.
pub(crate) const DIFFERENCES_KEPT_MAX: usize = 1_000;
/// Differences that a person is shown.
pub(crate) const DIFFERENCES_SHOWN_MAX: usize = 20;
/// Threads that are searched for the comment that differs: each costs a question, and a few tell enough.
pub(crate) const SEARCHED_MAX: usize = 20;
/// A rebuild that was asked for and neither runs nor serves for this long was given up.
pub(crate) const REBUILD_BEGINS_MAX: Duration = Duration::from_secs(10);
/// The largest `addresses.json` that is read: it has four short fields.
pub(crate) const ADDRESSES_BYTES_MAX: u64 = 64 * 1024;
/// Messages that hold what was erased and are named: the first ones tell what is wrong.
pub(crate) const ERASED_NAMED_MAX: usize = 20;
/// Events of an archive between two checksums: where one is damaged, so many are looked at again.
pub(crate) const CHUNK_EVENTS: u64 = 5_000;
/// A chunk ends once its lines have so many bytes, which bounds what a reader holds.
pub(crate) const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// A frame that unpacks to more is no chunk: the fold's longest message in JSON comes on top of [`CHUNK_BYTES`].
pub(crate) const FRAME_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The largest message: what NATS takes unless it is told otherwise.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// How hard an archive is compressed: more takes longer than the log takes to be read.
pub(crate) const COMPRESSION_LEVEL: i32 = 1;
/// Batches of the log that wait to be written, or of an archive to be published: what keeps both sides busy.
pub(crate) const BATCHES_WAITING_MAX: usize = 4;
/// How often a batch that was not acknowledged is looked for and sent again.
pub(crate) const PUBLISH_ATTEMPTS_MAX: u32 = 20;
/// The pause before that.
pub(crate) const PUBLISH_PAUSE: Duration = Duration::from_millis(500);
/// Rows of a thread that are read at once.
pub(crate) const THREAD_PAGE_ROWS: u32 = 1_000;
/// Bytes of a thread that are read at once.
pub(crate) const THREAD_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Voters of a comment that a person is shown by name; the JSON has all.
pub(crate) const VOTERS_SHOWN_MAX: usize = 10;
/// Characters of a comment in a line about its event: enough to tell which it is.
pub(crate) const WORDS_CHARS_SHOWN: usize = 80;
/// Bytes of items that are sorted in memory; more go to the disk in parts of this size.
pub(crate) const SORT_BYTES: usize = 48 * 1024 * 1024;
/// Parts that are merged at once: each is an open file. Some 19 GB.
pub(crate) const SORT_PARTS_MAX: usize = 400;
/// How deep an export of others is nested at most; theirs go to seven.
pub(crate) const XML_DEPTH_MAX: usize = 32;
/// One record of such an export: a comment has 64 KB, an article's text is in the file too.
pub(crate) const XML_RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The HTML of one comment that is turned into Markdown: eight times what a comment may have.
pub(crate) const HTML_BYTES_MAX: usize = 80 * 1024;
/// Tags in it: whoever nests that many wants to break something.
pub(crate) const HTML_TAGS_MAX: usize = 1_000;
/// How deep they are nested: the converter calls itself for each level.
pub(crate) const HTML_DEPTH_MAX: usize = 64;
/// Comments of one thread that are imported at once, and comments in a file of votes: their keys are held.
pub(crate) const COMMENTS_AT_ONCE_MAX: usize = 1_000_000;
/// Characters of a row that the side file keeps.
pub(crate) const ROW_CHARS_KEPT: usize = 1_000;
/// Events of an import that are given out at once: what makes one batch of the broker's.
pub(crate) const IMPORT_EVENTS_AT_ONCE: usize = 1_000;
