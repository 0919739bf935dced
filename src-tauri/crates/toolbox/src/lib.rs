//! Tool sidecars: programs of the user that offer tools to agents.
//!
//! Responsible for what a sidecar is (its manifest), whether it may run (trust), how it gets ready (build, start, connect) and how many
//! sessions share one instance of it (broker, owner process). Which agent sees which tool is asked here; how a tool reaches an agent
//! is the keeper's business. A sidecar is any MCP server.

pub mod broker;
pub mod build;
mod callback;
pub mod environment;
pub mod import;
pub mod instance;
pub mod limits;
pub mod log;
pub mod manifest;
mod marks;
mod mcp;
pub mod owner;
pub mod roots;
pub mod secrets;
pub mod states;
mod supervised;
pub mod trust;

pub use mcp::ears::Progress;
pub use mcp::link::CallError;
pub use mcp::listing::Listing;
