//! Runner protocol, version 1: NDJSON over a runner's stdin (host lines) and stdout (runner lines).
//!
//! Readers look at `type` first ([`RunnerHead`]) and parse the rest only where they act on it. A `type` that is not
//! known here is kept in the journal and shown as an unknown item.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::attachment::Attachment;
use crate::ids::SessionId;
use crate::offers::AgentOffers;
use crate::provider::{Capabilities, PermissionMode};
use crate::record::PermissionOutcome;

pub use crate::usage::Usage;

/// The version that this program speaks.
pub const RUNNER_PROTOCOL: u32 = 1;

/// What the host says to a runner.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostLine {
    /// Start the agent, or a follow-up turn.
    Query(Box<Query>),
    /// A user message into the running turn.
    Steer {
        /// Which session.
        session_id: SessionId,
        /// The words.
        text: String,
    },
    /// End the turn, keep the session.
    Interrupt {
        /// Which session.
        session_id: SessionId,
    },
    /// The answer to a permission request.
    PermissionResponse {
        /// Which request.
        request_id: String,
        /// The answer.
        outcome: PermissionOutcome,
        /// The input to use in place of the one asked about.
        #[serde(skip_serializing_if = "Option::is_none")]
        updated_input: Option<Value>,
        /// A word to the agent.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Change the model or the mode.
    Set {
        /// The new model.
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// The new mode.
        #[serde(skip_serializing_if = "Option::is_none")]
        permission_mode: Option<PermissionMode>,
    },
    /// End the session.
    Stop {
        /// Which session.
        session_id: SessionId,
    },
    /// Are you there?
    Ping,
}

/// The fields of `query`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// Which session.
    pub session_id: SessionId,
    /// What to do.
    pub prompt: String,
    /// Images and files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Where to work.
    pub cwd: String,
    /// Which model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Added to the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Most turns of the agent's own loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// How far it may go.
    pub permission_mode: PermissionMode,
    /// Folders besides the working one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_directories: Vec<String>,
    /// A worktree that the CLI itself makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worktree_name: Option<String>,
    /// The provider's config folder (a profile).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_dir: Option<String>,
    /// New conversation, the most recent one, or a given one.
    pub resume_mode: ResumeMode,
    /// Native id for `resume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_session_id: Option<String>,
    /// MCP servers for the agent, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mcp_servers: BTreeMap<String, Value>,
    /// The CLI that discovery found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// Its version, if discovery knows it, so that the runner need not ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli_version: Option<String>,
    /// Provider-specific settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_config: Option<Value>,
    /// A folder of this session in which the runner may keep what it must remember; it makes it when it needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
    /// Whether the kernel holds the runner and all below it to a scope: a sandbox of the CLI's own would only be in the way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub confined: bool,
}

/// Which conversation a start means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ResumeMode {
    /// A new one.
    #[default]
    New,
    /// The provider's most recent one in this folder.
    Continue,
    /// The one with the given native id.
    Resume,
}

/// The beginning of a runner's line, borrowed: enough to know what it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunnerHead<'a> {
    /// The line's type.
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The provider's own event, in an `agent_event`.
    #[serde(borrow, default)]
    pub event: Option<&'a RawValue>,
}

