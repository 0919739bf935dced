//! The keeper: the small process that owns one pod, as containerd has one shim for each container.
//!
//! Responsible for a session while it is live: it spawns the runner, writes the journal, serves the socket and answers for the
//! state. It outlives the window and the terminal that started it, and never waits for a reader. What a provider's events mean,
//! it asks the adapters; where a CLI is, it is told.

mod announced;
mod attachments;
mod below;
mod bridge;
mod confinement;
mod connection;
mod events;
pub mod exchange;
pub mod feed;
pub mod health;
mod health_look;
mod holding;
pub mod intake;
mod kin;
mod launch;
mod ledger_notes;
mod leftovers;
mod line_log;
mod opening;
mod outbox;
mod own_program;
mod own_tools;
mod peer;
pub mod pod_state;
mod pod_task;
mod pod_tools;
pub mod program_pages;
mod quiet;
mod reading;
mod recorder;
pub mod retry;
mod runner_stdin;
mod session_meta;
mod shared;
mod sidecars;
mod socket;
mod startup;
mod status;
mod subscription;
mod tools;
mod tree;
mod turn_gate;
pub mod waiting;
mod waits;

pub use startup::run;
