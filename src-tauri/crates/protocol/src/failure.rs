//! Failure classes: the few kinds of trouble that people and programs act on differently.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What sort of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum FailureClass {
    /// Too many requests in too short a time.
    RateLimited,
    /// The provider has too much to do.
    Overloaded,
    /// The plan, the budget or the credit is used up.
    UsageLimit,
    /// The credentials are missing or were refused.
    Auth,
    /// The conversation does not fit into the model any more.
    ContextExceeded,
    /// The agent's own limit of turns was reached.
    MaxTurns,
    /// The provider could not be reached, or the connection broke.
    Network,
    /// A signal ended the agent or its runner.
    Killed,
    /// The agent ended without a word.
    NoOutput,
    /// A program could not be started.
    SpawnFailure,
    /// The provider no longer knows the conversation that was to be resumed.
    ConversationUnknown,
    /// Anything else.
    #[default]
    #[serde(other)]
    Unknown,
}

impl FailureClass {
    /// The class of an error that a runner or the keeper reported under `code`.
    #[must_use]
    pub fn of(code: &str) -> Self {
        match code {
            "rate_limited" => Self::RateLimited,
            "overloaded" => Self::Overloaded,
            "usage_limit" => Self::UsageLimit,
            "auth" => Self::Auth,
            "context_exceeded" => Self::ContextExceeded,
            "max_turns" => Self::MaxTurns,
            "network" => Self::Network,
            "killed" | "cli_killed" | "runner_killed" => Self::Killed,
            "no_output" => Self::NoOutput,
            "spawn_failure" | "cli_missing" | "cli_too_old" => Self::SpawnFailure,
            "conversation_unknown" => Self::ConversationUnknown,
            _ => Self::Unknown,
        }
    }

    /// Whether the same may succeed later without anybody doing something.
    #[must_use]
    pub fn may_pass(self) -> bool {
        match self {
            Self::RateLimited | Self::Overloaded | Self::Network => true,
            Self::UsageLimit
            | Self::Auth
            | Self::ContextExceeded
            | Self::MaxTurns
            | Self::Killed
            | Self::NoOutput
            | Self::SpawnFailure
            | Self::ConversationUnknown
            | Self::Unknown => false,
        }
    }
}

/// Something is being tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Retry {
    /// Which attempt comes next; the first retry is 1.
    pub attempt: u32,
    /// How many there are at most.
    pub of: u32,
    /// When it begins, RFC 3339.
    pub at: String,
    /// What failed.
    pub class: FailureClass,
    /// Who tries again.
    pub by: RetryBy,
}

/// Who tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RetryBy {
    /// Outrigger, by sending the prompt once more; any prompt, steer, interrupt or stop calls it off.
    Outrigger,
    /// The provider's CLI, inside the running turn.
    Agent,
}
