//! Digests of the ids of voters, each looked up once.

use crate::digest::Digest;
use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::pages::View;
use crate::records::{Site, VoterIds};

/// Digests of the ids of voters, kept from one place to the next: who votes, votes in many threads.
///
/// For one store. A number once given to a voter stays theirs until something is decided about voters, so that it may be used
/// from view to view.
#[derive(Default)]
pub struct Voters {
    /// And how much was decided in it.
    site: Option<(PlaceNo, u32)>,
    /// By chunk; empty where nobody looked.
    chunks: Vec<Vec<Digest>>,
    /// The chunk looked at last among those that are not kept: voters come by number, and so many stand in one.
    last: Option<(u32, Vec<Digest>)>,
}

impl Voters {
    /// Another site has other voters.
    pub(super) fn begin(&mut self, site: &Site) {
        let site = Some((PlaceNo(site.place), site.decisions));
        if self.site != site {
            *self = Self { site, ..Self::default() };
        }
    }

    pub(super) fn digest(&mut self, view: &View<'_>, voter: u32) -> Result<Digest, Error> {
        let (chunk, slot) = VoterIds::place_of(voter);
        let index = usize::try_from(chunk).expect("32 bits fit");
        let last = self.last.as_ref().filter(|(known, _)| *known == chunk).map(|(_, digests)| digests);
        if let Some(digest) = self.chunks.get(index).or(last).and_then(|known| known.get(slot)) {
            return Ok(*digest);
        }
        // Not looked at yet, or the chunk has grown since.
        let (site, _) = self.site.ok_or(Error::Damaged("voters of no site"))?;
        let ids: Option<VoterIds> = view.get(&Key::VoterIds(site, chunk))?;
        let hashed: Vec<_> =
            ids.unwrap_or_default().0.iter().map(|id| *blake3::hash(id.as_bytes()).as_bytes()).collect();
        if index >= CHUNKS_KEPT_MAX {
            let digest = Self::slot(&hashed, slot);
            self.last = Some((chunk, hashed));
            return digest;
        }
        if self.chunks.len() <= index {
            self.chunks.resize_with(index + 1, Vec::new);
        }
        let digest = Self::slot(&hashed, slot);
        if let Some(known) = self.chunks.get_mut(index) {
            *known = hashed;
        }
        digest
    }

    pub(super) fn slot(hashed: &[Digest], slot: usize) -> Result<Digest, Error> {
        hashed.get(slot).copied().ok_or(Error::Damaged("a voter is missing"))
    }
}

/// Chunks of voters whose digests are kept: those of a million voters are 32 MB.
const CHUNKS_KEPT_MAX: usize = 8_192;
