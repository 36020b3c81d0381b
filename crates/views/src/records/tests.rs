//! Golden bytes of every record, and that they lead back.

use super::*;
use crate::value::Value;
use crate::value::tests::hex;

/// What is read is what was written, and the bytes are those that were stored since the schema began.
fn golden<V: Value + std::fmt::Debug>(value: &V, bytes: &str) {
    let stored = value.to_stored();
    assert_eq!(hex(&stored), bytes, "{value:?}");
    assert_eq!(format!("{:?}", V::from_stored(&stored).unwrap()), format!("{value:?}"));
}

#[test]
fn the_bytes_of_places_stay_as_they_are() {
    let checkpoint = Checkpoint {
        stream: "KOE_EVENTS".into(),
        created_nanos: 1,
        epoch: 2,
        sequence: 300,
        open: 0,
        message_id: "x".into(),
        schema: 2,
    };
    golden(&checkpoint, "0196197b3f0a4b4f455f4556454e54530202fb2c0100017802");
    let (site, thread, message_id, reason) = ("s".into(), "t".into(), "m".into(), "r".into());
    golden(&Frozen { site, thread, sequence: 70_000, message_id, reason }, "0136decda701730174fc70110100016d0172");
    golden(&Site::default(), "0170ba9c0b0000000000fb2c01fb102705000000000000000000");
    let mode = Mode { code: 2, reason: "moved".into(), successor: "t2".into() };
    let site = Site {
        place: 1,
        opened: Some(SiteOpened { name: "S".into(), zone: "UTC".into() }),
        frozen: true,
        skipped: 300,
        voters: 2,
        rules: Rules { edit_window_secs: 600, text_chars_max: 9, report_threshold: 3 },
        mode: mode.clone(),
        bans: 4,
        set_at: 5,
        decisions: 6,
        swept: 5,
        sweep_thread: 300,
        sweep_step: 7,
    };
    golden(&site, "01598367a4010101530355544301fb2c0102fb5802090302056d6f76656402743204050605fb2c0107");
    let settings = Settings {
        locale: "de-CH".into(),
        premoderate_first: 1,
        premoderate_links: true,
        comments_per_minute: 2,
        votes_per_minute: 300,
        chunks: [3, 4],
    };
    golden(&settings, "01a9fb45100564652d4348010102fb2c010304");
    golden(&Thread::new(9), "01c0f208a9090000000000fdffffffffffffffff0000000000");
    let opened = ThreadOpened {
        headline: "h".into(),
        address: "a".into(),
        category: "c".into(),
        published_millis: Some(-1),
        closes_at_millis: Some(1_700_000_000_000),
    };
    let (place, posted, count) = (9, 8, 7);
    let opened = Some(opened);
    let (frozen, skipped, latest_millis, moves, decisions) = (false, 0, -1, 6, 3);
    golden(
        &Thread { place, opened, frozen, skipped, posted, count, latest_millis, mode, moves, decisions },
        "0147c552bf0901016801610163010101fd00d0ca9f17030000000008070102056d6f7665640274320603",
    );
    golden(
        &Address { address: "https://a.example".into(), thread: "t".into() },
        "01ca412b541168747470733a2f2f612e6578616d706c650174",
    );
}

#[test]
fn the_bytes_of_authors_stay_as_they_are() {
    golden(&Author::default(), "019d6cdf7e00000000000000");
    let ban = Ban { until_millis: Some(3), reason: "spam".into() };
    let author = Author {
        name: "Ann".into(),
        former_names: 1,
        ban: Some(ban),
        shown: 2,
        votes_void_since: Some(-1),
        erased: true,
        removals: 3,
    };
    golden(&author, "0164e88f1b03416e6e01010106047370616d0201010103");
    golden(
        &FormerName { name: "Änne".into(), until_millis: 1_700_000_000_000 },
        "012ef479dd05c3846e6e65fd00d0ca9f17030000",
    );
}

