//! Numbers for the domain's words inside records. Stored: a change is a new schema.

use domain::{FlagCategory, Hold, Mode, State};

use crate::error::Error;

macro_rules! codes {
    ($what:ident, $to:ident, $from:ident: $($variant:ident = $code:literal),* $(,)?) => {
        pub(crate) fn $to(value: $what) -> u8 {
            match value { $($what::$variant => $code,)* }
        }

        pub(crate) fn $from(code: u8) -> Result<$what, Error> {
            match code {
                $($code => Ok($what::$variant),)*
                _ => Err(Error::Damaged("a number that stands for nothing")),
            }
        }
    };
}

codes!(Mode, of_mode, mode: Open = 0, Premoderated = 1, ReadOnly = 2, Hidden = 3);
codes!(State, of_state, state: Visible = 0, Held = 1, Removed = 2, Deleted = 3, Erased = 4);
codes!(Hold, of_hold, hold: Mode = 1, NewAuthor = 2, Link = 3, Word = 4, Flags = 5, Decision = 6);
codes!(FlagCategory, of_category, category: Spam = 1, Abuse = 2, OffTopic = 3, Misinformation = 4, Illegal = 5, Other = 6);
