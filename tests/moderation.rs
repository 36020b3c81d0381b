//! What moderators and the rules of a site do to comments, over the real services.

use domain::command::Quotes;
use domain::settings::SettingsPatch;
use domain::text::Text;
use domain::{
    Actor, AuthorId, Ban, Command, CommandBody, CommentId, FlagCategory, Mode, ModeChange, Role, Timestamp, Vote,
};
use futures::future::join_all;
use wire::v1::{AuditRequest, CommentState, HoldReason, Outcome};

use crate::sandbox::{Sandbox, code, command, moderator, post, reader, remove, staff, vote};

fn set(settings: SettingsPatch) -> Command {
    command(staff(), None, CommandBody::SetSite(Box::new(settings)))
}

fn in_thread(actor: Actor, body: CommandBody) -> Command {
    command(actor, Some("t"), body)
}

fn edit(author: &str, comment: CommentId, revision: u32, words: &str) -> Command {
    let (text, quotes) = (Text::parse(words).unwrap(), Quotes::default());
    in_thread(reader(author), CommandBody::EditComment { comment, revision, text, quotes })
}

fn flag(reporter: &str, comment: CommentId, category: FlagCategory) -> Command {
    in_thread(reader(reporter), CommandBody::FlagComment { comment, category, words: "look".into() })
}

impl Sandbox {
    async fn done(&self, command: Command) -> wire::v1::CommandReply {
        let reply = self.send(&command, true).await.unwrap();
        assert_eq!(reply.outcome(), Outcome::Applied, "{command:?}");
        reply
    }

