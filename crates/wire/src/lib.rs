//! The contract: `proto/koe/v1`, subjects and positions, to and from the domain.
//!
//! What arrives is parsed here, once, into domain types that cannot be malformed; nothing behind this crate sees a
//! protobuf message it has to check. Deliberately not here: connections, and anything that waits.

pub mod codec;
pub mod command;
pub mod envelope;
pub mod error;
pub mod position;
pub mod subject;
pub mod time;
pub mod values;

/// The messages of `proto/koe/v1`, generated; the contract itself documents them.
#[expect(
    clippy::pedantic,
    clippy::as_conversions,
    clippy::map_err_ignore,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/koe.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/koe.v1.serde.rs"));
}

pub use codec::Format;
pub use error::Code;
pub use position::Position;
