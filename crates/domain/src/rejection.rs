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
    TextTooLong = "text-too-long", "the text is longer than 10,000 characters";
    /// Control characters other than line ends and tabs.
    TextControl = "text-control-characters", "the text holds control characters; only line ends and tabs may stand in it";
    /// A quote whose range is empty, reversed, or stands outside the text.
    QuoteInvalid = "quote-invalid", "a quote needs start < end inside the quoted text, revision 0, and a place inside its own text; quotes stand in order";
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
    /// The comment replied to is not in the thread.
    ParentUnknown = "parent-unknown", "the comment that this replies to is not in this thread";
    /// The comment replied to is removed.
    ParentRemoved = "parent-removed", "the comment that this replies to was removed";
    /// A quoted comment is not in the thread.
    QuoteUnknown = "quote-unknown", "a comment that this quotes is not in this thread";
    /// A vote on one's own comment.
    OwnComment = "own-comment", "nobody votes on their own comment";
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
