//! Items: the transcript as a person sees it. Folded from records, never stored, so a better adapter improves old sessions.
//!
//! The vocabulary follows the Agent Client Protocol (message, thought, tool call with kind, status, locations and content, plan,
//! permission options, stop reasons): <https://agentclientprotocol.com>.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::attachment::AttachedFile;
use crate::failure::FailureClass;
use crate::ids::SessionId;
use crate::permission::{PermissionPolicy, PermissionRule};
use crate::record::{Delivery, NoticeLevel, Outcome, PermissionOutcome};
use crate::runner::{PermissionOption, StopReason, ToolKind, Usage};
use crate::scope::HeldRule;

/// One entry of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Item {
    /// Stable over reloads for items that stand in the journal (`17.0`: record and place in it); `live:…` while only streamed.
    pub id: String,
    /// The record that opened the item; 0 while only streamed.
    pub seq: u64,
    /// The newest record that changed it.
    pub last_seq: u64,
    /// When it was opened, RFC 3339 in UTC.
    pub at: String,
    /// The provider's id of the tool call that it belongs to, for what a sub-agent does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// What it is.
    pub body: ItemBody,
}

/// The kinds of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum ItemBody {
    /// What the user, or another pod, told the agent.
    UserMessage {
        /// The words.
        text: String,
        /// How they reached it.
        delivery: Delivery,
        /// The sender, when it was not the user.
        from: Option<String>,
        /// What went with them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[ts(optional, as = "Option<Vec<AttachedFile>>")]
        attachments: Vec<AttachedFile>,
    },
    /// What the agent says.
    AgentMessage {
        /// Markdown, and hostile until sanitised.
        text: String,
        /// Whether more is coming.
        open: bool,
    },
    /// What the agent thinks.
    Thought {
        /// The words; may be empty when the provider hides them.
        text: String,
        /// Whether more is coming.
        open: bool,
    },
    /// A tool call with its result.
    ToolCall(ToolCall),
    /// The agent's plan; a later one replaces it.
    Plan {
        /// In order.
        entries: Vec<PlanEntry>,
    },
    /// The agent waits for, or got, an answer.
    Permission(Permission),
    /// A session was opened or resumed.
    Opened {
        /// The provider's id.
        provider: String,
        /// The model in use.
        model: Option<String>,
        /// Where it works.
        cwd: String,
        /// The native id that was resumed.
        resumes: Option<String>,
        /// The provider's own id of the conversation.
        native_session_id: Option<String>,
        /// The version of its CLI.
        cli_version: Option<String>,
        /// Which kind of account its CLI says it uses: never a token, and never whose it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        auth: Option<String>,
        /// Who answers requests, when nobody is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        permissions: Option<PermissionPolicy>,
    },
    /// A turn ended.
    TurnEnd {
        /// Why.
        stop_reason: StopReason,
        /// What it used.
        usage: Option<Usage>,
        /// How long it took.
        duration_ms: Option<u64>,
    },
    /// Something to know.
    Notice {
        /// How bad.
        level: NoticeLevel,
        /// A stable word for programs.
        code: String,
        /// For people.
        text: String,
    },
    /// Something failed.
    Error {
        /// A stable word for programs.
        code: String,
        /// For people.
        message: String,
        /// Whether the same may succeed later.
        retryable: bool,
        /// What sort of failure it was.
        #[serde(default)]
        class: FailureClass,
        /// Exit code of the program that failed, if one exited.
        #[serde(default)]
        exit_code: Option<i32>,
        /// Signal that ended it, if one did.
        #[serde(default)]
        signal: Option<String>,
        /// The end of a child's stderr.
        stderr_tail: Vec<String>,
    },
    /// A child that the agent, or the user below it, started. How it is now stands in the pod tree.
    Pod {
        /// The child's session.
        session: SessionId,
        /// What it is called.
        name: String,
        /// Its provider.
        provider: String,
        /// What it is to do.
        task: String,
        /// What it may use; absent when it works without a scope.
        rules: Option<Vec<HeldRule>>,
    },
    /// The session ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// Processes that survived.
        survivors: Vec<String>,
    },
    /// An event that no adapter knows, to be unfolded to its JSON.
    Unknown {
        /// The provider's own name of it.
        label: String,
        /// The event.
        raw: Value,
    },
}

/// A tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ToolCall {
    /// The provider's id of the call.
    pub tool_call_id: String,
    /// The tool's name as the provider says it.
    pub name: String,
    /// One line for people: `Edit src/lib.rs`.
    pub title: String,
    /// What sort of thing it does.
    pub kind: ToolKind,
    /// How far it is.
    pub status: ToolStatus,
    /// What it was called with.
    pub input: Value,
    /// What came of it, in order.
    pub content: Vec<ToolContent>,
    /// Files that it touches.
    pub locations: Vec<Location>,
    /// When its result came, RFC 3339.
    pub ended_at: Option<String>,
    /// How long it ran, if the provider says so or both ends are known.
    pub duration_ms: Option<u64>,
    /// The tool sidecar that served it; none for every other tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sidecar: Option<String>,
}

/// How far a tool call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ToolStatus {
    /// Its input is still being written, or it waits for permission.
    Pending,
    /// It runs.
    Running,
    /// It succeeded.
    Completed,
    /// It failed.
    Failed,
    /// The user said no.
    Denied,
    /// The turn or the session ended first.
    Cancelled,
}

/// A piece of what a tool call gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum ToolContent {
    /// Plain text or a terminal's output with ANSI colours.
    Text {
        /// The text.
        text: String,
    },
    /// A change of a file.
    Diff {
        /// Which file.
        path: String,
        /// The text before; absent for a new file.
        old_text: Option<String>,
        /// The text after; absent for a deleted file or when only `patch` is known.
        new_text: Option<String>,
        /// A unified diff, when the provider gives one in place of the texts.
        patch: Option<String>,
    },
    /// An image.
    Image {
        /// `image/png` and the like.
        mime_type: String,
        /// Base64.
        data: String,
    },
    /// Anything else, as JSON.
    Json {
        /// The value.
        value: Value,
    },
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Location {
    /// As the agent named it.
    pub path: String,
    /// From 1.
    pub line: Option<u32>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlanEntry {
    /// What is to be done.
    pub content: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// A permission request and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Permission {
    /// Its id within the session.
    pub request_id: String,
    /// The call that it is about.
    pub tool_call_id: Option<String>,
    /// The tool.
    pub tool_name: String,
    /// One line for people.
    pub title: String,
    /// What sort of thing it does.
    pub kind: ToolKind,
    /// What exactly would happen.
    pub input: Value,
    /// What can be answered.
    pub options: Vec<PermissionOption>,
    /// The tool sidecar whose tool it is; none where it is another tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sidecar: Option<String>,
    /// How far it is.
    pub state: PermissionState,
}

/// What became of a permission request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum PermissionState {
    /// Waits for an answer.
    Pending,
    /// Was answered.
    Answered {
        /// With what.
        outcome: PermissionOutcome,
        /// A word to the agent.
        message: Option<String>,
        /// Who answered: `user`, `policy`, `rule`, `stop`, …
        by: String,
        /// The rule that answered, or that was made with this answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        rule: Option<PermissionRule>,
    },
    /// Was withdrawn: the turn was interrupted, or the agent or the session ended.
    Withdrawn,
}
