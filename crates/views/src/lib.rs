//! Read models in sled: keys, fold, store, pages and digest.
//!
//! Everything in here can be deleted and folded again from the log to the same digest. One step of the fold is one sled
//! batch that includes the checkpoint. Deliberately not here: NATS, HTTP, tokio; sled's types do not leave this crate.

mod digest;
mod draft;
mod error;
mod fold;
mod keys;
mod pages;
mod quotes;
mod records;
mod store;
mod value;

pub use digest::Digest;
pub use error::Error;
pub use fold::{Outcome, Verdict};
pub use pages::{Author, CommentPage, CommentView, Drawn, KnownCommand, ThreadEntry, View};
pub use records::{Checkpoint, Frozen};
pub use store::{CommentChange, Options, SCHEMA, Step, Store, ThreadChange};
