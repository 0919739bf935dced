//! What is a process to be held to? The file that a keeper hands to `outrigger-keeper confine`.

use std::path::PathBuf;

use protocol::scope::HeldRule;
use serde::{Deserialize, Serialize};

/// What a process and all that it starts may use. All paths are absolute and canonical.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Its scope.
    pub rules: Vec<HeldRule>,
    /// What its children hold for writing now: taken off its scope. It may still read there.
    pub taken: Vec<HeldRule>,
    /// What it may read beside its scope.
    pub read: ReadAccess,
    /// Files and folders that it may write beside its scope: its provider's configuration. What does not exist is left out.
    pub write_paths: Vec<PathBuf>,
    /// A folder of its own for temporary files. It is made, for this user alone, and named to the process in its environment.
    pub temp: Option<PathBuf>,
    /// Which TCP ports it may use.
    pub tcp: TcpPorts,
    /// Socket files that it may connect to beside those in what it may write: the keeper's.
    pub sockets: Vec<PathBuf>,
    /// Where to write, as JSON, how far it is held (`protocol::scope::Confinement`).
    pub report: Option<PathBuf>,
    /// Go on without a kernel that enforces, instead of refusing to start.
    pub advise: bool,
}

/// What may be read beside the scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum ReadAccess {
    /// The system's programs and the user's toolchains, and these files and folders.
    Toolchain {
        /// Further files and folders, such as the runner's and the CLI's.
        #[serde(default)]
        paths: Vec<PathBuf>,
    },
    /// Everything but these files and folders.
    Everything {
        /// What stays hidden: Outrigger's own folders, and what the user keeps secret.
        #[serde(default)]
        but: Vec<PathBuf>,
    },
}

impl Default for ReadAccess {
    fn default() -> Self {
        Self::Toolchain { paths: Vec::new() }
    }
}

/// TCP ports; `None` means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpPorts {
    /// Ports that it may connect to.
    pub connect: Option<Vec<u16>>,
    /// Ports that it may listen at.
    pub bind: Option<Vec<u16>>,
}
