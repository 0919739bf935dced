//! Conversations that CLIs keep in their own folders, as pages and the command line show them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What one CLI has in its own folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct EarlierList {
    /// The provider that resumes these conversations.
    pub cli: String,
    /// What people call the CLI.
    pub name: String,
    /// Where they are.
    pub folder: String,
    /// The setting that shows them.
    pub setting: String,
    /// Whether that setting was set, either way: whoever has not been asked yet may be.
    pub is_decided: bool,
    /// How many there are, in all folders that it worked in; more than can be listed count as that many.
    pub count: u32,
    /// Those that are no sessions of ours yet, newest first; none where the user does not want to see them.
    pub sessions: Vec<EarlierSession>,
}

/// A conversation in a CLI's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct EarlierSession {
    /// The provider that resumes it.
    pub cli: String,
    /// The CLI's own id of it.
    pub native_session_id: String,
    /// What it was about.
    pub title: String,
    /// Where the agent worked.
    pub cwd: String,
    /// When something last happened in it, RFC 3339.
    pub updated_at: String,
    /// The size of its file.
    #[ts(type = "number")]
    pub bytes: u64,
}
