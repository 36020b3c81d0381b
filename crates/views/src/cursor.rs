//! Cursors: where a reader's next page begins. All of it stands in the cursor, so that a projector that was restarted,
//! another one, or a generation that was folded anew goes on where the reader was.
//!
//! Votes move comments between pages, so in the orders that votes move a cursor holds the numbers that the reader has seen.
//! Stored by others: an old version may be refused, and must not be misread.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::{Order, Place};
use roaring::RoaringBitmap;
use thiserror::Error;

/// Bytes of a cursor as text. The numbers of 100,000 comments take 16 KB as a set and 22 KB as text, and lines of a request
/// may be longer than that in Koe itself; in front of it docs/http-api.md says what to set.
pub const CURSOR_BYTES_MAX: usize = 24 * 1024;

/// The version of what a cursor holds. It stands first and the checksum last in every version, so that a cursor of another
/// one is known for it and has expired.
const VERSION: u8 = 1;
/// The bits of the second byte: three for the order, and these.
const TREE: u8 = 8;
const SET: u8 = 16;
const EXPIRED: u8 = 32;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub(crate) order: Order,
    pub(crate) tree: bool,
    /// The number of the comment whose replies are read; 0 for the thread.
    pub(crate) below: u32,
    pub(crate) seen: Seen,
}

/// What a reader has seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    /// Everything up to this number in an order by number; 0 for nothing.
    UpTo(u32),
    /// These numbers.
    Numbers(RoaringBitmap),
}

/// Why a cursor leads nowhere, of a thread's pages and of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CursorFailed {
    /// No answer held it: to this question, about this place, in this order and shape.
    #[error("no answer to this question held this cursor")]
    Invalid,
    /// It is of another release, or cannot hold all that the reader has seen.
    #[error("the reader has seen more than a cursor holds, or began in another release")]
    Expired,
}

impl Seen {
    /// Nothing, in an order.
    pub(crate) fn nothing(order: Order) -> Self {
        if order.moves() { Self::Numbers(RoaringBitmap::new()) } else { Self::UpTo(0) }
    }

    pub(crate) fn holds(&self, order: Order, number: u32) -> bool {
        match self {
            Self::UpTo(0) => false,
            Self::UpTo(last) if order == Order::Newest => number >= *last,
            Self::UpTo(last) => number <= *last,
            Self::Numbers(numbers) => numbers.contains(number),
        }
    }

    /// Adds the comment that comes next.
    pub(crate) fn add(&mut self, number: u32) {
        match self {
            Self::UpTo(last) => *last = number,
            Self::Numbers(numbers) => {
                numbers.insert(number);
            }
        }
    }
}

impl Cursor {
    /// The beginning of a thread.
    pub fn start(order: Order, tree: bool) -> Self {
        Self { order, tree, below: 0, seen: Seen::nothing(order) }
    }

    /// A thread, oldest first and flat, after a number.
    pub fn after(number: u32) -> Self {
        Self { seen: Seen::UpTo(number), ..Self::start(Order::Oldest, false) }
    }

    /// A cursor of a page in this order and shape.
    pub fn parse(text: &str, place: &Place, order: Order, tree: bool) -> Result<Self, CursorFailed> {
        if text.len() > CURSOR_BYTES_MAX {
            return Err(CursorFailed::Invalid);
        }
        if order == Order::Oldest && !tree {
            return text.parse().map(Self::after).or(Err(CursorFailed::Invalid));
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).or(Err(CursorFailed::Invalid))?;
        Self::read(&bytes, place, order, tree).ok_or(CursorFailed::Invalid)?
    }

    fn read(bytes: &[u8], place: &Place, order: Order, tree: bool) -> Option<Result<Self, CursorFailed>> {
        let (signed, sum) = bytes.split_last_chunk()?;
        let ([version, flags], rest) = signed.split_first_chunk()?;
        let kind = code(order) | if tree { TREE } else { 0 };
        if u32::from_be_bytes(*sum) != checksum(signed, place) {
            return None;
        }
        if *version != VERSION {
            return Some(Err(CursorFailed::Expired));
        }
        if *flags == kind | EXPIRED && rest.is_empty() {
            return Some(Err(CursorFailed::Expired));
        }
        let (below, rest) = if tree { rest.split_first_chunk()? } else { (&[0; 4], rest) };
        let below = u32::from_be_bytes(*below);
        let seen = match flags ^ kind {
            SET if order.moves() || tree => {
                let mut rest = rest;
                let numbers = RoaringBitmap::deserialize_from(&mut rest).ok()?;
                rest.is_empty().then_some(Seen::Numbers(numbers))?
            }
            0 if !order.moves() => Seen::UpTo(u32::from_be_bytes(rest.try_into().ok()?)),
            _ => return None,
        };
        Some(Ok(Self { order, tree, below, seen }))
    }

    /// The cursor as text that addresses take as it is. One that would be too long becomes one that says so.
    pub fn to_text(&self, place: &Place) -> String {
        let kind = code(self.order) | if self.tree { TREE } else { 0 };
        let set = if matches!(self.seen, Seen::Numbers(_)) { SET } else { 0 };
        let mut bytes = vec![VERSION, kind | set];
        if self.tree {
            bytes.extend(self.below.to_be_bytes());
        }
        match &self.seen {
            Seen::UpTo(number) if self.order == Order::Oldest && !self.tree => return number.to_string(),
            Seen::UpTo(number) => bytes.extend(number.to_be_bytes()),
            Seen::Numbers(numbers) => {
                let mut numbers = numbers.clone();
                numbers.optimize();
                numbers.serialize_into(&mut bytes).expect("a vector takes what is written");
            }
        }
        let text = sealed(bytes, place);
        if text.len() <= CURSOR_BYTES_MAX { text } else { sealed(vec![VERSION, kind | EXPIRED], place) }
    }
}

