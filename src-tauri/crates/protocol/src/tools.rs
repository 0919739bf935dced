//! Tools that Outrigger offers to an agent: how they are described, called and answered.
//!
//! They travel three ways: from the bridge (`outrigger-keeper mcp`, an MCP server beside the agent) to the keeper's socket, from the keeper
//! to the process that does one call, and to people who call one by hand. Which tools there are is not decided here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::ids::{PodId, SessionId};

/// Names the keeper's socket to the bridge.
pub const TOOLS_SOCKET_VARIABLE: &str = "OUTRIGGER_TOOLS_SOCKET";
/// Gives the bridge its token: it opens the methods `tools/…` and no others, because the agent can read it.
pub const TOOLS_TOKEN_VARIABLE: &str = "OUTRIGGER_TOOLS_TOKEN";
/// What the bridge is called among an agent's MCP servers.
pub const TOOLS_SERVER: &str = "outrigger";

/// A tool, as a model is told of it. The names of its fields are those of MCP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ToolDefinition {
    /// Its name, unique in a list.
    pub name: String,
    /// What it is called to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// What it does, for the model.
    #[serde(default)]
    pub description: String,
    /// The JSON Schema of its arguments.
    #[ts(type = "Record<string, unknown>")]
    pub input_schema: Map<String, Value>,
    /// Whether it changes nothing.
    #[serde(default)]
    pub read_only: bool,
    /// The tool sidecar that offers it; none for Outrigger's own tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sidecar: Option<String>,
}

/// The answer to `tools/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolList {
    /// All of them.
    pub tools: Vec<ToolDefinition>,
}

/// `tools/call`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// Which tool.
    pub name: String,
    /// With what.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// The caller's own id of this call, for `tools/cancel` and for progress.
    #[serde(default)]
    pub call_id: String,
}

/// `tools/cancel`: whoever asked waits no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelTool {
    /// The id that the call was given.
    pub call_id: String,
}

/// What came of a call. A tool that failed answers too, so that the model can read why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct ToolAnswer {
    /// The parts of the answer, in the form of MCP: `{type: "text", text}`, `{type: "image", data, mimeType}` and so on.
    #[ts(type = "Record<string, unknown>[]")]
    pub content: Vec<Value>,
    /// The same for programs, where the tool gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub structured_content: Option<Value>,
    /// Whether it failed.
    pub is_error: bool,
}

impl ToolAnswer {
    /// An answer in words, with the same as data.
    #[must_use]
    pub fn said(text: impl Into<String>, structured: Option<Value>) -> Self {
        Self { content: vec![text_part(text.into())], structured_content: structured, is_error: false }
    }

    /// A failure in words.
    #[must_use]
    pub fn failed(text: impl Into<String>) -> Self {
        Self { content: vec![text_part(text.into())], structured_content: None, is_error: true }
    }

    /// The words of the answer, one part a line.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = self.content.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
        parts.collect::<Vec<_>>().join("\n")
    }
}

fn text_part(text: String) -> Value {
    serde_json::json!({ "type": "text", "text": text })
}

/// What the process that does one call of a pod tool (`outrigger pod-tool`) reads on its stdin. It answers with a [`ToolAnswer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodToolOrder {
    /// The session whose agent calls.
    pub session: SessionId,
    /// Its pod.
    pub pod: PodId,
    /// The keeper's process id: it answers for a child until that child's own keeper does.
    pub keeper_pid: u32,
    /// When the keeper started, in the platform's own unit.
    pub keeper_started: u64,
    /// What is called.
    pub call: ToolCall,
}