/// The event of a line that is written as runners are asked to write it: `{"type":"agent_event","sessionId":"…","event":…}`, and
/// nothing behind the event. Only that frame has been looked at: where the event is one whole JSON value, so is the line.
///
/// `None` for other lines, and for the same in other words.
#[must_use]
pub fn unread_event(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(r#"{"type":"agent_event","sessionId":""#)?;
    let end = rest.find(|c: char| c == '"' || c == '\\' || c.is_ascii_control())?;
    let event = rest[end..].strip_prefix(r#"","event":"#)?.strip_suffix('}')?;
    event.starts_with('{').then_some(event)
}

/// The runner lines that the host acts on. `agent_event` is handled by [`RunnerHead`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum RunnerLine {
    /// The runner can take a query.
    Ready {
        /// The protocol version that it speaks.
        protocol: u32,
        /// The provider that it drives.
        #[serde(default)]
        provider: String,
        /// Its own version.
        #[serde(default)]
        runner_version: String,
        /// What its agent can do.
        #[serde(default)]
        capabilities: Capabilities,
    },
    /// Answer to a ping.
    Pong,
    /// The agent runs; sent again when more is known.
    AgentStarted {
        /// The provider's own id of the conversation.
        #[serde(default)]
        native_session_id: Option<String>,
        /// The version of its CLI.
        #[serde(default)]
        cli_version: Option<String>,
        /// The model in use.
        #[serde(default)]
        model: Option<String>,
        /// The mode that it works in; it may change by itself, as when a plan is approved.
        #[serde(default, deserialize_with = "if_known")]
        permission_mode: Option<PermissionMode>,
        /// Which kind of account its CLI says it uses: never a token, and never whose it is.
        #[serde(default)]
        auth: Option<String>,
    },
    /// What a person can choose from; sent again when it changes.
    AgentOffers(AgentOffers),
    /// A turn began.
    TurnStarted {
        /// Its id.
        #[serde(default)]
        turn_id: Option<String>,
    },
    /// A turn ended.
    TurnEnded {
        /// Its id.
        #[serde(default)]
        turn_id: Option<String>,
        /// Why.
        #[serde(default)]
        stop_reason: StopReason,
        /// What it used.
        #[serde(default)]
        usage: Option<Usage>,
        /// How long it took, as the runner measured it.
        #[serde(default)]
        duration_ms: Option<u64>,
        /// Tasks that still run in the background; when one ends, the agent may begin a turn by itself.
        #[serde(default)]
        background_tasks: Option<u32>,
    },
    /// The agent asks.
    PermissionRequest(PermissionAsk),
    /// The agent no longer waits for this answer.
    PermissionCancelled {
        /// Which request.
        request_id: String,
    },
    /// How a steer was taken.
    SteerAccepted {
        /// `now`, or `queued` when it waits for the next boundary.
        #[serde(default)]
        accepted: String,
    },
    /// The agent ended.
    AgentStopped {
        /// Exit code of the CLI.
        #[serde(default)]
        exit_code: Option<i32>,
        /// Signal that ended it.
        #[serde(default)]
        signal: Option<String>,
    },
    /// The agent, its CLI or its provider failed.
    AgentError {
        /// A stable word.
        #[serde(default)]
        code: String,
        /// For people.
        #[serde(default)]
        message: String,
        /// Whether the same may succeed later.
        #[serde(default)]
        retryable: bool,
        /// When the provider says how long to wait: milliseconds.
        #[serde(default)]
        retry_after_ms: Option<u64>,
        /// Exit code, when the CLI exited.
        #[serde(default)]
        exit_code: Option<i32>,
        /// Signal, when one ended the CLI.
        #[serde(default)]
        signal: Option<String>,
        /// The end of the CLI's stderr.
        #[serde(default)]
        stderr_tail: Vec<String>,
    },
    /// For the debug log.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        #[serde(default)]
        level: String,
        /// The words.
        #[serde(default)]
        message: String,
    },
    /// The runner did not understand a host line.
    Error {
        /// The words.
        #[serde(default)]
        message: String,
    },
    /// A type that is not known here.
    #[serde(other)]
    Unknown,
}

/// A word that is not known here counts as not told, so that it does not take the rest of its line with it.
fn if_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PermissionMode>, D::Error> {
    let told = Option::<Value>::deserialize(deserializer)?;
    Ok(told.and_then(|mode| serde_json::from_value(mode).ok()))
}

