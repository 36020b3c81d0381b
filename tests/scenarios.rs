//! Scenarios across services: the real binary, a real nats-server of each test's own, real sled. No mocks, no sleeps.

mod bad_input;
mod code;
mod compose;
mod demonstration;
mod journal_laws;
mod kills;
mod listening;
mod log_life;
mod operators;
mod repeats;
mod sandbox;
mod writers;
