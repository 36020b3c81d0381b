//! Disqus's XML export: threads and posts beside one another, by ids of its own.

use std::io::BufRead;

use domain::text;

use super::html;
use super::intake::Intake;
use super::item::{Author, Comment, Fate, Thread, token};
use super::xml::{Next, Node, Records};
use crate::moment::parse_time;

/// What every id of it has in Koe, so that it meets no other.
const PREFIX: &str = "disqus-";

pub(super) fn read(source: impl BufRead, intake: &mut Intake) -> anyhow::Result<()> {
    let mut records = Records::new(source, |path| matches!(path, [root] if root == "disqus"));
    let mut begun = false;
    while let Some(next) = records.next()? {
        match next {
            Next::Open => begun = true,
            Next::Record(node, line) => match node.name.as_str() {
                _ if !begun => anyhow::bail!("the file is no export of Disqus: it begins with <{}>", node.name),
                "thread" => thread(&node, line, intake)?,
                "post" => post(&node, line, intake)?,
                "category" => intake.left("a category: Koe keeps them as words of a thread"),
                _ => intake.left("an element that no export of Disqus is known to have"),
            },
        }
    }
    if begun { Ok(()) } else { anyhow::bail!("the file is no export of Disqus: it has nothing in it") }
}

fn is_true(node: &Node, name: &str) -> bool {
    node.get(name) == "true"
}

fn time_of(node: &Node) -> Option<i64> {
    parse_time(node.get("createdAt")).ok().map(|time| time.0)
}

fn thread(node: &Node, line: u64, intake: &mut Intake) -> anyhow::Result<()> {
    let key = node.attribute("dsq:id");
    if key.is_empty() {
        return intake.bad(line, "a thread without dsq:id", node.get("title"));
    }
    let identifier = node.get("id");
    let deleted = is_true(node, "isDeleted");
    if deleted {
        intake.left("a thread that was deleted, with its comments");
    }
    let headline = [node.get("title"), node.get("link"), key].into_iter().find_map(super::headline);
    intake.thread(Thread {
        key: key.to_owned(),
        id: if identifier.is_empty() { token(PREFIX, key) } else { token("", identifier) },
        headline: headline.unwrap_or_else(|| key.to_owned()),
        address: text::address(node.get("link")).map(Into::into).unwrap_or_default(),
        published: time_of(node),
        closed: is_true(node, "isClosed"),
        deleted,
    })
}

fn post(node: &Node, line: u64, intake: &mut Intake) -> anyhow::Result<()> {
    let (key, message) = (node.attribute("dsq:id"), node.get("message"));
    if key.is_empty() {
        return intake.bad(line, "a post without dsq:id", message);
    }
    let thread = node.child("thread").map_or("", |thread| thread.attribute("dsq:id"));
    if thread.is_empty() {
        return intake.bad(line, "a post without its thread", key);
    }
    let Some(time) = time_of(node) else {
        return intake.bad(line, "a post whose createdAt is no time", node.get("createdAt"));
    };
    if is_true(node, "isSpam") {
        intake.left("a post that is spam");
        return Ok(());
    }
    let fate = if is_true(node, "isDeleted") { Fate::Gone } else { Fate::Shown };
    let words = match fate {
        Fate::Gone => String::new(),
        Fate::Shown | Fate::Held => match html::to_text(message) {
            Ok(words) => words,
            Err(reason) => return intake.bad(line, &format!("a post: {reason}"), message),
        },
    };
    let author = author(node.child("author"), time, intake, fate)?;
    let parent = node.child("parent").map(|parent| parent.attribute("dsq:id").to_owned());
    intake.comment(Comment {
        thread: thread.to_owned(),
        key: key.to_owned(),
        parent: parent.filter(|parent| !parent.is_empty()),
        author,
        time,
        text: words,
        fate,
    })
}

/// The id of whoever wrote a post. No address of a person comes into the log: of guests a hash tells them apart.
fn author(node: Option<&Node>, time: i64, intake: &mut Intake, fate: Fate) -> anyhow::Result<String> {
    let get = |name| node.map_or("", |node| node.get(name));
    let (username, name) = (get("username"), get("name"));
    let id = if username.is_empty() {
        token("disqus-guest-", &format!("{} {}", name, get("email").to_lowercase()))
    } else {
        token(PREFIX, username)
    };
    let name = super::name(if name.is_empty() { username } else { name });
    if fate != Fate::Gone
        && let Some(name) = name
    {
        intake.author(Author { id: id.clone(), name, time })?;
    }
    Ok(id)
}
