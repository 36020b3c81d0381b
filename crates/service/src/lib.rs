//! What every role stands on: its NATS connection, and the door that requests come through.
//!
//! The door reads protobuf or JSON, calls a handler, and answers with its reply or `{code, message}`; it is found by
//! `$SRV.INFO` and keeps statistics. Deliberately not here: what any request means.

mod connect;
mod door;
mod metrics;
mod refusal;

pub use connect::{NatsOptions, connect};
pub use door::{Door, Request};
pub use refusal::Refusal;
