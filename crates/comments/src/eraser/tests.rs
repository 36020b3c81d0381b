//! The eraser over a log in memory.

use domain::text::Text;
use domain::{Actor, AuthorId, CommandId, CommentId, Event, FlagCategory, Role, Vote};
use journal::{Contents, Step};

use super::*;

fn place(thread: Option<&str>) -> Place {
    Place { site: "s".parse().unwrap(), thread: thread.map(|thread| thread.parse().unwrap()) }
}

fn by(actor: &str, id: u128, event: Event) -> Envelope {
    let actor = Actor { id: actor.parse().unwrap(), roles: [Role::Administrator].into_iter().collect() };
    Envelope { id: CommandId::from_u128(id), time: Timestamp(1), actor, event }
}

fn posted(words: &str) -> Event {
    let (text, quotes) = (Text::recorded(words), Vec::new());
    Event::CommentPosted { parent: None, length: text.length(), text, quotes, held: None, original_time: None }
}

fn comment(id: u128) -> CommentId {
    CommentId(CommandId::from_u128(id))
}

fn edited(id: u128, words: &str) -> Event {
    let (text, quotes) = (Text::recorded(words), Vec::new());
    Event::CommentEdited { comment: comment(id), revision: 1, length: text.length(), text, quotes, held: None }
}

async fn append(journal: &Journal, thread: Option<&str>, envelope: Envelope) -> u64 {
    match journal.append(&place(thread), &envelope, None).await.unwrap() {
        Appended::New { sequence } => sequence,
        appended => panic!("{appended:?}"),
    }
}

/// A conversation in which ann says a secret wherever somebody may say something: how many messages it has.
async fn conversation(journal: &Journal) -> u64 {
    let flag =
        Event::CommentFlagged { comment: comment(2), category: FlagCategory::Spam, words: "secret flag".into() };
    let name = Event::AuthorNamed { author: "ann".parse().unwrap(), name: "secret name".into() };
    append(journal, Some("t"), by("ann", 1, posted("secret one"))).await;
    append(journal, Some("t"), by("ben", 2, posted("harmless"))).await;
    append(journal, Some("t"), by("ann", 3, edited(1, "secret two"))).await;
    append(journal, Some("t"), by("ann", 4, Event::VoteCast { comment: comment(2), vote: Vote::Up })).await;
    append(journal, Some("t"), by("ann", 5, flag)).await;
    append(journal, None, by("ann", 6, name)).await;
    append(journal, Some("u"), by("ann", 7, posted("secret three"))).await
}

async fn erase_author(journal: &Journal, id: u128, comments_kept: bool) -> u64 {
    let event = Event::AuthorErased { author: "ann".parse().unwrap(), comments_kept, reason: "asked".into() };
    append(journal, None, by("staff", id, event)).await
}

async fn erase_comment(journal: &Journal, id: u128, of: u128) -> u64 {
    let event = Event::CommentErased { comment: comment(of), reason: "asked".into() };
    append(journal, Some("t"), by("staff", id, event)).await
}

fn eraser(journal: &Journal) -> Eraser {
    Eraser::new(journal.clone(), &Registry::new()).unwrap()
}

/// Every message as it is stored.
async fn stored(journal: &Journal) -> Vec<(u64, String)> {
    let mut scan = journal.scan(vec!["koe.v1.event.>".to_owned()], 0).await.unwrap();
    let mut stored = Vec::new();
    while let Some(batch) = scan.next().await.unwrap() {
        stored.extend(batch.iter().map(|entry| (entry.sequence, format!("{:?}", entry.decode()))));
    }
    stored
}

/// Every message as who follows the log reads it.
async fn read(journal: &Journal) -> Vec<domain::Recorded> {
    let end = journal.look().await.unwrap().sequence;
    let mut follower = journal.follow(0, Contents::Whole);
    let mut read: Vec<domain::Recorded> = Vec::new();
    while read.last().is_none_or(|last| last.sequence < end) {
        if let Step::Batch(batch) = follower.next().await {
            read.extend(batch.iter().map(Entry::decode));
        }
    }
    read
}

fn holds(messages: &[(u64, String)], words: &str) -> Vec<u64> {
    messages.iter().filter(|(_, message)| message.contains(words)).map(|(sequence, _)| *sequence).collect()
}

#[tokio::test(start_paused = true)]
async fn an_erased_comments_words_leave_the_log_and_its_places_stay() {
    let journal = Journal::in_memory(Duration::from_mins(1));
    let said = conversation(&journal).await;
    let before = read(&journal).await;
    erase_comment(&journal, 100, 1).await;
    eraser(&journal).carry_out().await.unwrap();
    let stored = stored(&journal).await;
    assert_eq!(holds(&stored, "secret one"), [0; 0]);
    assert_eq!(holds(&stored, "secret two"), [0; 0], "the edit went with it");
    assert_eq!(holds(&stored, "secret three"), [7], "another comment");
    assert!(!stored.iter().any(|(sequence, _)| [1, 3].contains(sequence)), "they are deleted");
    let after = read(&journal).await;
    assert!(after.iter().map(|recorded| recorded.sequence).eq(1..=said + 2), "and each has its place");
    for (before, after) in before.iter().zip(&after) {
        if ![1, 3].contains(&before.sequence) {
            assert_eq!(before, after);
        }
    }
    assert_eq!(event_of(&after[0]).unwrap().1, &by("ann", 1, with_length(posted(""), 10)));
}

