//! Newer versions of Outrigger, as pages show them: what is announced, how far it has been downloaded, and how it is installed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is known of newer versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UpdateView {
    /// The version that runs.
    pub current: String,
    /// Whether this build names a place where newer ones are announced, and whose signature it trusts.
    pub can_look: bool,
    /// How far it is.
    pub state: UpdateState,
}

/// How far it is with a newer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum UpdateState {
    /// Nobody has looked since the app was started.
    NotLooked,
    /// The announcement is being read.
    Looking,
    /// There is nothing newer.
    Newest {
        /// When that was so, RFC 3339.
        at: String,
    },
    /// It is being downloaded.
    Downloading {
        /// The newer version.
        offer: UpdateOffer,
        /// Bytes so far.
        #[ts(type = "number")]
        received: u64,
        /// Bytes in all, where the server says so.
        #[ts(type = "number | null")]
        total: Option<u64>,
    },
    /// It is here and its signature is right. Nothing is installed before the user says so.
    Ready {
        /// The newer version.
        offer: UpdateOffer,
        /// What installs it.
        install: UpdateInstall,
    },
    /// The user has said so.
    Installing {
        /// The newer version.
        offer: UpdateOffer,
    },
    /// Looking, downloading or installing failed, or the download is not signed by whom this build trusts.
    Failed {
        /// What was attempted, and what to do.
        message: String,
        /// When, RFC 3339.
        at: String,
    },
}

/// A newer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UpdateOffer {
    /// Its number.
    pub version: String,
    /// What has changed, in markdown; empty when the announcement does not say.
    pub notes: String,
    /// When it was published, RFC 3339.
    pub date: Option<String>,
}

/// What installs a download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum UpdateInstall {
    /// The app itself, which then starts again. Agents go on meanwhile.
    Restart,
    /// The system's own packages, by a command of the user's. Agents go on meanwhile.
    Command {
        /// The command, for a terminal.
        command: String,
        /// The package.
        file: String,
    },
    /// Whoever put this build where it is.
    ByHand {
        /// The download.
        file: String,
    },
}
