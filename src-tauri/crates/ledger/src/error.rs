//! What can go wrong with the ledger, in words that say what was attempted.

use std::io;
use std::path::{Path, PathBuf};

use protocol::SessionId;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the ledger could not do what it was asked for. No session depends on it: whoever gets one of these goes on without.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// A newer Outrigger wrote it. It is left as it is.
    #[error(
        "the ledger {path} has version {found}, and this Outrigger knows versions up to {ours}; use the newer Outrigger \
         that wrote it"
    )]
    Newer {
        /// The ledger's file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        ours: i64,
    },
    /// A pod came with a generation that is not newer than one the session has had.
    #[error(
        "generation {generation} of session {session} is not newer than generation {newest}, which the ledger holds"
    )]
    Stale {
        /// The session.
        session: SessionId,
        /// What was to be claimed.
        generation: u64,
        /// What is there.
        newest: u64,
    },
    /// The file system refused.
    #[error("failed to {attempt} {path}: {source}; make it writable for your user, or free space on its disk")]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("failed to {attempt} in the ledger {path}: {source}")]
    Sql {
        /// What was attempted.
        attempt: &'static str,
        /// The ledger's file.
        path: PathBuf,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
}

impl LedgerError {
    pub(crate) fn sql<'a>(attempt: &'static str, path: &'a Path) -> impl FnOnce(rusqlite::Error) -> Self + 'a {
        move |source| Self::Sql { attempt, path: path.to_owned(), source }
    }

    pub(crate) fn io<'a>(attempt: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { attempt, path: path.to_owned(), source }
    }

    /// Whether the file is damaged: opening the ledger anew sets it aside.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Sql { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
            }
            Self::Newer { .. } | Self::Stale { .. } | Self::Io { .. } => false,
        }
    }

    /// Whether others wrote at that moment: trying again may succeed.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Sql { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
            }
            Self::Newer { .. } | Self::Stale { .. } | Self::Io { .. } => false,
        }
    }
}
