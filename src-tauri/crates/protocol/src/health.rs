//! Health: what the evidence says of an agent, with its reasons. A verdict is shown; nothing is ever ended because of it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How an agent is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Health {
    /// In one word.
    pub verdict: HealthVerdict,
    /// What was seen that led to it, for people; empty when all is well.
    pub reasons: Vec<String>,
    /// Since when it is so, RFC 3339; absent before the first look.
    pub since: Option<String>,
}

/// The verdicts, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum HealthVerdict {
    /// Idle, waiting for somebody, or getting on with its work.
    #[default]
    Ok,
    /// Working, and has said nothing for a while.
    Quiet,
    /// Working, has said nothing for long, and nothing is seen that it could be waiting for.
    Stalled,
    /// The provider fails again and again, for a time.
    Degraded,
    /// The provider does not accept the user's credentials.
    AuthFailed,
    /// Its process is gone, by pid and start time.
    Gone,
    /// The evidence could not be had.
    #[serde(other)]
    Unknown,
}

/// When evidence becomes a verdict. The user's settings may change it (`[health]` in `settings.toml`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthThresholds {
    /// Seconds without meaningful output until a working agent is quiet.
    pub quiet_after: u64,
    /// Seconds without meaningful output until a working agent may be stalled.
    pub stalled_after: u64,
    /// So many transient errors of the provider make it degraded …
    pub degraded_errors: u32,
    /// … when they come within so many seconds.
    pub degraded_within: u64,
}

impl Default for HealthThresholds {
    fn default() -> Self {
        use crate::limits::{DEGRADED_ERRORS, DEGRADED_WITHIN, QUIET_AFTER, STALLED_AFTER};
        Self {
            quiet_after: QUIET_AFTER.as_secs(),
            stalled_after: STALLED_AFTER.as_secs(),
            degraded_errors: DEGRADED_ERRORS,
            degraded_within: DEGRADED_WITHIN.as_secs(),
        }
    }
}
