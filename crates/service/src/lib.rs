//! What every role stands on: its NATS connection, the door that requests come through, the instruments that it is watched
//! with, and for those that speak HTTP the listener.
//!
//! The door reads protobuf or JSON, calls a handler, and answers with its reply or `{code, message}`; it is found by
//! `$SRV.INFO` and keeps statistics. Deliberately not here: what any request means.

mod connect;
mod door;
mod health;
mod instruments;
mod listen;
mod metrics;
mod refusal;
mod vitals;

pub use connect::{NatsOptions, OPERATOR, connect};
pub use door::{Door, Request};
pub use instruments::Instruments;
pub use listen::{Connection, Listening, listen};
pub use refusal::Refusal;
pub use vitals::serve_vitals;
