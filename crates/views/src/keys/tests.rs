//! Byte order is logical order, and keys lead back.

use super::*;

#[test]
fn byte_order_is_logical_order() {
    let id = |bits| CommandId::from_u128(bits);
    let (a, ab): (SiteId, SiteId) = ("a".parse().unwrap(), "ab".parse().unwrap());
    let (s, t): (ThreadId, ThreadId) = ("s".parse().unwrap(), "t".parse().unwrap());
    let whole = Place { site: a.clone(), thread: None };
    let part = Place { site: a.clone(), thread: Some(s.clone()) };
    let (one, two) = (PlaceNo(1), PlaceNo(2));
    let ann: AuthorId = "ann".parse().unwrap();
    let in_order = [
        Key::Checkpoint,
        Key::Places,
        Key::Site(&a),
        Key::Site(&ab),
        Key::Thread(&a, &s),
        Key::Thread(&a, &t),
        Key::Thread(&ab, &s),
        Key::VoterIds(one, 255),
        Key::VoterIds(one, 256),
        Key::Comment(one, 9),
        Key::Comment(one, 10),
        Key::Comment(two, 1),
        Key::Words(one, 1),
        Key::VoterBucket(one, 1),
        Key::Scores(one, 0),
        Key::Ballots(one, 1, 0),
        Key::Ballots(one, 1, 256),
        Key::Ballots(one, 2, 0),
        Key::Command(one, id(2)),
        Key::Frozen(&whole),
        Key::Frozen(&part),
        Key::Void("own-comment"),
        Key::Settings(one),
        Key::WordList(one, WordList::Premoderate, 1),
        Key::WordList(one, WordList::Reserved, 0),
        Key::Revision(one, 1, 2),
        Key::Revision(one, 2, 1),
        Key::Flag(one, 2, &ann),
        Key::Resolution(one, 1, 1),
        Key::Waiting(one, &s, 300),
        Key::Waiting(one, &t, 2),
        Key::Audit(one, 255),
        Key::Audit(one, 256),
        Key::AuditOf(one, &AuditOf::Site, 9),
        Key::AuditOf(one, &AuditOf::By(ann.clone()), 1),
        Key::Address(one, "https://a.example"),
        Key::FormerAddress(one, 0),
        Key::Outline(one, 255),
        Key::Outline(one, 256),
        Key::Inventory,
        Key::Board(one, 255),
        Key::Board(one, 256),
        Key::Ordinal(one, 0),
        Key::Activity(one),
        Key::Totals(one),
        Key::Queued(one, QueueKind::Held, -1, &t, 9),
        Key::Queued(one, QueueKind::Held, 0, &s, 300),
        Key::Queued(one, QueueKind::Held, 0, &t, 2),
        Key::Queued(one, QueueKind::Flagged, -1, &s, 1),
        Key::Waits(one, 1),
        Key::Posted(one, &ann, 255),
        Key::Posted(one, &ann, 256),
    ];
    let bytes: Vec<_> = in_order.iter().map(Key::encode).collect();
    assert!(bytes.is_sorted(), "{bytes:?}");
    assert!(Key::Thread(&ab, &s).encode().starts_with(&prefix::threads(&ab)));
    assert!(!Key::Thread(&ab, &s).encode().starts_with(&prefix::threads(&a)));
}

#[test]
fn tails_lead_back() {
    assert_eq!(container_tail(&Key::Ballots(PlaceNo(1), 7, 513).encode()), Some(513));
    assert_eq!(number_tail(&Key::Comment(PlaceNo(1), 77).encode()), Some(77));
    let thread: ThreadId = "t".parse().unwrap();
    assert_eq!(waiting_tail(&Key::Waiting(PlaceNo(1), &thread, 7).encode()), Some((thread.clone(), 7)));
    let queued = Key::Queued(PlaceNo(1), QueueKind::Illegal, -5, &thread, 7).encode();
    assert_eq!(queued_tail(&queued), Some((-5, thread, 7)));
    let ann: AuthorId = "ann".parse().unwrap();
    assert_eq!(flag_tail(&Key::Flag(PlaceNo(1), 7, &ann).encode()), Some(ann));
    assert_eq!(sequence_tail(&Key::AuditOf(PlaceNo(1), &AuditOf::Site, 77).encode()), Some(77));
}
