//! Fields of a record as the bytes that its digest is of.

use crate::digest::Digest;
use crate::records::{Mode, Words};

/// What is gathered before it is hashed: BLAKE3 is several times faster over much at once.
const GATHERED_MAX: usize = 64 * 1024;

/// Fields one after another, each text with its length, and what may come several times with its name before each or their
/// number before all, so that no two records share their bytes.
pub(super) struct Fields {
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
}

impl Fields {
    pub(super) fn of(kind: &str) -> Self {
        let mut fields = Self { hasher: blake3::Hasher::new(), gathered: Vec::with_capacity(1_024) };
        fields.text(kind);
        fields
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() > GATHERED_MAX {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        self.gathered.extend_from_slice(bytes);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).expect("a length fits");
        self.add(&length.to_be_bytes());
        self.add(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: impl Into<i128>) {
        self.add(&number.into().to_be_bytes());
    }

    pub(super) fn optional(&mut self, number: Option<i64>) {
        self.number(u8::from(number.is_some()));
        self.number(number.unwrap_or_default());
    }

    /// How many of something follow.
    pub(super) fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).expect("a length fits"));
    }

    pub(super) fn mode(&mut self, mode: &Mode) {
        self.number(mode.code);
        self.text(&mode.reason);
        self.text(&mode.successor);
    }

    pub(super) fn words(&mut self, words: &Words) {
        self.text(&words.text);
        self.number(words.time_millis);
        self.count(words.quotes.len());
        for quote in &words.quotes {
            for field in [quote.number, quote.revision, quote.start, quote.end, quote.at] {
                self.number(field);
            }
        }
    }

    pub(super) fn finish(mut self) -> Digest {
        self.hasher.update(&self.gathered);
        *self.hasher.finalize().as_bytes()
    }
}

/// A set whose members come in no useful order: the sum of their digests.
#[derive(Default)]
pub(super) struct Sum(u128, u128);

impl Sum {
    pub(super) fn add(&mut self, member: &Digest) {
        let (low, high) = member.split_at(16);
        let number = |half: &[u8]| u128::from_be_bytes(half.try_into().expect("half of 32 bytes"));
        self.0 = self.0.wrapping_add(number(low));
        self.1 = self.1.wrapping_add(number(high));
    }

    pub(super) fn into_fields(self, fields: &mut Fields) {
        fields.bytes(&self.0.to_be_bytes());
        fields.bytes(&self.1.to_be_bytes());
    }
}
