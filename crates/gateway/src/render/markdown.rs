//! One piece of text in the small Markdown: paragraphs, emphasis, links, lists, code and block quotes. A line that ends
//! is a line that ends. Everything else (headings, images, tables, HTML) is shown as the text it is.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::UrlRelative;
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

use crate::limits::MARKUP_DEPTH_MAX;

/// The second fence: what is not listed here does not come through, whatever the parser made.
static ALLOWED: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut rules = ammonia::Builder::empty();
    rules
        .tags(HashSet::from(["p", "br", "em", "strong", "a", "ul", "ol", "li", "code", "pre", "blockquote"]))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))]))
        // The builder's own default lets `title` and `lang` stand on every tag.
        .generic_attributes(HashSet::new())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow ugc noopener"));
    rules
});

/// A text as safe HTML.
pub(super) fn render(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let mut small = Small::default();
    for event in TextMergeStream::new(Parser::new_ext(text, Options::empty())) {
        small.take(event);
    }
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, small.events.into_iter());
    ALLOWED.clean(&html).to_string()
}

/// Makes the small Markdown out of the large one, event by event.
#[derive(Default)]
struct Small<'a> {
    events: Vec<Event<'a>>,
    depth: usize,
    in_link: usize,
    in_code: bool,
}

impl<'a> Small<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(end) => self.close(end),
            Event::Text(text) if self.in_code || self.in_link > 0 => self.events.push(Event::Text(text)),
            Event::Text(text) => self.link_addresses(&text),
            Event::Code(code) => self.events.push(Event::Code(code)),
            Event::SoftBreak | Event::HardBreak => self.events.push(Event::HardBreak),
            Event::Rule => self.paragraph("* * *".into()),
            Event::Html(html) | Event::InlineHtml(html) => self.lines(&html),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.events.push(Event::Text(text));
            }
            Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Heading { .. } | Tag::HtmlBlock => self.events.push(Event::Start(Tag::Paragraph)),
            Tag::CodeBlock(kind) => {
                self.in_code = true;
                self.events.push(Event::Start(Tag::CodeBlock(kind)));
            }
            Tag::Link { .. } => {
                self.in_link += 1;
                self.events.push(Event::Start(tag));
            }
            Tag::Paragraph => self.events.push(Event::Start(tag)),
            // The tags of a list and of its items go together, or not at all.
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Item | Tag::Emphasis | Tag::Strong => {
                self.depth += 1;
                if self.depth <= MARKUP_DEPTH_MAX {
                    self.events.push(Event::Start(tag));
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(_) | TagEnd::HtmlBlock => self.events.push(Event::End(TagEnd::Paragraph)),
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.events.push(Event::End(end));
            }
            TagEnd::Link => {
                self.in_link = self.in_link.saturating_sub(1);
                self.events.push(Event::End(end));
            }
            TagEnd::Paragraph => self.events.push(Event::End(end)),
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::Emphasis | TagEnd::Strong => {
                if self.depth <= MARKUP_DEPTH_MAX {
                    self.events.push(Event::End(end));
                }
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn paragraph(&mut self, text: CowStr<'a>) {
        self.events.push(Event::Start(Tag::Paragraph));
        self.events.push(Event::Text(text));
        self.events.push(Event::End(TagEnd::Paragraph));
    }

    /// Text of several lines that keeps them.
    fn lines(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            self.events.push(Event::Text(line.trim_end_matches('\n').to_owned().into()));
            if line.ends_with('\n') {
                self.events.push(Event::HardBreak);
            }
        }
    }

    /// Text whose bare http and https addresses become links.
    fn link_addresses(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, address, after)) = next_address(rest) {
            self.events.push(Event::Text(before.to_owned().into()));
            self.events.push(Event::Start(Tag::Link {
                link_type: LinkType::Autolink,
                dest_url: address.to_owned().into(),
                title: "".into(),
                id: "".into(),
            }));
            self.events.push(Event::Text(address.to_owned().into()));
            self.events.push(Event::End(TagEnd::Link));
            rest = after;
        }
        self.events.push(Event::Text(rest.to_owned().into()));
    }
}

/// The first address in a text, with what stands before and after it.
fn next_address(text: &str) -> Option<(&str, &str, &str)> {
    let begins = |(at, _): &(usize, char)| {
        let rest = text.get(*at..).unwrap_or_default();
        let word_before =
            text.get(..*at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric);
        let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme));
        !word_before && scheme.is_some_and(|scheme| rest.get(scheme.len()..).is_some_and(has_host))
    };
    let (start, _) = text.char_indices().filter(|(_, c)| *c == 'h').find(begins)?;
    let (before, rest) = text.split_at(start);
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"「」『』（）。、".contains(c)).unwrap_or(rest.len());
    let (address, _) = rest.split_at(end);
    let address = without_punctuation(address);
    Some((before, address, rest.get(address.len()..).unwrap_or_default()))
}

fn has_host(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')
}