fn with_length(mut event: Event, chars: u32) -> Event {
    if let Event::CommentPosted { length, .. } = &mut event {
        *length = chars;
    }
    event
}

#[tokio::test(start_paused = true)]
async fn an_erased_author_is_nowhere_in_the_log_and_their_vote_is_a_pseudonyms() {
    let journal = Journal::in_memory(Duration::from_mins(1));
    conversation(&journal).await;
    let asked_at = erase_author(&journal, 100, false).await;
    eraser(&journal).carry_out().await.unwrap();
    let log = stored(&journal).await;
    assert_eq!(holds(&log, "secret"), [0; 0]);
    assert_eq!(holds(&log, "ann"), [0; 0], "nor does anything lead from the pseudonym to the author");
    let pseudonym = AuthorId::pseudonym(CommandId::from_u128(100));
    let read = read(&journal).await;
    let (_, vote) = event_of(&read[3]).unwrap();
    assert_eq!(vote, &by(pseudonym.as_str(), 4, Event::VoteCast { comment: comment(2), vote: Vote::Up }));
    let (_, asked) = event_of(&read[usize::try_from(asked_at).unwrap() - 1]).unwrap();
    assert!(matches!(&asked.event, Event::AuthorErased { author, .. } if *author == pseudonym));
    // A new process has nothing to do.
    let again = eraser(&journal);
    let end = journal.look().await.unwrap().sequence;
    let mut again = again;
    again.carry_out().await.unwrap();
    assert_eq!(journal.look().await.unwrap().sequence, end);
}

