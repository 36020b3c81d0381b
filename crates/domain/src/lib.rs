//! What a thread is and what may happen to it.
//!
//! Ids, limits and text; commands ask, events say what happened, rejections say why not; `decide` turns a command
//! into its event. Deliberately not here: IO, async, clocks, randomness and serialisation. Time is an argument and
//! formats are `wire`'s, so that the fold that runs these rules gives the same answer for ever.

pub mod command;
pub mod decide;
pub mod event;
pub mod ids;
pub mod limits;
pub mod rejection;
pub mod tally;
pub mod text;
pub mod thread;

pub use command::{Command, CommandBody};
pub use decide::decide;
pub use event::{Actor, Content, Envelope, Event, Place, Quote, Recorded, Role, Roles, Timestamp, Unreadable};
pub use ids::{AuthorId, CommandId, CommentId, SiteId, ThreadId};
pub use rejection::Rejection;
pub use tally::{Tally, Vote};
