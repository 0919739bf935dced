//! What is particular to each provider, as data and pure functions: manifests, and adapters that turn a provider's raw events
//! into items.
//!
//! Responsible for knowing every event of every provider. It does no I/O and holds no process; who calls it decides where
//! events come from (a live runner, a journal, a recording).

pub mod adapter;
pub mod sheet;

pub use adapter::{Adapter, Delta, Hint, Weight, adapter};
pub use sheet::{ItemChange, Sheet};
