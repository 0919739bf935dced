//! What a pod is doing and how it is: the answer to `pod/status`, and what a `status` event carries.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::attachment::AttachedFile;
use crate::failure::Retry;
use crate::health::Health;
use crate::ids::SessionId;
use crate::offers::AgentOffers;
use crate::permission::{PermissionPolicy, PermissionRule};
use crate::provider::{Capabilities, PermissionMode};
use crate::record::Outcome;
use crate::runner::{PermissionAsk, StopReason, Usage};
use crate::scope::Confinement;
use crate::session::SessionStatistics;

/// What a pod is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum PodState {
    /// The runner is being started.
    Starting,
    /// The agent waits for a prompt.
    Idle,
    /// A turn runs.
    Working {
        /// What it is at.
        on: Work,
        /// Since when the turn runs, RFC 3339.
        since: String,
    },
    /// It was asked to stop.
    Stopping,
    /// The runner is gone, its last output is being read.
    Draining,
    /// Over.
    Ended {
        /// How.
        outcome: Outcome,
    },
    /// It never ran, or its runner broke.
    Failed {
        /// Why.
        reason: String,
        /// The end of stderr.
        stderr_tail: Vec<String>,
    },
}

impl PodState {
    /// The state in a few words, for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Working { on, .. } => match on {
                Work::Model => "working: model",
                Work::Tool { .. } => "working: tool",
                Work::Permission { .. } => "working: permission",
                Work::Compacting => "working: compacting",
            },
            Self::Stopping => "stopping",
            Self::Draining => "draining",
            Self::Ended { .. } => "ended",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether nothing will come any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Ended { .. } | Self::Failed { .. } => true,
            Self::Starting | Self::Idle | Self::Working { .. } | Self::Stopping | Self::Draining => false,
        }
    }
}

/// What a running turn is at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Work {
    /// Waiting for, or reading from, the model.
    Model,
    /// A tool runs.
    Tool {
        /// Which.
        name: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// Somebody has to answer.
    Permission {
        /// The oldest request.
        request_id: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// The agent makes its context smaller.
    Compacting,
}

/// A prompt that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct QueuedPrompt {
    /// For `pod/unqueue`.
    pub prompt_id: String,
    /// The words.
    pub text: String,
    /// What goes with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<AttachedFile>>")]
    pub attachments: Vec<AttachedFile>,
}

/// A permission request that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PendingPermission {
    /// What is asked.
    pub ask: PermissionAsk,
    /// Since when, RFC 3339.
    pub since: String,
    /// What "always" would allow, in words that follow on "allow"; absent where no rule can be made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub always: Option<String>,
}

/// All that `pod/status` tells, and a `status` event carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PodStatus {
    /// The session.
    pub session: SessionId,
    /// The keeper's generation.
    pub generation: u64,
    /// What it is doing.
    pub state: PodState,
    /// How the newest turn ended; absent while one runs and before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_turn: Option<StopReason>,
    /// Prompts that wait.
    pub queue: Vec<QueuedPrompt>,
    /// Requests that wait.
    pub permissions: Vec<PendingPermission>,
    /// Tasks that run on in the background after the turn; when one ends, the agent may begin a turn by itself.
    #[serde(default)]
    pub background_tasks: u32,
    /// What the session used so far, over all generations.
    pub usage: Usage,
    /// What the agent can do, once its runner has said so.
    pub capabilities: Option<Capabilities>,
    /// The model in use.
    pub model: Option<String>,
    /// The mode in use.
    pub permission_mode: PermissionMode,
    /// Who answers requests.
    #[serde(default)]
    #[ts(optional, as = "Option<PermissionPolicy>")]
    pub permission_policy: PermissionPolicy,
    /// What was allowed for good in this session, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<PermissionRule>>")]
    pub rules: Vec<PermissionRule>,
    /// The provider's own id of the conversation.
    pub native_session_id: Option<String>,
    /// The version of its CLI.
    pub cli_version: Option<String>,
    /// Which kind of account its CLI says it uses: never a token, and never whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub auth: Option<String>,
    /// What a person can choose from.
    #[serde(default, skip_serializing_if = "AgentOffers::is_empty")]
    #[ts(optional, as = "Option<AgentOffers>")]
    pub offers: AgentOffers,
    /// Whether the journal is being written; if not, why.
    pub recording: Recording,
    /// Counts up with each change of the status, so that a reader can tell an older one from a newer one.
    #[serde(default)]
    pub version: u64,
    /// How the agent is, with the reasons.
    #[serde(default)]
    pub health: Health,
    /// Set while a prompt waits to be tried again, or the provider's own CLI is trying again.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// How much the agent has said.
    #[serde(default)]
    pub statistics: SessionStatistics,
    /// The session that spawned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<SessionId>,
    /// How far the kernel holds it to its scope; absent when it works without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub confinement: Option<Confinement>,
}

/// Whether what happens is being kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Recording {
    /// Every record is in the journal.
    On,
    /// The journal cannot be written; the agent goes on.
    Off {
        /// Why.
        reason: String,
    },
}
