//! What pods of a tree tell each other on their sockets, and what the tools bridge is told beside answers.
//!
//! All of these are for the pod's own token; the tools token opens `tools/…` only.

use serde::{Deserialize, Serialize};

use crate::ids::SessionId;
use crate::scope::{Budget, HeldRule, PodOutcome};

/// `pod/childSpawned`: a child is about to be started. Answered when that stands in the parent's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChildSpawned {
    /// The child's session.
    pub session: SessionId,
    /// What it is called.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// What it is to do.
    pub task: String,
    /// What it may use; absent when it works without a scope.
    #[serde(default)]
    pub rules: Option<Vec<HeldRule>>,
}

/// `pod/notify`: a child has ended its turn, or has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// The child's session.
    pub session: SessionId,
    /// What it is called.
    pub from: String,
    /// One line for the agent.
    pub text: String,
    /// How it ended; absent while it lives and waits for a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<PodOutcome>,
    /// Only to be recorded: the agent learns of it in another way, such as the answer of the tool that it has called.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,
}

/// The line that wakes the parent at the end of the pod.
#[must_use]
pub fn end_words(name: &str, how: PodOutcome) -> String {
    let how = match how {
        PodOutcome::Completed => "has completed",
        PodOutcome::Failed => "has failed",
        PodOutcome::Cancelled => "was stopped",
        PodOutcome::Disconnected => "is gone without a word",
    };
    format!("Pod `{name}` {how}; its scope is yours again. read_pod_output tells what it said.")
}

/// `pod/noteBudget`: somebody has changed what the pod and all below it may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteBudget {
    /// As it stands in the ledger now.
    pub budget: Budget,
}

/// The parameters of a `tools/progress` notification to the bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolProgress {
    /// The call that goes on.
    pub call_id: String,
    /// How far; it grows.
    pub progress: f64,
    /// How far it will get, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The name of a notification to the bridge: the list of tools is another one now. It has no parameters.
pub const TOOLS_CHANGED: &str = "tools/changed";
/// The name of a notification to the bridge with [`ToolProgress`].
pub const TOOL_PROGRESS: &str = "tools/progress";
