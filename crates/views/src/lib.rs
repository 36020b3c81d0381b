//! Read models in sled: keys, fold, store, pages and digest.
//!
//! Everything in here can be deleted and folded again from the log to the same digest. One step of the fold is one sled
//! batch that includes the checkpoint. Deliberately not here: NATS, HTTP, tokio; sled's types do not leave this crate.

mod activity;
mod authors;
mod ballots;
mod board;
mod boards;
mod codes;
mod comment_view;
mod cursor;
mod digest;
mod draft;
mod error;
mod fold;
mod inventory;
mod key_filter;
mod keys;
mod known;
mod laws;
mod lists;
mod moderation;
mod own_data;
mod pages;
mod queues;
mod quotes;
mod rankings;
mod reading;
mod records;
mod seen;
mod sheet;
mod site_lists;
mod steps;
mod store;
mod table;
mod tree;
mod value;
mod voters;

pub use activity::{ActiveHour, ThreadActivity};
pub use authors::{AuthorComment, AuthorComments, AuthorScore, SCORED_MAX};
pub use comment_view::ReadersComment;
pub use cursor::{CURSOR_BYTES_MAX, Cursor, CursorFailed};
pub use digest::{Digest, Voters};
pub use error::Error;
pub use fold::{Outcome, Verdict};
pub use key_filter::Lookups;
pub use known::{CommentStanding, KnownCommand};
pub use laws::{BrokenLaw, Field};
pub use lists::{SiteSettings, ThreadEntry};
pub use moderation::{
    AuditEntry, AuditQuery, AuthorHistory, CommentHistory, FlagResolution, FlagView, WaitingComment,
};
pub use own_data::{OwnCursor, OwnItem};
pub use pages::{Article, Author, CommentPage, CommentView, Drawn, Said, View, Viewer};
pub use queues::{QueueCounts, QueueCursor, QueueKind};
pub use reading::Reading;
pub use records::{Checkpoint, Frozen};
pub use sheet::Branch;
pub use site_lists::{ThreadOrder, ThreadsPage};
pub use store::{CommentChange, Options, SCHEMA, Step, Store, ThreadChange};
