//! Pod protocol, version 1: JSON-RPC 2.0, one object per line, on the pod's local socket.
//!
//! The first request is `initialize` with the pod's token. Every answer comes when the thing is done, not when it was sent.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::attachment::Attachment;
use crate::error::WireError;
use crate::ids::{PodId, SessionId};
use crate::item::Item;
use crate::permission::{PermissionPolicy, RuleReach};
use crate::provider::PermissionMode;
use crate::record::{Outcome, PermissionOutcome};

pub use crate::pod_status::{PendingPermission, PodState, PodStatus, QueuedPrompt, Recording, Work};

/// The newest version that this program speaks.
pub const POD_PROTOCOL: u32 = 1;
/// The oldest version that it speaks: when a program is updated, agents go on with the keepers that they have.
pub const POD_PROTOCOL_OLDEST: u32 = 1;

/// The version to speak with somebody who speaks these: the newest that both do. None when there is none.
#[must_use]
pub fn agreed(theirs: u32, their_oldest: Option<u32>) -> Option<u32> {
    let version = theirs.min(POD_PROTOCOL);
    // Who names no oldest speaks one.
    let oldest = POD_PROTOCOL_OLDEST.max(their_oldest.unwrap_or(theirs));
    (version >= oldest).then_some(version)
}

/// A request, as it is read from the socket.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    /// Echoed in the answer. Absent in a notification, which gets none.
    #[serde(default)]
    pub id: Option<Value>,
    /// What to do.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// With what.
    #[serde(borrow, default)]
    pub params: Option<&'a RawValue>,
}

/// A request, as it is written.
#[derive(Debug, Serialize)]
pub struct Outgoing<'a, P> {
    /// Always `2.0`.
    pub jsonrpc: &'static str,
    /// Absent in a notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What to do.
    pub method: &'a str,
    /// With what.
    pub params: P,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Response<R> {
    /// Always `2.0`.
    #[serde(default)]
    pub jsonrpc: Cow<'static, str>,
    /// The request's.
    #[serde(default)]
    pub id: Option<Value>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none", default = "Option::default")]
    pub result: Option<R>,
    /// Or why nothing did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<RpcError>,
}

/// JSON-RPC's error object; our own error is its `data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RpcError {
    /// -32600 bad request, -32601 no such method, -32602 bad params, -32000 everything else.
    pub code: i32,
    /// The same as in `data`.
    pub message: String,
    /// What programs act on.
    #[serde(default)]
    pub data: Option<WireError>,
}

/// `initialize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// The newest version that the client speaks, [`POD_PROTOCOL`].
    pub protocol: u32,
    /// The oldest one; the same when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u32>,
    /// From the pod's file, which only its user can read.
    pub token: String,
    /// Who connects: `cli`, `desktop`, `bridge`, …
    pub client: String,
}

impl InitializeParams {
    /// What a client of a pod says first.
    #[must_use]
    pub fn to_pod(token: impl Into<String>, client: impl Into<String>) -> Self {
        Self { protocol: POD_PROTOCOL, oldest: Some(POD_PROTOCOL_OLDEST), token: token.into(), client: client.into() }
    }
}

/// The answer to `initialize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// The version that both speak from here on, see [`agreed`].
    pub protocol: u32,
    /// The pod.
    pub pod: PodId,
    /// Its session.
    pub session: SessionId,
    /// The generation of the keeper; grows with each resume.
    pub generation: u64,
    /// What it is doing.
    pub state: PodState,
    /// The newest record.
    pub last_seq: u64,
}

/// `pod/prompt`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PromptParams {
    /// What to do.
    pub text: String,
    /// Images and files.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<Attachment>>")]
    pub attachments: Vec<Attachment>,
    /// What to do with it while a turn runs.
    #[serde(default)]
    pub if_busy: IfBusy,
    /// What the pod that sends it is called; absent when the user does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<String>,
}

/// What to do with a prompt while a turn runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum IfBusy {
    /// Refuse it with `alreadyRunning`.
    #[default]
    Reject,
    /// Let it wait for the end of the turn.
    Queue,
    /// Put it into the running turn.
    Steer,
}

/// The answer to `pod/prompt` and `pod/steer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PromptResult {
    /// What became of the prompt.
    pub taken: Taken,
    /// Its id, for `pod/unqueue`.
    pub prompt_id: String,
}

/// What became of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Taken {
    /// A turn was started with it.
    Started,
    /// It waits for the turn to end.
    Queued,
    /// It went into the running turn.
    Steered,
    /// It goes into the running turn at the agent's next boundary.
    SteeredLater,
}

/// `pod/unqueue`: takes a queued prompt back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnqueueParams {
    /// Which one.
    pub prompt_id: String,
}

