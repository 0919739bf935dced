//! Sessions as they are started, stored (`meta.json`, `pod.json`) and listed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::attachment::Attachment;
use crate::failure::Retry;
use crate::health::HealthVerdict;
use crate::ids::{PodId, SessionId};
use crate::permission::{PermissionPolicy, PermissionRule};
use crate::pod::{PodState, Recording};
use crate::provider::PermissionMode;
use crate::record::Outcome;
use crate::runner::{ResumeMode, StopReason, Usage};
use crate::scope::{Budget, ScopeRule};

/// What a session is started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct StartSession {
    /// Which kind of agent.
    pub provider: String,
    /// Where it works; `~` is expanded, and the folder has to exist.
    pub cwd: String,
    /// The workspace that the session belongs to; `cwd` when absent.
    #[serde(default)]
    #[ts(optional)]
    pub workspace: Option<String>,
    /// The first prompt; without one the session starts idle.
    #[serde(default)]
    #[ts(optional)]
    pub prompt: Option<String>,
    /// Images and files that go with the first prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<Attachment>>")]
    pub attachments: Vec<Attachment>,
    /// Which model.
    #[serde(default)]
    #[ts(optional)]
    pub model: Option<String>,
    /// Added to the provider's own system prompt.
    #[serde(default)]
    #[ts(optional)]
    pub system_prompt: Option<String>,
    /// Most turns of the agent's own loop.
    #[serde(default)]
    #[ts(optional)]
    pub max_turns: Option<u32>,
    /// How far it may go; the provider's default when absent.
    #[serde(default)]
    #[ts(optional)]
    pub permission_mode: Option<PermissionMode>,
    /// Who answers requests. Holds until the session ends; who resumes it says so again.
    #[serde(default)]
    #[ts(optional, as = "Option<PermissionPolicy>")]
    pub permissions: PermissionPolicy,
    /// Folders besides the working one.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<String>>")]
    pub additional_directories: Vec<String>,
    /// A worktree that the CLI itself makes.
    #[serde(default)]
    #[ts(optional)]
    pub worktree_name: Option<String>,
    /// The provider's config folder (a profile).
    #[serde(default)]
    #[ts(optional)]
    pub config_dir: Option<String>,
    /// Extra environment variables. Keys with a provider's prefix are rejected with a reason.
    #[serde(default)]
    #[ts(optional, as = "Option<BTreeMap<String, String>>")]
    pub extra_env: BTreeMap<String, String>,
    /// A new conversation, the provider's most recent one, or a given one.
    #[serde(default)]
    #[ts(optional, as = "Option<ResumeMode>")]
    pub resume_mode: ResumeMode,
    /// Native id for `resume`.
    #[serde(default)]
    #[ts(optional)]
    pub resume_session_id: Option<String>,
    /// MCP servers for the agent.
    #[serde(default)]
    #[ts(optional, as = "Option<BTreeMap<String, Value>>")]
    pub mcp_servers: BTreeMap<String, Value>,
    /// Provider-specific settings, handed to the runner as they are.
    #[serde(default)]
    #[ts(optional)]
    pub provider_config: Option<Value>,
    /// Makes the working directory when it is not there.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub create_cwd: bool,
    /// The files that it may use; without it the agent works unconfined. Rules are relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub scope: Option<Vec<ScopeRule>>,
    /// What it and all below it may use; the default of its provider's tree when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub budget: Option<Budget>,
    /// The session that spawned it. Its place in the ledger's tree has been reserved by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<SessionId>,
    /// What it is called in its pod tree; the beginning of its prompt when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// The tool sidecars (`git`) and tools of them (`git/log`) that it and all pods below it are offered, and no others; all that the
    /// user grants when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sidecars: Option<Vec<String>>,
}

impl StartSession {
    /// A new session with the provider's defaults.
    #[must_use]
    pub fn new(provider: impl Into<String>, cwd: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            cwd: cwd.into(),
            workspace: None,
            prompt: None,
            attachments: Vec::new(),
            model: None,
            system_prompt: None,
            max_turns: None,
            permission_mode: None,
            permissions: PermissionPolicy::Ask,
            additional_directories: Vec::new(),
            worktree_name: None,
            config_dir: None,
            extra_env: BTreeMap::new(),
            resume_mode: ResumeMode::New,
            resume_session_id: None,
            mcp_servers: BTreeMap::new(),
            provider_config: None,
            create_cwd: false,
            scope: None,
            budget: None,
            parent: None,
            name: None,
            sidecars: None,
        }
    }
}

/// `meta.json` of a session: what can be known without reading the journal. Replaced atomically.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionMeta {
    /// The session.
    pub session: SessionId,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
    /// Where the agent works.
    pub cwd: String,
    /// The beginning of the first prompt, or what the user called it.
    pub title: String,
    /// The pod tree's parent.
    #[serde(default)]
    pub parent: Option<SessionId>,
    /// The provider's own id of the conversation.
    #[serde(default)]
    pub native_session_id: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When something last happened, RFC 3339.
    pub updated_at: String,
    /// When it ended; absent while it is live.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// How it ended.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The newest generation of a keeper.
    pub generation: u64,
    /// The model in use.
    #[serde(default)]
    pub model: Option<String>,
    /// What it used so far.
    #[serde(default)]
    pub usage: Usage,
    /// How much the agent has said, over all generations.
    #[serde(default)]
    pub statistics: SessionStatistics,
    /// What was allowed for good in this session, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PermissionRule>,
    /// Native ids that the provider no longer knows, oldest first.
    #[serde(default)]
    pub lost_native_ids: Vec<String>,
    /// What it was started with, less the prompt and the values of extra variables.
    pub start: StartSession,
}

