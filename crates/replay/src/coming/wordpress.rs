//! `WordPress`'s WXR export: RSS with the comments of each item inside it.

use std::io::BufRead;

use domain::text;

use super::html;
use super::intake::Intake;
use super::item::{Author, Comment, Fate, Thread, token};
use super::xml::{Next, Node, Records};
use crate::moment::parse_time;

const PREFIX: &str = "wordpress-";

/// An item as far as it was read: its comments come last.
#[derive(Default)]
struct Article {
    id: String,
    title: String,
    link: String,
    date: String,
    closed: bool,
    /// Whether the thread was given out.
    told: bool,
}

pub(super) fn read(source: impl BufRead, intake: &mut Intake) -> anyhow::Result<()> {
    let mut records = Records::new(source, |path| match path {
        [rss] => rss == "rss",
        [rss, channel] => rss == "rss" && channel == "channel",
        [_, _, item] => item == "item",
        _ => false,
    });
    let (mut begun, mut article) = (0, Article::default());
    while let Some(next) = records.next()? {
        match next {
            Next::Open if begun < 2 => begun += 1,
            Next::Open => article = Article::default(),
            Next::Record(node, line) if begun == 2 => record(&mut article, &node, line, intake)?,
            Next::Record(node, _) => {
                anyhow::bail!("the file is no WXR export: it has <{}> at its beginning", node.name)
            }
        }
    }
    if begun == 2 { Ok(()) } else { anyhow::bail!("the file is no WXR export: it has no channel") }
}

fn record(article: &mut Article, node: &Node, line: u64, intake: &mut Intake) -> anyhow::Result<()> {
    let text = || node.text.trim().to_owned();
    match node.name.as_str() {
        "title" => article.title = text(),
        "link" => article.link = text(),
        "wp:post_id" => article.id = text(),
        "wp:post_date_gmt" => article.date = text(),
        "wp:comment_status" => article.closed = text() == "closed",
        "wp:comment" => comment(article, node, line, intake)?,
        // The article itself, the site, its authors, tags: not ours.
        _ => {}
    }
    Ok(())
}

/// A time as `WordPress` writes it, in UTC; where it knows none it writes zeros.
fn time_of(text: &str) -> Option<i64> {
    parse_time(text).ok().map(|time| time.0).filter(|_| !text.starts_with("0000"))
}

fn comment(article: &mut Article, node: &Node, line: u64, intake: &mut Intake) -> anyhow::Result<()> {
    let (key, words) =
        (node.get("wp:comment_id"), node.child("wp:comment_content").map_or("", |words| words.text.as_str()));
    if article.id.is_empty() {
        return intake.bad(line, "a comment before its item's wp:post_id", key);
    }
    if key.is_empty() {
        return intake.bad(line, "a comment without wp:comment_id", words);
    }
    if let kind @ ("pingback" | "trackback") = node.get("wp:comment_type") {
        intake.left(&format!("a {kind}: a link from elsewhere, and nobody's words"));
        return Ok(());
    }
    let fate = match node.get("wp:comment_approved") {
        "1" => Fate::Shown,
        "0" => Fate::Held,
        "trash" | "post-trashed" => Fate::Gone,
        "spam" => {
            intake.left("a comment that is spam");
            return Ok(());
        }
        other => return intake.bad(line, "a comment whose wp:comment_approved is not known", other),
    };
    let Some(time) = time_of(node.get("wp:comment_date_gmt")).or_else(|| time_of(node.get("wp:comment_date")))
    else {
        return intake.bad(
            line,
            "a comment whose wp:comment_date_gmt is no time",
            node.get("wp:comment_date_gmt"),
        );
    };
    let text = match fate {
        Fate::Gone => String::new(),
        Fate::Shown | Fate::Held => match html::to_text(&html::with_paragraphs(words)) {
            Ok(text) => text,
            Err(reason) => return intake.bad(line, &format!("a comment: {reason}"), words),
        },
    };
    article.tell(intake)?;
    let author = author(node, time, fate, intake)?;
    let parent = node.get("wp:comment_parent");
    intake.comment(Comment {
        thread: article.id.clone(),
        key: key.to_owned(),
        parent: (!matches!(parent, "" | "0")).then(|| parent.to_owned()),
        author,
        time,
        text,
        fate,
    })
}

fn author(node: &Node, time: i64, fate: Fate, intake: &mut Intake) -> anyhow::Result<String> {
    let (user, name) = (node.get("wp:comment_user_id"), node.get("wp:comment_author"));
    let id = if matches!(user, "" | "0") {
        let email = node.get("wp:comment_author_email").to_lowercase();
        token("wordpress-guest-", &format!("{name} {email}"))
    } else {
        token(PREFIX, user)
    };
    if fate != Fate::Gone
        && let Some(name) = super::name(name)
    {
        intake.author(Author { id: id.clone(), name, time })?;
    }
    Ok(id)
}

impl Article {
    /// Gives the thread out, with its first comment: an item without any is no discussion.
    fn tell(&mut self, intake: &mut Intake) -> anyhow::Result<()> {
        if self.told {
            return Ok(());
        }
        self.told = true;
        intake.thread(Thread {
            key: self.id.clone(),
            id: token(PREFIX, &self.id),
            headline: super::headline(&self.title).unwrap_or_else(|| self.id.clone()),
            address: text::address(&self.link).map(Into::into).unwrap_or_default(),
            published: time_of(&self.date),
            closed: self.closed,
            deleted: false,
        })
    }
}
