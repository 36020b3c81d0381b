//! Digests of what is stored: equal for equal content, whatever the batches and the history of the store were.
//!
//! They cover logical records by place, comment numbers among them, recomputed from stored values; no sequences, no
//! internal numbers of places or voters, no counters of what had no effect.

use domain::{CommandId, Place, SiteId};

use crate::error::Error;
use crate::keys::{Key, PlaceNo, Side, number_tail, prefix, voters_tail};
use crate::pages::{View, id_of};
use crate::records::{Command, Comment, Site, Thread};
use roaring::RoaringBitmap;

/// 32 bytes of BLAKE3.
pub type Digest = [u8; 32];

/// Fields one after another, each with its length, so that no two records share their bytes.
struct Fields(blake3::Hasher);

impl Fields {
    fn of(kind: &str) -> Self {
        let mut fields = Self(blake3::Hasher::new());
        fields.text(kind);
        fields
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).expect("a length fits");
        self.0.update(&length.to_be_bytes());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: impl Into<i128>) {
        self.0.update(&number.into().to_be_bytes());
    }

    fn finish(&self) -> Digest {
        *self.0.finalize().as_bytes()
    }
}

/// A set whose members come in no useful order: the sum of their digests.
#[derive(Default)]
struct Sum(u128, u128);

impl Sum {
    fn add(&mut self, member: &Digest) {
        let (low, high) = member.split_at(16);
        let number = |half: &[u8]| u128::from_be_bytes(half.try_into().expect("half of 32 bytes"));
        self.0 = self.0.wrapping_add(number(low));
        self.1 = self.1.wrapping_add(number(high));
    }

    fn into_fields(self, fields: &mut Fields) {
        fields.bytes(&self.0.to_be_bytes());
        fields.bytes(&self.1.to_be_bytes());
    }
}

