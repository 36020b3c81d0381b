//! What a site has set, and changes to it and to what is said of an article.

use crate::event::Timestamp;
use crate::limits::{EDIT_WINDOW_SECS_DEFAULT, REPORT_THRESHOLD_DEFAULT, TEXT_CHARS_MAX};
use crate::rejection::Rejection;

/// The settings that the rules of the fold ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteRules {
    /// For how long authors may edit what they posted.
    pub edit_window_secs: u32,
    /// Characters of a comment.
    pub text_chars_max: u32,
    /// How many readers must flag a comment for it to be held; 0 for never.
    pub report_threshold: u32,
}

impl Default for SiteRules {
    fn default() -> Self {
        Self {
            edit_window_secs: EDIT_WINDOW_SECS_DEFAULT,
            text_chars_max: u32::try_from(TEXT_CHARS_MAX).unwrap_or(u32::MAX),
            report_threshold: REPORT_THRESHOLD_DEFAULT,
        }
    }
}

/// Settings to set; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SettingsPatch {
    /// What readers call the site.
    pub name: Option<Box<str>>,
    /// Its IANA time zone.
    pub zone: Option<Box<str>>,
    /// Its language, a BCP 47 tag; empty for unknown.
    pub locale: Option<Box<str>>,
    /// For how long authors may edit what they posted.
    pub edit_window_secs: Option<u32>,
    /// Characters of a comment.
    pub text_chars_max: Option<u32>,
    /// How many readers must flag a comment for it to be held; 0 for never.
    pub report_threshold: Option<u32>,
    /// How many comments of a new author are held.
    pub premoderate_first: Option<u32>,
    /// Whether comments with links are held.
    pub premoderate_links: Option<bool>,
    /// Comments with one of these words are held.
    pub premoderate_words: Option<Vec<Box<str>>>,
    /// Names that authors may not take.
    pub reserved_names: Option<Vec<Box<str>>>,
    /// Comments and edits of one author in a minute; 0 for the writer's own rate.
    pub comments_per_minute: Option<u32>,
    /// Votes of one voter in a minute; 0 for the writer's own rate.
    pub votes_per_minute: Option<u32>,
}

impl SettingsPatch {
    /// The patch, unless it sets nothing.
    pub fn with_something(self) -> Result<Self, Rejection> {
        if self == Self::default() { Err(Rejection::NothingToSet) } else { Ok(self) }
    }
}

/// When a thread closes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// From this time on.
    At(Timestamp),
    /// It does not.
    Never,
}

/// What to say of an article; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ThreadPatch {
    /// Its headline.
    pub headline: Option<Box<str>>,
    /// Its section, or empty.
    pub category: Option<Box<str>>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When its thread closes.
    pub closing: Option<Closing>,
}

impl ThreadPatch {
    /// The patch, unless it sets nothing.
    pub fn with_something(self) -> Result<Self, Rejection> {
        if self == Self::default() { Err(Rejection::NothingToSet) } else { Ok(self) }
    }
}
