//! Words that people write: what a text may hold, and nothing about what it means.

use crate::limits::{
    ADDRESS_CHARS_MAX, CATEGORY_CHARS_MAX, FLAG_WORDS_CHARS_MAX, HEADLINE_CHARS_MAX, LOCALE_CHARS_MAX,
    NAME_CHARS_MAX, REASON_CHARS_MAX, RULE_CHARS_MAX, SITE_NAME_CHARS_MAX, STATEMENT_CHARS_MAX, TEXT_CHARS_MAX,
    WORD_CHARS_MAX, WORDS_BYTES_MAX, WORDS_MAX, ZONE_CHARS_MAX,
};
use crate::rejection::Rejection;

/// The text of a comment: trimmed, lines ended by LF, 1 to 10,000 characters, no control characters but LF and tab.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// A text as people typed it: line ends become LF, white space around it goes.
    pub fn parse(typed: &str) -> Result<Self, Rejection> {
        // Measured before the copy, so that a text far too long costs nothing.
        if typed.len() > TEXT_CHARS_MAX * 8 {
            return Err(Rejection::TextTooLong);
        }
        let text = typed.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
        let text = text.trim();
        if text.chars().any(|c| is_forbidden(c) && c != '\n' && c != '\t') {
            return Err(Rejection::TextControl);
        }
        if !text.chars().any(is_visible) {
            return Err(Rejection::TextEmpty);
        }
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(Rejection::TextTooLong);
        }
        Ok(Self(text.into()))
    }

    /// A text that stands in the log. The fold never judges words.
    pub fn recorded(text: &str) -> Self {
        Self(text.into())
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The length in characters (Unicode scalar values).
    pub fn length(&self) -> u32 {
        u32::try_from(self.0.chars().count()).unwrap_or(u32::MAX)
    }
}

/// The characters `start..end` of a text, clipped to what is there.
pub fn slice(text: &str, start: u32, end: u32) -> &str {
    let offset = |count: u32| {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        text.char_indices().nth(count).map_or(text.len(), |(offset, _)| offset)
    };
    text.get(offset(start)..offset(end)).unwrap_or_default()
}

/// One line of 1 to `max` characters, trimmed.
fn line(typed: &str, max: usize, rejection: Rejection) -> Result<Box<str>, Rejection> {
    let text = typed.trim();
    let sound = text.chars().any(is_visible) && text.chars().take(max + 1).count() <= max;
    if sound && !text.chars().any(is_forbidden) { Ok(text.into()) } else { Err(rejection) }
}

/// What an author is called.
pub fn author_name(typed: &str) -> Result<Box<str>, Rejection> {
    line(typed, NAME_CHARS_MAX, Rejection::NameInvalid)
}

/// What a site is called.
pub fn site_name(typed: &str) -> Result<Box<str>, Rejection> {
    line(typed, SITE_NAME_CHARS_MAX, Rejection::NameInvalid)
}

/// A headline.
pub fn headline(typed: &str) -> Result<Box<str>, Rejection> {
    line(typed, HEADLINE_CHARS_MAX, Rejection::HeadlineInvalid)
}

/// A section, which may be empty.
pub fn category(typed: &str) -> Result<Box<str>, Rejection> {
    optional_line(typed, CATEGORY_CHARS_MAX, Rejection::CategoryInvalid)
}

/// A moderator's reason.
pub fn reason(typed: &str) -> Result<Box<str>, Rejection> {
    line(typed, REASON_CHARS_MAX, Rejection::ReasonInvalid)
}

/// The rule of the house that a comment broke, which may be empty.
pub fn rule(typed: &str) -> Result<Box<str>, Rejection> {
    optional_line(typed, RULE_CHARS_MAX, Rejection::RuleInvalid)
}

/// Why a thread or site has its mode, which may be empty.
pub fn mode_reason(typed: &str) -> Result<Box<str>, Rejection> {
    optional_line(typed, REASON_CHARS_MAX, Rejection::ReasonInvalid)
}

fn optional_line(typed: &str, max: usize, rejection: Rejection) -> Result<Box<str>, Rejection> {
    if typed.trim().is_empty() { Ok("".into()) } else { line(typed, max, rejection) }
}

/// What a reader says to a flag, which may be empty; it may have several lines.
pub fn flag_words(typed: &str) -> Result<Box<str>, Rejection> {
    paragraphs(typed, FLAG_WORDS_CHARS_MAX, Rejection::FlagWordsInvalid)
}

