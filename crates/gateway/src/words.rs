//! The enums of the contract as words: in JSON, in forms and on pages. The words are the API: they never change.

use wire::error::Failure;
use wire::v1;

/// The word of a value; `None` for unspecified, which nobody ever means.
macro_rules! out {
    ($out:ident, $of:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        /// The word of a value.
        pub(crate) fn $out(value: v1::$of) -> Option<&'static str> {
            match value {
                v1::$of::Unspecified => None,
                $(v1::$of::$variant => Some($word),)+
            }
        }
    };
}

/// The word of a value, and the value of a word as it stands in requests. Another word is unspecified, which the parser
/// of requests refuses with the code that fits.
macro_rules! both {
    ($out:ident, $in:ident, $of:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        out!($out, $of: $($variant = $word),+);

        /// The value of a word.
        pub(crate) fn $in(word: &str) -> i32 {
            match word {
                $($word => v1::$of::$variant,)+
                _ => v1::$of::Unspecified,
            }
            .into()
        }
    };
}

both!(vote, vote_of, Vote: Up = "up", Down = "down", None = "none");
both!(mode, mode_of, Mode: Open = "open", Premoderated = "premoderated", ReadOnly = "read-only", Hidden = "hidden");
both!(queue_word, queue_kind_of, QueueKind: Held = "held", Flagged = "flagged", Illegal = "illegal");
both!(
    category, category_of, FlagCategory: Spam = "spam", Abuse = "abuse", OffTopic = "off-topic",
    Misinformation = "misinformation", Illegal = "illegal", Other = "other",
);
out!(
    state, CommentState: Visible = "visible", Removed = "removed", Deleted = "deleted", Held = "held",
    Erased = "erased",
);
out!(
    hold, HoldReason: Mode = "mode", NewAuthor = "new-author", Link = "link", Word = "word", Flags = "flags",
    Decision = "decision",
);

/// The order of a word in an address; by id without one.
pub(crate) fn order(word: &str) -> Result<v1::ThreadOrder, Failure> {
    match word {
        "" | "id" => Ok(v1::ThreadOrder::Id),
        "newest" => Ok(v1::ThreadOrder::Newest),
        "comments" => Ok(v1::ThreadOrder::Comments),
        "trending" => Ok(v1::ThreadOrder::Trending),
        _ => Err(Failure::OrderInvalid),
    }
}

/// The kind of queue of a word in an address; unspecified without one.
pub(crate) fn queue_kind(word: &str) -> Result<v1::QueueKind, Failure> {
    match v1::QueueKind::try_from(queue_kind_of(word)) {
        Ok(v1::QueueKind::Unspecified) if !word.is_empty() => Err(Failure::KindInvalid),
        Ok(kind) => Ok(kind),
        Err(_) => Err(Failure::KindInvalid),
    }
}

/// What came of a command.
pub(crate) fn outcome(outcome: v1::Outcome) -> &'static str {
    match outcome {
        v1::Outcome::Unspecified => "unknown",
        v1::Outcome::Accepted => "accepted",
        v1::Outcome::Applied => "applied",
        v1::Outcome::Void => "void",
        v1::Outcome::Pending => "pending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_leads_to_its_value_and_another_to_none() {
        assert_eq!(vote_of("up"), i32::from(v1::Vote::Up));
        assert_eq!(vote_of("none"), i32::from(v1::Vote::None));
        assert_eq!(vote_of("Up"), i32::from(v1::Vote::Unspecified));
        assert_eq!(mode_of("read-only"), i32::from(v1::Mode::ReadOnly));
        assert_eq!(mode_of("read only"), i32::from(v1::Mode::Unspecified));
        assert_eq!(order("newest"), Ok(v1::ThreadOrder::Newest));
        assert_eq!((order(""), order("New")), (Ok(v1::ThreadOrder::Id), Err(Failure::OrderInvalid)));
        assert_eq!(
            (queue_kind(""), queue_kind("held")),
            (Ok(v1::QueueKind::Unspecified), Ok(v1::QueueKind::Held))
        );
        assert_eq!(queue_kind("all"), Err(Failure::KindInvalid));
        for word in ["spam", "abuse", "off-topic", "misinformation", "illegal", "other"] {
            let value = v1::FlagCategory::try_from(category_of(word)).unwrap();
            assert_eq!(category(value), Some(word));
        }
    }
}
