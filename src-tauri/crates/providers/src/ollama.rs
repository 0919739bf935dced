//! The adapter `ollama`: the lines of a chat as an Ollama server streams them, and the events of the runner that is the agent around
//! it (`runners/ollama.mjs`).
//!
//! A line of the server has no `type`. The server never sends a finished block, so the runner does: `text` and `thought`. Its
//! other events are `tool_call`, `tool_output`, `tool_result` and `notice`. Prompts, turns, usage, permissions and errors come as
//! lines of the protocol; here they give no item.

mod line;

use protocol::item::{ItemBody, ToolContent, ToolStatus};
use protocol::record::NoticeLevel;
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::adapter::{Adapter, Weight, fold_text_line, notice, parsed, readable, unknown};
use crate::sheet::Sheet;
use crate::tool_call::{content, end_call, location, running, title, tool_key};
use line::Streams;

/// What must be remembered of a session of Ollama: the blocks that are being streamed.
#[derive(Debug, Default)]
pub(crate) struct Ollama {
    streams: Streams,
}

impl Adapter for Ollama {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.streams.weigh(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        self.streams.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        let Some(kind) = event["type"].as_str() else { return fold_line(event, sheet) };
        match kind {
            "text" => say(&event, sheet, |text| ItemBody::AgentMessage { text, open: false }),
            "thought" => say(&event, sheet, |text| ItemBody::Thought { text, open: false }),
            "tool_call" => begin_tool(event, sheet),
            "tool_output" => {}
            "tool_result" => end_tool(&event, sheet),
            "notice" => sheet.add(None, told(&event)),
            _ if fold_text_line(&event, sheet) => {}
            label => {
                let label = label.to_owned();
                sheet.add(None, unknown(&label, event));
            }
        }
    }
}

/// A line of the server: what it says is in the runner's events too, unless it says what nobody here knows.
fn fold_line(event: Value, sheet: &mut Sheet) {
    let message = event["message"].as_object();
    let strange = message.into_iter().flatten().find(|(name, value)| line::is_strange(name, &value.to_string()));
    if let Some((name, _)) = strange {
        let label = format!("message/{name}");
        return sheet.add(None, unknown(&label, event));
    }
    let is_known = message.is_some() || event["done"].is_boolean() || event["error"].is_string();
    if !is_known {
        sheet.add(None, unknown("event", event));
    }
}

fn say(event: &Value, sheet: &mut Sheet, body: impl FnOnce(String) -> ItemBody) {
    match event["text"].as_str() {
        Some("") => {}
        Some(text) => sheet.add(None, body(text.to_owned())),
        None => sheet.add(None, unknown("text", event.clone())),
    }
}

fn told(event: &Value) -> ItemBody {
    let level = serde_json::from_value(event["level"].clone()).unwrap_or(NoticeLevel::Info);
    let word = |field: &str| event[field].as_str().unwrap_or_default();
    notice(level, word("code"), word("text").to_owned())
}

fn begin_tool(mut event: Value, sheet: &mut Sheet) {
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (id, name, said) = (word("id"), word("name"), word("title"));
    if id.is_empty() {
        return sheet.add(None, unknown("tool_call", event));
    }
    let kind = serde_json::from_value(event["kind"].clone()).unwrap_or(ToolKind::Other);
    let input = event.get_mut("input").map(Value::take).unwrap_or_default();
    let title = if said.is_empty() { title(&name, "") } else { said };
    let change = &event["change"];
    let path = change["path"].as_str().or_else(|| input["path"].as_str());
    let locations = path.map(|path| location(path, None)).into_iter().collect();
    let mut call = running(&id, &name, kind, title, input.clone());
    call.locations = locations;
    call.content = diff(change).into_iter().collect();
    sheet.open(&tool_key(&id), None, ItemBody::ToolCall(call));
}

/// The file that a call writes.
fn diff(change: &Value) -> Option<ToolContent> {
    let text = |field: &str| change[field].as_str().map(str::to_owned);
    let (path, new_text) = (text("path")?, Some(text("newText")?));
    Some(ToolContent::Diff { path, old_text: text("oldText"), new_text, patch: None })
}

fn end_tool(event: &Value, sheet: &mut Sheet) {
    let id = event["id"].as_str().unwrap_or_default();
    let status = match event["ok"].as_bool() {
        _ if event["cancelled"] == true => ToolStatus::Cancelled,
        _ if event["denied"] == true => ToolStatus::Denied,
        Some(true) => ToolStatus::Completed,
        Some(false) | None => ToolStatus::Failed,
    };
    end_call(sheet, id, |call| {
        call.status = status;
        // A change that was made says all; what came of a command, or of a change that failed, is in the output.
        if status != ToolStatus::Completed || call.content.is_empty() {
            call.content.append(&mut content(&event["output"]));
        }
        call.duration_ms = event["durationMs"].as_u64();
    });
}
