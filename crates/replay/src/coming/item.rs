//! What any format comes down to: threads, comments, votes, and the ids that they have in Koe.

use domain::{AuthorId, CommandId, SiteId, ThreadId, Vote};
use serde::{Deserialize, Serialize};

/// Something out of a file. Keys are those of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Item {
    Author(Author),
    Thread(Thread),
    /// That there is such a comment, and what it replies to.
    Index {
        thread: String,
        key: String,
        parent: Option<String>,
    },
    Comment(Comment),
    Vote(Ballot),
}

/// What somebody was called at some time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Author {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) time: i64,
}

/// A discussion below an article.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Thread {
    pub(super) key: String,
    /// Its id in Koe.
    pub(super) id: String,
    pub(super) headline: String,
    pub(super) address: String,
    pub(super) published: Option<i64>,
    pub(super) closed: bool,
    /// Nothing of it is carried.
    pub(super) deleted: bool,
}

/// How a comment stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    Shown,
    /// It waited for a moderator.
    Held,
    /// It was taken away; its words are not carried.
    Gone,
}

/// A comment, in our Markdown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Comment {
    pub(super) thread: String,
    pub(super) key: String,
    pub(super) parent: Option<String>,
    /// The author's id in Koe.
    pub(super) author: String,
    pub(super) time: i64,
    pub(super) text: String,
    pub(super) fate: Fate,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Ballot {
    pub(super) thread: String,
    pub(super) comment: String,
    /// The voter's id in Koe.
    pub(super) voter: String,
    pub(super) time: i64,
    /// 1, 0 or -1.
    pub(super) vote: i8,
}

impl Ballot {
    pub(super) fn vote(&self) -> Vote {
        match self.vote {
            1 => Vote::Up,
            -1 => Vote::Down,
            _ => Vote::None,
        }
    }
}

/// A hash over parts, each with its length.
fn hash(parts: &[&str]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&u64::try_from(part.len()).expect("a length fits").to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

/// The id of the command that imports something: of these parts for ever, a UUID of version 8. Stored: never change.
pub(super) fn command_id(site: &SiteId, thread: Option<&ThreadId>, parts: &[&str]) -> CommandId {
    let thread = thread.map_or("all", ThreadId::as_str);
    let all = [&["koe import", site.as_str(), thread], parts].concat();
    let digest = hash(&all);
    let (bytes, _) = digest.as_bytes().split_first_chunk::<16>().expect("a digest has 32 bytes");
    let bits = u128::from_be_bytes(*bytes);
    CommandId::from_u128((bits & !(0xf << 76) & !(0b11 << 62)) | (8 << 76) | (0b10 << 62))
}

/// A key as an id: as it is where it can be one, otherwise its hash. Stored: never change.
pub(super) fn token(prefix: &str, key: &str) -> String {
    let plain = format!("{prefix}{key}");
    if key != "all" && plain.parse::<AuthorId>().is_ok() {
        return plain;
    }
    let digits: String = hash(&["koe import id", prefix, key]).to_hex().chars().take(24).collect();
    format!("{prefix}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_ever() {
        let (site, thread) = ("demo".parse().unwrap(), "t".parse().unwrap());
        let thread = Some(&thread);
        let id = command_id(&site, thread, &["comment", "disqus", "1"]);
        assert_eq!(id.to_string(), "3830af9b-8b4f-888c-9fb3-cd17ded9f9e5");
        assert_eq!(id.made_at_millis(), None, "it says nothing of a time");
        assert_ne!(id, command_id(&site, thread, &["comment", "disqus1", ""]));
    }

    #[test]
    fn a_key_that_can_be_an_id_is_one() {
        assert_eq!(token("disqus-", "ann_b"), "disqus-ann_b");
        let hashed = token("disqus-", "Ann Ä");
        assert!(hashed.starts_with("disqus-") && hashed.len() == 31 && hashed != token("disqus-", "Ann Å"));
        assert_eq!(token("", "all").len(), 24);
        assert!(token("disqus-", &"x".repeat(64)).parse::<AuthorId>().is_ok());
    }
}
