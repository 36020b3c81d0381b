//! The way from a command to one acknowledged event: facts, decision, append, and what came of it.
//!
//! `comments` and `votes` are this with their own verbs. Any number of writers run without locks between them: they
//! decide on facts that may be a moment old, and the fold is the arbiter. Deliberately not here: state that is not a
//! bounded cache, and rules, which are `domain`'s.

mod facts;
mod limits;
mod looks;
mod metrics;
mod rate;
mod role;
mod settings;
mod writer;

pub use rate::RateOptions;
pub use role::{About, Options, serve, start};
pub use settings::SiteSettings;
pub use writer::{Judge, Repeats, Writer};
