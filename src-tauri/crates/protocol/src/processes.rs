//! Processes as people see them: the tree under a pod, all pods of the machine, and what a crash left behind.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{PodId, SessionId};

/// One process of a pod, in the answer to `pod/processes` and in `outrigger ps --processes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// Its command line, shortened.
    pub command: String,
    /// Resident memory in bytes.
    pub rss: u64,
    /// CPU time used, in milliseconds.
    pub cpu_ms: u64,
    /// What it is for.
    #[serde(default)]
    pub purpose: ProcessPurpose,
    /// How long it has been running, in milliseconds; unknown where the system does not say.
    #[serde(default)]
    pub age_ms: Option<u64>,
}

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ProcessPurpose {
    /// Owns the pod.
    Keeper,
    /// Drives the provider.
    Runner,
    /// The provider's CLI.
    Cli,
    /// What the agent runs: a shell, a test suite, a server.
    #[default]
    #[serde(other)]
    Tool,
}

/// A pod with all its processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PodProcesses {
    /// The session.
    pub session: SessionId,
    /// The pod.
    pub pod: PodId,
    /// What the session is called.
    pub title: String,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
    /// Keeper first, parents before their children.
    pub processes: Vec<ProcessInfo>,
}

/// A process that is provably Outrigger's and that no pod owns any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Orphan {
    /// Process id.
    pub pid: u32,
    /// When it started, in the platform's own unit: with the number it is the process's identity.
    pub started: u64,
    /// Its command line, shortened.
    pub command: String,
    /// Resident memory in bytes.
    pub rss: u64,
    /// CPU time used, in milliseconds.
    pub cpu_ms: u64,
    /// How long it has been running, in milliseconds.
    pub age_ms: Option<u64>,
    /// The pod that started it.
    pub pod: PodId,
    /// The pod's session, if it is known.
    pub session: Option<SessionId>,
    /// The data folder of another Outrigger that it belongs to, or `?` when it says nothing of one and no record of ours knows
    /// it. Such a process is shown and never ended: what keeps it may be unknown here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub other_home: Option<String>,
    /// How it was proved to be ours and without an owner, for people.
    pub proof: String,
}
