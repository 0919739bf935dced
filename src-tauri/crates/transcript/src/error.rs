//! Why a transcript could not be shown.

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    /// Reading stopped in the middle.
    #[error("failed to read the journal {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}
