//! Requests and replies as bytes: protobuf, or JSON when the request says `content-type: application/json`.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The header that names the format of a request and its reply.
pub const CONTENT_TYPE: &str = "content-type";
/// The one value of [`CONTENT_TYPE`] that does not mean protobuf.
pub const APPLICATION_JSON: &str = "application/json";
/// The largest request: settings with two lists of words of 128 KiB each, in JSON; half of what a NATS message takes.
pub const REQUEST_BYTES_MAX: usize = 512 * 1024;

/// How a request is written, and so how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// proto3 bytes. Unknown fields are ignored: the sender may be newer.
    Protobuf,
    /// The proto3 JSON mapping. Unknown fields are refused: a person mistyped.
    Json,
}

/// Bytes that are not the message they should be.
#[derive(Debug, Error)]
pub enum Malformed {
    /// Not protobuf, or not this message.
    #[error("the request is not the protobuf message that this subject takes")]
    Protobuf(#[from] prost::DecodeError),
    /// Not JSON, or not this message.
    #[error("the request is not the JSON that this subject takes: {0}")]
    Json(#[from] serde_json::Error),
}

impl Format {
    /// The format of a content type; everything but JSON is protobuf.
    pub fn of(content_type: Option<&str>) -> Self {
        let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim);
        match media_type {
            Some(media_type) if media_type.eq_ignore_ascii_case(APPLICATION_JSON) => Self::Json,
            _ => Self::Protobuf,
        }
    }

    /// Reads a message.
    pub fn decode<M: Message + Default + DeserializeOwned>(self, bytes: &[u8]) -> Result<M, Malformed> {
        match self {
            Self::Protobuf => Ok(M::decode(bytes)?),
            // A person may leave an empty request out.
            Self::Json if bytes.is_empty() => Ok(M::default()),
            Self::Json => Ok(serde_json::from_slice(bytes)?),
        }
    }

    /// Writes a message.
    pub fn encode<M: Message + Serialize>(self, message: &M) -> Vec<u8> {
        match self {
            Self::Protobuf => message.encode_to_vec(),
            Self::Json => {
                serde_json::to_vec(message).expect("messages have string keys and no maps of other kinds")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::CastVoteRequest;

    #[test]
    fn unknown_fields_are_refused_in_json_and_ignored_in_protobuf() {
        let typo = br#"{"thread":"t","coment":"x"}"#;
        let error = Format::Json.decode::<CastVoteRequest>(typo).unwrap_err().to_string();
        assert!(error.contains("coment"), "{error}");
        // Field 99, a varint: what a newer peer may send.
        let newer = [0x22, 1, b't', 0x98, 0x06, 7];
        assert_eq!(Format::Protobuf.decode::<CastVoteRequest>(&newer).unwrap().thread, "t");
        assert!(Format::Protobuf.decode::<CastVoteRequest>(b"\xff\xff").is_err());
    }

    #[test]
    fn a_content_type_may_have_parameters() {
        assert_eq!(Format::of(Some("Application/JSON; charset=utf-8")), Format::Json);
        assert_eq!(Format::of(None), Format::Protobuf);
        assert_eq!(Format::of(Some("application/x-protobuf")), Format::Protobuf);
    }
}
