//! Providers as the rest of the world sees them: what a kind of agent can do. Manifests are read in `providers`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How far the agent may go without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PermissionMode {
    /// Asks before it writes or runs anything that needs permission.
    #[default]
    Ask,
    /// File edits in the workspace pass, commands ask.
    AcceptEdits,
    /// Reads and plans, changes nothing.
    Plan,
    /// Never asks.
    Bypass,
}

/// What a runner says its agent can do; the user interface goes by this, never by the provider's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Capabilities {
    /// A message can reach the running turn.
    pub steer: bool,
    /// A turn can be ended without ending the session.
    pub interrupt: bool,
    /// A session can be resumed by its native id.
    pub resume: bool,
    /// The agent asks for permission.
    pub permissions: bool,
    /// The model can be changed in a session.
    pub set_model: bool,
    /// Prompts may carry images.
    pub images: bool,
    /// MCP servers can be handed to the agent.
    pub mcp: bool,
    /// Text arrives in deltas.
    pub partials: bool,
    /// The provider tells what a turn cost.
    pub cost: bool,
}

/// One model that a provider offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ModelChoice {
    /// What is handed to the CLI.
    pub id: String,
    /// What people read.
    pub name: String,
}

/// A provider, as pickers and doctor show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ProviderInfo {
    /// `claude`, `codex`, `demo`, or the user's own.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// What its manifest promises; the runner's own answer at start is the truth.
    pub capabilities: Capabilities,
    /// Models to choose from; empty means the CLI's own default only.
    pub models: Vec<ModelChoice>,
    /// The model used when none is chosen.
    pub default_model: Option<String>,
    /// The mode used when none is chosen.
    pub default_permission_mode: PermissionMode,
    /// The CLI it needs, if any.
    pub needs_cli: Option<String>,
    /// How to install that CLI.
    pub install_hint: Option<String>,
}
