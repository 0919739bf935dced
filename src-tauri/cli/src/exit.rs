//! With which code does the program end, and how does it tell an error?
//!
//! The table of exit codes is here and nowhere else; `--help` shows it.

use std::process::ExitCode;

use anyhow::Error;
use protocol::error::{ErrorCode, WireError};
use protocol::record::Outcome;
use protocol::runner::StopReason;

/// What `outrigger --help` says about exit codes.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  the agent failed, refused or did not come to its end, or the command failed for another reason
  2  usage: wrong arguments, or a working directory that cannot be used
  3  something that is needed is not available: the provider, its manifest, its CLI, the runtime, the runner,
     or a folder of Outrigger that can be written
  4  no such session
  5  stopped or interrupted
  6  a permission was needed and nobody could give it";

/// See [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Usage,
    Unavailable,
    NoSuchSession,
    Stopped,
    NoPermission,
}

impl Exit {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::NoSuchSession => 4,
            Self::Stopped => 5,
            Self::NoPermission => 6,
        }
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The code of an error.
    pub(crate) fn of(error: &Error) -> Self {
        match error.downcast_ref::<WireError>().map(|error| error.code) {
            Some(code) => Self::of_code(code),
            None => Self::Failed,
        }
    }

    fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::BadRequest | ErrorCode::BadWorkingDirectory | ErrorCode::ScopeRefused => Self::Usage,
            ErrorCode::UnknownProvider
            | ErrorCode::BadManifest
            | ErrorCode::CliUnavailable
            | ErrorCode::RuntimeUnavailable
            | ErrorCode::RunnerFailed
            | ErrorCode::DataFolder => Self::Unavailable,
            ErrorCode::NoSuchSession => Self::NoSuchSession,
            ErrorCode::SessionEnded
            | ErrorCode::AlreadyHosted
            | ErrorCode::AlreadyRunning
            | ErrorCode::NotPending
            | ErrorCode::NotSupported
            | ErrorCode::NotAuthorised
            | ErrorCode::Unreachable
            | ErrorCode::BudgetUsed
            | ErrorCode::AgentFailed
            | ErrorCode::Internal => Self::Failed,
        }
    }

    /// The code of a turn's end.
    pub(crate) fn of_turn(reason: StopReason) -> Self {
        match reason {
            StopReason::EndTurn => Self::Done,
            StopReason::MaxTurns | StopReason::Refused | StopReason::Error => Self::Failed,
            StopReason::Interrupted => Self::Stopped,
        }
    }

    /// The code of a session's end.
    pub(crate) fn of_outcome(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Failed => Self::Failed,
            Outcome::Stopped | Outcome::Interrupted => Self::Stopped,
        }
    }

    /// The code of an error that the agent's runner told, when it means more than a failure.
    pub(crate) fn of_agent_error(code: &str) -> Self {
        match code {
            "cli_missing" | "cli_too_old" => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

/// Tells an error on stderr: for people, or as one JSON object.
pub(crate) fn tell(error: &Error, json: bool) {
    let plain = || WireError::new(ErrorCode::Internal, format!("{error:#}"));
    let error = error.downcast_ref::<WireError>().cloned().unwrap_or_else(plain);
    tracing::warn!(code = ?error.code, detail = error.detail, "{error}");
    if json {
        crate::output::to_stderr(&serde_json::to_string(&error).unwrap_or(error.message));
        return;
    }
    let mut text = format!("outrigger: {}", error.message);
    for line in error.detail.iter().flat_map(|detail| detail.lines()) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    crate::output::to_stderr(&crate::output::visible(&text));
}
