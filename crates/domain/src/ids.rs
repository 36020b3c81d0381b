//! Ids: opaque to Koe, safe in a NATS subject, comparable.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::limits::TOKEN_CHARS_MAX;
use crate::rejection::Rejection;

/// The thread and partition token of events that are about a site or an author; no thread may be called so.
pub const ALL: &str = "all";

fn is_token(text: &str) -> bool {
    (1..=TOKEN_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $rejection:expr, $reserved:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as it stands in subjects and keys.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Rejection;

            fn from_str(text: &str) -> Result<Self, Rejection> {
                if is_token(text) && !($reserved && text == ALL) {
                    Ok(Self(text.into()))
                } else {
                    Err($rejection)
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

token!(
    /// One publication. 1 to 64 characters out of `[A-Za-z0-9_-]`, not `all`.
    SiteId,
    Rejection::SiteInvalid,
    true
);
token!(
    /// The discussion below one article. 1 to 64 characters out of `[A-Za-z0-9_-]`, not `all`.
    ThreadId,
    Rejection::ThreadInvalid,
    true
);
token!(
    /// Somebody who posts, votes or moderates. 1 to 64 characters out of `[A-Za-z0-9_-]`.
    AuthorId,
    Rejection::ActorInvalid,
    false
);

impl AuthorId {
    /// What an author is called in the place of their id once a command has erased them. Stored: never change.
    pub fn pseudonym(erasure: CommandId) -> Self {
        Self(format!("former-{erasure}").into())
    }
}

/// The id of a command: a UUID, best of version 7, made by the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(Uuid);

impl CommandId {
    /// An id from its 128 bits.
    pub const fn from_u128(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    /// The id's 128 bits.
    pub fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// When the caller made the id, in milliseconds since the Unix epoch; `None` unless it is of version 7.
    pub fn made_at_millis(self) -> Option<i64> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        i64::try_from(self.0.as_u128() >> 80).ok()
    }
}

impl FromStr for CommandId {
    type Err = Rejection;

    /// Only the hyphenated form, so that an id has one spelling but for its case.
    fn from_str(text: &str) -> Result<Self, Rejection> {
        let hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
        let id = Uuid::try_parse(text).ok().filter(|id| hyphenated && !id.is_nil());
        id.map(Self).ok_or(Rejection::CommandIdInvalid)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The id of a comment: that of the command that posted it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommentId(pub CommandId);

impl FromStr for CommentId {
    type Err = Rejection;

    fn from_str(text: &str) -> Result<Self, Rejection> {
        text.parse().map(Self).or(Err(Rejection::CommentInvalid))
    }
}

impl fmt::Display for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CommentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_what_a_subject_allows() {
        assert!("tokyo-2026_A".parse::<SiteId>().is_ok());
        for bad in ["", "a.b", "a b", "*", ">", "日本", "all", &"x".repeat(65)] {
            assert_eq!(bad.parse::<ThreadId>(), Err(Rejection::ThreadInvalid), "{bad:?}");
        }
        assert!("all".parse::<AuthorId>().is_ok(), "only places are reserved");
    }

    #[test]
    fn an_id_has_one_spelling_and_version_7_tells_its_time() {
        let id: CommandId = "019A3C5E-7D00-7000-8000-000000000001".parse().unwrap();
        assert_eq!(id.to_string(), "019a3c5e-7d00-7000-8000-000000000001");
        assert_eq!(id.made_at_millis(), Some(0x019a_3c5e_7d00));
        let random: CommandId = "6fa459ea-ee8a-4ca4-894e-db77e160355e".parse().unwrap();
        assert_eq!(random.made_at_millis(), None);
        for bad in ["", "019a3c5e7d0070008000000000000001", "00000000-0000-0000-0000-000000000000", "x"] {
            assert_eq!(bad.parse::<CommandId>(), Err(Rejection::CommandIdInvalid), "{bad:?}");
        }
    }
}
