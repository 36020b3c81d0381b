//! What a thread is and what may happen to it.
//!
//! Ids, limits and text; commands ask, events say what happened, rejections say why not; `decide` turns a command
//! into its event. Deliberately not here: IO, async, clocks, randomness and serialisation. Time is an argument and
//! formats are `wire`'s, so that the fold that runs these rules gives the same answer for ever.

pub mod actor;
pub mod command;
pub mod decide;
pub mod erasure;
pub mod event;
pub mod ids;
pub mod limits;
pub mod moderation;
pub mod ranking;
pub mod record;
pub mod rejection;
pub mod settings;
pub mod tally;
pub mod text;
pub mod thread;

pub use actor::{Actor, Role, Roles};
pub use command::{Command, CommandBody};
pub use decide::decide;
pub use erasure::Erasures;
pub use event::{ErasedMessage, Event, Quote, Timestamp};
pub use ids::{AuthorId, CommandId, CommentId, SiteId, ThreadId};
pub use moderation::{Ban, FlagCategory, Hold, Mode, ModeChange, State};
pub use ranking::{Order, Rank};
pub use record::{Content, Envelope, Place, Recorded, Unreadable};
pub use rejection::Rejection;
pub use tally::{Tally, Vote};