#[test]
fn the_bytes_of_voters_stay_as_they_are() {
    golden(&VoterIds(vec!["ann".into(), "ben".into()]), "01942bb8810203616e6e0362656e");
    assert_eq!(VoterIds::place_of(127), (0, 127));
    assert_eq!(VoterIds::place_of(128), (1, 0));
}

#[test]
fn the_bytes_of_comments_stay_as_they_are() {
    let by = "mod".to_owned();
    let removed =
        Removed { by: by.clone(), reason: "spam".into(), rule: "4".into(), time_millis: -3, sequence: 300 };
    let flags = Flags { open: 1, illegal: 2, counted: 3, round: 4, resolved: Some(5), since_millis: Some(6) };
    let comment = Comment {
        id: 7,
        author: "ann".into(),
        time_millis: 1_700_000_000_000,
        original_millis: Some(8),
        parent: 1,
        lengths: vec![9, 300],
        unseen: vec![1],
        own_state: 2,
        shown: true,
        held: 5,
        removed: Some(removed),
        covers: vec![Cover { of_site: true, id: 300 }],
        edited_millis: Some(8),
        featured: true,
        flags,
    };
    golden(
        &comment,
        "0194d18cef0703616e6efd00d0ca9f170300000110010209fb2c01010102010501036d6f64047370616d013405fb2c010101fb2c01011001010203040105010c",
    );
    let bare =
        Comment { removed: None, covers: Vec::new(), edited_millis: None, flags: Flags::default(), ..comment };
    golden(&bare, "01a36f5d670703616e6efd00d0ca9f170300000110010209fb2c01010102010500000001000000000000");
    let quote = Quote { number: 1, revision: 2, start: 3, end: 70_000, at: 4 };
    golden(
        &Words { text: "声".into(), quotes: vec![quote], time_millis: 5 },
        "01d0df0f4a03e5a3b001010203fc70110100040a",
    );
    golden(&Flag { category: 5, words: "w".into(), time_millis: -1, round: 300 }, "0100e1bfcf05017701fb2c01");
    golden(
        &Resolution { upheld: true, statement: "because".into(), by, time_millis: 9, sequence: 300 },
        "01290e5b52010762656361757365036d6f6412fb2c01",
    );
    let mut scores = Scores::default();
    scores.set(1, domain::Tally { up: 3, down: 4 });
    golden(&scores, "0190a233a70200000304");
    let mut outline = Outline::default();
    *outline.line(1) = Line { time_millis: 1_700_000_000_000, below: 300, shown: true };
    golden(&outline, "017c35aef102000000fd00d0ca9f17030000fb2c0101");
}

#[test]
fn the_bytes_of_what_was_decided_stay_as_they_are() {
    let audit = Audit {
        time_millis: 1,
        by: "mod".into(),
        kind: "comment-held".into(),
        thread: "t".into(),
        comment: u128::MAX,
        author: "ann".into(),
        reason: "r".into(),
        before: "visible".into(),
        after: "held".into(),
    };
    golden(
        &audit,
        "01551a765e02036d6f640c636f6d6d656e742d68656c640174feffffffffffffffffffffffffffffffff03616e6e01720776697369626c650468656c64",
    );
    golden(
        &Command { sequence: 70_000, void: Some("own-comment".into()), comment: 0, decision: 4 },
        "019d4acdfafc70110100010b6f776e2d636f6d6d656e740004",
    );
    golden(&Command { sequence: 1, void: None, comment: 300, decision: 0 }, "0103b56d650100fb2c0100");
}

#[test]
fn scores_stand_in_chunks_of_128() {
    assert_eq!(Scores::place_of(1), (0, 0));
    assert_eq!(Scores::place_of(128), (0, 127));
    assert_eq!(Scores::place_of(129), (1, 0));
    let mut scores = Scores::default();
    scores.set(3, domain::Tally { up: 1, down: 2 });
    assert_eq!(scores.get(3), domain::Tally { up: 1, down: 2 });
    assert_eq!(scores.get(60), domain::Tally::default());
}