/// A statement of reasons, which may be empty; it may have several lines.
pub fn statement(typed: &str) -> Result<Box<str>, Rejection> {
    paragraphs(typed, STATEMENT_CHARS_MAX, Rejection::StatementInvalid)
}

fn paragraphs(typed: &str, max: usize, rejection: Rejection) -> Result<Box<str>, Rejection> {
    if typed.trim().is_empty() {
        return Ok("".into());
    }
    let text = Text::parse(typed).or(Err(rejection))?;
    if text.as_str().chars().count() <= max { Ok(text.0) } else { Err(rejection) }
}

/// The shape of a BCP 47 language tag, which may be empty.
pub fn locale(typed: &str) -> Result<Box<str>, Rejection> {
    let subtags = |tag: &str| {
        tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    let sound = typed.is_empty() || (typed.len() <= LOCALE_CHARS_MAX && subtags(typed));
    if sound { Ok(typed.into()) } else { Err(Rejection::LocaleInvalid) }
}

/// A list of words to look for.
pub fn words(typed: &[String]) -> Result<Vec<Box<str>>, Rejection> {
    if typed.len() > WORDS_MAX || typed.iter().map(String::len).sum::<usize>() > WORDS_BYTES_MAX {
        return Err(Rejection::WordsInvalid);
    }
    typed.iter().map(|word| line(word, WORD_CHARS_MAX, Rejection::WordsInvalid)).collect()
}

/// The address of an article, which may be empty.
pub fn address(typed: &str) -> Result<Box<str>, Rejection> {
    if typed.is_empty() {
        return Ok("".into());
    }
    let web = ["https://", "http://"].iter().any(|scheme| typed.len() > scheme.len() && typed.starts_with(scheme));
    if !web || typed.contains(char::is_whitespace) {
        return Err(Rejection::AddressInvalid);
    }
    line(typed, ADDRESS_CHARS_MAX, Rejection::AddressInvalid)
}

/// The shape of an IANA zone's name; whether it exists is for those who have the database.
pub fn zone(typed: &str) -> Result<Box<str>, Rejection> {
    let shaped = typed.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    if shaped { line(typed, ZONE_CHARS_MAX, Rejection::ZoneUnknown) } else { Err(Rejection::ZoneUnknown) }
}

/// Control characters, the line and paragraph separators of Unicode, and the marks that turn the direction of the text around them (UAX #9), which let one
/// comment disturb the line of another.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a reader sees anything: white space and marks of no width do not make a text.
fn is_visible(c: char) -> bool {
    let blank =
        matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{3164}' | '\u{2800}');
    !c.is_whitespace() && !blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed_and_its_lines_end_alike() {
        assert_eq!(Text::parse("  a\r\nb\rc\u{2029}d \n").unwrap().as_str(), "a\nb\nc\nd");
        assert_eq!(author_name("a\u{2028}b"), Err(Rejection::NameInvalid), "a name has one line");
    }

    #[test]
    fn a_text_has_1_to_10_000_characters_after_trimming() {
        assert_eq!(Text::parse(" \n\u{200b}"), Err(Rejection::TextEmpty));
        let longest = "声".repeat(TEXT_CHARS_MAX);
        assert_eq!(Text::parse(&format!(" {longest} ")).unwrap().length(), 10_000);
        assert_eq!(Text::parse(&format!("{longest}声")), Err(Rejection::TextTooLong));
    }

    #[test]
    fn control_characters_are_refused() {
        for bad in ["a\0b", "a\u{7}b", "a\u{202e}b", "a\u{9b}b"] {
            assert_eq!(Text::parse(bad), Err(Rejection::TextControl), "{bad:?}");
        }
        assert!(Text::parse("a\tb\nc").is_ok());
    }

    #[test]
    fn a_slice_counts_characters_and_is_clipped() {
        assert_eq!(slice("今日は雨", 1, 3), "日は");
        assert_eq!(slice("abc", 1, 99), "bc");
        assert_eq!(slice("abc", 5, 2), "");
    }

    #[test]
    fn an_address_is_of_the_web() {
        assert!(address("").is_ok());
        assert!(address("https://news.example/a?b=c").is_ok());
        for bad in ["javascript:alert(1)", "https://", "ftp://x", "https://a b"] {
            assert_eq!(address(bad), Err(Rejection::AddressInvalid), "{bad:?}");
        }
    }
}
