//! One of each command, and what is refused whichever it is.

use client::new_command_id;
use domain::command::Quotes;
use domain::decide::event_of;
use domain::settings::{SettingsPatch, ThreadPatch};
use domain::text::Text;
use domain::{AuthorId, Ban, Command, CommandBody, CommentId, FlagCategory, Mode, ModeChange, Place, Vote};

use crate::sandbox::{Sandbox, code, command, moderator, post, reader, remove, staff, vote};

/// One of each command, in an order in which all are accepted.
pub(crate) fn one_of_each() -> Vec<Command> {
    let site = CommandBody::OpenSite { name: "Other".into(), zone: "UTC".into() };
    let mut site = command(staff(), None, site);
    site.place.site = "other".parse().unwrap();
    let open = CommandBody::OpenThread {
        headline: "H".into(),
        address: "".into(),
        category: "".into(),
        published: None,
        closes_at: None,
    };
    let settings = SettingsPatch { premoderate_words: Some(vec!["casino".into()]), ..SettingsPatch::default() };
    let (ann, dan): (AuthorId, AuthorId) = ("ann".parse().unwrap(), "dan".parse().unwrap());
    let of_site = |actor, body| command(actor, None, body);
    let of_thread = |actor, body| command(actor, Some("t"), body);
    let (first, second) = (post("ann", "t", "first"), post("ben", "t", "second"));
    let (one, two) = (CommentId(first.id), CommentId(second.id));
    let (text, quotes) = (Text::parse("first, edited").unwrap(), Quotes::default());
    let reason = || "r".into();
    let read_only = ModeChange { mode: Mode::ReadOnly, ..ModeChange::default() };
    vec![
        site,
        of_site(staff(), CommandBody::SetSite(Box::new(settings))),
        command(staff(), Some("u"), open),
        of_thread(
            staff(),
            CommandBody::UpdateThread(ThreadPatch { headline: Some("I".into()), ..Default::default() }),
        ),
        of_thread(staff(), CommandBody::MoveThread { address: "https://a.example/b".into() }),
        of_site(reader("ann"), CommandBody::NameAuthor { author: ann, name: "Ann".into() }),
        of_site(
            staff(),
            CommandBody::BanAuthor { author: dan.clone(), ban: Ban { until: None, reason: reason() } },
        ),
        of_site(staff(), CommandBody::UnbanAuthor { author: dan, reason: reason() }),
        first,
        second,
        vote("cy", one, Vote::Up),
        of_thread(reader("ann"), CommandBody::EditComment { comment: one, revision: 0, text, quotes }),
        of_thread(staff(), CommandBody::FeatureComment { comment: one, featured: true }),
        of_thread(
            reader("cy"),
            CommandBody::FlagComment { comment: two, category: FlagCategory::Spam, words: reason() },
        ),
        of_thread(reader("cy"), CommandBody::WithdrawFlag { comment: two }),
        of_thread(
            reader("dan"),
            CommandBody::FlagComment { comment: two, category: FlagCategory::Spam, words: reason() },
        ),
        of_thread(staff(), CommandBody::ResolveFlags { comment: two, upheld: true, statement: reason() }),
        of_thread(moderator(), CommandBody::HoldComment { comment: two, reason: reason() }),
        of_thread(staff(), CommandBody::ApproveComment { comment: two, revision: None }),
        remove(two),
        of_thread(staff(), CommandBody::RestoreComment { comment: two, reason: reason() }),
        of_thread(reader("ben"), CommandBody::DeleteComment { comment: two }),
        of_thread(staff(), CommandBody::SetThreadMode(read_only)),
    ]
}

/// The same, asked for anew.
fn anew(command: &Command) -> Command {
    Command { id: new_command_id(), ..command.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_command_under_the_id_of_any_is_told_so() {
    let sandbox = Sandbox::start().await;
    let commands = one_of_each();
    for command in &commands {
        sandbox.send(command, true).await.unwrap();
    }
    let before = sandbox.journal().await.look().await.unwrap().sequence;
    for first in &commands {
        let body = match (&first.place.thread, &first.body) {
            (_, CommandBody::CastVote { comment, .. }) => {
                CommandBody::CastVote { comment: *comment, vote: Vote::Down }
            }
            (Some(_), _) => post("ann", "t", "something else").body,
            (None, _) => CommandBody::NameAuthor { author: first.actor.id.clone(), name: "Else".into() },
        };
        let other = Command { body, ..first.clone() };
        assert_eq!(code(&sandbox.send(&other, false).await), "command-id-reused", "{first:?}");
    }
    assert_eq!(sandbox.journal().await.look().await.unwrap().sequence, before, "nothing was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_reaches_into_another_site_or_another_thread() {
    let sandbox = Sandbox::start().await;
    sandbox.open_thread("elsewhere").await;
    let commands = one_of_each();
    for command in commands.iter().filter(|command| matches!(command.body, CommandBody::PostComment { .. })) {
        sandbox.send(command, true).await.unwrap();
    }
    let before = sandbox.journal().await.look().await.unwrap().sequence;
    for command in &commands {
        let elsewhere = |site: &str, thread: Option<&str>| {
            let thread = thread.map(|thread| thread.parse().unwrap());
            Command { place: Place { site: site.parse().unwrap(), thread }, ..anew(command) }
        };
        let thread = command.place.thread.as_ref().map(ToString::to_string);
        if !matches!(command.body, CommandBody::OpenSite { .. }) {
            let refused = sandbox.send(&elsewhere("nowhere", thread.as_deref()), false).await;
            assert_eq!(code(&refused), "site-unknown", "{command:?}");
        }
        if thread.is_some() && !matches!(command.body, CommandBody::OpenThread { .. }) {
            let refused = sandbox.send(&elsewhere("s", Some("nowhere")), false).await;
            assert_eq!(code(&refused), "thread-unknown", "{command:?}");
        }
        if event_of(&command.body).comment().is_some() {
            let refused = sandbox.send(&elsewhere("s", Some("elsewhere")), false).await;
            assert_eq!(code(&refused), "comment-unknown", "{command:?}");
        }
    }
    assert_eq!(sandbox.journal().await.look().await.unwrap().sequence, before, "nothing was recorded");
}
