//! Why a conversation could not be taken in: what was attempted, on which file, and what to do.

use std::io;
use std::path::PathBuf;

use journal::JournalError;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum EarlierError {
    /// The CLI has no such conversation any more.
    #[error("there is no conversation {id} of {cli} in {}; `outrigger import --list` shows those that there are", folder.display())]
    NoSuch {
        /// Whose.
        cli: &'static str,
        /// Its id.
        id: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Its file cannot be read.
    #[error("failed to read {}: {source}. Make it readable for this user", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Our own folder cannot be written.
    #[error(transparent)]
    Unwritable(#[from] JournalError),
    /// The copy could not be put among the sessions.
    #[error("failed to put the copy into {}: {source}. Make the folder writable, and check that its disk is not full", folder.display())]
    NotPlaced {
        /// The folder of sessions.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
