//! What the window shows of a pod tree: the tree itself, what happened in it when, who may write a file, and folders to choose from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::SessionId;
use crate::scope::{Confinement, HeldRule, TreeEntry};

/// A pod tree as it stands now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PodTree {
    /// In the order in which they were spawned, those that have ended too. Empty when the session is in no tree.
    pub pods: Vec<TreePod>,
    /// When it stood so, in milliseconds since 1970: times that go on are counted from here.
    pub at: i64,
}

/// A pod of a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TreePod {
    /// As the ledger has it.
    pub entry: TreeEntry,
    /// How far the kernel holds it to its scope; absent without a scope, and when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub confinement: Option<Confinement>,
}

/// Somebody whose scope covers a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FileHolder {
    /// The pod's session.
    pub session: SessionId,
    /// What it is called.
    pub name: String,
    /// The rule that covers the file.
    pub rule: HeldRule,
}

/// What lies directly in a folder of the workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FolderEntries {
    /// Names, folders first and with a `/` at the end.
    pub names: Vec<String>,
    /// How many there are, when not all are told.
    pub total: u64,
}

/// Something that a pod did, or that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PodMoment {
    /// When, RFC 3339. For a turn, when it ended.
    pub at: String,
    /// The item that tells it.
    pub item: String,
    /// What it was.
    pub kind: MomentKind,
    /// The same in a few words.
    pub title: String,
    /// How long it took, in milliseconds, for what takes time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub duration_ms: Option<u64>,
}

/// What of a pod its time line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum MomentKind {
    /// A turn ended well.
    Turn,
    /// A turn failed or was interrupted.
    BrokenTurn,
    /// It was prompted, by a person or by another pod.
    Prompt,
    /// It spawned a pod.
    Spawn,
    /// It was, or is, asked for permission.
    Request,
    /// A budget refused it something.
    BudgetRefusal,
    /// Something was written past a scope.
    ForeignWrite,
    /// An error.
    Error,
    /// It ended.
    End,
}

/// The newest moments of one pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PodMoments {
    /// In order.
    pub moments: Vec<PodMoment>,
    /// Where the next question begins: everything before this item can change no more.
    pub next: u64,
    /// Whether there were older ones that were not looked at.
    pub cut: bool,
}
