//! What the desktop's commands exchange with its page, beyond the types of the pod protocol.
//!
//! The page holds nothing that these cannot give again: a reload asks for a page of items and subscribes from its last record.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::desk::WindowLayout;
use crate::ids::SessionId;
use crate::item::Item;
use crate::pod::{PodStatus, SessionEvent};
use crate::provider::ProviderInfo;
use crate::session::SessionSummary;
use crate::settings::SettingsView;

/// What a window is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WindowInfo {
    /// The workspace's folder.
    pub workspace: String,
    /// Its last part, for the title.
    pub name: String,
    /// The branch that is checked out, if it is a git checkout.
    pub branch: Option<String>,
    /// The program's version.
    pub version: String,
}

/// A part of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ItemPage {
    /// In order.
    pub items: Vec<Item>,
    /// How many items stand before the first one of this page.
    pub before: u64,
    /// How many items the transcript has.
    pub total: u64,
    /// The newest record that the page reflects: subscribe from here.
    pub last_seq: u64,
}

/// One frame of a session's feed to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum FeedFrame {
    /// What happened, in order.
    Events {
        /// The page returns this number as its credit.
        frame: u64,
        /// The events.
        events: Vec<SessionEvent>,
    },
    /// The pod is gone or was never there; the transcript is complete as far as the journal goes.
    Closed {
        /// Why.
        reason: String,
    },
}

/// What changed for a workspace's list of sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionList {
    /// The workspace's sessions, newest first.
    pub sessions: Vec<SessionSummary>,
    /// Working pods over all workspaces.
    pub working: u32,
    /// Permission requests that wait, over all workspaces.
    pub waiting: u32,
}

/// What a page is given with its document, so that its first picture waits for no answer. The page asks and follows all the same:
/// this is only what was known when the document was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PageBegin {
    /// What the window is about.
    pub info: WindowInfo,
    /// How the window was arranged last, if it was.
    pub layout: Option<WindowLayout>,
    /// The workspace's sessions; none when they have not been looked at yet.
    pub list: Option<SessionList>,
    /// The user's settings.
    pub settings: SettingsView,
}

/// What a new session can be made of, and what stands in the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ProviderChoice {
    /// The provider.
    pub provider: ProviderInfo,
    /// Whether it can be started now.
    pub available: bool,
    /// If not: what is missing and what to do. If so: where its CLI was found.
    pub note: String,
}

/// A session's status, for a view that has just opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct OpenedSession {
    /// The session.
    pub session: SessionId,
    /// As lists show it.
    pub summary: SessionSummary,
    /// Its pod's status, when it is live.
    pub status: Option<PodStatus>,
    /// The newest items.
    pub page: ItemPage,
    /// Lines of the journal that could not be understood and were passed over: file, line and what is wrong with each.
    #[serde(default)]
    pub damage: Vec<String>,
}

/// A file that was chosen, dropped or pasted, before it goes with a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ChosenFile {
    /// Where it is.
    pub path: String,
    /// What people call it.
    pub name: String,
    /// `image/png` and the like.
    pub mime_type: String,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// What fits the beginning of a mention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FileMatches {
    /// The best first.
    pub matches: Vec<FileMatch>,
    /// How many files and folders were looked through.
    pub looked_through: u64,
    /// Whether the workspace has more than are looked through.
    pub cut: bool,
}

/// A file or folder of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FileMatch {
    /// Below the workspace, with `/` between its parts; a folder ends in one.
    pub path: String,
    /// The places of the characters that fit, from 0.
    pub fits: Vec<u32>,
}
