//! What people typed, as HTML that is safe to show: a small Markdown, with quotes in their places.
//!
//! Two fences stand one behind the other: markup that is not in the small set becomes text before it is HTML, and the
//! HTML of each piece then passes a strict list of tags. What is added around the pieces (quotes, names, links to
//! comments) is ours and is escaped here. Deliberately not here: templates.

mod markdown;

use domain::text;
use wire::v1;

use crate::limits::QUOTE_DEPTH_MAX;

/// Where the links to quoted comments lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    /// The path of the thread, for comments on another page; empty if all are taken to be on this one.
    pub(crate) thread: &'a str,
    /// The numbers on this page.
    pub(crate) here: &'a [u32],
}

impl Links<'_> {
    /// Every comment on the same page, as far as anybody knows: for programs.
    pub(crate) const ANCHORS: Self = Self { thread: "", here: &[] };

    pub(crate) fn to(&self, number: u32) -> String {
        if self.thread.is_empty() || self.here.contains(&number) {
            format!("#comment-{number}")
        } else {
            format!("{}/comments/{number}", self.thread)
        }
    }
}

/// What an author without a name is called on the page.
pub(crate) const UNNAMED: &str = "A reader";

/// What an author is called who was erased.
const FORMER: &str = "A former reader";

/// The name to show for an author.
pub(crate) fn name_of(author: Option<&v1::Author>) -> &str {
    if author.is_some_and(|author| author.erased) {
        return FORMER;
    }
    author.map(|author| author.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(UNNAMED)
}

/// A comment's words with its quotes, as safe HTML.
pub(crate) fn comment(body: &str, quotes: &[v1::DrawnQuote], links: Links<'_>) -> String {
    let mut html = String::new();
    write_body(&mut html, body, quotes, links, 0);
    html
}

/// Each quote splits the text it stands in; the pieces are rendered on their own, so that no markup of the writer can
/// reach into a quote.
fn write_body(html: &mut String, body: &str, quotes: &[v1::DrawnQuote], links: Links<'_>, depth: usize) {
    let mut from = 0;
    for quote in quotes {
        let at = quote.at.max(from);
        html.push_str(&markdown::render(text::slice(body, from, at)));
        write_quote(html, quote, links, depth + 1);
        from = at;
    }
    html.push_str(&markdown::render(text::slice(body, from, u32::MAX)));
}

fn write_quote(html: &mut String, quote: &v1::DrawnQuote, links: Links<'_>, depth: usize) {
    let link = escape(&links.to(quote.number));
    let gone = match quote.state() {
        v1::CommentState::Visible => None,
        v1::CommentState::Deleted => Some("The quoted comment was deleted by its author."),
        v1::CommentState::Erased => Some("The quoted comment was erased."),
        v1::CommentState::Held => Some("The quoted comment waits for a moderator."),
        v1::CommentState::Removed | v1::CommentState::Unspecified => {
            Some("The quoted comment was removed by a moderator.")
        }
    };
    if let Some(gone) = gone {
        html.push_str("<blockquote class=\"quote removed\"><p><a href=\"");
        html.push_str(&link);
        html.push_str("\">");
        html.push_str(gone);
        html.push_str("</a></p></blockquote>\n");
        return;
    }
    html.push_str("<blockquote class=\"quote\"><p class=\"quoted\"><a href=\"");
    html.push_str(&link);
    html.push_str("\">");
    html.push_str(&escape(name_of(quote.author.as_ref())));
    html.push_str(if quote.edited_since { "</a> wrote (edited since):</p>\n" } else { "</a> wrote:</p>\n" });
    let inner = if depth < QUOTE_DEPTH_MAX { quote.quotes.as_slice() } else { &[] };
    write_body(html, &quote.body, inner, links, depth);
    html.push_str("</blockquote>\n");
}

fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(number: u32, name: &str, body: &str, at: u32) -> v1::DrawnQuote {
        v1::DrawnQuote {
            comment: format!("019a3c5e-7d00-7000-8000-{number:012}"),
            number,
            state: v1::CommentState::Visible.into(),
            author: Some(v1::Author { id: "x".into(), name: name.into(), erased: false }),
            body: body.into(),
            at,
            ..v1::DrawnQuote::default()
        }
    }

    #[test]
    fn a_quote_stands_where_it_was_put_also_between_characters_of_many_bytes() {
        let html = comment("日本語です", &[quote(3, "Ann", "声", 3)], Links::ANCHORS);
        let (before, rest) = html.split_once("<blockquote").unwrap();
        assert_eq!(before.trim(), "<p>日本語</p>");
        assert!(rest.contains("<a href=\"#comment-3\">Ann</a> wrote:</p>\n<p>声</p>"), "{rest}");
        assert!(rest.trim_end().ends_with("</blockquote>\n<p>です</p>"), "{rest}");
    }

    #[test]
    fn quotes_before_and_after_all_words_leave_no_empty_paragraph() {
        let html = comment(
            "yes",
            &[quote(1, "A", "one", 0), quote(2, "B", "two", 3), quote(3, "C", "x", 99)],
            Links::ANCHORS,
        );
        assert!(html.starts_with("<blockquote"), "{html}");
        assert!(!html.contains("<p></p>"), "{html}");
        assert_eq!(html.matches("<blockquote").count(), 3);
    }

    #[test]
    fn quotes_stand_inside_quotes() {
        let inner = quote(1, "Ann", "first", 2);
        let outer = v1::DrawnQuote { quotes: vec![inner], ..quote(2, "Ben", "ab", 0) };
        let html = comment("c", &[outer], Links::ANCHORS);
        let (_, inside) = html.split_once("Ben</a> wrote:").unwrap();
        let inside = inside.replace('\n', "");
        assert!(inside.contains("<p>ab</p><blockquote class=\"quote\">"), "{inside}");
        assert!(inside.contains("<p>first</p></blockquote></blockquote><p>c</p>"), "{inside}");
    }

    #[test]
    fn quotes_are_drawn_only_so_deep() {
        let nested = (0..50).fold(quote(1, "A", "end", 0), |inner, _| v1::DrawnQuote {
            quotes: vec![inner],
            ..quote(1, "A", "a", 0)
        });
        let html = comment("c", &[nested], Links::ANCHORS);
        assert_eq!(html.matches("<blockquote").count(), QUOTE_DEPTH_MAX);
    }

    #[test]
    fn a_quote_of_a_removed_comment_says_so() {
        let state = v1::CommentState::Removed.into();
        let removed = v1::DrawnQuote { state, author: None, ..quote(14, "Ann", "secret", 0) };
        let html = comment("I saw that", &[removed], Links::ANCHORS);
        assert!(
            html.contains("<a href=\"#comment-14\">The quoted comment was removed by a moderator.</a>"),
            "{html}"
        );
        assert!(!html.contains("secret") && !html.contains("Ann"), "{html}");
    }

    #[test]
    fn a_quote_says_what_became_of_the_comment() {
        let told = |quoted: v1::DrawnQuote| comment("", &[quoted], Links::ANCHORS);
        let edited = v1::DrawnQuote { edited_since: true, ..quote(3, "Ann", "words", 0) };
        assert!(told(edited).contains("Ann</a> wrote (edited since):</p>"));
        let in_state = |state: v1::CommentState| v1::DrawnQuote { state: state.into(), ..quote(3, "Ann", "x", 0) };
        assert!(told(in_state(v1::CommentState::Deleted)).contains("was deleted by its author."));
        assert!(told(in_state(v1::CommentState::Held)).contains("waits for a moderator."));
        let erased = told(in_state(v1::CommentState::Erased));
        assert!(erased.contains(">The quoted comment was erased.</a>") && !erased.contains("Ann"), "{erased}");
    }

    #[test]
    fn who_was_erased_is_a_former_reader_whatever_the_answer_calls_them() {
        let mut kept = quote(3, "Ann", "words", 0);
        kept.author.as_mut().unwrap().erased = true;
        let html = comment("", &[kept], Links::ANCHORS);
        assert!(html.contains("A former reader</a> wrote:</p>\n<p>words</p>") && !html.contains("Ann"), "{html}");
    }

    #[test]
    fn a_quote_of_another_page_links_there() {
        let links = Links { thread: "/sites/s/threads/t", here: &[51, 52, 7] };
        assert_eq!(links.to(51), "#comment-51");
        assert_eq!(links.to(3), "/sites/s/threads/t/comments/3");
    }

    #[test]
    fn a_name_and_a_quoted_text_cannot_carry_markup() {
        let hostile = quote(1, "<script>alert(1)</script>\"'", "<img src=x onerror=alert(1)>", 0);
        let html = comment("hm", &[hostile], Links::ANCHORS);
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;"), "{html}");
    }

    #[test]
    fn a_quote_cannot_be_opened_or_closed_by_the_words_around_it() {
        let html = comment("> <b>x</blockquote>", &[quote(1, "A", "```\n</blockquote>", 2)], Links::ANCHORS);
        assert_eq!(html.matches("<blockquote").count(), html.matches("</blockquote>").count(), "{html}");
    }
}
