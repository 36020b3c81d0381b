//! What messages say without what was erased, as another message carries it.

use domain::text::Text;
use domain::{Actor, AuthorId, CommandId, CommentId, Place, Roles, SiteId, ThreadId, Timestamp};

use super::*;

fn former() -> AuthorId {
    AuthorId::pseudonym(CommandId::from_u128(9))
}

fn envelope_of(event: Event) -> Envelope {
    let actor = Actor { id: former(), roles: Roles::default() };
    Envelope { id: CommandId::from_u128(1), time: Timestamp(5), actor, event }
}

fn carried(thread: Option<&str>, event: Event) -> ErasedMessage {
    let thread = thread.map(|thread| thread.parse::<ThreadId>().unwrap());
    ErasedMessage { sequence: u64::MAX, thread, envelope: envelope_of(event) }
}

fn blank(length: u32) -> Event {
    Event::CommentPosted {
        parent: None,
        text: Text::recorded(""),
        quotes: vec![],
        length,
        held: None,
        original_time: None,
    }
}

fn unnamed() -> Event {
    Event::AuthorNamed { author: former(), name: "".into() }
}

fn erased(messages: Vec<ErasedMessage>) -> Envelope {
    envelope_of(Event::MessagesErased { messages })
}

fn read(envelope: &Envelope) -> Content {
    let site: SiteId = "s".parse().unwrap();
    let subject = subject::event(&Place { site, thread: None }, envelope.event.kind());
    decode(7, &subject, "id", &encode(envelope)).content
}

fn unread(messages: Vec<ErasedMessage>) -> String {
    match read(&erased(messages)) {
        Content::Unreadable(unreadable) => unreadable.reason.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_messages_say_without_what_was_erased_survives_the_way_there() {
    let vote = Event::VoteCast { comment: CommentId(CommandId::from_u128(2)), vote: domain::Vote::Up };
    let erasure = Event::AuthorErased { author: former(), comments_kept: false, reason: "r".into() };
    let again = erased(vec![carried(Some("t"), blank(3))]).event;
    let messages = vec![
        carried(Some("t"), blank(11)),
        carried(None, unnamed()),
        carried(Some("u"), vote),
        carried(None, erasure),
        carried(None, again),
    ];
    let envelope = erased(messages);
    assert_eq!(read(&envelope), Content::Event(envelope));
}

#[test]
fn what_could_not_stand_in_the_log_does_not_stand_in_the_place_of_a_message() {
    assert_eq!(unread(vec![carried(None, blank(1))]), Unread::Misplaced.to_string());
    assert_eq!(unread(vec![carried(Some("t"), unnamed())]), Unread::Misplaced.to_string());
    let long = Event::AuthorNamed { author: former(), name: "x".repeat(RECORDED_LINE_BYTES_MAX + 1).into() };
    assert_eq!(unread(vec![carried(None, long)]), Unread::TooLong.to_string());
    let many = vec![carried(None, unnamed()); RECORDED_ERASED_MAX + 1];
    assert_eq!(unread(many), Unread::TooLong.to_string());
}

#[test]
fn a_list_of_voters_in_the_log_has_an_end() {
    let void = |count: usize| {
        let voters = (0..count).map(|n| n.to_string().parse().unwrap()).collect();
        read(&envelope_of(Event::VotesVoided { voters, since: None, reason: "r".into() }))
    };
    assert!(matches!(void(RECORDED_VOTERS_MAX), Content::Event(_)));
    assert!(matches!(void(RECORDED_VOTERS_MAX + 1), Content::Unreadable(_)));
}
