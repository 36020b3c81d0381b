//! Quotes, drawn from the comments that they quote, as those are now.
//!
//! A comment may quote twenty comments that quote twenty each: what one comment draws is bounded, in depth and in bytes.

use domain::{State, text};

use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::pages::{Drawn, Names, Said, View, id_of, revision_of};
use crate::records::{Comment, Quote, Words};

/// Quotes inside quotes are drawn this deep: a fourth level is narrower than its words on a phone.
const DEPTH_MAX: usize = 3;
/// What the quotes of one comment may take: two whole comments of the greatest length. More is drawn cut short, so that a
/// page always fits its message.
const INK_BYTES_MAX: usize = 80_000;
/// What a quote takes beside its words, so that many short quotes are bounded too: each is several look-ups.
const QUOTE_BYTES: usize = 256;
/// Stands where words were cut short.
const CUT: char = '\u{2026}';

/// What is left to draw one comment's quotes with.
pub(crate) struct Ink {
    left: usize,
    depth: usize,
}

impl Default for Ink {
    fn default() -> Self {
        Self { left: INK_BYTES_MAX, depth: 0 }
    }
}

impl Ink {
    /// How many bytes were drawn.
    pub(crate) fn used(&self) -> usize {
        INK_BYTES_MAX - self.left
    }

    /// As much of the words as can be drawn.
    fn draw(&mut self, words: &str) -> String {
        if words.len() <= self.left {
            self.left -= words.len();
            return words.to_owned();
        }
        let end = words.floor_char_boundary(self.left);
        self.left = 0;
        let mut cut = words.get(..end).unwrap_or_default().to_owned();
        cut.push(CUT);
        cut
    }
}

impl View<'_> {
    /// Draws quotes, and the quotes inside them, while there is ink.
    pub(crate) fn draw(
        &self,
        places: (PlaceNo, PlaceNo),
        quotes: &[Quote],
        names: &mut Names,
        ink: &mut Ink,
    ) -> Result<Vec<Drawn>, Error> {
        let mut drawn = Vec::new();
        if ink.depth == DEPTH_MAX {
            return Ok(drawn);
        }
        for quote in quotes {
            // A comment's own quotes are all there, if need be without words: an edit sends them again.
            if ink.left < QUOTE_BYTES && ink.depth > 0 {
                break;
            }
            ink.left = ink.left.saturating_sub(QUOTE_BYTES);
            let record = self.row(places.1, quote.number)?;
            let state = record.state()?;
            let (said, latest) = (state == State::Visible, revision_of(&record));
            let said = if said { Some(self.quoted(places, quote, (&record, latest), names, ink)?) } else { None };
            drawn.push(Drawn {
                id: id_of(&record),
                number: quote.number,
                state,
                revision: quote.revision,
                edited_since: quote.revision < latest,
                at: quote.at,
                start: quote.start,
                end: quote.end,
                said,
            });
        }
        Ok(drawn)
    }

    /// What is quoted: of the revision that is quoted, whatever was edited since.
    fn quoted(
        &self,
        places: (PlaceNo, PlaceNo),
        quote: &Quote,
        (record, latest): (&Comment, u32),
        names: &mut Names,
        ink: &mut Ink,
    ) -> Result<Said, Error> {
        let words = if quote.revision == latest {
            self.words(places.1, quote.number)?
        } else {
            let key = Key::Revision(places.1, quote.number, quote.revision);
            self.get::<Words>(&key)?.ok_or(Error::Damaged("a revision is missing"))?
        };
        let body = ink.draw(text::slice(&words.text, quote.start, quote.end));
        let inside = inside(quote, &words.quotes);
        let author = self.author(places.0, &record.author, names)?;
        ink.depth += 1;
        let quotes = self.draw(places, &inside, names, ink)?;
        ink.depth -= 1;
        Ok(Said { author, body, quotes })
    }
}

/// The quotes that stand inside what is quoted, with places that count from its start.
fn inside(quote: &Quote, quotes: &[Quote]) -> Vec<Quote> {
    let inside = quotes.iter().filter(|inner| (quote.start..quote.end).contains(&inner.at));
    inside.map(|inner| Quote { at: inner.at - quote.start, ..inner.clone() }).collect()
}
