//! Commands: requests of the contract to and from the domain.

use domain::command::Quotes;
use domain::ids::ALL;
use domain::text::{self, Text};
use domain::{Actor, Command, CommandBody, CommentId, Place, Quote, Rejection, Role, SiteId, ThreadId, Vote};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::v1;

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

/// An actor out of a request or an event.
pub fn actor_in(actor: Option<v1::Actor>) -> Result<Actor, Rejection> {
    let actor = actor.ok_or(Rejection::ActorInvalid)?;
    let roles = actor.roles.iter().map(|role| role_in(*role)).collect::<Option<_>>();
    Ok(Actor { id: actor.id.parse()?, roles: roles.ok_or(Rejection::RoleInvalid)? })
}

fn role_in(role: i32) -> Option<Role> {
    match v1::Role::try_from(role).ok()? {
        v1::Role::Unspecified => None,
        v1::Role::Moderator => Some(Role::Moderator),
        v1::Role::Administrator => Some(Role::Administrator),
        v1::Role::Service => Some(Role::Service),
    }
}

fn role_out(role: Role) -> i32 {
    match role {
        Role::Moderator => v1::Role::Moderator,
        Role::Administrator => v1::Role::Administrator,
        Role::Service => v1::Role::Service,
    }
    .into()
}

/// An actor as it stands in requests and events.
pub fn actor_out(actor: &Actor) -> v1::Actor {
    v1::Actor { id: actor.id.to_string(), roles: actor.roles.iter().map(role_out).collect() }
}

/// A vote as it stands in requests and events.
pub fn vote_out(vote: Vote) -> i32 {
    match vote {
        Vote::Up => v1::Vote::Up,
        Vote::Down => v1::Vote::Down,
        Vote::None => v1::Vote::None,
    }
    .into()
}

/// A vote out of a request or an event.
pub fn vote_in(vote: i32) -> Result<Vote, Rejection> {
    match v1::Vote::try_from(vote) {
        Ok(v1::Vote::Up) => Ok(Vote::Up),
        Ok(v1::Vote::Down) => Ok(Vote::Down),
        Ok(v1::Vote::None) => Ok(Vote::None),
        Ok(v1::Vote::Unspecified) | Err(_) => Err(Rejection::VoteInvalid),
    }
}

/// A quote as it stands in requests and events.
pub fn quote_out(quote: &Quote) -> v1::Quote {
    let Quote { comment, revision, start, end, at } = *quote;
    v1::Quote { comment: comment.to_string(), revision, start, end, at }
}

/// A quote out of a request or an event.
pub fn quote_in(quote: &v1::Quote) -> Result<Quote, Rejection> {
    let v1::Quote { revision, start, end, at, .. } = *quote;
    Ok(Quote { comment: quote.comment.parse()?, revision, start, end, at })
}

/// A comment that may be left out.
pub fn optional_comment(id: &str) -> Result<Option<CommentId>, Rejection> {
    if id.is_empty() { Ok(None) } else { id.parse().map(Some) }
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

impl Request for v1::OpenSiteRequest {
    const VERB: &'static str = "open-site";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::OpenSite { name: text::site_name(&self.name)?, zone: text::zone(&self.zone)? };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::OpenThreadRequest {
    const VERB: &'static str = "open-thread";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::OpenThread {
            headline: text::headline(&self.headline)?,
            address: text::address(&self.address)?,
            category: text::category(&self.category)?,
        };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::NameAuthorRequest {
    const VERB: &'static str = "name-author";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::NameAuthor { author: self.author.parse()?, name: text::author_name(&self.name)? };
        asked(&self.id, self.actor, self.wait, of_site(site), body)
    }
}

