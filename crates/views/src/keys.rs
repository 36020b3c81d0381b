//! The layout of the store: one tree, every kind of key in one enum.
//!
//! Stored: a change is a new schema. A key is a tag byte and then its parts, numbers big-endian, so that byte order is
//! the order one reads in. Places (sites and threads) have a number of their own, given out by the fold in log order,
//! which keeps keys short; it stands in no digest.

use domain::{AuthorId, CommandId, Place, SiteId, ThreadId};

/// The number of a site or a thread inside one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceNo(pub(crate) u32);

/// Which of a comment's two sets of voters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Up,
    Down,
}

/// Comments in one value of scores: 64 are 512 bytes, so that a vote writes little and a page reads one or two.
pub(crate) const SCORES_IN_CHUNK: u32 = 64;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<'a> {
    /// 0: what is folded, [`crate::Checkpoint`].
    Checkpoint,
    /// 1: how many places have a number, `u32`.
    Places,
    /// 2 site: [`crate::records::Site`].
    Site(&'a SiteId),
    /// 3 site 0 thread: [`crate::records::Thread`].
    Thread(&'a SiteId, &'a ThreadId),
    /// 4 place(site) author: what the author is called, `String`.
    Author(PlaceNo, &'a AuthorId),
    /// 5 place(site) author: the author's number as a voter, `u32`.
    Voter(PlaceNo, &'a AuthorId),
    /// 6 place(site) voter: the id of the voter with this number, `String`.
    VoterId(PlaceNo, u32),
    /// 7 place(thread) number: [`crate::records::Comment`].
    Comment(PlaceNo, u32),
    /// 8 place(thread) number: [`crate::records::Words`], apart, since votes read the comment and not its words.
    Words(PlaceNo, u32),
    /// 9 place(thread) id: the number of the comment with this id, `u32`.
    Number(PlaceNo, CommandId),
    /// 10 place(thread) chunk: [`crate::records::Scores`] of the comments number `chunk * 64 + 1` and on.
    Scores(PlaceNo, u32),
    /// 11 place(thread) number side container: the voters of this side whose numbers share their upper 16 bits, a
    /// roaring set of the lower 16, so that a value stays below 8 KiB and a bit however hot the comment is.
    Voters(PlaceNo, u32, Side, u16),
    /// 12 place id: [`crate::records::Command`], for all commands but votes.
    Command(PlaceNo, CommandId),
    /// 13 site 0 (thread): [`crate::Frozen`].
    Frozen(&'a Place),
    /// 14 code: how many events were void for this reason, `u64`.
    Void(&'a str),
}

impl Key<'_> {
    /// The key as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        match self {
            Self::Checkpoint => out.push(0),
            Self::Places => out.push(1),
            Self::Site(site) => text(&mut out, 2, &[site.as_str()]),
            Self::Thread(site, thread) => text(&mut out, 3, &[site.as_str(), thread.as_str()]),
            Self::Author(site, author) => {
                numbered(&mut out, 4, *site);
                out.extend(author.as_str().bytes());
            }
            Self::Voter(site, author) => {
                numbered(&mut out, 5, *site);
                out.extend(author.as_str().bytes());
            }
            Self::VoterId(site, voter) => {
                numbered(&mut out, 6, *site);
                out.extend(voter.to_be_bytes());
            }
            Self::Comment(thread, number) => {
                numbered(&mut out, 7, *thread);
                out.extend(number.to_be_bytes());
            }
            Self::Words(thread, number) => {
                numbered(&mut out, 8, *thread);
                out.extend(number.to_be_bytes());
            }
            Self::Number(thread, id) => {
                numbered(&mut out, 9, *thread);
                out.extend(id.as_u128().to_be_bytes());
            }
            Self::Scores(thread, chunk) => {
                numbered(&mut out, 10, *thread);
                out.extend(chunk.to_be_bytes());
            }
            Self::Voters(thread, number, side, container) => {
                numbered(&mut out, 11, *thread);
                out.extend(number.to_be_bytes());
                out.push(match side {
                    Side::Up => 0,
                    Side::Down => 1,
                });
                out.extend(container.to_be_bytes());
            }
            Self::Command(place, id) => {
                numbered(&mut out, 12, *place);
                out.extend(id.as_u128().to_be_bytes());
            }
            Self::Frozen(place) => {
                text(&mut out, 13, &[place.site.as_str(), place.thread.as_ref().map_or("", ThreadId::as_str)]);
            }
            Self::Void(code) => text(&mut out, 14, &[code]),
        }
        out
    }
}

/// Ids hold no zero byte, so a zero between two of them keeps their order.
fn text(out: &mut Vec<u8>, tag: u8, parts: &[&str]) {
    out.push(tag);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push(0);
        }
        out.extend(part.bytes());
    }
}

