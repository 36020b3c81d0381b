//! docs/rules.md: which command is accepted from whom, in which mode, as the rules themselves say it.

#![expect(clippy::unwrap_used, reason = "a table that cannot be drawn fails on the spot")]

use std::fmt::Write as _;

use domain::command::{Quotes, Voters};
use domain::moderation::{Ban, ModeChange};
use domain::settings::{SettingsPatch, ThreadPatch};
use domain::text::Text;
use domain::thread::{AuthorFacts, CommentFacts, Facts, FlagFacts, PersonFacts, RemovalFacts, Standing, hold};
use domain::{
    Actor, Command, CommandBody, CommandId, CommentId, FlagCategory, Mode, Place, Role, State, Timestamp, Vote,
    decide,
};

const NOW: Timestamp = Timestamp(1_000_000);
const COMMENT: CommentId = CommentId(CommandId::from_u128(1));
const WHO: [(&str, &str, Option<Role>); 5] = [
    ("a reader", "cy", None),
    ("the author", "ann", None),
    ("a moderator", "mo", Some(Role::Moderator)),
    ("an administrator", "al", Some(Role::Administrator)),
    ("a service", "robot", Some(Role::Service)),
];

/// A verb, what it asks for, and what must be so for it to make sense.
type Row = (&'static str, CommandBody, fn(&mut Facts));

#[expect(clippy::too_many_lines, reason = "one row for each command, and nothing else")]
fn commands() -> Vec<Row> {
    let text = || Text::parse("words").unwrap();
    let none = Quotes::default;
    let nothing = |_: &mut Facts| {};
    let reason = || "r".into();
    let state = |state| match state {
        State::Held => |facts: &mut Facts| facts.comments.iter_mut().for_each(|(_, c)| c.state = State::Held),
        _ => |facts: &mut Facts| facts.comments.iter_mut().for_each(|(_, c)| c.state = State::Removed),
    };
    let author = || "dan".parse().unwrap();
    let voters = || Voters::parse(vec![author()]).unwrap();
    let removal =
        || CommandBody::RemoveComments { author: author(), since: None, reason: reason(), rule: reason() };
    vec![
        ("open-site", CommandBody::OpenSite { name: reason(), zone: reason() }, |facts| facts.site = None),
        (
            "set-site",
            CommandBody::SetSite(Box::new(SettingsPatch {
                report_threshold: Some(3),
                ..SettingsPatch::default()
            })),
            nothing,
        ),
        (
            "open-thread",
            CommandBody::OpenThread {
                headline: reason(),
                address: reason(),
                category: reason(),
                published: None,
                closes_at: None,
            },
            |facts| facts.thread = None,
        ),
        ("update-thread", CommandBody::UpdateThread(ThreadPatch::default()), nothing),
        ("set-thread-mode (a thread)", CommandBody::SetThreadMode(ModeChange::default()), nothing),
        ("set-thread-mode (a site)", CommandBody::SetThreadMode(ModeChange::default()), |facts| {
            facts.whole_site = true;
        }),
        ("move-thread", CommandBody::MoveThread { address: reason() }, nothing),
        ("name-author (oneself)", CommandBody::NameAuthor { author: author(), name: reason() }, nothing),
        ("name-author (another)", CommandBody::NameAuthor { author: author(), name: reason() }, nothing),
        (
            "ban-author",
            CommandBody::BanAuthor { author: author(), ban: Ban { until: None, reason: reason() } },
            nothing,
        ),
        ("unban-author", CommandBody::UnbanAuthor { author: author(), reason: reason() }, |facts| {
            facts.author.ban = Some(Ban { until: None, reason: "r".into() });
        }),
        ("post-comment", CommandBody::PostComment { parent: None, text: text(), quotes: none() }, nothing),
        (
            "edit-comment",
            CommandBody::EditComment { comment: COMMENT, revision: 0, text: text(), quotes: none() },
            nothing,
        ),
        ("delete-comment", CommandBody::DeleteComment { comment: COMMENT }, nothing),
        ("hold-comment", CommandBody::HoldComment { comment: COMMENT, reason: reason() }, nothing),
        ("approve-comment", CommandBody::ApproveComment { comment: COMMENT, revision: None }, state(State::Held)),
        (
            "remove-comment",
            CommandBody::RemoveComment { comment: COMMENT, reason: reason(), rule: reason() },
            nothing,
        ),
        (
            "restore-comment",
            CommandBody::RestoreComment { comment: COMMENT, reason: reason() },
            state(State::Removed),
        ),
        ("feature-comment", CommandBody::FeatureComment { comment: COMMENT, featured: true }, nothing),
        (
            "flag-comment",
            CommandBody::FlagComment { comment: COMMENT, category: FlagCategory::Spam, words: reason() },
            nothing,
        ),
        ("withdraw-flag", CommandBody::WithdrawFlag { comment: COMMENT }, |facts| {
            facts.author.flag = Some(FlagFacts { waits: true });
        }),
        (
            "resolve-flags",
            CommandBody::ResolveFlags { comment: COMMENT, upheld: true, statement: reason() },
            |facts| facts.comments.iter_mut().for_each(|(_, comment)| comment.flags = 1),
        ),
        ("cast-vote", CommandBody::CastVote { comment: COMMENT, vote: Vote::Up }, nothing),
        ("void-votes", CommandBody::VoidVotes { voters: voters(), since: None, reason: reason() }, nothing),
        ("unvoid-votes", CommandBody::UnvoidVotes { voters: voters(), reason: reason() }, |facts| {
            facts.people.iter_mut().for_each(|(_, person)| person.votes_void = true);
        }),
        ("remove-comments (of a thread)", removal(), nothing),
        ("remove-comments (of a site)", removal(), |facts| facts.whole_site = true),
        ("undo-removal", CommandBody::UndoRemoval { removal: COMMENT.0, reason: reason() }, |facts| {
            facts.removal = Some(RemovalFacts { undone: false });
        }),
        ("erase-comment", CommandBody::EraseComment { comment: COMMENT, reason: reason() }, nothing),
        (
            "erase-author",
            CommandBody::EraseAuthor { author: author(), comments_kept: false, reason: reason() },
            nothing,
        ),
    ]
}

fn given() -> Facts {
    let comment = CommentFacts {
        author: "ann".parse().unwrap(),
        state: State::Visible,
        posted: NOW,
        lengths: vec![5],
        unseen: vec![],
        flags: 0,
        flags_illegal: 0,
    };
    Facts {
        time: NOW,
        site: Some(Standing::Open),
        thread: Some(Standing::Open),
        author: AuthorFacts::default(),
        comments: vec![(COMMENT, comment)],
        people: vec![("dan".parse().unwrap(), PersonFacts::default())],
        ..Facts::default()
    }
}

/// What a command comes to: accepted, held, or a code.
fn outcome(verb: &str, body: &CommandBody, (id, role): (&str, Option<Role>), facts: &Facts) -> String {
    let actor = Actor { id: id.parse().unwrap(), roles: role.into_iter().collect() };
    let body = match body {
        CommandBody::NameAuthor { name, .. } if verb.ends_with("(oneself)") => {
            CommandBody::NameAuthor { author: actor.id.clone(), name: name.clone() }
        }
        body => body.clone(),
    };
    let place = Place { site: "s".parse().unwrap(), thread: Some("t".parse().unwrap()) };
    let says = matches!(body, CommandBody::PostComment { .. } | CommandBody::EditComment { .. });
    let command = Command { id: CommandId::from_u128(9), actor, place, body };
    match decide(&command, facts) {
        Err(rejection) => format!("`{}`", rejection.code()),
        Ok(_) if says && hold(facts, &command.actor, None).is_some() => "held".to_owned(),
        Ok(_) => "yes".to_owned(),
    }
}

/// Rows of one command, those who are treated alike in one.
fn rows(out: &mut String, verb: &str, body: &CommandBody, columns: &[Facts]) {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (who, id, role) in WHO {
        let cells: Vec<_> = columns.iter().map(|facts| outcome(verb, body, (id, role), facts)).collect();
        match rows.iter_mut().find(|(_, known)| *known == cells) {
            Some((known, _)) => write!(known, ", {who}").unwrap(),
            None => rows.push((who.to_owned(), cells)),
        }
    }
    let verb = match verb.split_once(" (") {
        Some((verb, which)) => format!("`{verb}` ({which}"),
        None => format!("`{verb}`"),
    };
    for (who, cells) in rows {
        writeln!(out, "| {verb} | {who} | {} |", cells.join(" | ")).unwrap();
    }
}

fn document() -> String {
    let mut out = String::from(
        "# Who may do what, and when\n\n\
         Drawn from the rules by `crates/domain/tests/rules.rs`, which fails when this page is out of date. \"The author\" is \
         the author of the comment that a command is about; \"held\" means accepted and waiting for a moderator. Where a \
         command needs it, the comment is held, removed or flagged beforehand.\n\n\
         ## By mode\n\n\
         The mode is the stricter of the site's and the thread's; \"closed\" is an open thread after its closing time.\n\n\
         | Command | Who | open | premoderated | read only | hidden | closed |\n|---|---|---|---|---|---|---|\n",
    );
    for (verb, body, so) in commands() {
        let modes = [Mode::Open, Mode::Premoderated, Mode::ReadOnly, Mode::Hidden, Mode::Open];
        let columns = (0..).zip(modes).map(|(column, thread_mode)| {
            let mut facts = Facts { thread_mode, ..given() };
            facts.closes_at = (column == 4).then_some(NOW);
            so(&mut facts);
            facts
        });
        rows(&mut out, verb, &body, &columns.collect::<Vec<_>>());
    }
    out.push_str(
        "\n## By the comment's state\n\nIn an open thread.\n\n\
         | Command | Who | visible | held | removed | deleted | erased |\n|---|---|---|---|---|---|---|\n",
    );
    for (verb, body, so) in
        commands().into_iter().filter(|(_, body, _)| domain::decide::event_of(body).comment().is_some())
    {
        let columns = [State::Visible, State::Held, State::Removed, State::Deleted, State::Erased].map(|state| {
            let mut facts = given();
            so(&mut facts);
            facts.comments.iter_mut().for_each(|(_, comment)| comment.state = state);
            facts
        });
        rows(&mut out, verb, &body, &columns);
    }
    out.push_str(
        "\n## While banned\n\nIn an open thread.\n\n| Command | Who | banned | ban is over |\n|---|---|---|---|\n",
    );
    for (verb, body, so) in commands() {
        let columns = [None, Some(NOW)].map(|until| {
            let mut facts = given();
            so(&mut facts);
            facts.author.ban = Some(Ban { until, reason: "r".into() });
            facts
        });
        rows(&mut out, verb, &body, &columns);
    }
    out
}

#[test]
fn the_table_of_rules_is_what_the_rules_say() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let written = std::fs::read_to_string(page).unwrap();
    let drawn = document();
    if written != drawn {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules.md");
        std::fs::write(&path, &drawn).unwrap();
        panic!("docs/rules.md is out of date; it should be {}", path.display());
    }
}
