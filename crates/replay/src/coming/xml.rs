//! XML of others, record by record in bounded memory. What could make a reader do more than read is refused: document types and
//! entities of one's own, external references, depth.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use anyhow::{Context as _, bail, ensure};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::limits::{XML_DEPTH_MAX, XML_RECORD_BYTES_MAX};

/// An element with all that is in it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Node {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// Its own text, pieces of it joined.
    pub(super) text: String,
    children: Vec<Node>,
}

impl Node {
    pub(super) fn attribute(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(of, _)| of == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, trimmed; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// A container begins.
    Open,
    /// A record of the innermost container, and the line that it begins on.
    Record(Node, u64),
}

/// Records of a file: the elements directly in containers, which are never held as a whole.
pub(super) struct Records<R> {
    reader: Reader<Counted<R>>,
    lines: Rc<Cell<u64>>,
    left: Rc<Cell<usize>>,
    is_container: fn(&[String]) -> bool,
    /// The containers that are open.
    path: Vec<String>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(source: R, is_container: fn(&[String]) -> bool) -> Self {
        let (lines, left) = (Rc::new(Cell::new(1)), Rc::new(Cell::new(XML_RECORD_BYTES_MAX)));
        let counted = Counted { source, lines: Rc::clone(&lines), left: Rc::clone(&left) };
        Self {
            reader: Reader::from_reader(counted),
            lines,
            left,
            is_container,
            path: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// The next record, `None` at the end of the file. Fails where the file is no XML, or hostile.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Next>> {
        let next = self.read();
        next.with_context(|| format!("the file cannot be read on at line {}", self.lines.get()))
    }

    fn read(&mut self) -> anyhow::Result<Option<Next>> {
        let mut open: Vec<Node> = Vec::new();
        let mut line = 0;
        self.left.set(XML_RECORD_BYTES_MAX);
        loop {
            if open.is_empty() {
                self.left.set(XML_RECORD_BYTES_MAX);
            }
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer).context("it is no XML")?;
            match event {
                Event::Start(start) => {
                    let node = node_of(&start)?;
                    ensure!(
                        self.path.len() + open.len() < XML_DEPTH_MAX,
                        "it is nested deeper than {XML_DEPTH_MAX}"
                    );
                    if open.is_empty() {
                        self.path.push(node.name.clone());
                        if (self.is_container)(&self.path) {
                            return Ok(Some(Next::Open));
                        }
                        self.path.pop();
                        line = self.lines.get();
                    }
                    open.push(node);
                }
                Event::Empty(empty) => {
                    let node = node_of(&empty)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return Ok(Some(Next::Record(node, self.lines.get()))),
                    }
                }
                Event::End(_) => match (open.pop(), open.last_mut()) {
                    (Some(node), Some(parent)) => parent.children.push(node),
                    (Some(node), None) => return Ok(Some(Next::Record(node, line))),
                    (None, _) => drop(self.path.pop()),
                },
                Event::Text(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text);
                    }
                }
                Event::CData(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text);
                    }
                }
                Event::GeneralRef(reference) => {
                    let character = character_of(&reference)?;
                    if let Some(node) = open.last_mut() {
                        node.text.push(character);
                    }
                }
                Event::DocType(_) => {
                    bail!("it has a document type, which could define entities or lead elsewhere, and is refused")
                }
                Event::Eof => {
                    ensure!(open.is_empty() && self.path.is_empty(), "it ends too early");
                    return Ok(None);
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            }
        }
    }
}

/// What a reference in a text stands for.
fn character_of(reference: &BytesRef<'_>) -> anyhow::Result<char> {
    if let Some(character) = reference.resolve_char_ref().context("a reference is no character")? {
        return Ok(character);
    }
    let name: &str = reference;
    Ok(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => bail!("it has the entity &{name};, and only the five of XML itself are read"),
    })
}

fn node_of(start: &BytesStart<'_>) -> anyhow::Result<Node> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.context("an attribute is none")?;
        let value =
            quick_xml::escape::unescape(&attribute.value).context("an attribute has an entity of its own")?;
        attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(Node { name: start.name().as_ref().to_owned(), attributes, ..Node::default() })
}

/// Counts lines, and gives a record so many bytes and no more.
struct Counted<R> {
    source: R,
    lines: Rc<Cell<u64>>,
    left: Rc<Cell<usize>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left.get() == 0 {
            return Err(io::Error::other(format!("one record has more than {XML_RECORD_BYTES_MAX} bytes")));
        }
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was filled is still there to be looked at.
        if let Ok(filled) = self.source.fill_buf() {
            let lines = filled.iter().take(amount).filter(|byte| **byte == b'\n').count();
            self.lines.set(self.lines.get() + u64::try_from(lines).expect("a count fits"));
        }
        self.left.set(self.left.get().saturating_sub(amount));
        self.source.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(xml: &str) -> anyhow::Result<Vec<Next>> {
        let mut records = Records::new(xml.as_bytes(), |path| path.len() == 1);
        std::iter::from_fn(|| records.next().transpose()).collect()
    }

    #[test]
    fn records_come_with_their_lines_and_every_form_of_text() {
        let xml = "<?xml version=\"1.0\"?>\n<r>\n<a x:id=\"1 &amp; 2\"><b>one <![CDATA[<i>&two;]]> &lt;&#233;&#x2014;&amp;</b></a>\n<c/></r>";
        let found = records(xml).unwrap();
        let [Next::Open, Next::Record(a, 3), Next::Record(c, 4)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((a.attribute("x:id"), a.get("b")), ("1 & 2", "one <i>&two; <é—&"));
        assert_eq!(c.name, "c");
    }

    #[test]
    fn hostile_files_are_refused_and_say_where() {
        let deep = format!("<r>{}{}</r>", "<a>".repeat(100), "</a>".repeat(100));
        let long = format!("<r><a>{}</a></r>", "x".repeat(XML_RECORD_BYTES_MAX + 10_000));
        for (xml, said) in [
            ("<!DOCTYPE r [<!ENTITY a \"b\">]>\n<r/>", "document type"),
            ("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>", "document type"),
            ("<r><a>&lol;</a></r>", "entity &lol;"),
            ("<r><a x=\"&lol;\"/></r>", "entity of its own"),
            (deep.as_str(), "nested deeper"),
            (long.as_str(), "one record has more than"),
            ("<r><a></r>", "it is no XML"),
            ("<r><a>", "it ends too early"),
            ("<r><a>&#0;</a></r>", "no character"),
        ] {
            let message = format!("{:#}", records(xml).unwrap_err());
            assert!(message.contains(said) && message.contains("at line"), "{message}");
        }
    }
}
