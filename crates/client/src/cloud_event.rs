//! Events as CloudEvents 1.0, for those who speak that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ThreadId;
use prost::Message as _;
use serde::Serialize;
use serde_json::Value;
use wire::{subject, v1};

use crate::{EventAt, UnreadableAt};

/// The fields of an envelope's JSON that are attributes of the `CloudEvent`.
const ATTRIBUTES: [&str; 3] = ["id", "time", "actor"];

/// An event as CloudEvents 1.0; serialised to JSON it is CloudEvents' JSON event format, `application/cloudevents+json`.
///
/// `source` and `id` together name an event for ever: whoever receives one twice, knows it by them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// The id of the command, a UUID in lower case.
    pub id: String,
    /// `/sites/<site>/threads/<thread>`, or `/sites/<site>` for what is about the whole site or an author.
    pub source: String,
    /// `koe.v1.<kind>`, as in `koe.v1.comment-posted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the writer accepted it: RFC 3339 in UTC, to the millisecond, ending in `Z`. Unknown of what cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `application/json`, or `application/protobuf` of what cannot be read.
    pub datacontenttype: &'static str,
    /// An extension: the id of who asked. Unknown of what cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// An extension: the event's place in the log, as [`EventAt::position`].
    pub position: String,
    /// What happened.
    #[serde(flatten)]
    pub data: Data,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Data {
    /// The event's message out of `proto/koe/v1/event.proto`, as in `CommentPosted`, in the proto3 JSON mapping.
    #[serde(rename = "data")]
    Json(Value),
    /// The bytes of an `Envelope` that this release cannot read, in Base64.
    #[serde(rename = "data_base64")]
    Base64(String),
}

fn source(site: &str, thread: Option<&str>) -> String {
    match thread {
        Some(thread) => format!("/sites/{site}/threads/{thread}"),
        None => format!("/sites/{site}"),
    }
}

impl From<&EventAt> for CloudEvent {
    fn from(event: &EventAt) -> Self {
        let EventAt { position, place, envelope, .. } = event;
        let bytes = wire::envelope::encode(envelope);
        let message = v1::Envelope::decode(bytes.as_slice()).expect("it was encoded on the line before");
        let mut json =
            serde_json::to_value(message).expect("messages have string keys and no maps of other kinds");
        let time = json.get("time").and_then(Value::as_str).map(ToOwned::to_owned);
        let fields = json.as_object_mut().map(std::mem::take).unwrap_or_default();
        // Of the rest there is one, under the name of the event.
        let data = fields.into_iter().find(|(name, _)| !ATTRIBUTES.contains(&name.as_str()));
        let thread = place.thread.as_ref().map(ThreadId::as_str);
        Self {
            specversion: "1.0",
            id: envelope.id.to_string(),
            source: source(place.site.as_str(), thread),
            kind: format!("koe.v1.{}", envelope.event.kind()),
            time,
            datacontenttype: "application/json",
            actor: Some(envelope.actor.id.to_string()),
            position: position.clone(),
            data: Data::Json(data.map_or_else(|| Value::Object(serde_json::Map::new()), |(_, data)| data)),
        }
    }
}

impl CloudEvent {
    /// What cannot be read, passed on as the bytes that it is, for a receiver that may be newer. `None` if its subject
    /// says neither place nor kind, or if it is void.
    pub fn of_unreadable(unread: &UnreadableAt) -> Option<Self> {
        let parsed = subject::parse_event(&unread.subject).filter(|_| !unread.void)?;
        let thread = parsed.place.thread.as_ref().map(ThreadId::as_str);
        // An id must not be empty; the place in the log is as good.
        let id = if unread.message_id.is_empty() { &unread.position } else { &unread.message_id };
        Some(Self {
            specversion: "1.0",
            id: id.clone(),
            source: source(parsed.place.site.as_str(), thread),
            kind: format!("koe.v1.{}", parsed.kind),
            time: None,
            datacontenttype: "application/protobuf",
            actor: None,
            position: unread.position.clone(),
            data: Data::Base64(STANDARD.encode(&unread.payload)),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Actor, CommandId, CommentId, Envelope, Event, Place, Roles, Timestamp, Vote};
    use serde_json::json;

    use super::*;

    fn event(thread: Option<&str>, event: Event) -> EventAt {
        let id = CommandId::from_u128(0x019a_3c5e_7d00_7000_8000_0000_0000_0001);
        let actor = Actor { id: "ann".parse().unwrap(), roles: Roles::default() };
        EventAt {
            position: "0-feed-42".into(),
            sequence: 42,
            place: Place { site: "demo".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) },
            envelope: Envelope { id, time: Timestamp(1_800_000_000_123), actor, event },
        }
    }

    #[test]
    fn a_vote_is_a_cloud_event_of_its_thread() {
        let comment = CommentId(CommandId::from_u128(0x019a_3c5e_7d00_7000_8000_0000_0000_0002));
        let vote = event(Some("t"), Event::VoteCast { comment, vote: Vote::Up });
        let expected = json!({
            "specversion": "1.0",
            "id": "019a3c5e-7d00-7000-8000-000000000001",
            "source": "/sites/demo/threads/t",
            "type": "koe.v1.vote-cast",
            "time": "2027-01-15T08:00:00.123Z",
            "datacontenttype": "application/json",
            "actor": "ann",
            "position": "0-feed-42",
            "data": {"comment": "019a3c5e-7d00-7000-8000-000000000002", "vote": "VOTE_UP"},
        });
        let said = serde_json::to_value(CloudEvent::from(&vote)).unwrap();
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_about_the_site_has_the_site_as_its_source() {
        let named = Event::AuthorNamed { author: "ann".parse().unwrap(), name: "Ann".into() };
        let said = CloudEvent::from(&event(None, named));
        assert_eq!((said.source.as_str(), said.kind.as_str()), ("/sites/demo", "koe.v1.author-named"));
        assert_eq!(said.data, Data::Json(json!({"author": "ann", "name": "Ann"})));
    }

    #[test]
    fn what_cannot_be_read_is_passed_on_as_bytes() {
        let place = Place { site: "demo".parse().unwrap(), thread: Some("t".parse().unwrap()) };
        let unread = UnreadableAt {
            position: "0-feed-43".into(),
            sequence: 43,
            subject: subject::event(&place, "comment-sung"),
            message_id: String::new(),
            payload: vec![0xff, 0x00].into(),
            void: false,
            reason: "an event that this release does not know".into(),
        };
        let said = serde_json::to_value(CloudEvent::of_unreadable(&unread).unwrap()).unwrap();
        let expected = json!({
            "specversion": "1.0",
            "id": "0-feed-43",
            "source": "/sites/demo/threads/t",
            "type": "koe.v1.comment-sung",
            "datacontenttype": "application/protobuf",
            "position": "0-feed-43",
            "data_base64": "/wA=",
        });
        assert_eq!(said, expected);
        let elsewhere = UnreadableAt { void: true, ..unread };
        assert_eq!(CloudEvent::of_unreadable(&elsewhere), None);
    }
}
