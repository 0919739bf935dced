//! What do the lines `assistant` and `user` mean for a person? They carry finished messages, thoughts, tool calls and results.

use protocol::failure::FailureClass;
use protocol::item::ItemBody;
use protocol::record::NoticeLevel;
use serde_json::Value;

use super::{Claude, parent, tool_result, tool_use};
use crate::adapter::{notice, unknown};
use crate::failure_code;
use crate::sheet::Sheet;
use crate::tool_call::tool_key;

impl Claude {
    pub(super) fn said(&mut self, event: &Value, sheet: &mut Sheet) {
        let parent = parent(event);
        match &event["message"]["content"] {
            Value::String(text) => words(event, text, sheet),
            Value::Array(blocks) => blocks.iter().for_each(|block| self.block(event, block, sheet)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                sheet.add(parent, unknown("assistant", event.clone()));
            }
        }
    }

    fn block(&mut self, event: &Value, block: &Value, sheet: &mut Sheet) {
        let parent = parent(event);
        let kind = block["type"].as_str().unwrap_or_default();
        match kind {
            "text" => words(event, block["text"].as_str().unwrap_or_default(), sheet),
            "thinking" => {
                let text = block["thinking"].as_str().unwrap_or_default().to_owned();
                sheet.add(parent, ItemBody::Thought { text, open: false });
            }
            "redacted_thinking" => sheet.add(parent, ItemBody::Thought { text: String::new(), open: false }),
            "tool_use" | "server_tool_use" | "mcp_tool_use" => match tool_use::call(block) {
                Some(call) => {
                    let key = tool_key(&call.tool_call_id);
                    sheet.open(&key, parent, ItemBody::ToolCall(call));
                    self.tasks.note_call(block, parent, sheet);
                }
                None => sheet.add(parent, unknown("assistant/tool_use", event.clone())),
            },
            _ if kind.ends_with("_tool_result") => self.result(event, block, sheet),
            _ => sheet.add(parent, unknown(&format!("assistant/{kind}"), event.clone())),
        }
    }

    /// A `user` line: results of tools. The words in it are prompts that the journal has already, or claude's own notes to
    /// itself; only what a slash command printed is news.
    pub(super) fn heard(&mut self, event: &Value, sheet: &mut Sheet) {
        match &event["message"]["content"] {
            Value::String(text) => command_output(text, parent(event), sheet),
            Value::Array(blocks) => {
                for block in blocks {
                    match block["type"].as_str().unwrap_or_default() {
                        "tool_result" => self.result(event, block, sheet),
                        "text" => command_output(block["text"].as_str().unwrap_or_default(), parent(event), sheet),
                        _ => {}
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                sheet.add(parent(event), unknown("user", event.clone()));
            }
        }
    }

    fn result(&mut self, event: &Value, block: &Value, sheet: &mut Sheet) {
        let Some(id) = block["tool_use_id"].as_str() else { return };
        let results = event["message"]["content"].as_array().map_or(0, Vec::len);
        // The structured result does not say which of several results it belongs to.
        let structured = if results == 1 { &event["tool_use_result"] } else { &Value::Null };
        self.tasks.note_result(id, structured);
        if tool_result::goes_on(structured) {
            self.background.insert(id.to_owned());
        } else {
            tool_result::end(event, id, block, structured, sheet);
        }
    }
}

/// Text of the agent. An API error is written as if the agent had said it.
fn words(event: &Value, text: &str, sheet: &mut Sheet) {
    if text.is_empty() {
        return;
    }
    let failed = event["is_api_error_message"] == true || event["isApiErrorMessage"] == true;
    let body =
        if failed { api_error(event, text) } else { ItemBody::AgentMessage { text: text.to_owned(), open: false } };
    sheet.add(parent(event), body);
}

fn api_error(event: &Value, text: &str) -> ItemBody {
    let status = event["api_error_status"].as_u64();
    let kind = event["api_error_type"].as_str().or_else(|| event["error"].as_str()).unwrap_or("api_error");
    let code = failure_code::claude(kind, status);
    ItemBody::Error {
        code: code.to_owned(),
        message: text.to_owned(),
        retryable: status.is_none_or(|status| status == 408 || status == 429 || status >= 500),
        class: FailureClass::of(code),
        exit_code: None,
        signal: None,
        stderr_tail: Vec::new(),
    }
}

/// What a slash command printed stands between tags in a `user` line.
fn command_output(text: &str, parent: Option<&str>, sheet: &mut Sheet) {
    for (tag, level) in [("local-command-stdout", NoticeLevel::Info), ("local-command-stderr", NoticeLevel::Warning)] {
        let inside =
            text.trim().strip_prefix(&format!("<{tag}>")).and_then(|rest| rest.strip_suffix(&format!("</{tag}>")));
        // The line `compact_boundary` says the same of `/compact`.
        if let Some(output) = inside.map(str::trim).filter(|output| !output.is_empty() && *output != "Compacted") {
            sheet.add(parent, notice(level, "command_output", output.to_owned()));
        }
    }
}