/// The fields of `permission_request`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PermissionAsk {
    /// Its id within the session.
    pub request_id: String,
    /// The call that it is about.
    #[serde(default)]
    pub tool_call_id: Option<String>,
    /// The tool.
    #[serde(default)]
    pub tool_name: String,
    /// One line for people.
    #[serde(default)]
    pub title: String,
    /// What sort of thing it does.
    #[serde(default)]
    pub kind: ToolKind,
    /// What exactly would happen.
    #[serde(default)]
    pub input: Value,
    /// What can be answered.
    #[serde(default)]
    pub options: Vec<PermissionOption>,
    /// The tool sidecar whose tool it is. The keeper says so, whatever a runner says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sidecar: Option<String>,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PermissionOption {
    /// What it means.
    pub outcome: PermissionOutcome,
    /// What stands on the button.
    pub label: String,
}

/// What sort of thing a tool does, after the Agent Client Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ToolKind {
    /// Reads a file or data.
    Read,
    /// Writes or edits a file.
    Edit,
    /// Deletes.
    Delete,
    /// Moves or renames.
    Move,
    /// Searches files or content.
    Search,
    /// Runs a command.
    Execute,
    /// Thinks or plans.
    Think,
    /// Fetches from the network.
    Fetch,
    /// Starts or commands another agent.
    Delegate,
    /// Anything else.
    #[default]
    #[serde(other)]
    Other,
}

/// Why a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum StopReason {
    /// The agent finished.
    #[default]
    EndTurn,
    /// Its own limit of turns or tokens was reached.
    MaxTurns,
    /// The user interrupted.
    Interrupted,
    /// The model refused.
    Refused,
    /// Something failed.
    #[serde(other)]
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_unread_only_in_the_usual_frame() {
        assert_eq!(unread_event(r#"{"type":"agent_event","sessionId":"s-1","event":{"a":1}}"#), Some(r#"{"a":1}"#));
        for other in [
            r#"{"type":"agent_event","sessionId":"s\"1","event":{"a":1}}"#,
            r#"{"type":"agent_event","sessionId":"s","event":{"a":1}} "#,
            r#"{"type":"agent_event","sessionId":"s","event":["a"]}"#,
            r#"{"type":"agent_event","event":{"a":1},"sessionId":"s"}"#,
            r#"{"type":"agent_event","sessionId":"s","event":"#,
            "{\"type\":\"agent_event\",\"sessionId\":\"s\n\",\"event\":{}}",
        ] {
            assert_eq!(unread_event(other), None, "{other}");
        }
        // What stands behind the event makes it no JSON, so that whoever reads it finds out.
        let event = unread_event(r#"{"type":"agent_event","sessionId":"s","event":{"a":1},"event":{"a":2}}"#).unwrap();
        assert!(serde_json::from_str::<Value>(event).is_err());
    }

    #[test]
    fn an_unknown_line_type_and_kind_are_no_errors() {
        let line: RunnerLine = serde_json::from_str(r#"{"type":"brand_new","x":1}"#).unwrap();
        assert_eq!(line, RunnerLine::Unknown);
        let kind: ToolKind = serde_json::from_str(r#""teleport""#).unwrap();
        assert_eq!(kind, ToolKind::Other);
    }

    #[test]
    fn a_mode_that_is_not_known_leaves_the_rest_of_its_line() {
        let line = r#"{"type":"agent_started","permissionMode":"auto","auth":"API key"}"#;
        let RunnerLine::AgentStarted { permission_mode, auth, .. } = serde_json::from_str(line).unwrap() else {
            panic!("{line}")
        };
        assert_eq!((permission_mode, auth.as_deref()), (None, Some("API key")));
        let line = line.replace("auto", "plan");
        let RunnerLine::AgentStarted { permission_mode, .. } = serde_json::from_str(&line).unwrap() else {
            panic!("{line}")
        };
        assert_eq!(permission_mode, Some(PermissionMode::Plan));
    }

    #[test]
    fn host_lines_have_the_wire_names() {
        let line = HostLine::PermissionResponse {
            request_id: "r1".into(),
            outcome: PermissionOutcome::AllowAlways,
            updated_input: None,
            message: None,
        };
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(text, r#"{"type":"permissionResponse","requestId":"r1","outcome":"allowAlways"}"#);
    }
}
