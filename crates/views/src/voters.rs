//! Which number a voter has: a hash table in the store that grows by one bucket at a time (linear hashing: W. Litwin, "Linear
//! hashing: a new tool for file and table addressing", VLDB 1980), so that a batch of new voters writes a few values.
//!
//! How many buckets there are follows from how many voters have a number; so nothing else has to be kept.

use domain::AuthorId;

use crate::draft::Draft;
use crate::error::Error;
use crate::keys::{Key, PlaceNo};
use crate::records::VoterIds;
use crate::value::Value;

/// Voters for one bucket, on average; up to about twice as many stand in one before it is split. Stored: never change.
const VOTERS_IN_BUCKET: u32 = 32;

/// Voters whose ids' hashes end alike, with their numbers: for each the id's length, the id, and the number, big-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket(Vec<u8>);

impl Bucket {
    /// The number of a voter.
    pub(crate) fn number(&self, id: &str) -> Option<u32> {
        self.entries().find(|(known, _)| *known == id.as_bytes()).map(|(_, number)| number)
    }

    fn push(&mut self, id: &[u8], number: u32) {
        self.0.push(u8::try_from(id.len()).expect("an id has 64 characters at most"));
        self.0.extend_from_slice(id);
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (entry, after) = split_entry(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

/// An id and its number.
type Entry<'b> = (&'b [u8], u32);

/// The first entry, and what comes after it.
fn split_entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (number, rest) = rest.split_first_chunk()?;
    Some(((id, u32::from_be_bytes(*number)), rest))
}

impl Value for Bucket {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn read(body: &[u8]) -> Result<Self, Error> {
        let mut rest = body;
        while !rest.is_empty() {
            (_, rest) = split_entry(rest).ok_or(Error::Damaged("not a bucket of voters"))?;
        }
        Ok(Self(body.to_vec()))
    }
}

fn hash(id: &[u8]) -> u64 {
    blake3::hash(id).as_bytes().first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

/// How many buckets so many voters have.
fn buckets(voters: u32) -> u32 {
    voters / VOTERS_IN_BUCKET + 1
}

/// The bucket of a voter where there are so many: the hash's last bits, one fewer where that bucket is not there yet.
fn bucket_of(hash: u64, buckets: u32) -> u32 {
    let all = u64::from(buckets.next_power_of_two());
    let wide = hash % all;
    let bucket = if wide < u64::from(buckets) { wide } else { hash % (all / 2) };
    u32::try_from(bucket).expect("below the number of buckets")
}

/// The number of a voter who has one, where so many have.
pub(crate) fn known(
    voters: u32,
    id: &AuthorId,
    bucket: impl FnOnce(u32) -> Result<Option<u32>, Error>,
) -> Result<Option<u32>, Error> {
    if voters == 0 { Ok(None) } else { bucket(bucket_of(hash(id.as_str().as_bytes()), buckets(voters))) }
}

/// Gives a voter the next number, which is how many had one before.
pub(crate) fn add(draft: &mut Draft, site: PlaceNo, voters: u32, id: &AuthorId) -> Result<(), Error> {
    let there = buckets(voters);
    let bucket = bucket_of(hash(id.as_str().as_bytes()), there);
    let bucket = draft.voter_buckets.change(&Key::VoterBucket(site, bucket))?.get_or_insert_default();
    bucket.push(id.as_str().as_bytes(), voters);
    if buckets(voters + 1) == there {
        return Ok(());
    }
    // The new bucket takes over from the one whose voters had to share so far.
    let shared = there - (there + 1).next_power_of_two() / 2;
    let all = std::mem::take(draft.voter_buckets.change(&Key::VoterBucket(site, shared))?).unwrap_or_default();
    let (mut stay, mut go) = (Bucket::default(), Bucket::default());
    for (id, number) in all.entries() {
        let to = if bucket_of(hash(id), there + 1) == there { &mut go } else { &mut stay };
        to.push(id, number);
    }
    draft.voter_buckets.put(&Key::VoterBucket(site, shared), stay);
    draft.voter_buckets.put(&Key::VoterBucket(site, there), go);
    Ok(())
}

/// Lets a voter's number stand under another id.
pub(crate) fn rename(
    draft: &mut Draft,
    site: PlaceNo,
    voters: u32,
    (from, to, number): (&AuthorId, &AuthorId, u32),
) -> Result<(), Error> {
    let bucket = |id: &AuthorId| Key::VoterBucket(site, bucket_of(hash(id.as_str().as_bytes()), buckets(voters)));
    let old = draft.voter_buckets.change(&bucket(from))?.get_or_insert_default();
    let mut kept = Bucket::default();
    let others = old.entries().filter(|(id, _)| *id != from.as_str().as_bytes());
    others.for_each(|(id, number)| kept.push(id, number));
    *old = kept;
    let new = draft.voter_buckets.change(&bucket(to))?.get_or_insert_default();
    new.push(to.as_str().as_bytes(), number);
    let (chunk, slot) = VoterIds::place_of(number);
    let ids = draft.voter_ids.change(&Key::VoterIds(site, chunk))?;
    let id = ids.as_mut().and_then(|ids| ids.0.get_mut(slot)).ok_or(Error::Damaged("a voter is missing"))?;
    *id = to.to_string();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::key_filter::{KeyFilter, Source};
    use crate::table::Writes;

    fn id(number: u32) -> AuthorId {
        format!("voter-{number}").parse().unwrap()
    }

    #[test]
    fn everybody_is_found_under_their_number_however_many_come() {
        let db = sled::Config::new().temporary(true).open().unwrap();
        let mut draft = Draft::new(&Source::new(&db, KeyFilter::new()), 4096);
        let site = PlaceNo(1);
        let find = |draft: &mut Draft, voters, number| {
            known(voters, &id(number), |bucket| {
                let bucket = draft.voter_buckets.get(&Key::VoterBucket(site, bucket))?;
                Ok(bucket.and_then(|bucket| bucket.number(id(number).as_str())))
            })
        };
        for voters in 0..5_000 {
            assert_eq!(find(&mut draft, voters, voters).unwrap(), None);
            add(&mut draft, site, voters, &id(voters)).unwrap();
            if voters % 100 == 0 {
                let mut writes =
                    Writes { batch: sled::Batch::default(), count: 0, inventory: Inventory::default() };
                draft.write(&mut writes).unwrap();
                db.apply_batch(writes.batch).unwrap();
            }
            let known = voters / 2;
            assert_eq!(find(&mut draft, voters + 1, known).unwrap(), Some(known), "of {}", voters + 1);
        }
        for number in 0..5_000 {
            assert_eq!(find(&mut draft, 5_000, number).unwrap(), Some(number));
        }
    }

    #[test]
    fn a_bucket_stays_small() {
        let mut sizes = vec![0; usize::try_from(buckets(200_000)).unwrap()];
        for number in 0..200_000 {
            let bucket = bucket_of(hash(id(number).as_str().as_bytes()), buckets(200_000));
            sizes[usize::try_from(bucket).unwrap()] += 1;
        }
        assert!(sizes.iter().max() < Some(&128), "{:?}", sizes.iter().max());
        assert!(sizes.iter().all(|size| *size > 0));
    }
}
