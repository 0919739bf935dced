//! What the desktop tells its pages about each other: requests of all windows, orders from outside, known workspaces, and how a
//! window was arranged.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::SessionId;
use crate::pod::PendingPermission;
use crate::session::SessionSummary;

/// What of a transcript its map shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum MarkKind {
    /// A prompt that began a turn.
    Turn,
    /// An error.
    Error,
    /// A request that was answered.
    Request,
    /// A request that waits.
    Pending,
}

/// A place on the map of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Mark {
    /// The item's place, from 0.
    pub place: u64,
    /// What stands there.
    pub kind: MarkKind,
    /// The same in a few words.
    pub title: String,
}

/// A permission request that waits for the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WaitingRequest {
    /// The session that asks. It may belong to another window; its `workspace` says so.
    pub summary: SessionSummary,
    /// The titles of the sessions above it, the oldest ancestor first.
    pub lineage: Vec<String>,
    /// What it asks, and since when.
    pub request: PendingPermission,
}

/// What a window is asked to show by somebody outside of its page: the tray, a notification, a link, another window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum PageOrder {
    /// A session of its workspace.
    OpenSession {
        /// Which one.
        session: SessionId,
    },
    /// The requests that wait, at one of them or at the oldest.
    OpenInbox {
        /// The session of the request to begin with.
        session: Option<SessionId>,
        /// That request.
        request_id: Option<String>,
    },
    /// The view that starts a session.
    NewSession,
}

/// A folder that was used as a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct KnownWorkspace {
    /// The folder.
    pub path: String,
    /// Its last part.
    pub name: String,
    /// It has a window now.
    pub is_open: bool,
    /// Sessions in it that live.
    pub live: u32,
}

/// How a window is arranged; kept over a restart. What a page makes of it is the page's business, but which sessions it shows is
/// known to the app, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct WindowLayout {
    /// The session of each pane; a pane without one offers a new session.
    pub sessions: Vec<Option<SessionId>>,
    /// The pane in use, from 0.
    pub active: u32,
    /// The tab of the inspector.
    pub inspector_tab: Option<String>,
    /// Whether the inspector is there.
    pub inspector: bool,
    /// Whether the list of sessions is there.
    pub sidebar: Option<bool>,
}