fn sealed(mut bytes: Vec<u8>, place: &Place) -> String {
    bytes.extend(checksum(&bytes, place).to_be_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Over the thread as well, so that a cursor of another thread is none.
fn checksum(bytes: &[u8], place: &Place) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let thread = place.thread.as_ref().map_or("", domain::ThreadId::as_str);
    for part in [place.site.as_str().as_bytes(), &[0], thread.as_bytes(), &[0], bytes] {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Given out: never change.
fn code(order: Order) -> u8 {
    match order {
        Order::Oldest => 0,
        Order::Newest => 1,
        Order::Top => 2,
        Order::Best => 3,
        Order::Controversial => 4,
        Order::Hot => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(thread: &str) -> Place {
        Place { site: "s".parse().unwrap(), thread: Some(thread.parse().unwrap()) }
    }

    fn seen(order: Order, tree: bool, numbers: impl IntoIterator<Item = u32>) -> Cursor {
        Cursor { seen: Seen::Numbers(numbers.into_iter().collect()), ..Cursor::start(order, tree) }
    }

    #[test]
    fn a_cursor_leads_back_and_only_there() {
        let up_to = |order, tree, number| Cursor { seen: Seen::UpTo(number), ..Cursor::start(order, tree) };
        let cursors = [
            Cursor::after(7),
            up_to(Order::Oldest, true, 7),
            up_to(Order::Newest, false, 7),
            Cursor { below: 3, ..up_to(Order::Newest, true, 7) },
            seen(Order::Newest, true, [1, 2]),
            seen(Order::Top, false, [5, 70_000]),
            Cursor { below: 9, ..seen(Order::Best, true, []) },
            seen(Order::Controversial, false, 1..5_000),
            seen(Order::Hot, true, 1..5_000),
        ];
        let here = place("t");
        for cursor in &cursors {
            let text = cursor.to_text(&here);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
            for order in Order::EVERY {
                for tree in [false, true] {
                    let read = Cursor::parse(&text, &here, order, tree);
                    let known = (cursor.order, cursor.tree) == (order, tree);
                    assert_eq!(
                        read,
                        if known { Ok(cursor.clone()) } else { Err(CursorFailed::Invalid) },
                        "{text}"
                    );
                }
            }
            if cursor.order != Order::Oldest || cursor.tree {
                let elsewhere = Cursor::parse(&text, &place("u"), cursor.order, cursor.tree);
                assert_eq!(elsewhere, Err(CursorFailed::Invalid), "of another thread");
            }
        }
    }

    #[test]
    fn a_damaged_cursor_is_none() {
        let here = place("t");
        let text = seen(Order::Top, true, [5, 70_000, 70_001]).to_text(&here);
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'x' { b'y' } else { b'x' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(Cursor::parse(&damaged, &here, Order::Top, true), Err(CursorFailed::Invalid));
            assert_eq!(Cursor::parse(text.split_at(at).0, &here, Order::Top, true), Err(CursorFailed::Invalid));
        }
    }

    #[test]
    fn a_reader_of_100_000_comments_goes_on_and_one_of_more_is_told() {
        let here = place("t");
        // Every other comment is the worst for a set.
        let text = seen(Order::Hot, false, (1..=200_000).step_by(2)).to_text(&here);
        assert_eq!(
            Cursor::parse(&text, &here, Order::Hot, false),
            Err(CursorFailed::Expired),
            "four sets of 8 KB"
        );
        let text = seen(Order::Hot, false, (1..=100_000).filter(|number| number % 3 != 0)).to_text(&here);
        assert!(text.len() > 20_000 && Cursor::parse(&text, &here, Order::Hot, false).is_ok(), "{}", text.len());
        let long = "A".repeat(CURSOR_BYTES_MAX + 1);
        assert_eq!(
            Cursor::parse(&long, &here, Order::Hot, false),
            Err(CursorFailed::Invalid),
            "none was given out"
        );
        let other = Cursor::parse(&text, &here, Order::Top, false);
        assert_eq!(other, Err(CursorFailed::Invalid));
    }

    #[test]
    fn what_is_sealed_right_and_is_no_cursor_is_refused() {
        let here = place("t");
        let kinds = [vec![], vec![1], vec![1, 2], vec![1, 2 | SET], vec![1, 2, 0, 0, 0, 9]];
        let crafted =
            [vec![1, 2 | SET, 0x3a, 0x30, 0, 0, 255, 255, 255, 255], vec![1, 2 | SET, 0x3b, 0x30, 255, 255]];
        for bytes in kinds.into_iter().chain(crafted) {
            let text = sealed(bytes, &here);
            assert_eq!(Cursor::parse(&text, &here, Order::Top, false), Err(CursorFailed::Invalid), "{text}");
        }
    }

    #[test]
    fn a_cursor_of_another_release_has_expired() {
        let here = place("t");
        let other = sealed(vec![VERSION + 1, 2 | SET, 9], &here);
        assert_eq!(Cursor::parse(&other, &here, Order::Top, false), Err(CursorFailed::Expired));
        assert_eq!(Cursor::parse(&other, &place("u"), Order::Top, false), Err(CursorFailed::Invalid));
    }
}
