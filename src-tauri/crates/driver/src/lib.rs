//! Drives an agent's CLI that speaks `stream-json`, without a runner script and without a JavaScript runtime.
//!
//! Responsible for what a runner does: it speaks runner protocol 1 with the keeper on stdin and stdout, starts the CLI that the
//! keeper names, passes on its lines byte by byte, and says when turns begin and end, what is asked and what failed. How the CLI is
//! to be started stands in its manifest. It journals nothing and knows no session but its own.

mod asked;
mod cli;
mod cli_failure;
mod cli_line;
mod command_line;
mod conversation;
mod host_line;
mod life;
mod outbox;
mod outcome;
mod provider_failure;
mod told;
mod usage;
mod user_message;
mod version;

pub use life::{Drive, run};
