//! Read models in sled: keys, fold, store, pages and digest.
//!
//! Everything in here can be deleted and folded again from the log to the same digest. One step of the fold is one sled
//! batch that includes the checkpoint. Deliberately not here: NATS, HTTP, tokio; sled's types do not leave this crate.

mod codes;
mod digest;
mod draft;
mod error;
mod fold;
mod inventory;
mod keys;
mod known;
mod lists;
mod moderation;
mod own_data;
mod pages;
mod quotes;
mod records;
mod store;
mod value;

pub use digest::{Digest, Voters};
pub use error::Error;
pub use fold::{Outcome, Verdict};
pub use known::{CommentStanding, KnownCommand};
pub use lists::{SiteSettings, ThreadEntry};
pub use moderation::{
    AuditEntry, AuditQuery, AuthorHistory, CommentHistory, FlagResolution, FlagView, WaitingComment,
};
pub use own_data::{OwnCursor, OwnItem};
pub use pages::{Article, Author, CommentPage, CommentView, Drawn, Said, View, Viewer};
pub use records::{Checkpoint, Frozen};
pub use store::{CommentChange, Options, SCHEMA, Step, Store, ThreadChange};