impl Request for v1::PostCommentRequest {
    const VERB: &'static str = "post-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let text = Text::parse(&self.text)?;
        let quotes = self.quotes.iter().map(quote_in).collect::<Result<_, _>>()?;
        let quotes = Quotes::parse(quotes, text.length())?;
        let body = CommandBody::PostComment { parent: optional_comment(&self.parent)?, text, quotes };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::RemoveCommentRequest {
    const VERB: &'static str = "remove-comment";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body =
            CommandBody::RemoveComment { comment: self.comment.parse()?, reason: text::reason(&self.reason)? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

impl Request for v1::CastVoteRequest {
    const VERB: &'static str = "cast-vote";

    fn parse(self, site: SiteId) -> Result<Asked, Rejection> {
        let body = CommandBody::CastVote { comment: self.comment.parse()?, vote: vote_in(self.vote)? };
        asked(&self.id, self.actor, self.wait, of_thread(site, &self.thread)?, body)
    }
}

/// The verb and the bytes that ask for a command.
pub fn encode(command: &Command, wait: bool) -> (&'static str, Vec<u8>) {
    let id = command.id.to_string();
    let actor = Some(actor_out(&command.actor));
    let thread = command.place.thread.as_ref().map_or_else(String::new, ToString::to_string);
    match &command.body {
        CommandBody::OpenSite { name, zone } => {
            let (name, zone) = (name.to_string(), zone.to_string());
            written(&v1::OpenSiteRequest { id, actor, wait, name, zone })
        }
        CommandBody::OpenThread { headline, address, category } => written(&v1::OpenThreadRequest {
            id,
            actor,
            wait,
            thread,
            headline: headline.to_string(),
            address: address.to_string(),
            category: category.to_string(),
        }),
        CommandBody::NameAuthor { author, name } => {
            let (author, name) = (author.to_string(), name.to_string());
            written(&v1::NameAuthorRequest { id, actor, wait, author, name })
        }
        CommandBody::PostComment { parent, text, quotes } => written(&v1::PostCommentRequest {
            id,
            actor,
            wait,
            thread,
            parent: parent.map_or_else(String::new, |parent| parent.to_string()),
            text: text.as_str().to_owned(),
            quotes: quotes.as_slice().iter().map(quote_out).collect(),
        }),
        CommandBody::RemoveComment { comment, reason } => {
            let (comment, reason) = (comment.to_string(), reason.to_string());
            written(&v1::RemoveCommentRequest { id, actor, wait, thread, comment, reason })
        }
        CommandBody::CastVote { comment, vote } => {
            let (comment, vote) = (comment.to_string(), vote_out(*vote));
            written(&v1::CastVoteRequest { id, actor, wait, thread, comment, vote })
        }
    }
}

fn written<R: Request>(request: &R) -> (&'static str, Vec<u8>) {
    (R::VERB, request.encode_to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_the_way_there() {
        let request = v1::PostCommentRequest {
            id: "019a3c5e-7d00-7000-8000-000000000001".into(),
            actor: Some(v1::Actor { id: "ann".into(), roles: vec![v1::Role::Moderator.into()] }),
            wait: true,
            thread: "t".into(),
            parent: String::new(),
            text: " hello\r\nworld ".into(),
            quotes: vec![],
        };
        let asked = request.parse("demo".parse().unwrap()).unwrap();
        let (verb, bytes) = encode(&asked.command, asked.wait);
        assert_eq!(verb, "post-comment");
        let again = v1::PostCommentRequest::decode(bytes.as_slice()).unwrap();
        assert_eq!(again.text, "hello\nworld");
        assert_eq!(again.parse("demo".parse().unwrap()), Ok(asked));
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let parse = |request: v1::CastVoteRequest| request.parse("demo".parse().unwrap()).map(|_| ());
        let whole = v1::CastVoteRequest {
            id: "019a3c5e-7d00-7000-8000-000000000001".into(),
            actor: Some(v1::Actor { id: "ann".into(), roles: vec![] }),
            wait: false,
            thread: "t".into(),
            comment: "019a3c5e-7d00-7000-8000-000000000002".into(),
            vote: v1::Vote::Up.into(),
        };
        assert_eq!(parse(whole.clone()), Ok(()));
        assert_eq!(parse(v1::CastVoteRequest { actor: None, ..whole.clone() }), Err(Rejection::ActorInvalid));
        assert_eq!(parse(v1::CastVoteRequest { vote: 9, ..whole.clone() }), Err(Rejection::VoteInvalid));
        assert_eq!(
            parse(v1::CastVoteRequest { thread: "all".into(), ..whole.clone() }),
            Err(Rejection::ThreadInvalid)
        );
        let stranger = Some(v1::Actor { id: "ann".into(), roles: vec![7] });
        assert_eq!(parse(v1::CastVoteRequest { actor: stranger, ..whole }), Err(Rejection::RoleInvalid));
    }
}
