//! Errors as they cross a boundary: a code that somebody acts on, and a message that says what to do.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a request failed. A variant exists only where a caller behaves differently for it (an exit code, a button).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ErrorCode {
    /// The request itself is malformed or not allowed in this form.
    BadRequest,
    /// No manifest has this id.
    UnknownProvider,
    /// A manifest could not be read.
    BadManifest,
    /// The provider's CLI was not found, is too old, or did not start.
    CliUnavailable,
    /// No JavaScript runtime that is new enough.
    RuntimeUnavailable,
    /// The runner script is missing, failed to start, or never said ready.
    RunnerFailed,
    /// The working directory does not exist or cannot be used.
    BadWorkingDirectory,
    /// The data folder cannot be written.
    DataFolder,
    /// No session has this id, or the beginning given fits several.
    NoSuchSession,
    /// The session has ended; it can be resumed.
    SessionEnded,
    /// Another keeper hosts this session already.
    AlreadyHosted,
    /// A turn is running and the prompt asked to be rejected then.
    AlreadyRunning,
    /// The permission request was answered by someone else or withdrawn.
    NotPending,
    /// The provider cannot do this.
    NotSupported,
    /// Wrong token or protocol version.
    NotAuthorised,
    /// No answer in time, or the connection broke. Says nothing about whether the pod is alive.
    Unreachable,
    /// A scope names nothing, does not lie within the parent's, or another pod holds a part of it.
    ScopeRefused,
    /// A budget of the pod tree leaves nothing for this.
    BudgetUsed,
    /// The agent or its provider reported an error.
    AgentFailed,
    /// A bug or a failure of the machine.
    Internal,
}

/// An error on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
#[ts(export)]
pub struct WireError {
    /// What a program acts on.
    pub code: ErrorCode,
    /// What was attempted, on what, why it failed, and what to do. For people.
    pub message: String,
    /// More for those who look closer: the end of a child's stderr, the paths that were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl WireError {
    /// An error without detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    /// The same error with more to look at.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
