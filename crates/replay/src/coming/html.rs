//! HTML of others as our Markdown: paragraphs, emphasis, links, lists, code and block quotes; of everything else its words.

use std::sync::LazyLock;

use domain::Rejection;
use domain::text::Text;
use htmd::HtmlToMarkdown;
use htmd::options::{BulletListMarker, HeadingStyle, Options};

use crate::limits::{HTML_BYTES_MAX, HTML_DEPTH_MAX, HTML_TAGS_MAX};

static CONVERTER: LazyLock<HtmlToMarkdown> = LazyLock::new(|| {
    let options = Options {
        heading_style: HeadingStyle::Atx,
        bullet_list_marker: BulletListMarker::Dash,
        ..Options::default()
    };
    HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "iframe", "object"]).options(options).build()
});

/// The words of a comment, or why they cannot be carried.
pub(super) fn to_text(html: &str) -> Result<String, String> {
    let converted = to_markdown(html)?;
    let text = Text::parse(&converted).map_err(|rejection| match rejection {
        Rejection::TextEmpty => "it says nothing".to_owned(),
        Rejection::TextTooLong => "it is longer than 10,000 characters".to_owned(),
        other => format!("its words cannot be taken: {}", other.code()),
    })?;
    Ok(text.as_str().to_owned())
}

fn to_markdown(html: &str) -> Result<String, String> {
    if html.len() > HTML_BYTES_MAX {
        return Err("it is longer than 10,000 characters".to_owned());
    }
    let (mut depth, mut deepest, mut tags) = (0_usize, 0, 0);
    for (place, _) in html.match_indices('<') {
        tags += 1;
        let is_end = html.get(place + 1..).is_some_and(|rest| rest.starts_with('/'));
        depth = if is_end { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    // Tags that never end, such as br, count as depth: only who has far too many of them is refused.
    if tags > HTML_TAGS_MAX
        || deepest > HTML_DEPTH_MAX + html.matches("<br").count() + html.matches("<img").count()
    {
        return Err("its HTML is nested too deep".to_owned());
    }
    // What no text may have anyway would only be in the way.
    let clean: String = html.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    CONVERTER.convert(&clean).map_err(|error| format!("its HTML cannot be read: {error}"))
}

/// A comment as `WordPress` keeps it: paragraphs are empty lines, and a line that ends is a line that ends.
pub(super) fn with_paragraphs(typed: &str) -> String {
    let typed = typed.replace("\r\n", "\n");
    if typed.contains("<p>") || typed.contains("<p ") {
        return typed;
    }
    let paragraphs = typed.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs.fold(String::with_capacity(typed.len() * 2), |html, paragraph| {
        html + "<p>" + &paragraph.trim().replace('\n', "<br>") + "</p>"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_markdown_has_is_kept_and_the_rest_is_words() {
        for (html, expected) in [
            ("<p>One</p><p>Two<br>lines</p>", "One\n\nTwo  \nlines"),
            (
                "an <i>it</i>, <b>bold</b> &amp; <a href=\"https://e.org/a\">link</a>",
                "an *it*, **bold** & [link](https://e.org/a)",
            ),
            ("<blockquote>said</blockquote>answer", "> said\n\nanswer"),
            ("<script>alert(1)</script>words", "words"),
            ("2 * 3 * 4", "2 \\* 3 \\* 4"),
            ("a\u{7}b", "ab"),
        ] {
            assert_eq!(to_text(html).as_deref(), Ok(expected), "{html}");
        }
        assert_eq!(with_paragraphs("one\r\ntwo\n\nthree"), "<p>one<br>two</p><p>three</p>");
    }

    #[test]
    fn hostile_html_is_refused_and_not_followed() {
        assert!(to_text(&"<b>".repeat(900)).unwrap_err().contains("too deep"));
        assert!(to_text(&"<b></b>".repeat(900)).unwrap_err().contains("too deep"));
        assert!(to_text(&"x".repeat(10_001)).unwrap_err().contains("10,000"));
        assert!(to_text("<p> </p>").unwrap_err().contains("nothing"));
        assert!(to_text(&"line<br>".repeat(300)).is_ok());
    }
}
