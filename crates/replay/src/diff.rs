//! `koe replay diff`: what changed in a thread between two moments, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use domain::{CommentId, Content, Event, Recorded, Tally};
use serde_json::json;
use wire::v1;

use crate::describe::{line, object};
use crate::following::open_log;
use crate::limits::VOTERS_SHOWN_MAX;
use crate::moment::Moment;
use crate::progress::Progress;
use crate::thread_fold::{ThreadFold, Which, temporary_store};

/// Between which moments.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The earlier moment: a place in the log, or a time such as 2026-11-24T10:00:00Z.
    #[arg(value_name = "A")]
    from: Moment,
    /// The later moment.
    #[arg(value_name = "B")]
    to: Moment,
    #[command(flatten)]
    which: Which,
}

/// What changed in a comment.
struct Change {
    number: u32,
    id: String,
    /// What of it, with both values.
    fields: Vec<(&'static str, String, String)>,
    /// Who voted on it meanwhile.
    voters: BTreeSet<String>,
}

pub(crate) async fn run(
    nats: async_nats::Client,
    options: &Options,
    json: bool,
    progress: &Progress,
) -> anyhow::Result<String> {
    let journal = open_log(nats).await?;
    let Options { from, to, which } = options.clone();
    let fold = ThreadFold::read(&journal, &which, &[from, to], progress).await?;
    let compared = tokio::task::spawn_blocking(move || {
        let after = fold.still(to, &temporary_store()?.0)?;
        // A thread that was not there yet had no comments.
        let before = fold.still(from, &temporary_store()?.0).map(|still| still.page);
        let before = match before {
            Ok(page) => page,
            Err(_) if fold.between(from, to).any(opens) => v1::ThreadPageReply::default(),
            Err(error) => return Err(error),
        };
        let events: Vec<_> = fold.between(from, to).cloned().collect();
        if events.is_empty() && fold.between(to, from).next().is_some() {
            bail!("{from:?} is later than {to:?}: name the earlier moment first");
        }
        let changes = changes(&before, &after.page, &events);
        Ok(if json { to_json(&changes, &events) } else { to_words(&changes, &events) })
    });
    compared.await.context("comparing broke")?
}

fn opens(recorded: &Recorded) -> bool {
    matches!(&recorded.content, Content::Event(envelope) if matches!(envelope.event, Event::ThreadOpened { .. }))
}

fn changes(before: &v1::ThreadPageReply, after: &v1::ThreadPageReply, events: &[Recorded]) -> Vec<Change> {
    let mut voters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (comment, voter) in events.iter().filter_map(vote_of) {
        voters.entry(comment.to_string()).or_default().insert(voter);
    }
    let known: BTreeMap<_, _> = before.comments.iter().map(|comment| (comment.number, comment)).collect();
    let mut changes = Vec::new();
    for comment in &after.comments {
        let was = known.get(&comment.number);
        let fields = match was {
            None => vec![("comment", "none".to_owned(), format!("{}, {}", state(comment), tally(comment)))],
            Some(was) => differing(was, comment),
        };
        let voters = voters.remove(&comment.id).unwrap_or_default();
        if !fields.is_empty() || !voters.is_empty() {
            changes.push(Change { number: comment.number, id: comment.id.clone(), fields, voters });
        }
    }
    changes
}

fn vote_of(recorded: &Recorded) -> Option<(CommentId, String)> {
    let Content::Event(envelope) = &recorded.content else { return None };
    let Event::VoteCast { comment, .. } = &envelope.event else { return None };
    Some((*comment, envelope.actor.id.to_string()))
}

fn differing(was: &v1::Comment, is: &v1::Comment) -> Vec<(&'static str, String, String)> {
    let name =
        |comment: &v1::Comment| comment.author.as_ref().map_or_else(String::new, |author| author.name.clone());
    let fields = [
        ("state", state(was), state(is)),
        ("score", tally(was), tally(is)),
        ("revision", was.revision.to_string(), is.revision.to_string()),
        ("featured", was.featured.to_string(), is.featured.to_string()),
        ("name", name(was), name(is)),
    ];
    // What is not shown has no name either, which is no second change.
    let hidden = was.author.is_none() || is.author.is_none();
    fields.into_iter().filter(|(field, was, is)| was != is && !(hidden && *field == "name")).collect()
}

fn state(comment: &v1::Comment) -> String {
    comment.state().as_str_name().trim_start_matches("COMMENT_STATE_").to_lowercase()
}

fn tally(comment: &v1::Comment) -> String {
    let v1::Tally { up, down } = comment.tally.unwrap_or_default();
    Tally { up, down }.to_string()
}

fn is_vote(recorded: &Recorded) -> bool {
    vote_of(recorded).is_some()
}

fn to_words(changes: &[Change], events: &[Recorded]) -> String {
    let mut words = String::new();
    let mut say = |line: String| writeln!(words, "{line}").expect("a string takes what is written");
    for change in changes {
        let number = change.number;
        for (field, was, is) in &change.fields {
            say(format!("#{number} {field}: {was} → {is}"));
        }
        if !change.voters.is_empty() {
            let shown: Vec<_> = change.voters.iter().take(VOTERS_SHOWN_MAX).map(String::as_str).collect();
            let more = change.voters.len() - shown.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            say(format!("#{number} votes by {}{more}", shown.join(", ")));
        }
    }
    let votes = events.iter().filter(|recorded| is_vote(recorded)).count();
    let others: Vec<_> = events.iter().filter(|recorded| !is_vote(recorded)).collect();
    if changes.is_empty() {
        say("no comment of the thread changed".to_owned());
    }
    if !others.is_empty() {
        say("\nby:".to_owned());
    }
    for recorded in others {
        say(line(recorded));
    }
    let noun = if events.len() == 1 { "event" } else { "events" };
    say(format!("\n{} {noun} of the thread and its site, {votes} of them votes", events.len()));
    words
}

fn to_json(changes: &[Change], events: &[Recorded]) -> String {
    let changes = changes.iter().map(|change| {
        let fields = change.fields.iter().map(|(field, was, is)| (field, json!({ "was": was, "is": is })));
        json!({
            "number": change.number,
            "id": change.id,
            "fields": fields.map(|(field, both)| ((*field).to_owned(), both)).collect::<serde_json::Map<_, _>>(),
            "voters": change.voters,
        })
    });
    let events: Vec<_> = events.iter().map(object).collect();
    format!("{}\n", json!({ "changes": changes.collect::<Vec<_>>(), "events": events }))
}
