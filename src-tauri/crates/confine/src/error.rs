//! Why a process could not be confined or started.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Nothing was started.
#[derive(Debug, Error)]
pub enum ConfineError {
    /// Nothing on this machine enforces scopes, and going on without was not allowed.
    #[error("the scope cannot be enforced: {why}; --advise runs the command all the same, and says so")]
    CannotEnforce {
        /// Why not.
        why: String,
    },
    /// A file or folder of the scope could not be made or opened.
    #[error("failed to {attempt} {path}: {source}; mend the scope or the folder")]
    Path {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// So much of the scope is taken by others that naming the rest takes too many rules.
    #[error(
        "the scope cannot be enforced: what is left of {path} takes more than {limit} rules; give wider parts to the pods below"
    )]
    TooManyRules {
        /// The folder.
        path: PathBuf,
        /// How many there may be.
        limit: usize,
    },
    /// The kernel refused the rules.
    #[error("the kernel refused the rules: {why}")]
    Refused {
        /// Its answer.
        why: String,
    },
    /// No command was given.
    #[error("there is no command to run; give one after --")]
    NoCommand,
    /// The command could not be started.
    #[error("failed to run {command}: {source}; name a program that exists, and that the scope lets it read")]
    Exec {
        /// The command.
        command: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl ConfineError {
    pub(crate) fn path(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Path { attempt, path, source }
    }

    /// The exit code that shells give for it: 127 for a command that is not there, 126 for one that could not be started as asked.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::NoCommand => 2,
            Self::CannotEnforce { .. }
            | Self::Path { .. }
            | Self::TooManyRules { .. }
            | Self::Refused { .. }
            | Self::Exec { .. } => 126,
        }
    }
}
