//! What can go wrong with the archive, in words that say what was attempted.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the archive could not do what it was asked for. No session depends on it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
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
    #[error("failed to {attempt} in the archive {path}: {source}")]
    Sql {
        /// What was attempted.
        attempt: &'static str,
        /// The archive's file.
        path: PathBuf,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// It was made by another version of Outrigger.
    #[error("the archive {path} was made by another version of Outrigger and has to be made anew")]
    OtherVersion {
        /// The archive's file.
        path: PathBuf,
    },
    /// It is damaged, and another process is making it anew.
    #[error("the archive {path} is being made anew by another process; try again in a moment")]
    MadeElsewhere {
        /// The archive's file.
        path: PathBuf,
    },
    /// A journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    /// A journal could not be read to its end.
    #[error("failed to read the journal of session {session}: {source}")]
    Reading {
        /// Which session.
        session: String,
        /// What the system said.
        source: io::Error,
    },
    /// A moment is no moment.
    #[error("{0:?} is no moment; write it as 2026-11-21T07:00:00Z")]
    NoMoment(String),
}

impl ArchiveError {
    pub(crate) fn sql<'a>(attempt: &'static str, path: &'a Path) -> impl FnOnce(rusqlite::Error) -> Self + 'a {
        move |source| Self::Sql { attempt, path: path.to_owned(), source }
    }

    pub(crate) fn io<'a>(attempt: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { attempt, path: path.to_owned(), source }
    }

    /// Whether only a new file helps.
    pub(crate) fn is_unusable(&self) -> bool {
        match self {
            Self::Sql { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
                    // Tables or columns that are not there: something else wrote the file.
                    || matches!(source, rusqlite::Error::SqliteFailure(error, _) if error.extended_code == 1)
                    || matches!(source, rusqlite::Error::SqlInputError { .. })
                    || matches!(source, rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::FromSqlConversionFailure(..))
            }
            Self::OtherVersion { .. } => true,
            Self::Io { .. }
            | Self::MadeElsewhere { .. }
            | Self::Journal(_)
            | Self::Reading { .. }
            | Self::NoMoment(_) => false,
        }
    }

    /// Whether others wrote at that moment: trying again may succeed.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Sql { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
            }
            Self::Io { .. }
            | Self::OtherVersion { .. }
            | Self::MadeElsewhere { .. }
            | Self::Journal(_)
            | Self::Reading { .. }
            | Self::NoMoment(_) => false,
        }
    }

    /// Whether only one session is concerned.
    pub(crate) fn is_of_one_session(&self) -> bool {
        match self {
            Self::Journal(_) | Self::Reading { .. } => true,
            Self::Io { .. }
            | Self::Sql { .. }
            | Self::OtherVersion { .. }
            | Self::MadeElsewhere { .. }
            | Self::NoMoment(_) => false,
        }
    }
}
