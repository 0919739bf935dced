//! What doctor found: CLIs, runtimes, runners, folders, and what to do about what was not found.
//!
//! Shapes only. The looking around is done in `discovery`; the desktop's first-run page and `outrigger doctor --json`
//! show the same report.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::limits::Limit;

/// Everything that Outrigger needs on this machine, and whether it is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DoctorReport {
    /// At least one provider is usable, the folders can be written, and no manifest or setting is malformed.
    pub ok: bool,
    /// The version of Outrigger that looked.
    pub version: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Where the environment came from that agents get.
    pub environment: EnvironmentReport,
    /// The folders that Outrigger writes.
    pub places: Vec<PlaceReport>,
    /// The settings file.
    pub settings: SettingsReport,
    /// The JavaScript runtimes, in the order in which they are preferred.
    pub runtimes: Vec<RuntimeReport>,
    /// The providers and their CLIs.
    pub providers: Vec<ProviderReport>,
    /// The runner of each provider that has one.
    pub runners: Vec<RunnerReport>,
    /// By what the system could keep agents to their folders.
    #[serde(default)]
    pub sandbox: SandboxReport,
    /// The sockets by which sessions are reached.
    #[serde(default)]
    pub sockets: SocketsReport,
    /// The tool sidecars of the user and of the workspace.
    #[serde(default)]
    #[ts(optional, as = "Option<SidecarsReport>")]
    pub sidecars: SidecarsReport,
    /// Manifests that could not be used; the others are not affected.
    pub manifest_errors: Vec<ManifestError>,
    /// Every limit, as `doctor --limits` prints them.
    pub limits: Vec<Limit>,
}

/// Tool sidecars, as far as something is the matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct SidecarsReport {
    /// How many there are.
    pub count: usize,
    /// The process that owns those that run, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub owner: Option<u32>,
    /// Those that somebody has to look at.
    pub problems: Vec<SidecarProblem>,
}

/// A tool sidecar that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarProblem {
    /// Its name.
    pub name: String,
    /// What is the matter.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// Where the environment came from that agents get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct EnvironmentReport {
    /// From whom.
    pub source: EnvironmentSource,
    /// The workspace it was taken in.
    pub workspace: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The folders of PATH, in order.
    pub path_entries: Vec<PathFolder>,
    /// Names of variables whose values are no text; agents do not get these.
    pub unreadable: Vec<String>,
}

/// From whom an environment was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum EnvironmentSource {
    /// The user's login shell printed it.
    LoginShell {
        /// The shell's program.
        shell: String,
        /// It read the files of an interactive shell too (`.bashrc`, `.zshrc`).
        interactive: bool,
        /// How many seconds ago, if it was kept from an earlier time.
        age_seconds: Option<u64>,
    },
    /// Outrigger's own, because the shell gave none.
    OwnProcess {
        /// Why the shell gave none.
        reason: String,
    },
}

/// One folder of PATH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PathFolder {
    /// The folder.
    pub folder: String,
    /// The login shell has it in its PATH; otherwise only Outrigger's own process has.
    pub from_login_shell: bool,
}

/// One folder that Outrigger writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PlaceReport {
    /// `data`, `config`, `logs`, `run`, `cache`, `sessions`.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// A file could be written there just now.
    pub writable: bool,
    /// Bytes that are free on its disk, where the system tells.
    pub free_bytes: Option<u64>,
    /// Bytes of the files in it; absent if they could not be counted in time.
    #[serde(default)]
    pub used_bytes: Option<u64>,
    /// Why it cannot be written and what to do.
    pub problem: Option<String>,
}

/// What the system has to keep a process to certain folders. Having it does not mean that agents are kept to any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SandboxReport {
    /// Linux's Landlock, tried out just now.
    Landlock {
        /// The version of its interface: each adds to what can be forbidden.
        abi: u32,
    },
    /// The kernel has none, or it is switched off.
    Missing {
        /// Why, for people.
        reason: String,
    },
    /// Nothing is known for this system.
    #[default]
    NotLookedFor,
}

/// The sockets by which sessions are reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SocketsReport {
    /// Where they are.
    pub folder: String,
    /// How many there are: one for each live session.
    pub count: u64,
}

/// The settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SettingsReport {
    /// Where it is or would be.
    pub path: String,
    /// It exists.
    pub exists: bool,
    /// Why it could not be read; the defaults are in use then.
    pub problem: Option<String>,
}

/// How a program was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum FoundBy {
    /// An environment variable names it.
    Variable {
        /// The variable.
        name: String,
    },
    /// The settings file names it.
    Settings,
    /// A folder of the login shell's PATH.
    LoginPath,
    /// A folder that only Outrigger's own PATH has.
    OwnPath,
    /// A place that the provider's manifest names.
    KnownPlace,
    /// The folder of a version manager or package manager.
    Tool {
        /// `nvm`, `volta`, `homebrew`, …
        name: String,
    },
}

/// A program that will be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Found {
    /// As it was found; this is what is started, so that a program that updates itself behind a link stays startable.
    pub path: String,
    /// The file behind the links at the time of looking.
    pub resolved: String,
    /// How it was found.
    pub source: FoundBy,
    /// What it said; absent if it did not answer in time.
    pub version: Option<String>,
    /// The version lies between the oldest and the newest that Outrigger was tested with; absent if that is not known.
    pub in_tested_range: Option<bool>,
}

/// One place that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Candidate {
    /// The file.
    pub path: String,
    /// Why it was looked at.
    pub source: FoundBy,
    /// What it said about itself, if it was asked and answered.
    pub version: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, for people.
    pub reason: String,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Verdict {
    /// This one is used.
    Chosen,
    /// It would do, but an earlier one is used.
    Spare,
    /// It was not asked, because another one was decided on or it is the same file.
    NotTried,
    /// Its version is below the least one that is needed.
    TooOld,
    /// It is there but cannot be started.
    Broken,
    /// Nothing is there.
    Missing,
}

/// One JavaScript runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RuntimeReport {
    /// `deno`, `node` or `bun`.
    pub id: String,
    /// Runners are started with this one.
    pub chosen: bool,
    /// The least version that will do.
    pub min_version: String,
    /// The place that is used or would be.
    pub found: Option<Found>,
    /// Every place that was looked at.
    pub candidates: Vec<Candidate>,
    /// What is wrong.
    pub problem: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// One provider and its CLI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ProviderReport {
    /// The provider's id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// It drives a program that the user installs.
    pub needs_cli: bool,
    /// CLI, runner and runtime are there.
    pub usable: bool,
    /// The CLI that will be used.
    pub found: Option<Found>,
    /// Every place that was looked at.
    pub candidates: Vec<Candidate>,
    /// What is wrong.
    pub problem: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
    /// What to know although it can be used: a version that was not tested, keys of its manifest that are not known.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// The runner of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RunnerReport {
    /// The provider.
    pub provider: String,
    /// The script's name.
    pub name: String,
    /// Where it is.
    pub path: Option<String>,
    /// Where it was looked for, if it was not found.
    pub tried: Vec<String>,
}

/// A manifest that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ManifestError {
    /// The file.
    pub path: String,
    /// What is wrong with it and what to do.
    pub message: String,
}
