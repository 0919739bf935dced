//! The journal of a session: the truth from which everything else about it can be rebuilt.
//!
//! Responsible for the session's folder: its journal file (append, read forwards and backwards, recovery of a torn tail), its
//! `meta.json` and `pod.json` (atomic replacement), its lease, the item index file, the long strings that are files of their own, and
//! what waits in memory while the file cannot be written.
//! It knows no agent: a runner's line is bytes to it, and what an item is does not concern it.

pub mod backlog;
pub mod blobs;
mod compressed;
pub mod encode;
pub mod error;
pub mod folder;
pub mod item_index;
pub mod lease;
mod missing;
pub mod reader;
pub mod recovery;
pub mod retention;
mod shown;
pub mod writer;

pub use backlog::Backlog;
pub use encode::Entry;
pub use error::JournalError;
pub use folder::{Replacement, SessionFolder};
pub use item_index::{IndexEntry, ItemIndex};
pub use lease::Lease;
pub use reader::{Forward, JournalReader};
pub use recovery::Recovery;
pub use writer::{Appended, JournalWriter, Syncer};
