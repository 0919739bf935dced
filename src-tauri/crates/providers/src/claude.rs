//! The adapter `claude`: the lines of Claude Code's stream-json output.
//!
//! Knows the lines of 2.0 to 2.1.329 and of the SDK, which are the same. What a turn's end, a prompt or a permission request
//! means is told by the runner's own lines; here the `result`, replayed prompts and control requests give no item of their own.

mod line;
mod said;
mod system;
mod tasks;
mod tool_result;
mod tool_use;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::adapter::{Adapter, Weight, fold_text_line, parsed, readable, unknown};
use crate::sheet::Sheet;
use line::Streams;
use tasks::Tasks;

/// What must be remembered of a session of claude.
#[derive(Debug, Default)]
pub(crate) struct Claude {
    /// While weighing: the blocks that are being streamed.
    streams: Streams,
    /// While folding: calls whose work goes on in the background after their result.
    background: BTreeSet<String>,
    /// While folding: the list that the task tools keep.
    tasks: Tasks,
}

impl Adapter for Claude {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.streams.weigh(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        self.streams.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        match event["type"].as_str().unwrap_or_default() {
            "assistant" => self.said(&event, sheet),
            "user" => self.heard(&event, sheet),
            "system" => self.system(event, sheet),
            "result" => denied_calls(&event, sheet),
            "rate_limit_event" => system::rate_limit(&event, sheet),
            "stream_event"
            | "control_request"
            | "control_response"
            | "control_cancel_request"
            | "command_lifecycle"
            | "keep_alive"
            | "tool_progress"
            | "tool_use_summary"
            | "prompt_suggestion"
            | "auth_status"
            | "conversation_reset" => {}
            _ if fold_text_line(&event, sheet) => {}
            label => {
                let label = label.to_owned();
                sheet.add(None, unknown(&label, event));
            }
        }
    }
}

/// Calls that the result names as denied and that got no result of their own.
fn denied_calls(event: &Value, sheet: &mut Sheet) {
    for denial in event["permission_denials"].as_array().into_iter().flatten() {
        if let Some(id) = denial["tool_use_id"].as_str() {
            crate::tool_call::end_call(sheet, id, |call| call.status = protocol::item::ToolStatus::Denied);
        }
    }
}

/// The call that a line of a sub-agent belongs to.
fn parent(event: &Value) -> Option<&str> {
    event["parent_tool_use_id"].as_str()
}