#[tokio::test(start_paused = true)]
async fn an_author_whose_comments_are_kept_is_anonymous() {
    let journal = Journal::in_memory(Duration::from_mins(1));
    conversation(&journal).await;
    erase_author(&journal, 100, true).await;
    eraser(&journal).carry_out().await.unwrap();
    let log = stored(&journal).await;
    assert!(holds(&log, "ann").is_empty() && holds(&log, "secret name").is_empty());
    assert!(holds(&log, "secret flag").is_empty());
    assert_eq!(holds(&log, "secret one").len(), 1, "in what stands in its place");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_anywhere_loses_nothing_and_the_rest_is_done_later() {
    let whole = Journal::in_memory(Duration::from_mins(1));
    conversation(&whole).await;
    erase_author(&whole, 100, false).await;
    eraser(&whole).carry_out().await.unwrap();
    let expected: Vec<_> = read(&whole).await.into_iter().take(8).collect();
    // Each delete takes ten milliseconds, so that this stops after each of them, and before the first.
    for millis in (0..90).step_by(10) {
        let journal = Journal::in_memory(Duration::from_mins(1));
        conversation(&journal).await;
        erase_author(&journal, 100, false).await;
        let interrupted = eraser(&journal).carry_out_for(Duration::from_millis(millis)).await;
        assert!(interrupted.is_none() || millis >= 70, "at {millis}");
        assert_eq!(
            u64::try_from(read(&journal).await.len()).unwrap(),
            journal.look().await.unwrap().sequence,
            "at {millis}"
        );
        eraser(&journal).carry_out().await.unwrap();
        assert_eq!(holds(&stored(&journal).await, "secret"), [0; 0], "at {millis}");
        assert_eq!(read(&journal).await[..8], expected, "at {millis}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_goes_too() {
    let journal = Journal::in_memory(Duration::ZERO);
    conversation(&journal).await;
    erase_comment(&journal, 100, 1).await;
    let mut eraser = eraser(&journal);
    eraser.carry_out().await.unwrap();
    // An edit that was on its way, and a copy out of some archive.
    append(&journal, Some("t"), by("ann", 8, edited(1, "secret edit"))).await;
    append(&journal, Some("t"), by("ann", 1, posted("secret one"))).await;
    append(&journal, Some("t"), by("ann", 9, posted("something else"))).await;
    eraser.carry_out().await.unwrap();
    let log = stored(&journal).await;
    assert!(holds(&log, "secret edit").is_empty() && holds(&log, "secret one").is_empty());
    assert_eq!(holds(&log, "something else").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_an_erased_author_said_stays_away_after_a_restart() {
    let journal = Journal::in_memory(Duration::ZERO);
    conversation(&journal).await;
    erase_author(&journal, 100, false).await;
    eraser(&journal).carry_out().await.unwrap();
    append(&journal, Some("t"), by("ann", 1, posted("secret one"))).await;
    append(&journal, Some("t"), by("ann", 9, posted("as somebody else"))).await;
    eraser(&journal).carry_out().await.unwrap();
    let log = stored(&journal).await;
    assert_eq!(holds(&log, "secret"), [0; 0]);
    assert_eq!(holds(&log, "as somebody else").len(), 1, "who comes again is new");
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_an_erasure_erases_nobody_who_came_since_and_names_nobody() {
    for restarted in [false, true] {
        let journal = Journal::in_memory(Duration::ZERO);
        conversation(&journal).await;
        erase_author(&journal, 100, false).await;
        let mut eraser = eraser(&journal);
        eraser.carry_out().await.unwrap();
        append(&journal, Some("t"), by("ann", 9, posted("as somebody else"))).await;
        let copy = erase_author(&journal, 100, false).await;
        if restarted {
            eraser = self::eraser(&journal);
        }
        eraser.carry_out().await.unwrap();
        let log = stored(&journal).await;
        assert_eq!(holds(&log, "as somebody else").len(), 1);
        assert_eq!(holds(&log, "ann").len(), 1, "who wrote that, and nobody in the copy");
        assert!(!log.iter().any(|(sequence, _)| *sequence == copy));
    }
}

#[test]
fn one_event_tells_of_some_hundred_messages() {
    let found = |sequence, words: &str| Found {
        sequence,
        place: place(Some("t")),
        envelope: by("ann", u128::from(sequence), posted(words)),
    };
    let sizes = |words: &str, count| -> Vec<usize> {
        parts((1..=count).map(|sequence| found(sequence, words)).collect())
            .iter()
            .map(|part| part.messages.len())
            .collect()
    };
    assert_eq!(sizes("", 1_201), [500, 500, 201]);
    let long = sizes(&"x".repeat(40_000), 10);
    assert!(long.iter().all(|messages| *messages <= 6) && long.iter().sum::<usize>() == 10, "{long:?}");
    let part = || parts(vec![found(1, ""), found(2, "")]).remove(0);
    let (one, other) = (part().into_envelope(Timestamp(1)), part().into_envelope(Timestamp(2)));
    assert_eq!(one.id, other.id, "the same event whenever it is said");
    assert!(one.id.to_string().parse::<CommandId>().is_ok() && one.id.made_at_millis().is_none());
}

#[tokio::test(start_paused = true)]
async fn however_often_something_is_erased_what_is_said_of_it_is_read() {
    let journal = Journal::in_memory(Duration::ZERO);
    for id in 1..=40 {
        append(&journal, Some("t"), by("ann", id, posted(&format!("secret {id}.")))).await;
    }
    erase_author(&journal, 100, true).await;
    let mut eraser = eraser(&journal);
    eraser.carry_out().await.unwrap();
    assert_eq!(holds(&stored(&journal).await, "secret 1.").len(), 1, "under a pseudonym");
    for id in 1..=40 {
        erase_comment(&journal, 200 + id, id).await;
        eraser.carry_out().await.unwrap();
    }
    let log = stored(&journal).await;
    assert_eq!(holds(&log, "secret"), [0; 0]);
    assert_eq!(holds(&log, "Unreadable"), [0; 0]);
    let read = read(&journal).await;
    assert!(read.iter().all(|recorded| event_of(recorded).is_some()));
    let pseudonym = AuthorId::pseudonym(CommandId::from_u128(100));
    assert_eq!(event_of(&read[0]).unwrap().1, &by(pseudonym.as_str(), 1, with_length(posted(""), 9)));
}

#[tokio::test(start_paused = true)]
async fn what_was_said_and_not_deleted_is_not_said_again() {
    let journal = Journal::in_memory(Duration::ZERO);
    conversation(&journal).await;
    erase_comment(&journal, 100, 1).await;
    // Said by one that was stopped before its deletes.
    let mut interrupted = eraser(&journal);
    assert!(interrupted.carry_out_for(Duration::from_millis(5)).await.is_none());
    let said = journal.look().await.unwrap().sequence;
    assert_eq!(said, 9);
    eraser(&journal).carry_out().await.unwrap();
    assert_eq!(journal.look().await.unwrap().sequence, said);
    assert_eq!(holds(&stored(&journal).await, "secret one"), [0; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_lost_its_tail_is_gone_through_anew() {
    let journal = Journal::in_memory(Duration::ZERO);
    conversation(&journal).await;
    erase_comment(&journal, 100, 1).await;
    let mut eraser = eraser(&journal);
    eraser.carry_out().await.unwrap();
    let lost = journal.look().await.unwrap();
    // It was further than the log is by now: what comes has numbers that are done.
    journal.set_progress(&format!("{PROGRESS}.{:x}", lost.epoch), lost.sequence + 100).await.unwrap();
    append(&journal, Some("t"), by("ann", 1, posted("secret one"))).await;
    eraser.carry_out().await.unwrap();
    assert_eq!(holds(&stored(&journal).await, "secret one"), [lost.sequence + 1], "as if it were done");
    journal.begin_epoch(lost.epoch).await.unwrap();
    eraser.carry_out().await.unwrap();
    assert_eq!(holds(&stored(&journal).await, "secret one"), [0; 0]);
}
