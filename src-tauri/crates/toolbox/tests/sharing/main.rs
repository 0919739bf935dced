//! Many callers and one instance: trust, sharing, names, long answers, hot reload, and the owner's socket.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod owner;
mod reload;
mod serving;
mod stage;
