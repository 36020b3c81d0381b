//! Why a command was refused: a flat list with stable codes.

use thiserror::Error;

macro_rules! rejections {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $message:literal;)*) => {
        /// Why a command was refused, or why an event is void. A refusal is not an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
        pub enum Rejection {
            $($(#[doc = $doc])* #[error($message)] $variant,)*
        }

        impl Rejection {
            /// Every rejection there is.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The stable word for it. Stored: never change.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The rejection of a code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

rejections! {
    /// The site's id is not a token.
    SiteInvalid = "site-invalid", "a site's id is 1 to 64 characters out of A-Z a-z 0-9 _ - and not `all`";
    /// The thread's id is not a token.
    ThreadInvalid = "thread-invalid", "a thread's id is 1 to 64 characters out of A-Z a-z 0-9 _ - and not `all`";
    /// The actor's or author's id is not a token.
    ActorInvalid = "actor-invalid", "an actor's id is 1 to 64 characters out of A-Z a-z 0-9 _ -";
    /// A role that is not in the contract.
    RoleInvalid = "role-invalid", "a role is moderator, administrator or service";
    /// The command's id is not a UUID.
    CommandIdInvalid = "command-id-invalid", "a command's id is a UUID with hyphens, best of version 7";
    /// The comment's id is not a UUID.
    CommentInvalid = "comment-invalid", "a comment's id is a UUID with hyphens";
    /// Nothing but white space.
    TextEmpty = "text-empty", "the text is empty";
    /// More characters than the text may have.
    TextTooLong = "text-too-long", "the text is longer than the site allows, or than 10,000 characters";
    /// Control characters other than line ends and tabs.
    TextControl = "text-control-characters", "the text holds control characters; only line ends and tabs may stand in it";
    /// A quote whose range is empty, reversed, or stands outside the text.
    QuoteInvalid = "quote-invalid", "a quote needs start < end inside a revision of the quoted text, and a place inside its own text; quotes stand in order";
    /// More quotes than a comment may have.
    QuotesTooMany = "quotes-too-many", "a comment quotes at most 20 times";
    /// A name that is empty, too long, or holds control characters.
    NameInvalid = "name-invalid", "a name is 1 to 50 visible characters on one line (a site's up to 200)";
    /// A headline that is empty, too long, or holds control characters.
    HeadlineInvalid = "headline-invalid", "a headline is 1 to 300 characters on one line";
    /// Not an http or https address.
    AddressInvalid = "address-invalid", "an address starts with https:// or http:// and has at most 2,000 characters";
    /// A category that is too long or holds control characters.
    CategoryInvalid = "category-invalid", "a category is at most 100 characters on one line";
    /// A reason that is empty, too long, or holds control characters.
    ReasonInvalid = "reason-invalid", "a reason is 1 to 500 characters";
    /// Not an IANA time zone.
    ZoneUnknown = "zone-unknown", "a zone is the name of an IANA time zone, as in Asia/Tokyo";
    /// Not a BCP 47 language tag.
    LocaleInvalid = "locale-invalid", "a locale is a BCP 47 language tag of at most 35 characters, as in de-CH";
    /// A number beyond what the setting takes.
    SettingInvalid = "setting-invalid", "a setting is beyond its limit; proto/koe/v1/event.proto says which number may be how large";
    /// A list of words that is too long, or holds a word that is empty, too long, or has control characters.
    WordsInvalid = "words-invalid", "a list has at most 10,000 words of 1 to 64 characters, 128 KiB together, each with a letter or a digit";
    /// A patch that sets nothing.
    NothingToSet = "nothing-to-set", "the command sets nothing";
    /// A time that is none, or two that exclude each other.
    TimeInvalid = "time-invalid", "a time lies before the last day of the year 9999, and `closes_at` excludes `closes_never`";
    /// Not a mode.
    ModeInvalid = "mode-invalid", "a mode is open, premoderated, read only or hidden";
    /// A successor without read only, of a whole site, or the thread itself.
    SuccessorInvalid = "successor-invalid", "a successor is another thread, and only for a thread that is read only";
    /// A rule of the house that is too long or holds control characters.
    RuleInvalid = "rule-invalid", "a rule is at most 100 characters on one line";
    /// Not a category of flags.
    FlagCategoryInvalid = "flag-category-invalid", "a flag needs one of the categories of the contract";
    /// Words to a flag that are too long, hold control characters, or are missing where they must not.
    FlagWordsInvalid = "flag-words-invalid", "words to a flag are at most 1,000 characters, and not empty where the content is said to be illegal";
    /// A statement of reasons that is too long or holds control characters.
    StatementInvalid = "statement-invalid", "a statement of reasons is at most 4,000 characters";
    /// Neither up, down nor none.
    VoteInvalid = "vote-invalid", "a vote is up, down or none";
    /// The actor's roles do not allow it.
    NotPermitted = "not-permitted", "the actor may not do this here";
    /// No such site.
    SiteUnknown = "site-unknown", "there is no such site";
    /// The site is open already.
    SiteExists = "site-exists", "the site is open already, by another command";
    /// No such thread in the site.
    ThreadUnknown = "thread-unknown", "there is no such thread in this site";
    /// The thread is open already.
    ThreadExists = "thread-exists", "the thread is open already, by another command";
    /// An event of the thread or its site cannot be read; see `koe replay`.
    ThreadFrozen = "thread-frozen", "the thread stands still until an operator has looked at it";
    /// No such comment in the thread.
    CommentUnknown = "comment-unknown", "there is no such comment in this thread";
    /// The comment is removed.
    CommentRemoved = "comment-removed", "the comment was removed";
    /// The comment's author took it back.
    CommentDeleted = "comment-deleted", "the comment was taken back by its author";
    /// The comment's words are forgotten.
    CommentErased = "comment-erased", "the comment was erased";
    /// The comment waits for a moderator.
    CommentHeld = "comment-held", "the comment waits for a moderator";
    /// The comment does not wait for a moderator.
    CommentNotHeld = "comment-not-held", "the comment is not held";
    /// The comment is not removed.
    CommentNotRemoved = "comment-not-removed", "the comment is not removed";
    /// Somebody else's comment.
    NotAuthor = "not-author", "only its author may do this to a comment";
    /// The comment was posted too long ago.
    EditWindowClosed = "edit-window-closed", "the comment was posted too long ago to be edited";
    /// Another edit came first.
    RevisionStale = "revision-stale", "the comment has another revision by now; look at it again";
    /// No more revisions.
    EditsTooMany = "edits-too-many", "a comment is edited at most 10 times";
    /// The thread or its site is read only.
    ThreadReadOnly = "thread-read-only", "the thread is read only";
    /// The thread or its site is hidden.
    ThreadHidden = "thread-hidden", "the thread is hidden";
    /// The thread has closed by itself.
    ThreadClosed = "thread-closed", "the thread is closed since its closing time";
    /// No more addresses.
    MovesTooMany = "moves-too-many", "an article moves at most 50 times";
    /// The thread where the discussion shall go on does not exist.
    SuccessorUnknown = "successor-unknown", "the thread where the discussion shall go on is not in this site";
    /// The actor is banned from the site.
    Banned = "banned", "the actor is banned from this site";
    /// The author is not banned.
    NotBanned = "not-banned", "the author is not banned";
    /// A ban that would be over already.
    BanOver = "ban-over", "the ban would be over already";
    /// The name holds a word that the site keeps for itself.
    NameReserved = "name-reserved", "the name is reserved on this site";
    /// The actor has flagged the comment before.
    FlagExists = "flag-exists", "the actor has flagged this comment already";
    /// The actor has no flag there that could be withdrawn.
    FlagUnknown = "flag-unknown", "the actor has no flag on this comment that waits for a decision";
    /// No flag waits for a decision.
    FlagsNone = "flags-none", "no flag on this comment waits for a decision";
    /// A decision on a report of illegal content without reasons.
    StatementMissing = "statement-missing", "a flag says that the content is illegal: the decision needs a statement of reasons";
    /// The comment replied to is not in the thread.
    ParentUnknown = "parent-unknown", "the comment that this replies to is not in this thread";
    /// The comment replied to is removed.
    ParentRemoved = "parent-removed", "the comment that this replies to was removed";
    /// The comment replied to was taken back.
    ParentDeleted = "parent-deleted", "the comment that this replies to was taken back by its author";
    /// The comment replied to is erased.
    ParentErased = "parent-erased", "the comment that this replies to was erased";
    /// The comment replied to is held.
    ParentHeld = "parent-held", "the comment that this replies to waits for a moderator";
    /// A quoted comment is not in the thread.
    QuoteUnknown = "quote-unknown", "a comment that this quotes is not in this thread";
    /// A vote or a flag on one's own comment.
    OwnComment = "own-comment", "nobody votes on their own comment or flags it";
    /// No voters, too many, or one twice.
    VotersInvalid = "voters-invalid", "a command names 1 to 1,000 voters, each once";
    /// A voter of whom the site knows nothing.
    VoterUnknown = "voter-unknown", "one of the voters never took part in this site";
    /// Votes that count as it is.
    VotesNotVoid = "votes-not-void", "the votes of one of the voters are not void";
    /// An author of whom the site knows nothing.
    AuthorUnknown = "author-unknown", "this author never took part in this site";
    /// The author is forgotten already.
    AuthorErased = "author-erased", "this author was erased already";
    /// No such removal in this place.
    RemovalUnknown = "removal-unknown", "there is no such removal of many comments here; its id is that of its command";
    /// The removal was undone before.
    RemovalUndone = "removal-undone", "this removal was undone already";
    /// The id was used for another command.
    CommandIdReused = "command-id-reused", "this id was used for another command; make a new one for a new command";
    /// The event's subject names a partition that its site and thread do not have.
    PartitionWrong = "partition-wrong", "the subject's partition is not that of its site and thread";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_kebab_case_and_leads_back() {
        for &rejection in Rejection::EVERY {
            let code = rejection.code();
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
            assert_eq!(Rejection::from_code(code), Some(rejection));
        }
    }
}
