//! Forgetting: what was said, who said it, and that nothing brings it back.

use std::time::Duration;

use domain::command::Quotes;
use domain::event::Quote;
use domain::text::Text;
use domain::{Command, CommandBody, CommandId, CommentId, FlagCategory, Place, Vote};
use wire::v1::CommentState;

use crate::sandbox::{Sandbox, command, eventually, files_with, post, reader, staff, tally, text, vote};

/// Stands in no file unless somebody said it.
pub(crate) const PLANTED: &str = "xyzzy-planted-words";
pub(crate) const WHO: &str = "margaret-who-is-forgotten";

/// A site in which one person took part in every way, and others beside them. Their comment, and who quotes it.
pub(crate) async fn conversation(sandbox: &Sandbox) -> (CommentId, CommentId) {
    let said = post(WHO, "t", &format!("{PLANTED} in a comment"));
    let comment = CommentId(said.id);
    sandbox.send(&said, true).await.unwrap();
    let other = sandbox.post("ben", "harmless words").await;
    let edit = CommandBody::EditComment {
        comment,
        revision: 0,
        text: Text::parse(&format!("{PLANTED} in an edit")).unwrap(),
        quotes: Quotes::default(),
    };
    let quote = Quote { comment, revision: 0, start: 0, end: 12, at: 0 };
    let reply = CommandBody::PostComment {
        parent: Some(comment),
        text: Text::parse("as they say").unwrap(),
        quotes: Quotes::parse(vec![quote], 11).unwrap(),
    };
    let reply = command(reader("cy"), Some("t"), reply);
    let flag = CommandBody::FlagComment {
        comment: other,
        category: FlagCategory::Other,
        words: format!("{PLANTED} in a flag").into(),
    };
    let name = CommandBody::NameAuthor { author: WHO.parse().unwrap(), name: "xyzzy-planted-words N".into() };
    for command in [
        command(reader(WHO), Some("t"), edit),
        reply.clone(),
        command(reader(WHO), Some("t"), flag),
        command(reader(WHO), None, name),
        vote(WHO, other, Vote::Up),
        vote("ben", comment, Vote::Up),
    ] {
        sandbox.send(&command, true).await.unwrap();
    }
    (comment, CommentId(reply.id))
}

pub(crate) fn erase_author(comments_kept: bool) -> Command {
    let (author, reason) = (WHO.parse().unwrap(), "they asked".into());
    command(staff(), None, CommandBody::EraseAuthor { author, comments_kept, reason })
}