    async fn queue(&self) -> Vec<wire::v1::QueueEntry> {
        let page = client::PageOf { at_least: self.end().await, ..client::PageOf::default() };
        self.client().queue(&"s".parse().unwrap(), page).await.unwrap().entries
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_premoderated_thread_readers_see_what_a_moderator_approved() {
    let sandbox = Sandbox::start().await;
    let surge = ModeChange { mode: Mode::Premoderated, reason: "Breaking news".into(), successor: None };
    sandbox.done(command(moderator(), None, CommandBody::SetThreadMode(surge))).await;
    let held = post("ann", "t", "to be read first");
    assert_eq!(sandbox.done(held.clone()).await.state(), CommentState::Held);
    let by_staff = Command { actor: moderator(), ..post("mo", "t", "from the desk") };
    assert_eq!(sandbox.done(by_staff).await.state(), CommentState::Visible);
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!((page.count, page.comments.len(), page.comments[0].number), (1, 1, 2));
    assert_eq!(page.mode_reason, "Breaking news");
    let queue = sandbox.queue().await;
    assert_eq!(queue[0].comment.as_ref().unwrap().held(), HoldReason::Mode);
    assert_eq!(sandbox.refused(vote("cy", CommentId(held.id), Vote::Up)).await, "comment-held");
    let approve = CommandBody::ApproveComment { comment: CommentId(held.id), revision: None };
    assert_eq!(sandbox.done(in_thread(moderator(), approve)).await.state(), CommentState::Visible);
    let page = sandbox.page("t", &sandbox.end().await).await;
    let numbers: Vec<_> = page.comments.iter().map(|comment| comment.number).collect();
    assert_eq!((page.count, numbers), (2, vec![1, 2]), "it has the number that it got when it was posted");
    assert!(sandbox.queue().await.is_empty());
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_authors_links_and_listed_words_are_held_as_the_site_has_set_it() {
    let sandbox = Sandbox::start().await;
    let mut words: Vec<Box<str>> = (0..9_999).map(|n| format!("listed{n:05}").into()).collect();
    words.push("casino".into());
    sandbox.done(set(SettingsPatch { premoderate_words: Some(words), ..SettingsPatch::default() })).await;
    let held = |reply: wire::v1::CommandReply| reply.state() == CommentState::Held;
    crate::sandbox::eventually("the words are known, whatever their disguise", async || {
        held(sandbox.done(post("ann", "t", "Visit the C\u{ff21}S1N0!")).await).then_some(())
    })
    .await;
    assert!(held(sandbox.done(post("ann", "t", "say listed00042, please")).await));
    assert!(!held(sandbox.done(post("ann", "t", "occasional words")).await));
    sandbox
        .done(set(SettingsPatch {
            premoderate_links: Some(true),
            premoderate_first: Some(1),
            ..Default::default()
        }))
        .await;
    // Settings are known to every writer within the age of facts: the next comment may be judged by the old ones.
    crate::sandbox::eventually("the settings are known", async || {
        held(sandbox.done(post("ann", "t", "see https://a.example")).await).then_some(())
    })
    .await;
    assert!(held(sandbox.done(post("ben", "t", "a first comment")).await));
    assert!(!held(sandbox.done(post("ann", "t", "not her first")).await));
    let reasons: Vec<_> =
        sandbox.queue().await.iter().map(|entry| entry.comment.as_ref().unwrap().held()).collect();
    assert_eq!(reasons[..2], [HoldReason::Word, HoldReason::Word]);
    assert!(reasons.ends_with(&[HoldReason::Link, HoldReason::NewAuthor]), "{reasons:?}");
    let site = sandbox.client().site(&"s".parse().unwrap(), "", "").await.unwrap();
    assert_eq!(site.settings.unwrap().premoderate_words.unwrap().words.len(), 10_000);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_just_approved_is_not_held_for_being_new() {
    let sandbox = Sandbox::start().await;
    sandbox.done(set(SettingsPatch { premoderate_first: Some(1), ..SettingsPatch::default() })).await;
    for author in ["ann", "ben", "cy", "dan", "eve"] {
        let first = post(author, "t", "a first comment");
        let held = sandbox.done(first.clone()).await.state() == CommentState::Held;
        let approve = CommandBody::ApproveComment { comment: CommentId(first.id), revision: Some(0) };
        if held {
            sandbox.send(&in_thread(moderator(), approve), false).await.unwrap();
            let second = sandbox.done(post(author, "t", "a second")).await;
            assert_eq!(second.state(), CommentState::Visible, "{author}");
        }
    }
    assert!(sandbox.page("t", &sandbox.end().await).await.count >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_sent_again_after_the_words_changed_is_the_same_comment() {
    let mut sandbox = Sandbox::start().await;
    let words = |words: &[&str]| {
        let words = Some(words.iter().map(|word| (*word).into()).collect());
        set(SettingsPatch { premoderate_words: words, ..SettingsPatch::default() })
    };
    sandbox.done(words(&["casino"])).await;
    let held = crate::sandbox::eventually("the words are known", async || {
        let post = post("ann", "t", "a casino");
        let reply = sandbox.done(post.clone()).await;
        (reply.state() == CommentState::Held).then_some((post, reply.position))
    })
    .await;
    sandbox.done(words(&[])).await;
    // Another writer, which has never heard of the old words, judges otherwise.
    sandbox.roles[0].1.kill();
    sandbox.run("comments");
    let again = sandbox.send(&held.0, true).await.unwrap();
    assert_eq!((again.outcome(), again.position), (Outcome::Applied, held.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_name_is_refused_to_readers_and_given_by_staff() {
    let sandbox = Sandbox::start().await;
    let reserved = Some(vec!["editor*".into()]);
    sandbox.done(set(SettingsPatch { reserved_names: reserved, ..SettingsPatch::default() })).await;
    let name = |actor: Actor| {
        command(
            actor,
            None,
            CommandBody::NameAuthor { author: "ann".parse().unwrap(), name: "The Ed1tors".into() },
        )
    };
    crate::sandbox::eventually("the settings are known", async || {
        (sandbox.refused(name(reader("ann"))).await == "name-reserved").then_some(())
    })
    .await;
    sandbox.done(name(staff())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_edits_that_race_one_is_applied_and_every_revision_is_kept() {
    let mut sandbox = Sandbox::start().await;
    sandbox.run("comments");
    let comment = sandbox.post("ann", "first words").await;
    let edits: Vec<_> = (0..8).map(|n| edit("ann", comment, 0, &format!("version {n}"))).collect();
    let answers = join_all(edits.iter().map(|edit| sandbox.send(edit, true))).await;
    let mut applied = 0;
    for answer in &answers {
        match answer {
            Ok(reply) if reply.outcome() == Outcome::Applied => applied += 1,
            Ok(reply) => assert_eq!((reply.outcome(), reply.code.as_str()), (Outcome::Void, "revision-stale")),
            Err(_) => assert_eq!(code(answer), "revision-stale"),
        }
    }
    assert_eq!(applied, 1, "{answers:?}");
    sandbox.done(edit("ann", comment, 1, "the last version")).await;
    assert_eq!(sandbox.refused(edit("ben", comment, 2, "not mine")).await, "not-author");
    let row = sandbox.page("t", &sandbox.end().await).await.comments.remove(0);
    assert_eq!((row.body.as_str(), row.revision, row.edited.is_some()), ("the last version", 2, true));
    let history =
        sandbox.client().comment(&"s".parse().unwrap(), &"t".parse().unwrap(), comment, "").await.unwrap();
    assert_eq!(history.revisions.len(), 3);
    assert_eq!(history.revisions[0].body, "first words");
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_edit_window_is_closed_by_the_time_of_the_log() {
    let sandbox = Sandbox::start().await;
    sandbox.done(set(SettingsPatch { edit_window_secs: Some(0), ..SettingsPatch::default() })).await;
    let comment = sandbox.post("ann", "words").await;
    crate::sandbox::eventually("the window is closed", async || {
        (sandbox.refused(edit("ann", comment, 0, "too late")).await == "edit-window-closed").then_some(())
    })
    .await;
    sandbox.done(in_thread(reader("ann"), CommandBody::DeleteComment { comment })).await;
    let row = sandbox.page("t", &sandbox.end().await).await.comments.remove(0);
    assert_eq!((row.state(), row.body.as_str(), row.author), (CommentState::Deleted, "", None));
    let reply = post("ben", "t", "to what?");
    let CommandBody::PostComment { text, quotes, .. } = reply.body.clone() else { unreachable!() };
    let reply = Command { body: CommandBody::PostComment { parent: Some(comment), text, quotes }, ..reply };
    assert_eq!(sandbox.refused(reply).await, "parent-deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn enough_flags_hold_a_comment_and_a_moderator_decides_with_reasons() {
    let sandbox = Sandbox::start().await;
    sandbox.done(set(SettingsPatch { report_threshold: Some(2), ..SettingsPatch::default() })).await;
    let comment = sandbox.post("ann", "words").await;
    assert_eq!(sandbox.refused(flag("ann", comment, FlagCategory::Spam)).await, "own-comment");
    sandbox.done(flag("ben", comment, FlagCategory::Spam)).await;
    assert_eq!(sandbox.refused(flag("ben", comment, FlagCategory::Abuse)).await, "flag-exists");
    let held = sandbox.done(flag("cy", comment, FlagCategory::Illegal)).await;
    assert_eq!(held.state(), CommentState::Held);
    let page = sandbox.page("t", &sandbox.end().await).await;
    assert_eq!(
        (page.count, page.comments[0].state(), page.comments[0].body.as_str()),
        (1, CommentState::Held, "")
    );
    let queue = sandbox.queue().await;
    assert_eq!((queue[0].flags_illegal, queue[0].flagged.is_some()), (1, true));
    let approve = || in_thread(moderator(), CommandBody::ApproveComment { comment, revision: None });
    assert_eq!(sandbox.done(approve()).await.state(), CommentState::Visible);
    sandbox.done(flag("dan", comment, FlagCategory::Other)).await;
    let again = sandbox.done(flag("eve", comment, FlagCategory::Other)).await;
    assert_eq!(again.state(), CommentState::Held, "those that came after the approval count anew");
    sandbox.done(approve()).await;
    let resolve = |statement: &str| {
        let statement = statement.into();
        in_thread(moderator(), CommandBody::ResolveFlags { comment, upheld: false, statement })
    };
    assert_eq!(sandbox.refused(resolve("")).await, "statement-missing");
    sandbox.done(resolve("It is an opinion.")).await;
    assert_eq!(sandbox.refused(resolve("Again.")).await, "flags-none");
    assert!(sandbox.queue().await.is_empty());
    let withdraw = in_thread(reader("ben"), CommandBody::WithdrawFlag { comment });
    assert_eq!(sandbox.refused(withdraw).await, "flag-unknown");
    let history =
        sandbox.client().comment(&"s".parse().unwrap(), &"t".parse().unwrap(), comment, "").await.unwrap();
    assert_eq!(history.flags.len(), 4);
    assert!(history.flags.iter().all(|flag| flag.resolution.as_ref().unwrap().statement == "It is an opinion."));
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banned_are_told_until_when_and_why() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    let ban = |until| {
        let ban = Ban { until, reason: "insults".into() };
        command(moderator(), None, CommandBody::BanAuthor { author: "ben".parse().unwrap(), ban })
    };
    assert_eq!(sandbox.refused(ban(Some(Timestamp(1_000)))).await, "ban-over");
    sandbox.done(ban(Some(Timestamp(4_102_444_800_000)))).await;
    for command in
        [post("ben", "t", "still here"), vote("ben", comment, Vote::Up), flag("ben", comment, FlagCategory::Spam)]
    {
        // A writer may hear of the ban a moment late: then the fold says so.
        let refused = crate::sandbox::eventually("the writers know of the ban", async || {
            let again = Command { id: client::new_command_id(), ..command.clone() };
            match sandbox.send(&again, true).await {
                Ok(reply) => {
                    assert_eq!((reply.outcome(), reply.code.as_str()), (Outcome::Void, "banned"));
                    None
                }
                refused => Some(refused),
            }
        })
        .await;
        assert_eq!(code(&refused), "banned");
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("2100-01-01T00:00:00Z") && said.contains("insults"), "{said}");
    }
    let unban = CommandBody::UnbanAuthor { author: "ben".parse().unwrap(), reason: "apologised".into() };
    sandbox.done(command(moderator(), None, unban)).await;
    sandbox.done(vote("ben", comment, Vote::Up)).await;
    let author = sandbox.client().author(&"s".parse().unwrap(), &"ben".parse().unwrap(), "").await.unwrap();
    assert_eq!(author.ban, None);
    sandbox.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_who_did_what_when_and_why_with_before_and_after() {
    let sandbox = Sandbox::start().await;
    let comment = sandbox.post("ann", "words").await;
    sandbox.done(remove(comment)).await;
    let restore = CommandBody::RestoreComment { comment, reason: "a mistake".into() };
    sandbox.done(in_thread(moderator(), restore)).await;
    for name in ["Ann", "Anna"] {
        let author: AuthorId = "ann".parse().unwrap();
        sandbox.done(command(reader("ann"), None, CommandBody::NameAuthor { author, name: name.into() })).await;
    }
    let at_least = sandbox.end().await;
    let audit = async |question: AuditRequest| {
        let question = AuditRequest { at_least: at_least.clone(), ..question };
        let reply = sandbox.client().audit(&"s".parse().unwrap(), &question).await.unwrap();
        assert_eq!(reply.next, "");
        let line = |entry: wire::v1::AuditEntry| {
            let wire::v1::AuditEntry { by, r#type: kind, before, after, .. } = entry;
            format!("{by} {kind} {before} > {after}")
        };
        reply.entries.into_iter().map(line).collect::<Vec<_>>()
    };
    let of_comment = AuditRequest { thread: "t".into(), comment: comment.to_string(), ..AuditRequest::default() };
    let restored = "mo comment-restored removed > visible";
    let removed = "staff comment-removed visible > removed";
    assert_eq!(audit(of_comment).await, [restored, removed]);
    assert_eq!(audit(AuditRequest { by: "mo".into(), ..AuditRequest::default() }).await, [restored]);
    let of_author = AuditRequest { author: "ann".into(), ..AuditRequest::default() };
    assert_eq!(
        audit(of_author).await,
        ["ann author-named Ann > Anna", "ann author-named  > Ann", restored, removed]
    );
    let before = AuditRequest { until: Some(wire::values::time_out(Timestamp(1))), ..AuditRequest::default() };
    assert!(audit(before).await.is_empty());
    let author = sandbox.client().author(&"s".parse().unwrap(), &"ann".parse().unwrap(), "").await.unwrap();
    assert_eq!((author.name.as_str(), author.names[0].name.as_str()), ("Anna", "Ann"));
    let two = AuditRequest { author: "ann".into(), by: "mo".into(), ..AuditRequest::default() };
    assert_eq!(code(&sandbox.client().audit(&"s".parse().unwrap(), &two).await), "limit-exceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_data_is_everything_of_one_author() {
    let sandbox = Sandbox::start().await;
    let mine = sandbox.post("ann", "mine").await;
    let theirs = sandbox.post("ben", "theirs").await;
    sandbox.done(edit("ann", mine, 0, "mine, edited")).await;
    sandbox.done(vote("ann", theirs, Vote::Down)).await;
    sandbox.done(flag("ann", theirs, FlagCategory::OffTopic)).await;
    let (site, ann) = ("s".parse().unwrap(), "ann".parse().unwrap());
    let data = sandbox.client().own_data(&site, &ann, "", &sandbox.end().await).await.unwrap();
    assert_eq!(data.next, "");
    let lines: Vec<serde_json::Value> =
        data.ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["author", "comment", "vote", "flag"]);
    assert_eq!(lines[1]["revisions"][1]["text"], "mine, edited");
    assert_eq!(
        (lines[2]["vote"].as_str(), lines[2]["comment"].as_str()),
        (Some("down"), Some(&*theirs.to_string()))
    );
    assert_eq!((lines[3]["category"].as_str(), lines[3]["words"].as_str()), (Some("off-topic"), Some("look")));
    assert!(lines[3]["time"].as_str().unwrap().ends_with('Z'), "{}", lines[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_holds_what_it_takes_for_spam_and_may_not_approve() {
    let sandbox = Sandbox::start().await;
    let robot = || Actor { id: "robot".parse().unwrap(), roles: [Role::Service].into_iter().collect() };
    let comment = sandbox.post("ann", "words").await;
    let hold = CommandBody::HoldComment { comment, reason: "spam".into() };
    assert_eq!(sandbox.done(in_thread(robot(), hold)).await.state(), CommentState::Held);
    assert_eq!(
        sandbox.refused(in_thread(robot(), CommandBody::ApproveComment { comment, revision: None })).await,
        "not-permitted"
    );
}
