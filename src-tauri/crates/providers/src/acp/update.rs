//! What does an update of an ACP session mean to a person?

use protocol::item::{ItemBody, ToolContent, ToolStatus};
use protocol::record::NoticeLevel;
use protocol::runner::ToolKind;
use serde_json::Value;

use super::Acp;
use super::call::{Parts, block, is_end, link, name, parent, tool_kind};
use crate::adapter::{notice, unknown};
use crate::plan::plan;
use crate::sheet::Sheet;
use crate::tool_call::{change_call, end_call, running, tool_key};

/// Updates that say nothing to a person, or nothing that another message does not say.
const SILENT: [&str; 6] = [
    // A prompt stands in the journal as the host's own record.
    "user_message_chunk",
    "available_commands_update",
    "config_option_update",
    "session_info_update",
    // The end of the turn tells it.
    "usage_update",
    // The end of the compaction tells it.
    "compaction_summary_chunk",
];

impl Acp {
    pub(super) fn update(&mut self, event: &Value, sheet: &mut Sheet) {
        let update = &event["params"]["update"];
        let kind = update["sessionUpdate"].as_str().unwrap_or_default();
        let strange = |sheet: &mut Sheet| {
            let label = if kind.is_empty() { "session/update" } else { kind };
            sheet.add(parent(update), unknown(label, event.clone()));
        };
        match kind {
            "agent_message_chunk" | "agent_thought_chunk" => {
                if !chunk(update, sheet) {
                    strange(sheet);
                }
            }
            "tool_call" => {
                if !self.begin(update, sheet) {
                    strange(sheet);
                }
            }
            "tool_call_update" if update["toolCallId"].is_string() => self.change(update, sheet),
            "plan" if update["entries"].is_array() => {
                sheet.add(parent(update), ItemBody::Plan { entries: plan(&update["entries"]) });
            }
            "plan_update" if update["plan"]["entries"].is_array() => {
                sheet.add(parent(update), ItemBody::Plan { entries: plan(&update["plan"]["entries"]) });
            }
            "current_mode_update" => {
                let mode = update["currentModeId"].as_str().unwrap_or("unknown");
                sheet.add(None, notice(NoticeLevel::Info, "mode", format!("The agent is in its mode {mode}.")));
            }
            "notice" => sheet.add(None, told(update)),
            "compaction_update" => compaction(update).into_iter().for_each(|body| sheet.add(None, body)),
            _ if SILENT.contains(&kind) => {}
            _ => strange(sheet),
        }
    }

    /// False when the call has no id.
    fn begin(&mut self, update: &Value, sheet: &mut Sheet) -> bool {
        let Some(id) = update["toolCallId"].as_str() else { return false };
        let tool = name(update).or_else(|| update["kind"].as_str()).unwrap_or("tool");
        let kind = tool_kind(update["kind"].as_str().unwrap_or_default());
        let mut call = running(id, tool, kind, tool.to_owned(), update["rawInput"].clone());
        let mut parts = Parts::default();
        parts.apply(update, &mut call);
        self.running.insert(id.to_owned(), parts);
        sheet.open(&tool_key(id), parent(update), ItemBody::ToolCall(call));
        if is_end(update) {
            self.running.remove(id);
            end_call(sheet, id, |_| {});
        }
        true
    }

    /// The runner begins a call that the agent has not told of.
    pub(super) fn begin_untold(&mut self, id: &str, name: &str, sheet: &mut Sheet) {
        let call = running(id, name, tool_kind(""), "Tool call".to_owned(), Value::Null);
        self.running.insert(id.to_owned(), Parts::default());
        sheet.open(&tool_key(id), None, ItemBody::ToolCall(call));
    }

    fn change(&mut self, update: &Value, sheet: &mut Sheet) {
        let id = update["toolCallId"].as_str().unwrap_or_default();
        let parts = self.running.entry(id.to_owned()).or_default();
        if is_end(update) {
            end_call(sheet, id, |call| parts.apply(update, call));
            self.running.remove(id);
        } else {
            change_call(sheet, id, |call| parts.apply(update, call));
        }
    }

    /// A question about a call tells more of it; whether it runs is told by its own updates.
    pub(super) fn asked(&mut self, call: &Value, sheet: &mut Sheet) {
        let Some(id) = call["toolCallId"].as_str() else { return };
        let parts = self.running.entry(id.to_owned()).or_default();
        change_call(sheet, id, |known| {
            let status = known.status;
            parts.apply(call, known);
            known.status = status;
        });
    }
}

/// A chunk of text is shown by the block that it belongs to; anything else is shown here. False when it is not known.
fn chunk(update: &Value, sheet: &mut Sheet) -> bool {
    let content = &update["content"];
    let say = |text: String, sheet: &mut Sheet| sheet.add(parent(update), ItemBody::AgentMessage { text, open: false });
    match content["type"].as_str().unwrap_or_default() {
        "text" if content["text"].is_string() => {}
        "resource_link" if content["uri"].is_string() => say(link(content), sheet),
        "resource" if content["resource"]["text"].is_string() => {
            say(content["resource"]["text"].as_str().unwrap_or_default().to_owned(), sheet);
        }
        "image" => return picture(update, sheet),
        _ => return false,
    }
    true
}

/// An image that the agent shows stands in the transcript as a call that has given it back, because a message is words. False when
/// there is none in it.
fn picture(update: &Value, sheet: &mut Sheet) -> bool {
    let shown = block(&update["content"]).filter(|shown| matches!(shown, ToolContent::Image { .. }));
    let Some(image) = shown else { return false };
    let mut call =
        running(&format!("image at {}", sheet.at()), "image", ToolKind::Other, "Image".to_owned(), Value::Null);
    call.content.push(image);
    call.status = ToolStatus::Completed;
    call.ended_at = Some(sheet.at().to_owned());
    sheet.add(parent(update), ItemBody::ToolCall(call));
    true
}

fn told(update: &Value) -> ItemBody {
    let word = |field: &str| update[field].as_str().unwrap_or_default();
    let level = match word("severity") {
        "error" => NoticeLevel::Error,
        "warning" => NoticeLevel::Warning,
        _ => NoticeLevel::Info,
    };
    let text = [word("title"), word("description")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    notice(level, "agent", text.join("\n"))
}

fn compaction(update: &Value) -> Option<ItemBody> {
    match update["status"].as_str().unwrap_or_default() {
        "in_progress" => None,
        "completed" => Some(notice(NoticeLevel::Info, "compacted", "The conversation was compacted.".to_owned())),
        "cancelled" => {
            Some(notice(NoticeLevel::Info, "compacted", "Compacting the conversation was cancelled.".to_owned()))
        }
        _ => {
            let why = update["error"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
            Some(notice(NoticeLevel::Warning, "compacted", format!("Compacting the conversation failed{why}")))
        }
    }
}