impl View<'_> {
    /// Places after one, in the order of keys: each site and then its threads.
    pub fn places(&self, after: Option<&Place>, limit: usize) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        let from = after.map_or_else(prefix::sites, |after| Key::Site(&after.site).encode());
        for entry in self.tree.range(from..) {
            let (key, _) = entry?;
            let Some(id) = key.strip_prefix(prefix::sites().as_slice()) else {
                break;
            };
            let site: SiteId = parse(id)?;
            let whole = Place { site: site.clone(), thread: None };
            if after.is_none_or(|after| *after < whole) {
                places.push(whole);
            }
            for entry in self.tree.scan_prefix(prefix::threads(&site)) {
                if places.len() >= limit {
                    break;
                }
                let (key, _) = entry?;
                let id = key.strip_prefix(prefix::threads(&site).as_slice()).unwrap_or_default();
                let place = Place { site: site.clone(), thread: Some(parse(id)?) };
                if after.is_none_or(|after| *after < place) {
                    places.push(place);
                }
            }
            if places.len() >= limit {
                break;
            }
        }
        places.truncate(limit);
        Ok(places)
    }

    /// The digest of all that is stored of a place, or of nothing.
    pub fn digest(&self, place: &Place) -> Result<Digest, Error> {
        match &place.thread {
            Some(id) => match self.thread(&place.site, id)? {
                Some(thread) => self.thread_digest(place, &thread),
                None => Ok(Digest::default()),
            },
            None => match self.site(&place.site)? {
                Some(site) => self.site_digest(place, &site),
                None => Ok(Digest::default()),
            },
        }
    }

    /// The digest of each comment of a thread, by number.
    pub fn comment_digests(&self, place: &Place) -> Result<Vec<Digest>, Error> {
        let (Some(id), Some(site)) = (&place.thread, self.site(&place.site)?) else {
            return Ok(Vec::new());
        };
        let Some(thread) = self.thread(&place.site, id)? else {
            return Ok(Vec::new());
        };
        let (site, thread) = (PlaceNo(site.place), PlaceNo(thread.place));
        self.scan::<Comment>(prefix::comments(thread))
            .map(|entry| {
                let (key, comment) = entry?;
                let number = number_tail(&key).ok_or(Error::Damaged("a comment's key"))?;
                self.comment_digest(site, thread, number, &comment)
            })
            .collect()
    }

    fn site_digest(&self, place: &Place, site: &Site) -> Result<Digest, Error> {
        let mut fields = Fields::of("site");
        fields.text(place.site.as_str());
        fields.number(u8::from(site.frozen));
        fields.number(u8::from(site.opened.is_some()));
        if let Some(opened) = &site.opened {
            fields.text(&opened.name);
            fields.text(&opened.zone);
        }
        for entry in self.scan::<String>(prefix::authors(PlaceNo(site.place))) {
            let (key, name) = entry?;
            fields.bytes(key.get(5..).unwrap_or_default());
            fields.text(&name);
        }
        self.add_commands(PlaceNo(site.place), &mut fields)?;
        Ok(fields.finish())
    }

    fn thread_digest(&self, place: &Place, thread: &Thread) -> Result<Digest, Error> {
        let mut fields = Fields::of("thread");
        fields.text(place.site.as_str());
        fields.text(place.thread.as_ref().map_or("", domain::ThreadId::as_str));
        fields.number(u8::from(thread.frozen));
        fields.number(thread.count);
        fields.number(thread.latest_millis);
        fields.number(u8::from(thread.opened.is_some()));
        if let Some(opened) = &thread.opened {
            fields.text(&opened.headline);
            fields.text(&opened.address);
            fields.text(&opened.category);
        }
        for digest in self.comment_digests(place)? {
            fields.bytes(&digest);
        }
        self.add_commands(PlaceNo(thread.place), &mut fields)?;
        Ok(fields.finish())
    }

    fn comment_digest(
        &self,
        site: PlaceNo,
        thread: PlaceNo,
        number: u32,
        comment: &Comment,
    ) -> Result<Digest, Error> {
        let mut fields = Fields::of("comment");
        fields.number(number);
        fields.text(&id_of(comment).to_string());
        fields.text(&comment.author);
        fields.number(comment.time_millis);
        fields.number(comment.parent);
        fields.number(comment.length);
        fields.number(u8::from(comment.removed.is_some()));
        if let Some(removed) = &comment.removed {
            fields.text(&removed.by);
            fields.text(&removed.reason);
            fields.number(removed.time_millis);
        }
        let words = self.words(thread, number)?;
        fields.text(&words.text);
        for quote in &words.quotes {
            for field in [quote.number, quote.revision, quote.start, quote.end, quote.at] {
                fields.number(field);
            }
        }
        let tally = self.tally(thread, number)?;
        fields.number(tally.up);
        fields.number(tally.down);
        self.add_voters(site, thread, number, &mut fields)?;
        Ok(fields.finish())
    }

    fn add_voters(&self, site: PlaceNo, thread: PlaceNo, number: u32, fields: &mut Fields) -> Result<(), Error> {
        let (mut ups, mut downs) = (Sum::default(), Sum::default());
        for entry in self.scan::<RoaringBitmap>(prefix::voters(thread, number)) {
            let (key, voters) = entry?;
            let (side, container) = voters_tail(&key).ok_or(Error::Damaged("a key of voters"))?;
            for low in voters {
                let voter = u32::from(container) << 16 | low;
                let id: Option<String> = self.get(&Key::VoterId(site, voter))?;
                let member = blake3::hash(id.ok_or(Error::Damaged("a voter is missing"))?.as_bytes());
                match side {
                    Side::Up => ups.add(member.as_bytes()),
                    Side::Down => downs.add(member.as_bytes()),
                }
            }
        }
        ups.into_fields(fields);
        downs.into_fields(fields);
        Ok(())
    }

    /// Commands are kept by id, and each has one outcome.
    fn add_commands(&self, place: PlaceNo, fields: &mut Fields) -> Result<(), Error> {
        for entry in self.scan::<Command>(prefix::commands(place)) {
            let (key, command) = entry?;
            let id: [u8; 16] = *key.last_chunk().ok_or(Error::Damaged("a command's key"))?;
            fields.text(&CommandId::from_u128(u128::from_be_bytes(id)).to_string());
            fields.text(command.void.as_deref().unwrap_or_default());
        }
        Ok(())
    }
}

fn parse<T: std::str::FromStr>(id: &[u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(id).or(Err(Error::Damaged("an id")))?;
    text.parse().or(Err(Error::Damaged("an id")))
}
