//! Scopes: which files a pod may use, whether the kernel holds it to that, and what was written past it.
//!
//! Names and shapes only. What a rule covers is decided by the crate `scopes`, and enforced by the crate `confine`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{PodId, SessionId};

/// One rule of a scope, as people and agents say it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ScopeRule {
    /// What may be done there.
    pub permission: ScopePermission,
    /// A file or a folder, relative to the workspace or absolute. What does not exist yet is made when the pod starts: a folder
    /// when it ends with `/`, an empty file when the rule is not recursive.
    pub path: String,
    /// Whether everything below counts too; without it only the file, or the files directly in the folder.
    #[serde(default = "yes")]
    pub recursive: bool,
}

fn yes() -> bool {
    true
}

/// What a rule allows. Writing includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ScopePermission {
    /// Reading. Any number of pods may read the same files.
    Read,
    /// Writing. No two pods may, unless one is above the other in the pod tree.
    Write,
}

/// One rule as a pod holds it: with a canonical path and a settled meaning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct HeldRule {
    /// What may be done there.
    pub permission: ScopePermission,
    /// Absolute, without links, `.` and `..`.
    pub path: String,
    /// How far it reaches.
    pub reach: ScopeReach,
}

/// How far a rule reaches from its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ScopeReach {
    /// This one file.
    File,
    /// The files directly in this folder, those to come too, but no folder in it.
    Entries,
    /// This folder with everything below it, now and later.
    Tree,
}

/// How far the kernel holds a pod to its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Confinement {
    /// In one word.
    pub level: ConfinementLevel,
    /// What enforces it, with its version; absent when nothing does.
    #[serde(default)]
    pub by: Option<String>,
    /// Why it is not more than that, in sentences for people; empty when enforced.
    #[serde(default)]
    pub why: Vec<String>,
    /// What it does not hold back by its nature, in sentences for people. Never a write to a file outside the scope.
    #[serde(default)]
    pub open: Vec<String>,
}

/// How far, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ConfinementLevel {
    /// The kernel refuses every write to a file outside the scope.
    Enforced,
    /// The kernel refuses most; what it lets through, or refuses too much of, is said.
    Partial,
    /// Nothing refuses. Permissions are checked where the agent asks, and foreign writes are reported afterwards.
    #[default]
    #[serde(other)]
    Advised,
}

/// A write outside the scope of the pod that is being watched, or into what another pod may write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ForeignWrite {
    /// The file, absolute.
    pub path: String,
    /// What happened to it.
    pub change: FileChange,
    /// When it was seen, RFC 3339.
    pub at: String,
    /// The session that may write there, when there is one.
    #[serde(default)]
    pub holder: Option<SessionId>,
    /// Who wrote, when that could be proved.
    #[serde(default)]
    pub by: Option<FileWriter>,
    /// How many changes of this file this stands for.
    #[serde(default)]
    pub times: u32,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum FileChange {
    /// It was made.
    Created,
    /// Its content changed.
    Written,
    /// It was removed.
    Removed,
    /// It was renamed to or from this path.
    Renamed,
    /// Something else, or several of these.
    #[serde(other)]
    Changed,
}

/// The process that wrote a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FileWriter {
    /// Its process id.
    pub pid: u32,
    /// Its command line, shortened; empty when it had ended by then.
    #[serde(default)]
    pub command: String,
    /// The pod that it belongs to, when its environment says so.
    #[serde(default)]
    pub pod: Option<PodId>,
    /// How that is known.
    pub proof: WriterProof,
}

/// How it is known who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum WriterProof {
    /// The kernel named the process with the event.
    Kernel,
    /// The process had the file open for writing when the event came.
    #[serde(other)]
    OpenFile,
}

/// The limits of a pod and all that it spawns, directly or not. What is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Budget {
    /// Generations below this pod: 1 means that its children have none of their own.
    pub depth: Option<u32>,
    /// Live children of any one pod.
    pub children: Option<u32>,
    /// Live pods below this one.
    pub pods: Option<u32>,
    /// Pods below this one that were ever spawned.
    pub spawns: Option<u32>,
    /// Pods that may be spawned within a minute.
    pub spawns_per_minute: Option<u32>,
    /// Turns of this pod and all below it.
    pub turns: Option<u64>,
    /// US dollars that this pod and all below it may cost.
    pub cost_usd: Option<f64>,
    /// Seconds from when this budget began.
    pub wall_seconds: Option<u64>,
}

/// One limit of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum BudgetLimit {
    /// [`Budget::depth`].
    Depth,
    /// [`Budget::children`].
    Children,
    /// [`Budget::pods`].
    Pods,
    /// [`Budget::spawns`].
    Spawns,
    /// [`Budget::spawns_per_minute`].
    SpawnsPerMinute,
    /// [`Budget::turns`].
    Turns,
    /// [`Budget::cost_usd`].
    Cost,
    /// [`Budget::wall_seconds`].
    WallTime,
}

/// What has been used of a budget.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct BudgetUse {
    /// Generations below this pod that live.
    pub depth: u32,
    /// The most live children that any one pod has.
    pub children: u32,
    /// Live pods below this one.
    pub pods: u32,
    /// Pods below this one that were ever spawned.
    pub spawns: u32,
    /// Pods spawned within the last minute.
    pub spawns_last_minute: u32,
    /// Turns so far.
    pub turns: u64,
    /// US dollars so far.
    pub cost_usd: f64,
    /// Seconds since the budget began.
    pub wall_seconds: u64,
}

/// How a pod of a tree ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PodOutcome {
    /// It came to its end by itself.
    Completed,
    /// It could not start, or its agent failed.
    Failed,
    /// Somebody stopped it, or a pod above it was stopped.
    Cancelled,
    /// Its keeper is gone without a word.
    #[serde(other)]
    Disconnected,
}

/// A pod of a tree, as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TreeEntry {
    /// Its session.
    pub session: SessionId,
    /// What its spawner calls it.
    pub name: String,
    /// The live pod above it: the one that spawned it, or that has adopted it.
    pub parent: Option<SessionId>,
    /// The session that spawned it.
    pub spawned_by: Option<SessionId>,
    /// Whether it is being stopped.
    pub closing: bool,
    /// How it ended; absent while it lives.
    pub outcome: Option<PodOutcome>,
    /// When it was spawned, in milliseconds since 1970.
    pub spawned_at: i64,
    /// When it ended, in milliseconds since 1970.
    pub ended_at: Option<i64>,
    /// What its paths are relative to.
    pub workspace: String,
    /// What it may use; absent when it works without a scope. What its children write is not taken off here.
    pub scope: Option<Vec<HeldRule>>,
    /// What it and all below it may use, if that is limited here.
    pub budget: Option<Budget>,
    /// What it and all below it have used.
    pub used: BudgetUse,
}
