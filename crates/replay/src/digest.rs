//! One digest of everything that is served, to compare two systems by.

use anyhow::Context as _;
use client::Client;
use wire::v1;

use crate::limits::{ATTEMPTS_MAX, PAGE_PLACES};

/// BLAKE3 over each served place and its digest, in the order of places; `None` if the log moves on all the while.
pub(crate) async fn of_all(koe: &Client) -> anyhow::Result<Option<String>> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(digest) = of_all_once(koe).await? {
            return Ok(Some(digest));
        }
    }
    Ok(None)
}

async fn of_all_once(koe: &Client) -> anyhow::Result<Option<String>> {
    let (mut sum, mut after, mut position) = (blake3::Hasher::new(), None, String::new());
    loop {
        let question = v1::DigestRequest { after, limit: PAGE_PLACES, ..v1::DigestRequest::default() };
        let reply = koe.digest(&question).await.context("the projector does not give its digests")?;
        if position.is_empty() {
            position.clone_from(&reply.position);
        }
        let mut last = None;
        for served in reply.places {
            if served.position != position {
                return Ok(None);
            }
            let place = served.place.unwrap_or_default();
            for part in [place.site.as_bytes(), place.thread.as_bytes(), &served.digest] {
                sum.update(&u64::try_from(part.len()).expect("a length fits").to_le_bytes());
                sum.update(part);
            }
            last = Some(place);
        }
        if reply.position != position {
            return Ok(None);
        }
        if reply.done {
            return Ok(Some(sum.finalize().to_hex().to_string()));
        }
        after = last;
    }
}
