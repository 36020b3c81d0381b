//! Scenarios across services: the real binary, a real nats-server of each test's own, real sled. No mocks, no sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    reason = "a scenario that meets what it does not expect fails on the spot"
)]

mod archive;
mod bad_input;
mod bench;
mod code;
mod compose;
mod contract;
mod demonstration;
mod deploy;
mod each_command;
mod erased_laws;
mod erasure;
mod examples_other;
mod examples_rust;
mod generations;
mod group_commit;
mod import;
mod journal_laws;
mod kills;
mod listening;
mod lists;
mod log_life;
mod moderation;
mod moderation_page;
mod moments;
mod nats;
mod operators;
mod orders;
mod page;
mod permissions;
mod releases;
mod repeats;
mod rolling;
mod sandbox;
mod subscriptions;
mod systemd;
mod threads;
mod undoing;
mod writers;
