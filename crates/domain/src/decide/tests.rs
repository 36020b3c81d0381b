//! The rules, given facts, when a command comes, then its event or the rule it breaks.

mod comments;
mod flags;
mod places;
mod undoing;

use crate::command::{Command, CommandBody, Quotes};
use crate::event::{Event, Quote, Timestamp};
use crate::ids::{CommandId, CommentId};
use crate::moderation::{Ban, Mode, State};
use crate::record::Place;
use crate::rejection::Rejection;
use crate::tally::Vote;
use crate::text::Text;
use crate::thread::{CommentFacts, Facts, Standing};
use crate::{Actor, Role, Roles, decide};

const NOW: Timestamp = Timestamp(1_000_000);
const STAFF: [Role; 2] = [Role::Moderator, Role::Administrator];

fn comment(bits: u128) -> CommentId {
    CommentId(CommandId::from_u128(bits))
}

fn by(author: &str, state: State) -> CommentFacts {
    let author = author.parse().unwrap();
    CommentFacts {
        author,
        state,
        posted: Timestamp(NOW.0 - 60_000),
        lengths: vec![10],
        unseen: vec![],
        flags: 0,
        flags_illegal: 0,
    }
}

/// Given an open site and thread with comments: 1 by ann, 2 by ben that was removed, 3 by ben that is held, 4 by ben that
/// he deleted, 5 by ben that was erased.
fn given() -> Facts {
    let ben = [State::Removed, State::Held, State::Deleted, State::Erased].map(|state| ("ben", state));
    let comments = (1..).zip([("ann", State::Visible)].into_iter().chain(ben));
    let comments = comments.map(|(id, (author, state))| (comment(id), by(author, state)));
    Facts {
        time: NOW,
        site: Some(Standing::Open),
        thread: Some(Standing::Open),
        comments: comments.collect(),
        ..Facts::default()
    }
}

fn given_mode(mode: Mode) -> Facts {
    Facts { thread_mode: mode, ..given() }
}

fn given_closed() -> Facts {
    Facts { closes_at: Some(NOW), ..given() }
}

fn given_banned(until: Option<i64>) -> Facts {
    let mut facts = given();
    facts.author.ban = Some(Ban { until: until.map(Timestamp), reason: "r".into() });
    facts
}

/// Given comment 1 otherwise.
fn given_comment(how: impl FnOnce(&mut CommentFacts)) -> Facts {
    let mut facts = given();
    how(&mut facts.comments[0].1);
    facts
}

fn when(actor: &str, roles: &[Role], body: CommandBody, facts: &Facts) -> Result<Event, Rejection> {
    let roles: Roles = roles.iter().copied().collect();
    let actor = Actor { id: actor.parse().unwrap(), roles };
    let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    decide(&Command { id: CommandId::from_u128(9), actor, place, body }, facts)
}

/// A refusal, without the event that there would be.
fn refused(actor: &str, roles: &[Role], body: CommandBody, facts: &Facts) -> Option<Rejection> {
    when(actor, roles, body, facts).err()
}

fn said(quotes: Vec<Quote>) -> (Text, Quotes) {
    let text = Text::parse("words").unwrap();
    let quotes = Quotes::parse(quotes, text.length()).unwrap();
    (text, quotes)
}

fn post(parent: Option<CommentId>, quotes: Vec<Quote>) -> CommandBody {
    let (text, quotes) = said(quotes);
    CommandBody::PostComment { parent, text, quotes }
}

fn edit(id: u128, revision: u32) -> CommandBody {
    let (text, quotes) = said(vec![]);
    CommandBody::EditComment { comment: comment(id), revision, text, quotes }
}

fn vote(id: u128) -> CommandBody {
    CommandBody::CastVote { comment: comment(id), vote: Vote::Down }
}

fn quote(comment: CommentId, start: u32, end: u32) -> Quote {
    Quote { comment, revision: 0, start, end, at: 0 }
}
