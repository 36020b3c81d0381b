//! Cursors of orders that move: what was seen already, so that no page shows it again and a projector keeps nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SiteId;
use roaring::RoaringBitmap;

use crate::cursor::CursorFailed;

/// The version of what a cursor holds. One of another version has expired: begin again.
const VERSION: u8 = 1;
/// Stands in the place of the order where too much was seen for a cursor.
const TOO_MUCH: u8 = u8::MAX;
/// Characters of a cursor: it stands in the address of a page, and many servers on the way take lines of 8 KiB. Some 2,000
/// threads fit, more where they follow one another.
pub(crate) const CURSOR_CHARS_MAX: usize = 6_000;
/// Version, order and checksum: these stay where they are in every version.
const HEAD_BYTES: usize = 6;

/// Over the site as well, so that a cursor of another site is none.
fn checksum(site: &SiteId, version: u8, order: u8, seen: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    for part in [site.as_str().as_bytes(), &[0, version, order], seen] {
        hasher.update(part);
    }
    hasher.finalize().to_be_bytes()
}

fn token(site: &SiteId, version: u8, order: u8, seen: &[u8]) -> String {
    let mut bytes = vec![version, order];
    bytes.extend(checksum(site, version, order, seen));
    bytes.extend(seen);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor of an order, one word. Where it would be too long, it is one that has expired.
pub(crate) fn write(site: &SiteId, order: u8, mut seen: RoaringBitmap) -> String {
    seen.optimize();
    let mut bytes = Vec::with_capacity(seen.serialized_size());
    seen.serialize_into(&mut bytes).expect("a vector takes what is written");
    let whole = token(site, VERSION, order, &bytes);
    if whole.len() <= CURSOR_CHARS_MAX { whole } else { token(site, VERSION, TOO_MUCH, &[]) }
}

/// What was seen, as a cursor of this site and order says; nothing for an empty one.
pub(crate) fn read(site: &SiteId, order: u8, cursor: &str) -> Result<RoaringBitmap, CursorFailed> {
    if cursor.is_empty() {
        return Ok(RoaringBitmap::new());
    }
    if cursor.len() > CURSOR_CHARS_MAX {
        return Err(CursorFailed::Invalid);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).or(Err(CursorFailed::Invalid))?;
    let (head, mut body) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(CursorFailed::Invalid)?;
    let [version, found, sum @ ..] = *head;
    if sum != checksum(site, version, found, body) {
        return Err(CursorFailed::Invalid);
    }
    if version != VERSION || found == TOO_MUCH {
        return Err(CursorFailed::Expired);
    }
    if found != order {
        return Err(CursorFailed::Invalid);
    }
    let seen = RoaringBitmap::deserialize_from(&mut body).or(Err(CursorFailed::Invalid))?;
    if body.is_empty() { Ok(seen) } else { Err(CursorFailed::Invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(id: &str) -> SiteId {
        id.parse().unwrap()
    }

    #[test]
    fn a_cursor_leads_back_in_its_own_order_and_site_alone() {
        let seen: RoaringBitmap = (0..300).filter(|number| number % 3 == 0).collect();
        let cursor = write(&site("s"), 2, seen.clone());
        assert_eq!(read(&site("s"), 2, &cursor), Ok(seen));
        assert_eq!(read(&site("s"), 3, &cursor), Err(CursorFailed::Invalid));
        assert_eq!(read(&site("t"), 2, &cursor), Err(CursorFailed::Invalid));
        assert_eq!(read(&site("s"), 3, ""), Ok(RoaringBitmap::new()));
    }

    #[test]
    fn crafted_and_damaged_cursors_are_refused() {
        let cursor = write(&site("s"), 2, [1, 70_000, 3].into_iter().collect());
        for at in 0..cursor.len() {
            let other = |(place, c)| {
                if place != at {
                    c
                } else if c == 'A' {
                    'B'
                } else {
                    'A'
                }
            };
            let damaged: String = cursor.chars().enumerate().map(other).collect();
            assert!(read(&site("s"), 2, &damaged).is_err(), "{damaged}");
        }
        for bad in [
            "x",
            "12",
            "=",
            "AQ",
            "AAAAAAAAAAAA",
            &token(&site("s"), VERSION, 2, &[]),
            &token(&site("s"), VERSION, 2, &[0xff; 40]),
            &"A".repeat(CURSOR_CHARS_MAX + 1),
        ] {
            assert_eq!(read(&site("s"), 2, bad), Err(CursorFailed::Invalid), "{bad}");
        }
        let mut trailing = Vec::new();
        RoaringBitmap::from_iter([1]).serialize_into(&mut trailing).unwrap();
        trailing.push(0);
        assert_eq!(read(&site("s"), 2, &token(&site("s"), VERSION, 2, &trailing)), Err(CursorFailed::Invalid));
    }

    #[test]
    fn beyond_its_length_and_from_another_release_a_cursor_has_expired() {
        let all: RoaringBitmap = (0..100_000).collect();
        assert!(write(&site("s"), 2, all.clone()).len() < 100, "what follows one another is short");
        let scattered: RoaringBitmap = (0..3_000).map(|number| number * 3).collect();
        let cursor = write(&site("s"), 2, scattered);
        assert!(cursor.len() <= CURSOR_CHARS_MAX);
        assert_eq!(read(&site("s"), 2, &cursor), Err(CursorFailed::Expired));
        assert_eq!(read(&site("s"), 2, &token(&site("s"), VERSION + 1, 2, &[9])), Err(CursorFailed::Expired));
    }
}