/// A sentence's last marks are not part of the address that ends it, nor is a bracket that was opened before it.
///
/// Counted once and then kept up to date: an address may be ten thousand brackets.
fn without_punctuation(address: &str) -> &str {
    let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
    let mut end = address.len();
    for (start, last) in address.char_indices().rev() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            last if ".,;:!?'*_~".contains(last) => {}
            _ => break,
        }
        end = start;
    }
    address.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_line(text: &str) -> String {
        render(text).replace('\n', "")
    }

    #[test]
    fn paragraphs_emphasis_lists_and_code_are_drawn() {
        assert_eq!(one_line("a\n\nb"), "<p>a</p><p>b</p>");
        assert_eq!(one_line("a\nb"), "<p>a<br>b</p>");
        assert_eq!(one_line("*a* **b** `c`"), "<p><em>a</em> <strong>b</strong> <code>c</code></p>");
        assert_eq!(one_line("- a\n- b"), "<ul><li>a</li><li>b</li></ul>");
        assert_eq!(one_line("3. a"), "<ol start=\"3\"><li>a</li></ol>");
        assert_eq!(one_line("> a"), "<blockquote><p>a</p></blockquote>");
        assert_eq!(one_line("```rust\nlet a;\n```"), "<pre><code>let a;</code></pre>");
    }

    #[test]
    fn what_is_not_in_the_small_set_is_text() {
        assert_eq!(one_line("# a"), "<p>a</p>");
        assert_eq!(one_line("![alt](https://a.example/x.png)"), "<p>alt</p>");
        assert_eq!(one_line("a <b>b</b>"), "<p>a &lt;b&gt;b&lt;/b&gt;</p>");
        assert_eq!(one_line("<div>a</div>"), "<p>&lt;div&gt;a&lt;/div&gt;</p>");
        assert_eq!(one_line("|a|\n|-|\n|b|"), "<p>|a|<br>|-|<br>|b|</p>");
        assert_eq!(one_line("a\n\n***\n\nb"), "<p>a</p><p>* * *</p><p>b</p>");
    }

    #[test]
    fn links_leave_with_their_marks() {
        let rel = "rel=\"nofollow ugc noopener\"";
        assert_eq!(
            one_line("[a](https://a.example/?b=1&c=2)"),
            format!("<p><a href=\"https://a.example/?b=1&amp;c=2\" {rel}>a</a></p>")
        );
        assert_eq!(
            one_line("see https://a.example/b_(c)_d, or (http://b.example)."),
            format!(
                "<p>see <a href=\"https://a.example/b_(c)_d\" {rel}>https://a.example/b_(c)_d</a>, or \
                 (<a href=\"http://b.example\" {rel}>http://b.example</a>).</p>"
            )
        );
        assert_eq!(one_line("xhttps://a.example https://"), "<p>xhttps://a.example https://</p>");
        assert!(!one_line("`https://a.example`").contains("<a"));
        assert!(
            one_line("詳細はhttps://a.example/声。").contains("<p>詳細はhttps://"),
            "a word goes on before it"
        );
        assert!(one_line("詳細は https://a.example/声。次").contains(">https://a.example/声</a>。次"));
    }

    #[test]
    fn no_script_comes_through() {
        let attempts = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](java&#10;script:alert(1))",
            "[a](\u{1}javascript:alert(1))",
            "[a](data:text/html,<script>alert(1)</script>)",
            "[a](vbscript:x)",
            "<javascript:alert(1)>",
            "[a]: javascript:alert(1)\n\n[a]",
            "[a](//evil.example)",
            "[a](/logout)",
            "[a](https://x\" onclick=\"alert(1))",
            "[a](https://x 'y\" onclick=\"alert(1)')",
            "https://a.example/\"onmouseover=\"alert(1)",
            "![a](x\" onerror=\"alert(1))",
            "```\"><script>alert(1)</script>\nx\n```",
            "<a href=\"https://x\" style=\"position:fixed\">x</a>",
            "<!-- --><script>alert(1)</script>",
            "<style>*{display:none}</style>",
        ];
        for attempt in attempts {
            let html = render(attempt);
            let mut tags = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
            let sound = tags.all(|tag| {
                let plain =
                    ["p", "/p", "a", "/a", "br", "pre", "/pre", "code", "/code", "/blockquote"].contains(&tag);
                let link = tag.strip_prefix("a ").is_some_and(|rest| {
                    let rest =
                        rest.strip_prefix("href=\"https://").map_or(rest, |rest| rest.split_once('"').unwrap().1);
                    rest.trim() == "rel=\"nofollow ugc noopener\""
                });
                plain || link
            });
            assert!(sound, "{attempt} became {html}");
        }
    }

    #[test]
    fn an_address_ends_before_brackets_that_were_opened_before_it() {
        assert_eq!(without_punctuation("https://a.example/b)))..."), "https://a.example/b");
        assert_eq!(without_punctuation("https://a.example/b_(c))."), "https://a.example/b_(c)");
        let brackets = format!("http://a{}", ")".repeat(9_990));
        assert_eq!(without_punctuation(&brackets), "http://a");
        assert!(render(&brackets).contains("<a href=\"http://a\""));
    }

    #[test]
    fn markup_nests_only_so_deep() {
        let deep = [">".repeat(9_999), "*_".repeat(5_000) + "a", "- ".repeat(4_999) + "a", "[".repeat(10_000)];
        for text in deep.iter().chain([&"![".repeat(5_000), &"`a ``".repeat(2_000), &"<a ".repeat(3_000)]) {
            let html = render(text);
            let tags = html.matches("<blockquote>").count() + html.matches("<ul>").count();
            assert!(tags <= MARKUP_DEPTH_MAX, "{tags} deep");
        }
    }
}
