//! How did an item of codex end, and what came of it?

use protocol::item::{ItemBody, ToolCall, ToolContent, ToolStatus};
use protocol::record::NoticeLevel;
use serde_json::Value;

use super::Codex;
use super::item::{call, is_told_when_completed, unknown_key};
use crate::adapter::{notice, unknown};
use crate::sheet::Sheet;
use crate::tool_call::{content, end_call, location, text};

impl Codex {
    pub(super) fn completed(&mut self, params: &Value, event: &Value, sheet: &mut Sheet) {
        let item = &params["item"];
        let parent = self.parent(params);
        let kind = item["type"].as_str().unwrap_or_default();
        let Some(id) = item["id"].as_str() else {
            return sheet.add(parent.as_deref(), unknown("item/completed", event.clone()));
        };
        if let Some(finished) = call(item, id) {
            self.running.remove(id);
            self.note_spawn(item, id);
            return end_call(sheet, id, |call| finish(call, finished, item));
        }
        if is_told_when_completed(kind) {
            told(kind, item).into_iter().for_each(|body| sheet.add(parent.as_deref(), body));
            return;
        }
        // Where it began was an unknown item already; it is shown as it ended.
        sheet.change(&unknown_key(id), |body| *body = unknown(&format!("item/{kind}"), event.clone()));
        sheet.close(&unknown_key(id));
    }

    fn note_spawn(&mut self, item: &Value, id: &str) {
        if item["tool"] != "spawnAgent" {
            return;
        }
        for thread in item["receiverThreadIds"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.spawned.insert(thread.to_owned(), id.to_owned());
        }
    }
}

fn finish(call: &mut ToolCall, finished: ToolCall, item: &Value) {
    call.title = finished.title;
    call.kind = finished.kind;
    call.input = finished.input;
    call.locations = finished.locations;
    call.content = finished.content;
    call.status = status(item);
    call.duration_ms = item["durationMs"].as_u64();
    match item["type"].as_str().unwrap_or_default() {
        "commandExecution" => command(call, item),
        "mcpToolCall" => mcp(call, item),
        "dynamicToolCall" => call.content = content(&item["contentItems"]),
        "collabAgentToolCall" => call.content = reports(&item["agentsStates"]),
        "webSearch" => call.content = content(&item["results"]),
        "imageGeneration" => image(call, item),
        _ => {}
    }
}

fn status(item: &Value) -> ToolStatus {
    match item["status"].as_str().unwrap_or_default() {
        "declined" => ToolStatus::Denied,
        "failed" | "errored" => ToolStatus::Failed,
        "interrupted" => ToolStatus::Cancelled,
        _ if item["success"] == false => ToolStatus::Failed,
        _ => ToolStatus::Completed,
    }
}

fn command(call: &mut ToolCall, item: &Value) {
    call.content.extend(text(item["aggregatedOutput"].as_str().unwrap_or_default()));
    match item["exitCode"].as_i64() {
        None | Some(0) => {}
        Some(code) => call.content.push(ToolContent::Text { text: format!("exit code {code}") }),
    }
}

fn mcp(call: &mut ToolCall, item: &Value) {
    let result = &item["result"];
    call.content = content(&result["content"]);
    if call.content.is_empty() && !result["structuredContent"].is_null() {
        call.content = vec![ToolContent::Json { value: result["structuredContent"].clone() }];
    }
    call.content.extend(item["error"]["message"].as_str().and_then(text));
}

/// What the sub-agents said last.
fn reports(states: &Value) -> Vec<ToolContent> {
    let states = states.as_object().into_iter().flat_map(serde_json::Map::values);
    states.filter_map(|state| state["message"].as_str().and_then(text)).collect()
}

fn image(call: &mut ToolCall, item: &Value) {
    if let Some(path) = item["savedPath"].as_str() {
        call.locations = vec![location(path, None)];
    }
    if let Some(data) = item["result"].as_str().filter(|data| !data.is_empty()) {
        call.content = vec![ToolContent::Image { mime_type: "image/png".to_owned(), data: data.to_owned() }];
    }
    if !item["failure"].is_null() {
        call.status = ToolStatus::Failed;
        call.content.push(ToolContent::Json { value: item["failure"].clone() });
    }
}

/// The item of a finished block that is no tool call.
fn told(kind: &str, item: &Value) -> Option<ItemBody> {
    let word = |field: &str| item[field].as_str().unwrap_or_default().to_owned();
    let info = |code: &str, text: String| Some(notice(NoticeLevel::Info, code, text));
    match kind {
        "agentMessage" | "plan" => say(word("text")),
        "exitedReviewMode" => say(word("review")),
        "reasoning" => Some(ItemBody::Thought { text: thought(item), open: false }),
        "contextCompaction" => info("compacted", "The conversation was compacted.".to_owned()),
        "enteredReviewMode" => info("review", format!("Review began: {}", word("review"))),
        "hookPrompt" => info("hook", joined(&item["fragments"])),
        "subAgentActivity" => info("sub_agent", format!("Sub-agent {} {}", word("agentPath"), word("kind"))),
        // A prompt stands in the journal as the host's own record.
        _ => None,
    }
}

fn say(text: String) -> Option<ItemBody> {
    (!text.is_empty()).then_some(ItemBody::AgentMessage { text, open: false })
}

/// The summary where there is one, otherwise the thoughts themselves; parts are paragraphs.
fn thought(item: &Value) -> String {
    let parts = |field: &str| -> Vec<&str> {
        item[field].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|part| !part.is_empty()).collect()
    };
    let summary = parts("summary");
    let parts = if summary.is_empty() { parts("content") } else { summary };
    parts.join("\n\n")
}

fn joined(fragments: &Value) -> String {
    let fragments = fragments.as_array().into_iter().flatten();
    fragments.filter_map(|fragment| fragment["text"].as_str()).collect::<Vec<_>>().join("\n")
}
