//! The connection to one MCP server: opened once, used by many.
//!
//! Responsible for speaking MCP with a server that may be slow, wrong or hostile: bounded lines, bounded lists, calls that end in
//! time. Which process is behind it, and who may call what, is decided elsewhere.

pub(crate) mod ears;
pub(crate) mod link;
pub(crate) mod listing;
pub(crate) mod wire;
