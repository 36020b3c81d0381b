//! Error codes: every stable word that an answer may carry, with its class. proto/README.md lists them; a test
//! compares.

use domain::Rejection;

use crate::v1;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $message:literal;)*) => {
        /// Why a request could not be served, where no rule of the domain is the reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Failure { $($(#[doc = $doc])* $variant,)* }

        impl Failure {
            /// Every failure there is.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            fn code(self) -> &'static str { match self { $(Self::$variant => $code,)* } }
            fn status(self) -> u16 { match self { $(Self::$variant => $status,)* } }
            fn message(self) -> &'static str { match self { $(Self::$variant => $message,)* } }
            fn from_code(code: &str) -> Option<Self> { match code { $($code => Some(Self::$variant),)* _ => None } }
        }
    };
}

codes! {
    /// Not the message that the subject takes.
    Malformed = "malformed", 400, "the request is not the message that this subject takes";
    /// More bytes than a request may have.
    TooLarge = "request-too-large", 413, "a request has at most 512 KiB";
    /// A list, page or wait beyond its limit.
    LimitExceeded = "limit-exceeded", 400, "the request asks for more than its limit at once";
    /// A position or cursor that no answer held.
    PositionInvalid = "position-invalid", 400, "a position or cursor is a token out of an earlier answer";
    /// An order that there is not.
    OrderInvalid = "order-invalid", 400, "there is no such order";
    /// A cursor that no answer held, or one of another list, order or shape.
    CursorInvalid = "cursor-invalid", 400, "a cursor is a token out of an earlier answer to the same question";
    /// A reader who has seen more than a cursor holds.
    CursorExpired = "cursor-expired", 410, "more was seen than a cursor holds, or it is of another release; begin again without it";
    /// A position of a log that has lost its tail since.
    PositionLost = "position-lost", 409, "the log lost its tail after this position was given out; ask again without it";
    /// No kind of queue that there is.
    KindInvalid = "kind-invalid", 400, "there is no such kind of queue";
    /// The read model is not as far as the request needs.
    Behind = "behind", 503, "the read model has not caught up; try again in a moment";
    /// The id's time lies too far from the writer's clock.
    CommandExpired = "command-expired", 409, "the id's time is too far from now: it must be a UUIDv7 made for this vote; make a new one";
    /// The actor asks too often.
    RateLimited = "rate-limited", 429, "this actor asks too often; try again in a moment";
    /// The broker has no room.
    LogFull = "log-full", 507, "the log is full; nothing was recorded";
    /// The broker takes no deletes.
    LogUndeletable = "log-undeletable", 507, "the log takes no deletes, so that nothing can be erased; the stream KOE_EVENTS must not deny them";
    /// The writer's clock is off the broker's.
    ClockSkewed = "clock-skewed", 503, "this writer's clock is off and it refuses to write; nothing was recorded";
    /// The broker, a projector or a writer does not answer.
    Unavailable = "unavailable", 503, "a part of the service does not answer; try again with the same id";
    /// Too many requests are being served.
    Overloaded = "overloaded", 503, "too many requests at once; try again in a moment";
    /// A stored value is not what was written.
    StoreUnreadable = "store-unreadable", 503, "what is stored cannot be read; it is being folded again, try again later";
    /// It serves or is being rebuilt.
    GenerationInUse = "generation-in-use", 409, "this generation serves or is being rebuilt";
    /// There is none of this number on the disk.
    GenerationUnknown = "generation-unknown", 404, "the projector has no generation of this number";
    /// A defect of Koe.
    Internal = "internal", 500, "something broke inside Koe; the log of the service says what";
}

/// A stable code: the rule that was broken, or why the request could not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A rule of the domain.
    Rejected(Rejection),
    /// Anything else.
    Failed(Failure),
}

impl From<Rejection> for Code {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Failure> for Code {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Code {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.code(),
            Self::Failed(failure) => failure.code(),
        }
    }

