//! An event in words: one line for people, and an object for programs.

use domain::event::Quote;
use domain::{Content, Envelope, Event, Place, Recorded, ThreadId, Timestamp, Vote};
use wire::codec::Format;

use crate::limits::WORDS_CHARS_SHOWN;
use crate::moment::time_words;

/// What happened, without who and when.
pub(crate) fn words(event: &Event) -> String {
    let until =
        |time: &Option<Timestamp>| time.map_or_else(String::new, |time| format!(" until {}", time_words(time)));
    let since =
        |time: &Option<Timestamp>| time.map_or_else(String::new, |time| format!(" since {}", time_words(time)));
    match event {
        Event::SiteOpened { name, zone } => format!("opened the site “{name}” in {zone}"),
        Event::SiteSet(_) => "changed the site's settings".to_owned(),
        Event::ThreadOpened { headline, .. } => format!("opened the thread “{headline}”"),
        Event::ThreadUpdated(_) => "changed what is said of the article".to_owned(),
        Event::ThreadModeSet(change) => {
            format!("set the mode to {}{}", change.mode.as_str(), reason(&change.reason))
        }
        Event::ThreadMoved { address } => format!("moved the thread to {address}"),
        Event::AuthorNamed { author, name } if name.is_empty() => format!("{author} is called nothing any more"),
        Event::AuthorNamed { author, name } => format!("{author} is called “{name}”"),
        Event::AuthorBanned { author, ban } => {
            format!("banned {author}{}{}", until(&ban.until), reason(&ban.reason))
        }
        Event::AuthorUnbanned { author, reason: why } => format!("lifted the ban of {author}{}", reason(why)),
        Event::CommentPosted { parent, text, quotes, held, .. } => {
            let reply = parent.map_or_else(String::new, |parent| format!(" in reply to {parent}"));
            let held = if held.is_some() { ", held back" } else { "" };
            format!("posted{reply}{}{held}: {}", quoting(quotes), cut(text.as_str()))
        }
        Event::CommentEdited { comment, revision, text, quotes, held, .. } => {
            let held = if held.is_some() { ", held back" } else { "" };
            format!("edited {comment} (revision {revision}){}{held}: {}", quoting(quotes), cut(text.as_str()))
        }
        Event::CommentDeleted { comment } => format!("deleted their comment {comment}"),
        Event::CommentHeld { comment, reason: why } => format!("held {comment}{}", reason(why)),
        Event::CommentApproved { comment, .. } => format!("approved {comment}"),
        Event::CommentRemoved { comment, reason: why, rule } => {
            format!("removed {comment}{}{}", reason(why), rule_of(rule))
        }
        Event::CommentRestored { comment, reason: why } => format!("restored {comment}{}", reason(why)),
        Event::CommentFeatured { comment, featured: true } => format!("featured {comment}"),
        Event::CommentFeatured { comment, featured: false } => format!("no longer features {comment}"),
        Event::CommentFlagged { comment, category, words } => {
            format!("flagged {comment} as {}{}", category.as_str(), reason(words))
        }
        Event::FlagWithdrawn { comment } => format!("took their flag on {comment} back"),
        Event::FlagsResolved { comment, upheld, statement } => {
            format!("{} the flags on {comment}{}", if *upheld { "upheld" } else { "rejected" }, reason(statement))
        }
        Event::VoteCast { comment, vote } => format!("voted {} on {comment}", vote_words(*vote)),
        Event::VotesVoided { voters, since: from, reason: why } => {
            format!("voided the votes of {}{}{}", voters_words(voters), since(from), reason(why))
        }
        Event::VotesUnvoided { voters, reason: why } => {
            format!("put the votes of {} back{}", voters_words(voters), reason(why))
        }
        Event::CommentsRemoved { author, since: from, reason: why, rule } => {
            format!("removed all comments of {author}{}{}{}", since(from), reason(why), rule_of(rule))
        }
        Event::RemovalUndone { removal, reason: why } => format!("undid the removal {removal}{}", reason(why)),
        Event::CommentErased { comment, reason: why } => format!("erased {comment}{}", reason(why)),
        Event::AuthorErased { author, comments_kept, reason: why } => {
            let words = if *comments_kept { ", whose words stay" } else { "" };
            format!("erased the author {author}{words}{}", reason(why))
        }
        Event::MessagesErased { messages } => format!("said what is left of {} erased messages", messages.len()),
    }
}

fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({})", plain(why)) }
}

fn rule_of(rule: &str) -> String {
    if rule.is_empty() { String::new() } else { format!(", rule: {}", plain(rule)) }
}

fn quoting(quotes: &[Quote]) -> String {
    if quotes.is_empty() { String::new() } else { format!(" with {} quotes", quotes.len()) }
}

fn voters_words(voters: &[domain::AuthorId]) -> String {
    match voters {
        [one] => one.to_string(),
        voters => format!("{} voters", voters.len()),
    }
}

fn vote_words(vote: Vote) -> &'static str {
    match vote {
        Vote::Up => "up",
        Vote::Down => "down",
        Vote::None => "none",
    }
}

/// The beginning of somebody's words, on one line.
fn cut(text: &str) -> String {
    let mut words: String = plain(text).chars().take(WORDS_CHARS_SHOWN).collect();
    if text.chars().count() > WORDS_CHARS_SHOWN {
        words.push('…');
    }
    format!("“{words}”")
}

/// Words of others as they may go to a terminal: on one line, and without what a terminal obeys.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A line for people: place, time, where, who, what.
pub(crate) fn line(recorded: &Recorded) -> String {
    let sequence = recorded.sequence;
    let at = recorded.place.as_ref().map_or_else(|| "?".to_owned(), place_words);
    match &recorded.content {
        Content::Event(Envelope { id, time, actor, event }) => {
            let own = if matches!(event, Event::CommentPosted { .. }) { format!(" {id}") } else { String::new() };
            format!("{sequence} {} {at} {}{own} {}", time_words(*time), actor.id, words(event))
        }
        Content::Unreadable(unreadable) => {
            format!("{sequence} - {at} - cannot be read: {}", plain(&unreadable.reason))
        }
        Content::Misplaced { .. } => format!("{sequence} - {at} - stands under a partition that is not its own"),
    }
}

fn place_words(place: &Place) -> String {
    match &place.thread {
        Some(thread) => format!("{}/{thread}", place.site),
        None => place.site.to_string(),
    }
}

/// An object for programs. `event` is the envelope in the proto3 JSON mapping; of a message that is no event it is missing.
pub(crate) fn object(recorded: &Recorded) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    let mut put = |name: &str, value: serde_json::Value| drop(object.insert(name.to_owned(), value));
    put("sequence", recorded.sequence.into());
    if let Some(place) = &recorded.place {
        put("site", place.site.as_str().into());
        put("thread", place.thread.as_ref().map_or("", ThreadId::as_str).into());
    }
    match &recorded.content {
        Content::Event(envelope) => {
            put("type", envelope.event.kind().into());
            let event = Format::Protobuf.decode::<wire::v1::Envelope>(&wire::envelope::encode(envelope));
            put("event", event.ok().and_then(|event| serde_json::to_value(event).ok()).unwrap_or_default());
        }
        Content::Unreadable(unreadable) => {
            put("message_id", unreadable.message_id.as_ref().into());
            put("unreadable", unreadable.reason.as_ref().into());
        }
        Content::Misplaced { message_id } => {
            put("message_id", message_id.as_ref().into());
            put("unreadable", "it stands under a partition that is not its own".into());
        }
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refold::tests::Life;

    #[test]
    fn an_event_is_a_line_and_words_of_others_do_nothing_to_a_terminal() {
        let lines: Vec<_> = Life::of_two_threads().recorded().iter().map(line).collect();
        assert_eq!(lines[0], "1 1970-01-01T00:00:01Z demo admin opened the site “Demo” in Asia/Tokyo");
        assert!(
            lines[2].starts_with("3 1970-01-01T00:00:01Z demo/a ann ") && lines[2].ends_with(" posted: “first”")
        );
        assert!(lines[4].contains(" cat voted up on "), "{}", lines[4]);
        assert_eq!(plain("a\u{1b}[31mb\nc"), "a [31mb c");
        assert_eq!(cut(&"é".repeat(500)).chars().count(), WORDS_CHARS_SHOWN + 3);
    }

    #[test]
    fn programs_get_the_event_itself() {
        let object = object(&Life::of_two_threads().recorded()[4]);
        assert_eq!((&object["type"], &object["thread"]), (&"vote-cast".into(), &"a".into()));
        assert_eq!(object["event"]["voteCast"]["vote"], "VOTE_UP");
    }
}
