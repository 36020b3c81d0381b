//! Subjects. Stored: never change. `<site>` comes first, so that NATS permissions can fence a tenant in.

use domain::ids::ALL;
use domain::{Place, SiteId, ThreadId};

/// Threads are spread over this many partitions. Stored in every subject: never change.
pub const PARTITIONS: u32 = 64;
/// The stream that holds every event. Stored: never change.
pub const STREAM: &str = "KOE_EVENTS";
/// The key-value bucket beside the stream.
pub const STATE: &str = "KOE_STATE";
/// The key of the log's epoch in [`STATE`].
pub const EPOCH: &str = "epoch";
/// What the stream takes in: `koe.v1.event.<site>.<partition>.<thread>.<type>`.
pub const EVENTS: &str = "koe.v1.event.*.*.*.*";

/// The partition of a thread, as NATS's own `partition(64, site, thread)` mapping computes it: FNV-1a of 32 bits
/// over the tokens one after another, modulo the number of partitions.
pub fn partition(site: &SiteId, thread: &ThreadId) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let bytes = site.as_str().bytes().chain(thread.as_str().bytes());
    bytes.fold(OFFSET_BASIS, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME)) % PARTITIONS
}

/// The partition token of a place.
fn partition_token(place: &Place) -> String {
    match &place.thread {
        Some(thread) => partition(&place.site, thread).to_string(),
        None => ALL.to_owned(),
    }
}

/// Where an event of this kind about this place is published.
pub fn event(place: &Place, kind: &str) -> String {
    let thread = place.thread.as_ref().map_or(ALL, ThreadId::as_str);
    format!("koe.v1.event.{}.{}.{thread}.{kind}", place.site, partition_token(place))
}

/// Where every event of a kind is published.
pub fn events_of(kind: &str) -> String {
    format!("koe.v1.event.*.*.*.{kind}")
}

/// Where every event of a site is published.
pub fn events_in(site: &SiteId) -> String {
    format!("koe.v1.event.{site}.>")
}

/// Where every event of a thread is published, or what is about all of a site.
pub fn events_at(place: &Place) -> String {
    event(place, "*")
}

/// Where the openings of threads of this id are published, whatever their sites.
pub fn openings_of(thread: &ThreadId) -> String {
    format!("koe.v1.event.*.*.{thread}.thread-opened")
}

/// Whether the log takes a message under this subject, readable or not.
pub fn is_event(subject: &str) -> bool {
    let is_token = |token: &str| {
        let wild =
            |character: char| character.is_whitespace() || character.is_control() || "*>".contains(character);
        !token.is_empty() && !token.contains(wild)
    };
    subject
        .strip_prefix("koe.v1.event.")
        .is_some_and(|rest| rest.split('.').count() == 4 && rest.split('.').all(is_token))
}

/// What the subject of an event says.
#[derive(Debug, PartialEq, Eq)]
pub struct EventSubject<'a> {
    /// Where the event belongs.
    pub place: Place,
    /// Whether the partition is that of the place.
    pub partition_fits: bool,
    /// The event's type.
    pub kind: &'a str,
}

/// Reads the subject of an event; `None` if it is not one.
pub fn parse_event(subject: &str) -> Option<EventSubject<'_>> {
    let mut tokens = subject.strip_prefix("koe.v1.event.")?.split('.');
    let (site, partition) = (tokens.next()?.parse().ok()?, tokens.next()?);
    let (thread, kind) = (tokens.next()?, tokens.next()?);
    if tokens.next().is_some() {
        return None;
    }
    let thread = if thread == ALL { None } else { Some(thread.parse().ok()?) };
    let place = Place { site, thread };
    let partition_fits = partition == partition_token(&place);
    Some(EventSubject { place, partition_fits, kind })
}

/// Where a command is sent.
pub fn command(site: &SiteId, verb: &str) -> String {
    format!("koe.v1.command.{site}.{verb}")
}

/// Where a service takes the commands of a verb.
pub fn commands(verb: &str) -> String {
    format!("koe.v1.command.*.{verb}")
}

/// Where a query about a place is sent; without a place, one about everything.
pub fn query(place: Option<&Place>, name: &str) -> String {
    match place {
        Some(place) => format!("koe.v1.query.{}.{}.{name}", place.site, partition_token(place)),
        None => format!("koe.v1.query.{ALL}.{ALL}.{name}"),
    }
}

/// Where a projector takes the queries of a name.
pub fn queries(name: &str) -> String {
    format!("koe.v1.query.*.*.{name}")
}

/// Where changes of a thread are announced.
pub fn change(site: &SiteId, thread: &ThreadId) -> String {
    format!("koe.v1.change.{site}.{thread}")
}

/// The site token of a command's or query's subject: the fourth.
pub fn site_token(subject: &str) -> &str {
    subject.split('.').nth(3).unwrap_or_default()
}

/// The partition token of a query's subject: the fifth.
pub fn partition_of_query(subject: &str) -> &str {
    subject.split('.').nth(4).unwrap_or_default()
}

/// Whether a query's subject names the partition of the place it asks about.
pub fn query_fits(subject: &str, place: &Place) -> bool {
    partition_of_query(subject) == partition_token(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(site: &str, thread: Option<&str>) -> Place {
        Place { site: site.parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) }
    }

    #[test]
    fn the_subject_of_an_event_leads_back_to_its_place() {
        for place in [place("demo", Some("memorial-service")), place("demo", None)] {
            let subject = event(&place, "comment-posted");
            let parsed = parse_event(&subject).unwrap();
            assert_eq!(parsed, EventSubject { place, partition_fits: true, kind: "comment-posted" });
        }
    }

    #[test]
    fn another_partition_is_noticed() {
        let right = event(&place("demo", Some("t")), "vote-cast");
        let wrong = right.replace(&format!(".{}.", partition_token(&place("demo", Some("t")))), ".77.");
        assert!(!parse_event(&wrong).unwrap().partition_fits);
    }

    #[test]
    fn other_subjects_are_not_events() {
        for bad in
            ["", "koe.v1.event.a.b.c", "koe.v1.event.a.0.b.c.d", "koe.v1.event.all.0.t.x", "koe.v2.event.a.0.t.x"]
        {
            assert_eq!(parse_event(bad), None, "{bad:?}");
        }
    }
}
