//! Tool sidecars on the wire: what one is, in which state, what it offers, and what is asked of their owner.
//!
//! The owner is the process that holds the shared instances (`outrigger-toolbox`). It is spoken to as a pod is: JSON-RPC 2.0, one
//! object per line, on a local socket, with a token. How a sidecar gets from one state to the next is not decided here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::ids::SessionId;
use crate::tools::ToolDefinition;

/// The version that this program speaks.
pub const TOOLBOX_PROTOCOL: u32 = 1;

/// Where a sidecar stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SidecarState {
    /// Nobody has used it yet.
    Idle,
    /// Its build steps run.
    Building,
    /// Its process was started; its tools are not listed yet.
    Starting,
    /// Its tools can be called.
    Connected {
        /// How many it offers.
        tools: usize,
    },
    /// The connection is lost and its tools are gone; its process may still run and come back.
    Disconnected {
        /// What was seen.
        why: String,
    },
    /// Its processes are being ended.
    Stopping,
    /// It does not run, against what was wanted.
    Failed {
        /// What went wrong.
        failure: SidecarFailure,
        /// Whether it is tried again.
        again: TryAgain,
    },
    /// It does not run, as was wanted.
    Stopped {
        /// Why.
        why: SidecarStop,
    },
}

/// What went wrong with a sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarFailure {
    /// At which step.
    pub at: FailedAt,
    /// What was attempted, why it failed, and what to do. For people.
    pub message: String,
    /// The end of what the build or the process printed.
    #[serde(default)]
    pub output: Vec<String>,
}

/// The step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum FailedAt {
    /// A build step.
    Build,
    /// The process did not start.
    Start,
    /// It did not say a word, or not the right one.
    Connect,
    /// It did not list its tools.
    List,
    /// Its process ended.
    Exit,
}

/// Whether a sidecar that failed is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum TryAgain {
    /// After this time.
    After {
        /// In milliseconds.
        #[ts(type = "number")]
        ms: u64,
        /// Which try that will be, counted from 1.
        attempt: u32,
    },
    /// With the next use.
    WhenUsed,
    /// When somebody starts it, or its folder changes.
    ByHand,
}

/// Why a sidecar was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SidecarStop {
    /// Somebody stopped it; it stays stopped until somebody starts it.
    Asked,
    /// Nobody called it for its `idleStop`.
    Unused,
    /// It ended by itself, without an error.
    Ended,
    /// A newer one took its place, its manifest is gone, or its trust was withdrawn.
    Replaced,
    /// Its owner ends.
    Owner,
}

/// Whether a sidecar may be built and run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SidecarTrust {
    /// It is the user's own.
    Own,
    /// The user trusted exactly this.
    Trusted,
    /// Nobody was asked yet, or it has changed since.
    Needed {
        /// Whether an earlier form of it was trusted.
        changed: bool,
        /// What the trust would be for: to be shown whole, and sent back with the answer.
        question: TrustQuestion,
    },
}

/// What exactly would be built and run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct TrustQuestion {
    /// The sidecar.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// Its build steps, word by word.
    pub build: Vec<Vec<String>>,
    /// What is run, word by word; for a server that is reached by http its address.
    pub run: Vec<String>,
    /// Variables of the user's environment that it would see.
    pub passes: Vec<String>,
    /// Secrets that it would be given.
    pub secrets: Vec<String>,
    /// The manifest as it is.
    pub manifest: String,
    /// Stands for all of the above.
    pub hash: String,
}

/// A sidecar in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its folder.
    pub folder: String,
    /// `machine`, `workspace` or `session`.
    pub share: String,
    /// Why its manifest cannot be used, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
    /// Whether it may run.
    pub trust: SidecarTrust,
    /// Where it stands.
    pub state: SidecarState,
    /// What it offers now, as it says it.
    pub tools: Vec<ToolDefinition>,
    /// Tools that it lists and that cannot be offered, and why.
    pub refused_tools: Vec<String>,
    /// Its process, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pid: Option<u32>,
    /// Resident memory of its processes, in bytes.
    #[ts(type = "number")]
    pub rss: u64,
    /// Processor time of its processes, in milliseconds.
    #[ts(type = "number")]
    pub cpu_ms: u64,
    /// Calls that are under way.
    pub calls: usize,
    /// Sessions that have used it since it was started.
    pub users: Vec<SessionId>,
    /// Why the last change of its folder was not taken over; the earlier build serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reload_failed: Option<SidecarFailure>,
}