    /// The code of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        let rejected = Rejection::from_code(word).map(Self::Rejected);
        rejected.or_else(|| Failure::from_code(word).map(Self::Failed))
    }

    /// The class of the error, in the numbers of HTTP, which `Nats-Service-Error-Code` carries too.
    pub fn status(self) -> u16 {
        match self {
            Self::Failed(failure) => failure.status(),
            Self::Rejected(rejection) => status_of(rejection),
        }
    }

    /// The body of an error answer.
    pub fn body(self) -> v1::Error {
        let message = match self {
            Self::Rejected(rejection) => rejection.to_string(),
            Self::Failed(failure) => failure.message().to_owned(),
        };
        v1::Error { code: self.as_str().to_owned(), message }
    }

    /// Every code there is.
    pub fn every() -> impl Iterator<Item = Self> {
        let rejected = Rejection::EVERY.iter().map(|rejection| Self::Rejected(*rejection));
        rejected.chain(Failure::EVERY.iter().map(|failure| Self::Failed(*failure)))
    }
}

#[expect(clippy::too_many_lines, reason = "one line for each rejection, and nothing else")]
fn status_of(rejection: Rejection) -> u16 {
    match rejection {
        Rejection::NotPermitted | Rejection::OwnComment | Rejection::NotAuthor | Rejection::Banned => 403,
        Rejection::SiteUnknown
        | Rejection::ThreadUnknown
        | Rejection::CommentUnknown
        | Rejection::ParentUnknown
        | Rejection::QuoteUnknown
        | Rejection::SuccessorUnknown
        | Rejection::VoterUnknown
        | Rejection::AuthorUnknown
        | Rejection::RemovalUnknown
        | Rejection::FlagUnknown => 404,
        Rejection::SiteExists
        | Rejection::ThreadExists
        | Rejection::ThreadFrozen
        | Rejection::CommentRemoved
        | Rejection::CommentDeleted
        | Rejection::CommentErased
        | Rejection::CommentHeld
        | Rejection::CommentNotHeld
        | Rejection::CommentNotRemoved
        | Rejection::ParentRemoved
        | Rejection::ParentDeleted
        | Rejection::ParentErased
        | Rejection::ParentHeld
        | Rejection::VotesNotVoid
        | Rejection::AuthorErased
        | Rejection::RemovalUndone
        | Rejection::EditWindowClosed
        | Rejection::RevisionStale
        | Rejection::EditsTooMany
        | Rejection::ThreadReadOnly
        | Rejection::ThreadHidden
        | Rejection::ThreadClosed
        | Rejection::MovesTooMany
        | Rejection::NotBanned
        | Rejection::BanOver
        | Rejection::NameReserved
        | Rejection::FlagExists
        | Rejection::FlagsNone
        | Rejection::StatementMissing
        | Rejection::CommandIdReused => 409,
        Rejection::SiteInvalid
        | Rejection::ThreadInvalid
        | Rejection::ActorInvalid
        | Rejection::RoleInvalid
        | Rejection::CommandIdInvalid
        | Rejection::CommentInvalid
        | Rejection::TextEmpty
        | Rejection::TextTooLong
        | Rejection::TextControl
        | Rejection::QuoteInvalid
        | Rejection::QuotesTooMany
        | Rejection::NameInvalid
        | Rejection::HeadlineInvalid
        | Rejection::AddressInvalid
        | Rejection::CategoryInvalid
        | Rejection::ReasonInvalid
        | Rejection::ZoneUnknown
        | Rejection::LocaleInvalid
        | Rejection::SettingInvalid
        | Rejection::WordsInvalid
        | Rejection::NothingToSet
        | Rejection::TimeInvalid
        | Rejection::ModeInvalid
        | Rejection::SuccessorInvalid
        | Rejection::RuleInvalid
        | Rejection::FlagCategoryInvalid
        | Rejection::FlagWordsInvalid
        | Rejection::StatementInvalid
        | Rejection::VoteInvalid
        | Rejection::VotersInvalid
        | Rejection::PartitionWrong => 400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_one_word_for_one_thing_and_documented() {
        let readme = include_str!("../../../proto/README.md");
        let mut seen = std::collections::HashSet::new();
        for code in Code::every() {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert_eq!(Code::from_word(code.as_str()), Some(code));
            let row = format!("| `{}` | {} | {} |", code.as_str(), code.status(), code.body().message);
            assert!(readme.contains(&row), "proto/README.md lacks {row}");
        }
    }
}