/// How much an agent has said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct SessionStatistics {
    /// Lines of its runner.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Turns that have ended.
    pub turns: u64,
    /// When the newest line came, RFC 3339.
    pub last_output_at: Option<String>,
}

/// `pod.json` in a session's folder while a keeper hosts it. Mode 0600: it holds the token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFile {
    /// The pod.
    pub pod: PodId,
    /// Its session.
    pub session: SessionId,
    /// The keeper's generation.
    pub generation: u64,
    /// The keeper's process.
    pub pid: u32,
    /// When that process started, in the platform's own unit: tells it from a later process of the same number.
    pub pid_started: u64,
    /// Where it listens.
    pub socket: String,
    /// What a client has to show.
    pub token: String,
}

/// What a keeper tells on its stdout, once, when it is ready or has given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum KeeperReport {
    /// The pod can be reached and its runner is ready.
    Ready {
        /// How to reach it.
        pod: PodFile,
    },
    /// Nothing was started, and nothing is left.
    Failed {
        /// Why.
        error: crate::error::WireError,
    },
}

/// What a keeper is told on its stdin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeeperOrder {
    /// The session: a new one, or one that is there.
    pub session: SessionId,
    /// What to start.
    pub start: StartSession,
    /// The folder of all sessions.
    pub sessions: String,
    /// The folder of sockets.
    pub run: String,
    /// The folder of the debug log.
    pub logs: String,
    /// The whole environment of the runner: the user's, less what misleads an agent.
    pub environment: BTreeMap<String, String>,
    /// The runtime and the arguments before the runner, `["/usr/bin/node"]`. Empty for a driver without a runner.
    pub runtime: Vec<String>,
    /// The runner script.
    pub runner: String,
    /// The provider's CLI.
    #[serde(default)]
    pub cli: Option<String>,
    /// Its version.
    #[serde(default)]
    pub cli_version: Option<String>,
    /// Which adapter folds its events.
    pub adapter: String,
    /// The name of the agent, for messages.
    pub provider_name: String,
    /// The ledger's file.
    #[serde(default)]
    pub ledger: Option<String>,
    /// When evidence becomes a verdict.
    #[serde(default)]
    pub health: crate::health::HealthThresholds,
    /// The file with the rules of workspaces. Without it there are none.
    #[serde(default)]
    pub workspace_rules: Option<String>,
    /// The user's config folder, where the tool sidecars of the user's own lie. Without it there are none.
    #[serde(default)]
    pub config: Option<String>,
    /// The program that confines the runner, bridges tools to the agent and does their calls. Without it there are none of these.
    #[serde(default)]
    pub program: Option<String>,
    /// Whether the agent is offered the tools that command other agents.
    #[serde(default = "yes")]
    pub pod_tools: bool,
    /// Files and folders that the agent's CLI must be able to write whatever its scope: its own configuration and caches.
    #[serde(default)]
    pub write_paths: Vec<String>,
    /// Files and folders that the agent's CLI and its runner must be able to read whatever the scope.
    #[serde(default)]
    pub read_paths: Vec<String>,
}

/// What an order of an older Outrigger means.
fn yes() -> bool {
    true
}

impl KeeperOrder {
    /// The folder inside the session's own in which its runner may keep what it must remember.
    #[must_use]
    pub fn state_dir(&self) -> String {
        std::path::Path::new(&self.sessions).join(self.session.to_string()).join("runner").display().to_string()
    }
}

/// Whether a session has a pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum Liveness {
    /// A pod answers.
    Live {
        /// What it is doing.
        state: PodState,
        /// How the newest turn ended; absent while one runs, before the first, and in the answer of an older keeper.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        last_turn: Option<StopReason>,
        /// Permission requests that wait.
        waiting: u32,
        /// Prompts that wait.
        queued: u32,
        /// How the agent is, when it is not well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        health: Option<HealthVerdict>,
        /// What was seen that led to it, for people; empty when all is well.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<Vec<String>>")]
        health_reasons: Vec<String>,
        /// Whether what happens is being kept; absent in the answer of an older keeper.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        recording: Option<Recording>,
        /// Set while something is being tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        retry: Option<Retry>,
    },
    /// Its keeper is there and does not answer. It may be busy; nothing is done to it.
    Unknown {
        /// What was tried.
        reason: String,
    },
    /// It ended and said how.
    Ended {
        /// How.
        outcome: Outcome,
        /// When, RFC 3339.
        at: String,
    },
    /// Its keeper is gone without having ended it. The next prompt resumes it.
    Interrupted,
}

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionSummary {
    /// The session.
    pub session: SessionId,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
    /// Where the agent works.
    pub cwd: String,
    /// What it is called.
    pub title: String,
    /// The pod tree's parent.
    pub parent: Option<SessionId>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When something last happened, RFC 3339.
    pub updated_at: String,
    /// The model in use.
    pub model: Option<String>,
    /// The provider's own id.
    pub native_session_id: Option<String>,
    /// What it used so far.
    pub usage: Usage,
    /// Who answers its requests, or answered them last.
    #[serde(default)]
    #[ts(optional, as = "Option<PermissionPolicy>")]
    pub permission_policy: PermissionPolicy,
    /// Whether it lives.
    pub liveness: Liveness,
}