fn numbered(out: &mut Vec<u8>, tag: u8, place: PlaceNo) {
    out.push(tag);
    out.extend(place.0.to_be_bytes());
}

/// Prefixes to scan, each all keys of one kind below something.
pub(crate) mod prefix {
    use super::{Key, PlaceNo, SiteId, numbered};

    pub(crate) fn sites() -> Vec<u8> {
        vec![2]
    }

    pub(crate) fn threads(site: &SiteId) -> Vec<u8> {
        let mut prefix = Key::Site(site).encode();
        prefix.splice(0..1, [3]);
        prefix.push(0);
        prefix
    }

    pub(crate) fn authors(site: PlaceNo) -> Vec<u8> {
        of(4, site)
    }

    pub(crate) fn comments(thread: PlaceNo) -> Vec<u8> {
        of(7, thread)
    }

    pub(crate) fn voters(thread: PlaceNo, number: u32) -> Vec<u8> {
        let mut prefix = of(11, thread);
        prefix.extend(number.to_be_bytes());
        prefix
    }

    pub(crate) fn commands(place: PlaceNo) -> Vec<u8> {
        of(12, place)
    }

    pub(crate) fn frozen() -> Vec<u8> {
        vec![13]
    }

    pub(crate) fn void() -> Vec<u8> {
        vec![14]
    }

    fn of(tag: u8, place: PlaceNo) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(9);
        numbered(&mut prefix, tag, place);
        prefix
    }
}

/// The side and container of a key under [`prefix::voters`].
pub(crate) fn voters_tail(key: &[u8]) -> Option<(Side, u16)> {
    let [.., side, high, low] = key else { return None };
    let side = match side {
        0 => Side::Up,
        1 => Side::Down,
        _ => return None,
    };
    Some((side, u16::from_be_bytes([*high, *low])))
}

/// The number in the tail of a key under [`prefix::comments`].
pub(crate) fn number_tail(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_logical_order() {
        let id = |bits| CommandId::from_u128(bits);
        let (a, ab): (SiteId, SiteId) = ("a".parse().unwrap(), "ab".parse().unwrap());
        let (s, t): (ThreadId, ThreadId) = ("s".parse().unwrap(), "t".parse().unwrap());
        let whole = Place { site: a.clone(), thread: None };
        let part = Place { site: a.clone(), thread: Some(s.clone()) };
        let (one, two) = (PlaceNo(1), PlaceNo(2));
        let in_order = [
            Key::Checkpoint,
            Key::Places,
            Key::Site(&a),
            Key::Site(&ab),
            Key::Thread(&a, &s),
            Key::Thread(&a, &t),
            Key::Thread(&ab, &s),
            Key::VoterId(one, 255),
            Key::VoterId(one, 256),
            Key::Comment(one, 9),
            Key::Comment(one, 10),
            Key::Comment(two, 1),
            Key::Words(one, 1),
            Key::Number(one, id(1)),
            Key::Scores(one, 0),
            Key::Voters(one, 1, Side::Up, 1),
            Key::Voters(one, 1, Side::Down, 0),
            Key::Voters(one, 2, Side::Up, 0),
            Key::Command(one, id(2)),
            Key::Frozen(&whole),
            Key::Frozen(&part),
            Key::Void("own-comment"),
        ];
        let bytes: Vec<_> = in_order.iter().map(Key::encode).collect();
        assert!(bytes.is_sorted(), "{bytes:?}");
        assert!(Key::Thread(&ab, &s).encode().starts_with(&prefix::threads(&ab)));
        assert!(!Key::Thread(&ab, &s).encode().starts_with(&prefix::threads(&a)));
    }

    #[test]
    fn tails_lead_back() {
        assert_eq!(voters_tail(&Key::Voters(PlaceNo(1), 7, Side::Down, 513).encode()), Some((Side::Down, 513)));
        assert_eq!(number_tail(&Key::Comment(PlaceNo(1), 77).encode()), Some(77));
    }
}
