//! What a page is told of tool sidecars while it looks at them: changes of the list, what they use, and how a call by hand gets on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::WireError;
use crate::ids::SessionId;
use crate::sidecar::SidecarView;
use crate::tools::ToolAnswer;

/// What a page that watches the sidecars is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SidecarsFrame {
    /// Some are other than before, or there are others. The first frame has all.
    Changed {
        /// The folders of all that there are, in order.
        order: Vec<String>,
        /// Those that are new or other than before.
        sidecars: Vec<SidecarView>,
    },
    /// What running ones use just now.
    Figures {
        /// Of those whose figures are other than before.
        figures: Vec<SidecarFigures>,
    },
    /// Nobody can be asked just now; it is tried again by itself.
    Lost {
        /// Why, and what to do.
        message: String,
    },
}

/// What a sidecar uses, and who uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SidecarFigures {
    /// Its folder.
    pub folder: String,
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
}

/// What comes of a tool that is called by hand. After an answer or a failure nothing follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SidecarCallFrame {
    /// It got on.
    Progress {
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
    /// It answered; a tool that failed answers too.
    Answer {
        /// With what.
        answer: ToolAnswer,
    },
    /// It could not be asked.
    Failed {
        /// Why.
        error: WireError,
    },
}