/// Who asks, and from where: it decides which sidecars there are and which tools are granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct SidecarPlace {
    /// The workspace's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub workspace: Option<String>,
    /// The session, where an agent asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// What the session was started with: these sidecars (`git`) and tools (`git/log`) and no others; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub only: Option<Vec<String>>,
}

/// One sidecar in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SidecarNamed {
    /// Where.
    pub place: SidecarPlace,
    /// Which.
    pub name: String,
}

/// `sidecar/trust`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrustAnswer {
    /// Where.
    pub place: SidecarPlace,
    /// Which.
    pub name: String,
    /// The hash of the question that was shown. Trust is given to that and nothing else.
    pub hash: String,
    /// Whether it is trusted, or not any more.
    pub trusted: bool,
}

/// `tools/call` to the owner.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SidecarCall {
    /// For whom.
    pub place: SidecarPlace,
    /// The sidecar, where a person calls by hand: then `name` is the tool's own name in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<String>,
    /// The tool's name as `tools/list` gave it.
    pub name: String,
    /// With what.
    pub arguments: Map<String, Value>,
    /// The caller's own id of this call, for `tools/cancel` and for progress.
    pub call_id: String,
    /// Where long parts of the answer are written, if not to the common folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
}

/// One line of a sidecar's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarLogLine {
    /// When it was read, RFC 3339.
    pub at: String,
    /// Where it came from.
    pub from: SidecarLogSource,
    /// The line, cut when it is too long.
    pub text: String,
}

/// Where a line of a sidecar's log came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SidecarLogSource {
    /// A build step.
    Build,
    /// The process's stdout, where that is not its connection.
    Stdout,
    /// The process's stderr.
    Stderr,
    /// What it logged by MCP.
    Mcp,
    /// Outrigger.
    Outrigger,
}

/// One rule of the user about who may use which sidecar. Of several that fit, the one for the session wins over the one for the
/// workspace, and that over the one for all; of equals the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SidecarGrant {
    /// The sidecar's name; `*` is all.
    pub sidecar: String,
    /// For sessions in this workspace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub workspace: Option<String>,
    /// For this session, and so its pod, only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<String>,
    /// These of its tools only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tools: Option<Vec<String>>,
    /// Whether it is granted.
    pub allow: bool,
}

/// An MCP server as another tool has it set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ImportedServer {
    /// Tells it from all others that were found: its source and its name, `claude/github`.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Which tool: `claude`, `codex`, `gemini`, `vscode`, or `project` for `.mcp.json`.
    pub source: String,
    /// The file that names it.
    pub file: String,
    /// How it is reached.
    pub server: ServerAddress,
    /// Values of its environment or headers that can be shown.
    pub plain: BTreeMap<String, String>,
    /// Names of those that look like secrets; their values are not carried over.
    pub secret: Vec<String>,
    /// Whether it is switched off there.
    pub disabled: bool,
    /// Equal for servers that are the same but for their names.
    pub identity: String,
    /// The name of a sidecar that is the same already, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub known_as: Option<String>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
#[ts(export)]
pub enum ServerAddress {
    /// A command that speaks MCP on its stdin and stdout.
    Stdio {
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// An address.
    Http {
        /// Where.
        url: String,
    },
}

/// The servers that were found, and which files could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarImports {
    /// In the order of the files.
    pub servers: Vec<ImportedServer>,
    /// Each with its reason.
    pub unreadable: Vec<String>,
}

/// A manifest that was written for an imported server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WrittenImport {
    /// Which server.
    pub id: String,
    /// What the sidecar is called.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// Secrets that it asks for by reference and that are not there yet, as `env:NAME` or `keyring:NAME`.
    pub wants: Vec<String>,
}

/// The news that a subscriber of the owner gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SidecarNews {
    /// A sidecar is in another state.
    State {
        /// Which.
        name: String,
        /// Its folder.
        folder: String,
        /// The new one.
        state: SidecarState,
    },
    /// A sidecar offers other tools than before: list them again.
    ToolsChanged {
        /// Which.
        name: String,
        /// Its folder.
        folder: String,
    },
    /// A change of its folder was not taken over; the earlier build serves.
    ReloadFailed {
        /// Which.
        name: String,
        /// Its folder.
        folder: String,
        /// Why.
        failure: SidecarFailure,
    },
    /// Sidecars came, went, or have another manifest: ask for the list again.
    CameOrWent,
    /// A call got on.
    Progress {
        /// The caller's id of the call.
        call_id: String,
        /// So far.
        progress: f64,
        /// Of so much, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        total: Option<f64>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        message: Option<String>,
    },
    /// News were lost because they were not read: ask for the list again.
    Missed,
}
