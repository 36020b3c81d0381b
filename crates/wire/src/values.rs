//! Values that stand in requests, events and answers alike, to and from the domain.

use crate::time::Timestamp as WireTime;
use domain::moderation::ModeChange;
use domain::settings::{Closing, SettingsPatch};
use domain::text;
use domain::{
    Actor, AuthorId, CommentId, FlagCategory, Hold, Mode, Order, Quote, Rejection, Role, State, ThreadId,
    Timestamp, Vote, limits,
};

use crate::v1;

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

/// Voters out of a request or an event.
pub fn voters_in(voters: &[String]) -> Result<Vec<AuthorId>, Rejection> {
    voters.iter().map(|voter| voter.parse()).collect()
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

/// A pair of functions between an enum of the contract, where 0 is unspecified, and one of the domain.
macro_rules! enums {
    ($into:ident, $out:ident, $contract:ident, $domain:ident: $($variant:ident),* $(,)?) => {
        /// As it stands in the contract.
        pub fn $out(value: $domain) -> i32 {
            match value { $($domain::$variant => v1::$contract::$variant,)* }.into()
        }

        /// Out of the contract; `None` for unspecified or unknown.
        pub fn $into(value: i32) -> Option<$domain> {
            match v1::$contract::try_from(value).ok()? {
                v1::$contract::Unspecified => None,
                $(v1::$contract::$variant => Some($domain::$variant),)*
            }
        }
    };
}

enums!(mode_in, mode_out, Mode, Mode: Open, Premoderated, ReadOnly, Hidden);
enums!(state_in, state_out, CommentState, State: Visible, Removed, Deleted, Held, Erased);
enums!(hold_in, hold_out, HoldReason, Hold: Mode, NewAuthor, Link, Word, Flags, Decision);
enums!(category_in, category_out, FlagCategory, FlagCategory: Spam, Abuse, OffTopic, Misinformation, Illegal, Other);

enums!(named_order_in, order_out, Order, Order: Oldest, Newest, Top, Best, Controversial, Hot);

/// An order that a request asks for, or the oldest first; `None` for one that is unknown.
pub fn order_in(order: i32) -> Option<Order> {
    if order == 0 { Some(Order::default()) } else { named_order_in(order) }
}

/// Why a comment is held, where it may not be. No rule asks for the reason, so that one of a newer release is somebody's
/// decision.
pub fn optional_hold_in(value: i32) -> Option<Hold> {
    hold_in(value).or((value != 0).then_some(Hold::Decision))
}

/// Why a comment is held, where it may not be.
pub fn optional_hold_out(hold: Option<Hold>) -> i32 {
    hold.map_or(0, hold_out)
}

/// A thread that may be left out.
pub fn optional_thread(id: &str) -> Result<Option<ThreadId>, Rejection> {
    if id.is_empty() { Ok(None) } else { id.parse().map(Some) }
}

const MILLIS_PER_SECOND: i64 = 1_000;
const NANOS_PER_MILLI: i32 = 1_000_000;

/// A time as it stands in messages.
pub fn time_out(time: Timestamp) -> WireTime {
    let nanos = i32::try_from(time.0.rem_euclid(MILLIS_PER_SECOND)).expect("below 1,000") * NANOS_PER_MILLI;
    WireTime { seconds: time.0.div_euclid(MILLIS_PER_SECOND), nanos }
}

/// A time out of a message, cut to milliseconds; `None` outside the years 0 to 9999, which every calendar writes.
pub fn time_in(time: &WireTime) -> Option<Timestamp> {
    // 0000-01-01T00:00:00Z, and the last second that is in the year 9999 in every zone.
    const SECONDS: std::ops::RangeInclusive<i64> = -62_167_219_200..=253_402_207_199;
    let sound = SECONDS.contains(&time.seconds) && (0..1_000_000_000).contains(&time.nanos);
    sound.then(|| Timestamp(time.seconds * MILLIS_PER_SECOND + i64::from(time.nanos / NANOS_PER_MILLI)))
}

/// A time that may be left out.
pub fn optional_time_in(time: Option<&WireTime>) -> Result<Option<Timestamp>, Rejection> {
    time.map(|time| time_in(time).ok_or(Rejection::TimeInvalid)).transpose()
}

/// From when on a thread is closed, where a patch says so.
pub fn closes_at_out(closing: Option<Closing>) -> Option<WireTime> {
    match closing {
        Some(Closing::At(time)) => Some(time_out(time)),
        Some(Closing::Never) | None => None,
    }
}

/// A mode as a command asks for it.
pub fn mode_change(mode: i32, reason: &str, successor: &str) -> Result<ModeChange, Rejection> {
    let mode = mode_in(mode).ok_or(Rejection::ModeInvalid)?;
    let successor = optional_thread(successor)?;
    if successor.is_some() && mode != Mode::ReadOnly {
        return Err(Rejection::SuccessorInvalid);
    }
    Ok(ModeChange { mode, reason: text::mode_reason(reason)?, successor })
}

/// Settings as they stand in requests and events.
pub fn settings_out(patch: &SettingsPatch) -> v1::SiteSettings {
    let text = |field: &Option<Box<str>>| field.as_ref().map(ToString::to_string);
    let list = |words: &Option<Vec<Box<str>>>| {
        words.as_ref().map(|words| v1::WordList { words: words.iter().map(ToString::to_string).collect() })
    };
    v1::SiteSettings {
        name: text(&patch.name),
        zone: text(&patch.zone),
        locale: text(&patch.locale),
        edit_window_secs: patch.edit_window_secs,
        text_chars_max: patch.text_chars_max,
        report_threshold: patch.report_threshold,
        premoderate_first: patch.premoderate_first,
        premoderate_links: patch.premoderate_links,
        premoderate_words: list(&patch.premoderate_words),
        reserved_names: list(&patch.reserved_names),
        comments_per_minute: patch.comments_per_minute,
        votes_per_minute: patch.votes_per_minute,
    }
}

/// Settings that stand in the log, unjudged.
pub fn settings_recorded(settings: v1::SiteSettings) -> SettingsPatch {
    let list = |list: v1::WordList| list.words.into_iter().map(Into::into).collect();
    SettingsPatch {
        name: settings.name.map(Into::into),
        zone: settings.zone.map(Into::into),
        locale: settings.locale.map(Into::into),
        edit_window_secs: settings.edit_window_secs,
        text_chars_max: settings.text_chars_max,
        report_threshold: settings.report_threshold,
        premoderate_first: settings.premoderate_first,
        premoderate_links: settings.premoderate_links,
        premoderate_words: settings.premoderate_words.map(list),
        reserved_names: settings.reserved_names.map(list),
        comments_per_minute: settings.comments_per_minute,
        votes_per_minute: settings.votes_per_minute,
    }
}

/// Settings as a command asks for them.
pub fn settings_in(settings: &v1::SiteSettings) -> Result<SettingsPatch, Rejection> {
    let number = |number: Option<u32>, least: u32, most: u32| match number {
        Some(number) if !(least..=most).contains(&number) => Err(Rejection::SettingInvalid),
        number => Ok(number),
    };
    let list = |list: &Option<v1::WordList>| list.as_ref().map(|list| text::words(&list.words)).transpose();
    let longest = u32::try_from(limits::TEXT_CHARS_MAX).expect("10,000");
    SettingsPatch {
        name: settings.name.as_deref().map(text::site_name).transpose()?,
        zone: settings.zone.as_deref().map(text::zone).transpose()?,
        locale: settings.locale.as_deref().map(text::locale).transpose()?,
        edit_window_secs: number(settings.edit_window_secs, 0, limits::EDIT_WINDOW_SECS_MAX)?,
        text_chars_max: number(settings.text_chars_max, 1, longest)?,
        report_threshold: number(settings.report_threshold, 0, limits::REPORT_THRESHOLD_MAX)?,
        premoderate_first: number(settings.premoderate_first, 0, limits::PREMODERATE_FIRST_MAX)?,
        premoderate_links: settings.premoderate_links,
        premoderate_words: list(&settings.premoderate_words)?,
        reserved_names: list(&settings.reserved_names)?,
        comments_per_minute: number(settings.comments_per_minute, 0, limits::PER_MINUTE_MAX)?,
        votes_per_minute: number(settings.votes_per_minute, 0, limits::PER_MINUTE_MAX)?,
    }
    .with_something()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_that_is_let_in_can_be_written_as_json() {
        for (seconds, nanos) in [(-62_167_219_200, 0), (-1, 999_999_999), (253_402_207_199, 999_999_999)] {
            let time = time_in(&WireTime { seconds, nanos }).unwrap();
            serde_json::to_string(&time_out(time)).unwrap();
        }
        for seconds in [-62_167_219_201, 253_402_207_200, i64::MIN, i64::MAX] {
            assert_eq!(time_in(&WireTime { seconds, nanos: 0 }), None, "{seconds}");
        }
        assert_eq!(time_in(&WireTime { seconds: 0, nanos: -1 }), None);
    }

    #[test]
    fn an_order_that_is_not_named_is_the_oldest_first_and_an_unknown_one_is_none() {
        for order in Order::EVERY {
            assert_eq!(order_in(order_out(order)), Some(order));
        }
        assert_eq!(order_in(0), Some(Order::Oldest));
        assert_eq!(order_in(99), None);
    }

    #[test]
    fn a_hold_of_a_newer_release_is_somebodys_decision() {
        assert_eq!(optional_hold_in(0), None);
        assert_eq!(optional_hold_in(1), Some(Hold::Mode));
        assert_eq!(optional_hold_in(99), Some(Hold::Decision));
    }
}
