//! One instance with real processes: how it starts, serves, fails and ends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod calls;
mod faults;
mod http;
mod lives;
mod stage;
