//! What is particular to each provider, as data and pure functions: manifests, and adapters that turn a provider's raw events
//! into items.
//!
//! Responsible for knowing every event of every provider. It does no I/O and holds no process; who calls it decides where
//! events come from (a live runner, a journal, a recording).

mod acp;
pub mod adapter;
mod claude;
mod codex;
mod confine;
mod demo;
pub mod driver;
pub mod environment;
mod failure_code;
pub mod manifest;
mod ollama;
mod opencode;
mod plain;
mod plan;
mod raw;
pub mod sheet;
mod tool_call;

pub use adapter::{ADAPTERS, Adapter, Delta, Hint, Weight, adapter};
pub use confine::{Confine, OwnPath};
pub use driver::{Driver, ModeArgs, Options};
pub use environment::{CleanEnvironment, clean_environment, expand_home};
pub use manifest::{Cli, Defaults, EnvRules, Launch, Manifest, ManifestError, Manifests};
pub use sheet::{ItemChange, Sheet};
