//! The demonstration: one thread with its comments and votes, posted through the commands that anyone uses.
//!
//! Its commands have fixed ids, so that a second start, which sends them all again, has no second effect; votes are
//! cast only where the tally is not there yet. `demo.json` is the thread.

use anyhow::{Context as _, bail, ensure};
use client::{Client, PageOf, new_command_id};
use domain::command::Quotes;
use domain::text::{self, Text};
use domain::{
    Actor, AuthorId, Command, CommandBody, CommandId, CommentId, Place, Quote, Role, SiteId, Tally, ThreadId, Vote,
};
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use wire::v1;

/// The thread. Changing it changes what new data directories hold; old ones keep theirs.
const THREAD: &str = include_str!("demo.json");
/// The fixed part of the ids: version 7, made at a moment before Koe's first release.
const ID_BASE: u128 = 0x0199_c82c_c000_7000_8000_6b6f_6500_0000;
/// Votes in flight: enough to fill the broker's syncs.
const VOTES_IN_FLIGHT: usize = 64;
/// Comments are far fewer than this.
const PAGE: u32 = 200;

#[derive(Deserialize)]
struct Demo {
    site: String,
    site_name: String,
    zone: String,
    thread: String,
    category: String,
    headline: String,
    address: String,
    comments: Vec<DemoComment>,
}

#[derive(Deserialize)]
struct DemoComment {
    author: String,
    name: String,
    text: String,
    #[serde(default)]
    quotes: Vec<DemoQuote>,
    #[serde(default)]
    reply_to: Option<usize>,
    #[serde(default)]
    up: u32,
    #[serde(default)]
    down: u32,
    /// Why a moderator removed it.
    #[serde(default)]
    removed: Option<String>,
}

/// A quote of some words of a comment, by its number.
#[derive(Deserialize)]
struct DemoQuote {
    number: usize,
    words: String,
}

/// Posts what is not there yet.
pub(crate) async fn post(client: &Client) -> anyhow::Result<()> {
    let demo: Demo = serde_json::from_str(THREAD).context("demo.json is part of this binary")?;
    let site: SiteId = demo.site.parse()?;
    let thread: ThreadId = demo.thread.parse()?;
    let whole = Place { site: site.clone(), thread: None };
    let place = Place { site: site.clone(), thread: Some(thread.clone()) };
    let editor = Actor { id: "editor".parse()?, roles: [Role::Administrator].into_iter().collect() };
    let mut ids = (0..).map(|offset| CommandId::from_u128(ID_BASE + offset));
    let mut next = |place: &Place, actor: &Actor, body| {
        let id = ids.next().context("there are more ids than comments")?;
        anyhow::Ok(Command { id, actor: actor.clone(), place: place.clone(), body })
    };

    let open = CommandBody::OpenSite { name: text::site_name(&demo.site_name)?, zone: text::zone(&demo.zone)? };
    client.send(&next(&whole, &editor, open)?, true).await?;
    let open = CommandBody::OpenThread {
        headline: text::headline(&demo.headline)?,
        address: text::address(&demo.address)?,
        category: text::category(&demo.category)?,
        published: None,
        closes_at: None,
    };
    client.send(&next(&place, &editor, open)?, true).await?;

    let mut posted: Vec<CommentId> = Vec::new();
    for comment in &demo.comments {
        let actor = Actor { id: comment.author.parse()?, roles: domain::Roles::default() };
        let name = CommandBody::NameAuthor { author: actor.id.clone(), name: text::author_name(&comment.name)? };
        client.send(&next(&whole, &actor, name)?, false).await?;
        let command = next(&place, &actor, body(&demo, comment, &posted)?)?;
        client.send(&command, true).await?;
        posted.push(CommentId(command.id));
    }
    for (comment, id) in demo.comments.iter().zip(&posted) {
        let Some(reason) = &comment.removed else { continue };
        let body = CommandBody::RemoveComment { comment: *id, reason: text::reason(reason)?, rule: "".into() };
        client.send(&next(&place, &editor, body)?, true).await?;
    }
    vote(client, &demo, &place, &posted).await?;
    check(&demo, &client.thread_page(&site, &thread, page(String::new())).await?)
}

fn body(demo: &Demo, comment: &DemoComment, posted: &[CommentId]) -> anyhow::Result<CommandBody> {
    let by_number = |number: usize| posted.get(number - 1).copied().context("a comment names an earlier one");
    let text = Text::parse(&comment.text)?;
    let mut quotes = Vec::new();
    for quote in &comment.quotes {
        let quoted = demo.comments.get(quote.number - 1).context("a comment quotes an earlier one")?;
        let (before, _) =
            quoted.text.split_once(&quote.words).context("a quote's words stand in what it quotes")?;
        let start = Text::recorded(before).length();
        let end = start + Text::recorded(&quote.words).length();
        quotes.push(Quote { comment: by_number(quote.number)?, revision: 0, start, end, at: 0 });
    }
    let quotes = Quotes::parse(quotes, text.length())?;
    Ok(CommandBody::PostComment { parent: comment.reply_to.map(by_number).transpose()?, text, quotes })
}

/// Casts the votes of those comments whose tally is not there yet, each by a voter of its own.
async fn vote(client: &Client, demo: &Demo, place: &Place, posted: &[CommentId]) -> anyhow::Result<()> {
    let thread = place.thread.as_ref().context("the demonstration is a thread")?;
    let seen = client.thread_page(&place.site, thread, page(String::new())).await?;
    let mut votes = Vec::new();
    for ((comment, id), row) in demo.comments.iter().zip(posted).zip(&seen.comments) {
        // Readers may have voted too since then: more votes than ours are no reason to cast ours again.
        let seen = tally_of(row);
        if comment.removed.is_some() || (seen.up >= comment.up && seen.down >= comment.down) {
            continue;
        }
        let sides = (0..comment.up).map(|_| Vote::Up).chain((0..comment.down).map(|_| Vote::Down));
        for (voter, vote) in (1..).zip(sides) {
            let voter: AuthorId = format!("reader-{voter:02}").parse()?;
            let body = CommandBody::CastVote { comment: *id, vote };
            let actor = Actor { id: voter, roles: domain::Roles::default() };
            votes.push(Command { id: new_command_id(), actor, place: place.clone(), body });
        }
    }
    let sent = futures::stream::iter(&votes).map(|vote| client.send(vote, true)).buffer_unordered(VOTES_IN_FLIGHT);
    let replies: Vec<v1::CommandReply> = sent.try_collect().await?;
    let refused = replies.iter().find(|reply| reply.outcome == i32::from(v1::Outcome::Void));
    if let Some(reply) = refused {
        bail!("a vote was void: {}", reply.code);
    }
    Ok(())
}

fn page(at_least: String) -> PageOf {
    PageOf { after: String::new(), limit: PAGE, at_least }
}

fn tally_of(row: &v1::Comment) -> Tally {
    let v1::Tally { up, down } = row.tally.unwrap_or_default();
    Tally { up, down }
}

fn check(demo: &Demo, page: &v1::ThreadPageReply) -> anyhow::Result<()> {
    ensure!(page.comments.len() >= demo.comments.len(), "the thread has {} comments", page.comments.len());
    Ok(())
}