/// `pod/edit`: other words for a queued prompt, which keeps its place and its attachments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EditParams {
    /// Which one.
    pub prompt_id: String,
    /// The words.
    pub text: String,
}

/// `pod/forgetRule`: takes a rule of the session back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForgetRuleParams {
    /// Which one.
    pub rule: String,
}

/// `pod/steer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SteerParams {
    /// The words.
    pub text: String,
}

/// `pod/stop`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StopParams {
    /// Skip to the next rung of the ladder.
    pub force: bool,
}

/// The answer to `pod/stop`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct StopResult {
    /// How the session ended.
    pub outcome: Outcome,
    /// Processes that survived, as `pid command`. Empty is the promise.
    pub survivors: Vec<String>,
}

/// `pod/set`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetParams {
    /// The new model.
    pub model: Option<String>,
    /// The new mode.
    pub permission_mode: Option<PermissionMode>,
    /// Who answers from now on. Requests that wait are answered by it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<PermissionPolicy>,
}

/// `pod/answer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AnswerParams {
    /// Which request.
    pub request_id: String,
    /// The answer.
    pub outcome: PermissionOutcome,
    /// The input to use in place of the one asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_input: Option<Value>,
    /// A word to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Who answers: `user` when absent, or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Allow what this request is about from now on, by a rule that reaches so far. Only with `allow`, and only where the pending
    /// request tells what `always` would mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub always: Option<RuleReach>,
}

/// `session/read`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadParams {
    /// Where to start: the first record after this one (forwards), or the first one before it (backwards; 0 means the end).
    #[serde(default)]
    pub from_seq: u64,
    /// How many; at most [`crate::limits::READ_PAGE`].
    pub limit: usize,
    /// Which way.
    #[serde(default)]
    pub direction: Direction,
    /// Records or items.
    #[serde(default)]
    pub want: Want,
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Direction {
    /// Towards the newest.
    #[default]
    Forwards,
    /// Towards the oldest.
    Backwards,
}

/// Records or items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Want {
    /// The transcript as a person sees it.
    #[default]
    Items,
    /// The journal's own lines.
    Records,
    /// Only what the pod is doing. In `session/read` this is an empty page.
    Status,
}

/// The answer to `session/read`. Always in journal order, whichever way was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadResult {
    /// When items were wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// When records were wanted: the journal's lines as JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Value>,
    /// Whether there is more that way.
    pub more: bool,
}

/// `session/subscribe`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscribeParams {
    /// Everything after this record is sent; 0 for the whole session.
    #[serde(default)]
    pub from_seq: u64,
    /// Records or items.
    #[serde(default)]
    pub want: Want,
    /// Whether text is wanted while it streams.
    #[serde(default)]
    pub deltas: bool,
}

/// The answer to `session/subscribe`; events follow as `session/event` notifications.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SubscribeResult {
    /// The newest record at this moment.
    pub last_seq: u64,
    /// The pod at this moment.
    pub status: PodStatus,
}

/// The parameters of a `session/event` notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventParams {
    /// In order.
    pub events: Vec<SessionEvent>,
}

/// What a subscriber is told.
///
/// An `item` replaces the item of the same id, or stands at the end. Items of the journal carry the record that changed them
/// (`lastSeq`): the newest one seen is where a reader that lost its connection subscribes again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SessionEvent {
    /// An item that is new or has changed.
    Item {
        /// The item as it is now.
        item: Item,
        /// The live item whose place it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
    },
    /// More text of a live item.
    Append {
        /// Which item.
        id: String,
        /// What to append.
        text: String,
    },
    /// A live item that came to nothing: the provider began again.
    Remove {
        /// Which item.
        id: String,
    },
    /// A journal line, when records were wanted.
    Record {
        /// The line as JSON.
        record: Value,
    },
    /// The pod changed.
    Status {
        /// As it is now.
        status: PodStatus,
    },
    /// Everything up to this record has been sent. Comes once after a subscription, and whenever the reader has caught up
    /// after falling behind.
    CaughtUp {
        /// The record.
        seq: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_both_speak_is_agreed_on() {
        assert_eq!(agreed(POD_PROTOCOL, Some(POD_PROTOCOL_OLDEST)), Some(POD_PROTOCOL));
        // A newer program that still speaks our version, and one that does not.
        assert_eq!(agreed(POD_PROTOCOL + 1, Some(POD_PROTOCOL)), Some(POD_PROTOCOL));
        assert_eq!(agreed(POD_PROTOCOL + 1, Some(POD_PROTOCOL + 1)), None);
        assert_eq!(agreed(POD_PROTOCOL + 1, None), None);
        // An older one, before the oldest that we speak.
        assert_eq!(agreed(POD_PROTOCOL_OLDEST - 1, None), None);
    }
}
