//! Tool sidecars: programs of the user that offer tools to agents.
//!
//! Responsible for what a sidecar is (its manifest), whether it may run (trust), how it gets ready (build, start, connect) and how many
//! sessions share one instance of it (broker, owner process). Which agent sees which tool is asked here; how a tool reaches an agent
//! is the keeper's business. A sidecar is any MCP server.

pub mod build;
pub mod environment;
pub mod limits;
pub mod log;
pub mod manifest;
pub mod secrets;
pub mod states;
mod supervised;
