//! Why a journal or its folder could not be used: what was attempted, on which file, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("failed to {doing} {path}: {source}{}", hint(source))]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("failed to read {path}: {why}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The journal was written by a newer Outrigger.
    #[error(
        "{path} has journal format {found}; this Outrigger writes format {known}. It can be read, not continued: update Outrigger"
    )]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Another keeper has the session.
    #[error("session {session} is hosted by another keeper already; talk to that one, or stop it first")]
    Leased {
        /// Which session.
        session: String,
    },
}

impl JournalError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// What a person can do about the commonest refusals.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; make the folder writable, or choose another with OUTRIGGER_HOME",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some disk space",
        io::ErrorKind::ReadOnlyFilesystem => "; the disk is read-only: choose another folder with OUTRIGGER_HOME",
        _ => "",
    }
}
