//! Values as bytes: a version byte, a checksum, and then bincode, or what a record writes itself.
//!
//! Stored: a change is a new schema. Decoding is bounded and must consume what is there, so that a damaged value is an
//! error and neither an abort nor something else's value.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

const VERSION: u8 = 1;
/// The checksum stands after the version byte.
const HEAD_BYTES: usize = 5;
/// The largest value: the words of one comment, 10,000 characters of four bytes and twenty quotes.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Something that is stored.
pub(crate) trait Value: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(body: &[u8]) -> Result<Self, Error>;

    fn to_stored(&self) -> Vec<u8> {
        let mut out = vec![0; HEAD_BYTES];
        self.write(&mut out);
        let checksum = crc32fast::hash(out.get(HEAD_BYTES..).unwrap_or_default());
        out.splice(..HEAD_BYTES, [VERSION].into_iter().chain(checksum.to_be_bytes()));
        out
    }

    fn from_stored(stored: &[u8]) -> Result<Self, Error> {
        sound_checksum(stored)?;
        Self::read(stored.get(HEAD_BYTES..).unwrap_or_default())
    }
}

/// The checksum that a stored value says it has.
pub(crate) fn checksum_of(stored: &[u8]) -> Result<u32, Error> {
    let (head, _) = stored.split_first_chunk::<HEAD_BYTES>().ok_or(Error::Damaged("cut short"))?;
    let [version, checksum @ ..] = *head;
    if version == VERSION { Ok(u32::from_be_bytes(checksum)) } else { Err(Error::Damaged("unknown version")) }
}

/// The checksum of a stored value, if it is that of what follows.
pub(crate) fn sound_checksum(stored: &[u8]) -> Result<u32, Error> {
    let checksum = checksum_of(stored)?;
    let body = stored.get(HEAD_BYTES..).unwrap_or_default();
    if checksum == crc32fast::hash(body) { Ok(checksum) } else { Err(Error::Damaged("checksum")) }
}

/// Values that bincode writes.
pub(crate) trait Plain: Serialize + DeserializeOwned {}

impl<T: Plain> Value for T {
    fn write(&self, out: &mut Vec<u8>) {
        let config = bincode::config::standard();
        bincode::serde::encode_into_std_write(self, out, config)
            .expect("records have no maps and no unknown lengths");
    }

    fn read(body: &[u8]) -> Result<Self, Error> {
        let config = bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();
        let (value, consumed) = bincode::serde::decode_from_slice(body, config)
            .or(Err(Error::Damaged("not the record it should be")))?;
        if consumed == body.len() { Ok(value) } else { Err(Error::Damaged("trailing bytes")) }
    }
}

impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for String {}

#[cfg(test)]
pub(crate) mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let stored = String::from("日本の声").to_stored();
        assert_eq!(String::from_stored(&stored).unwrap(), "日本の声");
        for index in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[index] ^= 1;
            assert!(String::from_stored(&damaged).is_err(), "byte {index}");
        }
        assert!(String::from_stored(&stored[..stored.len() - 1]).is_err());
        assert!(String::from_stored(&[]).is_err());
    }

    #[test]
    fn a_length_beyond_the_limit_is_an_error_and_no_abort() {
        // A string that claims 2^60 bytes, with a checksum that fits.
        let mut body = vec![253];
        body.extend((1_u64 << 60).to_le_bytes());
        let checksum = crc32fast::hash(&body);
        let stored: Vec<u8> = [VERSION].into_iter().chain(checksum.to_be_bytes()).chain(body).collect();
        assert!(String::from_stored(&stored).is_err());
    }

    #[test]
    fn stored_bytes_stay_as_they_are() {
        assert_eq!(hex(&String::from("voice").to_stored()), "01c0d69f3605766f696365");
        assert_eq!(hex(&300_u32.to_stored()), "0108e61e1bfb2c01");
    }

    pub(crate) fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    }
}
