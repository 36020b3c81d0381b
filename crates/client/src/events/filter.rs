//! Which subjects a subscription asks for.

use std::collections::BTreeSet;

use domain::{Place, ThreadId};
use wire::error::Failure;
use wire::subject;

use super::Events;
use crate::Error;
use crate::limits::KINDS_MAX;

/// The subjects of the events that are asked for. Each kind is there once: the broker refuses subjects that overlap.
pub(super) fn subjects(events: &Events<'_>) -> Result<Vec<String>, Error> {
    if events.kinds.len() > KINDS_MAX || !events.kinds.iter().all(|kind| is_kind(kind)) {
        return Err(Error::refused(Failure::LimitExceeded));
    }
    let kinds: BTreeSet<&str> =
        if events.kinds.is_empty() { BTreeSet::from(["*"]) } else { events.kinds.iter().copied().collect() };
    Ok(kinds.into_iter().map(|kind| of_kind(events, kind)).collect())
}

fn of_kind(events: &Events<'_>, kind: &str) -> String {
    match (&events.site, &events.thread) {
        (Some(site), thread @ Some(_)) => {
            subject::event(&Place { site: site.clone(), thread: thread.clone() }, kind)
        }
        (site, thread) => {
            let site = site.as_ref().map_or("*", |site| site.as_str());
            let thread = thread.as_ref().map_or("*", ThreadId::as_str);
            format!("koe.v1.event.{site}.*.{thread}.{kind}")
        }
    }
}

/// Whether it can be the last token of a subject, and no wildcard.
fn is_kind(kind: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=domain::limits::TOKEN_CHARS_MAX).contains(&kind.len()) && kind.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(site: Option<&str>, thread: Option<&str>, kinds: &[&str]) -> Result<Vec<String>, &'static str> {
        let site = site.map(|site| site.parse().unwrap());
        let thread = thread.map(|thread| thread.parse().unwrap());
        let events = Events { site, thread, kinds, ..Events::default() };
        subjects(&events).map_err(|error| error.code().unwrap().as_str())
    }

    #[test]
    fn a_subscription_asks_for_what_it_names_and_no_more() {
        assert_eq!(of(None, None, &[]).unwrap(), [subject::EVENTS]);
        assert_eq!(of(Some("s"), None, &["site-set"]).unwrap(), ["koe.v1.event.s.*.*.site-set"]);
        assert_eq!(of(None, Some("t"), &[]).unwrap(), ["koe.v1.event.*.*.t.*"]);
        let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        let whole = [subject::event(&place, "comment-posted"), subject::event(&place, "vote-cast")];
        assert_eq!(of(Some("s"), Some("t"), &["vote-cast", "comment-posted", "vote-cast"]).unwrap(), whole);
    }

    #[test]
    fn every_kind_can_be_asked_for_and_a_wildcard_cannot() {
        assert!(of(None, None, domain::Event::KINDS).is_ok());
        for bad in ["", "*", ">", "a.b", "Comment", "a b"] {
            assert_eq!(of(None, None, &[bad]), Err("limit-exceeded"), "{bad:?}");
        }
        assert_eq!(of(None, None, &vec!["vote-cast"; KINDS_MAX + 1]), Err("limit-exceeded"));
    }
}
