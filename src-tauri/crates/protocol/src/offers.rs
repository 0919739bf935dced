//! What a running agent lets a person choose from: commands that a prompt may begin with, and models.
//!
//! Its runner tells it (`agent_offers`), the pod's status passes it on. What a provider offers before it runs is in its manifest.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// All that can be chosen from. Empty lists say nothing: the agent may take more than it tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct AgentOffers {
    /// What a prompt may begin with, after a slash.
    pub commands: Vec<CommandChoice>,
    /// What it can be switched to.
    pub models: Vec<OfferedModel>,
}

impl AgentOffers {
    /// Whether nothing is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.models.is_empty()
    }
}

/// A command of the agent's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CommandChoice {
    /// Without the slash.
    pub name: String,
    /// What it does, in a line.
    #[serde(default)]
    pub description: Option<String>,
    /// What may follow it.
    #[serde(default)]
    pub hint: Option<String>,
}

/// A model that the agent can be switched to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct OfferedModel {
    /// What is handed to the agent.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What is particular about it.
    #[serde(default)]
    pub description: Option<String>,
    /// How hard it can be told to think, as the provider names it.
    #[serde(default)]
    pub efforts: Option<Vec<String>>,
}
