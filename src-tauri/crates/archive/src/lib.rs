//! The archive: full-text search and usage statistics over the journals of all sessions.
//!
//! Derived: everything in it comes from the journals, by way of the transcript's items. An archive that is damaged, or was made by
//! another version, is thrown away and made anew. It is fed by whoever asks (for a bounded time) and by the desktop in the
//! background, one process at a time; a keeper never waits for it. All functions block.

mod adapters;
mod archive;
mod batch;
mod error;
mod feeding;
mod item_text;
mod matching;
mod search;
mod session_feed;
mod tables;
mod usage;

pub use adapters::Adapters;
pub use archive::Archive;
pub use error::ArchiveError;
pub use feeding::Feeding;