/// Waits until nothing of what was erased is left, as the tool sees it.
pub(crate) async fn forgotten(sandbox: &Sandbox) {
    eventually("nothing of what was erased is left", async || {
        let output = sandbox.replay(&["verify", "--erasures"]);
        output.status.success().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_authors_words_are_in_no_file_and_nothing_brings_them_back() {
    let options = journal::Options { window: Duration::from_secs(2), ..journal::Options::default() };
    let mut sandbox = Sandbox::forgetting(&["comments", "votes", "projector"], &options).await;
    let (comment, reply) = conversation(&sandbox).await;
    assert!(sandbox.replay(&["rebuild"]).status.success());
    let before = sandbox.page("t", "").await;
    assert!(before.comments[2].quotes[0].body.starts_with("xyzzy"), "{before:?}");
    assert!(!files_with(sandbox.dir.path(), PLANTED).is_empty());
    let original = sandbox.journal().await.scan(vec![wire::subject::events_of("comment-posted")], 0).await;
    let original = original.unwrap().next().await.unwrap().unwrap().remove(0);

    let erasure = erase_author(false);
    let reply_to_it = sandbox.send(&erasure, true).await.unwrap();
    assert_eq!(reply_to_it.outcome(), wire::v1::Outcome::Applied);
    let page = sandbox.page("t", "").await;
    assert!(!format!("{page:?}").contains("xyzzy") && !format!("{page:?}").contains(WHO), "{page:?}");
    assert_eq!(page.comments[0].state(), CommentState::Erased);
    assert_eq!(page.comments[2].parent, comment.to_string(), "the reply stands");
    assert_eq!(page.comments[2].id, reply.to_string());
    assert_eq!(page.comments[2].quotes[0].state(), CommentState::Erased);
    let tallies: Vec<_> = page.comments.iter().map(tally).collect();
    assert_eq!((page.count, tallies), (before.count, before.comments.iter().map(tally).collect()), "and votes do");

    forgotten(&sandbox).await;
    assert_eq!(files_with(sandbox.dir.path(), PLANTED), [""; 0]);
    assert_eq!(files_with(sandbox.dir.path(), WHO), [""; 0], "nor who it was");
    sandbox.verify();
    assert!(sandbox.replay(&["rebuild"]).status.success());
    sandbox.verify();
    assert_eq!(sandbox.refused(erase_author(false)).await, "author-unknown");

    // A copy comes back, as out of an old archive.
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", original.message_id.as_str());
    let journal = sandbox.journal().await;
    eventually("the broker has forgotten its id", async || {
        let end = journal.look().await.unwrap().sequence;
        let jetstream = async_nats::jetstream::new(sandbox.connection.clone());
        let sent =
            jetstream.publish_with_headers(original.subject.clone(), headers.clone(), original.payload.clone());
        (sent.await.unwrap().await.unwrap().sequence > end).then_some(())
    })
    .await;
    forgotten(&sandbox).await;
    sandbox.nats.kill();
    sandbox.nats.restart();
    let projector = sandbox.roles.iter().position(|(role, _)| *role == "projector").unwrap();
    sandbox.kill_and_restart(projector);
    sandbox.verify();
    assert!(sandbox.replay(&["rebuild"]).status.success());
    forgotten(&sandbox).await;
    assert_eq!(files_with(sandbox.dir.path(), PLANTED), [""; 0]);
    assert_eq!(files_with(sandbox.dir.path(), WHO), [""; 0]);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_comment_is_gone_and_its_author_goes_on() {
    let sandbox = Sandbox::forgetting(&["comments", "votes", "projector"], &journal::Options::default()).await;
    let (comment, _) = conversation(&sandbox).await;
    let erase = || CommandBody::EraseComment { comment, reason: "court order".into() };
    sandbox.send(&command(staff(), Some("t"), erase()), true).await.unwrap();
    assert_eq!(sandbox.refused(command(staff(), Some("t"), erase())).await, "comment-erased");
    let edit = CommandBody::EditComment {
        comment,
        revision: 1,
        text: Text::parse("again").unwrap(),
        quotes: Quotes::default(),
    };
    assert_eq!(sandbox.refused(command(reader(WHO), Some("t"), edit)).await, "comment-erased");
    assert_eq!(sandbox.refused(vote("dan", comment, Vote::Up)).await, "comment-erased");
    let reply = CommandBody::PostComment {
        parent: Some(comment),
        text: Text::parse("and?").unwrap(),
        quotes: Quotes::default(),
    };
    assert_eq!(sandbox.refused(command(reader("dan"), Some("t"), reply)).await, "parent-erased");
    forgotten(&sandbox).await;
    assert_eq!(files_with(sandbox.dir.path(), "xyzzy-planted-words in a comment"), [""; 0]);
    assert_eq!(files_with(sandbox.dir.path(), "xyzzy-planted-words in an edit"), [""; 0]);
    let page = sandbox.page("t", "").await;
    assert_eq!(tally(&page.comments[0]), (1, 0), "its vote stands");
    let again = post(WHO, "t", "still here");
    sandbox.send(&again, true).await.unwrap();
    let page = sandbox.page("t", "").await;
    let author = page.comments.last().unwrap().author.as_ref().unwrap();
    assert_eq!((author.id.as_str(), author.name.as_str()), (WHO, "xyzzy-planted-words N"));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_authors_comments_stay_by_a_former_reader() {
    let sandbox = Sandbox::forgetting(&["comments", "votes", "projector"], &journal::Options::default()).await;
    conversation(&sandbox).await;
    let erasure = erase_author(true);
    sandbox.send(&erasure, true).await.unwrap();
    let page = sandbox.page("t", "").await;
    let row = &page.comments[0];
    assert_eq!((row.state(), row.body.as_str()), (CommentState::Visible, "xyzzy-planted-words in an edit"));
    let author = row.author.as_ref().unwrap();
    assert!(author.erased && author.name.is_empty());
    assert_eq!(author.id, format!("former-{}", erasure.id));
    forgotten(&sandbox).await;
    assert_eq!(files_with(sandbox.dir.path(), WHO), [""; 0]);
    assert_eq!(files_with(sandbox.dir.path(), "xyzzy-planted-words N"), [""; 0]);
    sandbox.verify();
    // Who comes again is somebody else, whose own vote on the old comment counts.
    let comment: CommentId = row.id.parse().unwrap();
    sandbox.send(&vote(WHO, comment, Vote::Up), true).await.unwrap();
    assert_eq!(tally(&sandbox.page("t", "").await.comments[0]), (2, 0));
    let gone = CommandBody::EraseAuthor {
        author: author.id.parse().unwrap(),
        comments_kept: false,
        reason: "again".into(),
    };
    assert_eq!(sandbox.refused(command(staff(), None, gone)).await, "author-erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_no_deletes_has_nothing_erased_and_says_so() {
    let sandbox = Sandbox::forgetting(&["comments", "votes", "projector"], &journal::Options::default()).await;
    let comment = sandbox.post("ann", "words").await;
    let jetstream = async_nats::jetstream::new(sandbox.connection.clone());
    let mut config = jetstream.get_stream("KOE_EVENTS").await.unwrap().cached_info().config.clone();
    config.deny_delete = true;
    jetstream.update_stream(config).await.unwrap();
    let erase = CommandBody::EraseComment { comment, reason: "asked".into() };
    assert_eq!(sandbox.refused(command(staff(), Some("t"), erase)).await, "log-undeletable");
    assert_eq!(sandbox.page("t", "").await.comments[0].body, "words", "nothing is half done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_while_no_eraser_runs_is_done_when_one_does() {
    let mut sandbox = Sandbox::forgetting(&["comments", "votes", "projector"], &journal::Options::default()).await;
    let comment = sandbox.post("ann", &format!("{PLANTED} here")).await;
    let comments = sandbox.roles.iter().position(|(role, _)| *role == "comments").unwrap();
    sandbox.roles[comments].1.kill();
    // Past the writers, as a command that was accepted a moment before the kill.
    let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    let event = domain::Event::CommentErased { comment, reason: "asked".into() };
    let id: CommandId = client::new_command_id();
    let time = domain::Timestamp(id.made_at_millis().unwrap());
    let envelope = domain::Envelope { id, time, actor: staff(), event };
    sandbox.journal().await.append(&place, &envelope, None).await.unwrap();
    let end = sandbox.end().await;
    assert_eq!(
        sandbox.page("t", &end).await.comments[0].state(),
        CommentState::Erased,
        "readers do not wait for it"
    );
    let output = sandbox.replay(&["verify", "--erasures", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["clean"], &report["left_count"]), (&false.into(), &1.into()), "{report}");
    sandbox.kill_and_restart(comments);
    forgotten(&sandbox).await;
    let report = text(&sandbox.replay(&["verify", "--erasures"]).stdout);
    assert!(report.contains("erasures: 1 messages gone"), "{report}");
    assert_eq!(files_with(sandbox.dir.path(), PLANTED), [""; 0]);
    sandbox.verify();
}
