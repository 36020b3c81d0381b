//! Commands: requests of the contract to and from the domain.

mod encode;
mod manage;
mod take_part;
mod undo;

use domain::ids::ALL;
use domain::{Command, CommandBody, Place, Rejection, SiteId, ThreadId};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::v1;
use crate::values::actor_in;

pub use encode::encode;
pub use take_part::{Ballots, CAST_VOTES, ballots};

/// A command as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The command.
    pub command: Command,
    /// Whether the answer waits for the fold.
    pub wait: bool,
}

/// A request that is a command.
pub trait Request: Message + Default + Serialize + DeserializeOwned {
    /// The verb, the last token of the subject. Stored in permissions: never change.
    const VERB: &'static str;

    /// The command that it asks for in a site.
    fn parse(self, site: SiteId) -> Result<Asked, Rejection>;
}

fn asked(
    id: &str,
    by: Option<v1::Actor>,
    wait: bool,
    place: Place,
    body: CommandBody,
) -> Result<Asked, Rejection> {
    Ok(Asked { command: Command { id: id.parse()?, actor: actor_in(by)?, place, body }, wait })
}

fn of_site(site: SiteId) -> Place {
    Place { site, thread: None }
}

fn of_thread(site: SiteId, thread: &str) -> Result<Place, Rejection> {
    let thread: ThreadId = thread.parse()?;
    debug_assert_ne!(thread.as_str(), ALL, "a thread's id excludes the token of all threads");
    Ok(Place { site, thread: Some(thread) })
}

#[cfg(test)]
mod tests;
