//! What is an item of codex that begins, in words, kind, places and planned changes?

use protocol::item::{ItemBody, ToolCall, ToolContent};
use protocol::runner::ToolKind;
use serde_json::{Value, json};

use super::Codex;
use crate::adapter::unknown;
use crate::sheet::Sheet;
use crate::tool_call::{location, patch, running, title, tool_key};

/// The tool that an item of this type is a call of, for types that stand for one tool.
pub(super) fn name(kind: &str) -> Option<&'static str> {
    match kind {
        "commandExecution" => Some("shell"),
        "fileChange" => Some("apply_patch"),
        "webSearch" => Some("web_search"),
        "imageView" => Some("view_image"),
        "imageGeneration" => Some("image_generation"),
        "sleep" => Some("sleep"),
        _ => None,
    }
}

impl Codex {
    pub(super) fn started(&mut self, params: &Value, event: &Value, sheet: &mut Sheet) {
        let item = &params["item"];
        let parent = self.parent(params);
        let kind = item["type"].as_str().unwrap_or_default();
        let Some(id) = item["id"].as_str() else {
            return sheet.add(parent.as_deref(), unknown("item/started", event.clone()));
        };
        match call(item, id) {
            Some(call) => {
                self.running.insert(id.to_owned(), params["threadId"].as_str().unwrap_or_default().to_owned());
                sheet.open(&tool_key(id), parent.as_deref(), ItemBody::ToolCall(call));
            }
            None if is_told_when_completed(kind) => {}
            None => sheet.open(&unknown_key(id), parent.as_deref(), unknown(&format!("item/{kind}"), event.clone())),
        }
    }
}

/// The key under which an item of a type that is not known is open.
pub(super) fn unknown_key(id: &str) -> String {
    format!("item:{id}")
}

/// Types that are no tool calls and mean something only when they are finished.
pub(super) fn is_told_when_completed(kind: &str) -> bool {
    matches!(
        kind,
        "agentMessage"
            | "reasoning"
            | "plan"
            | "userMessage"
            | "hookPrompt"
            | "contextCompaction"
            | "enteredReviewMode"
            | "exitedReviewMode"
            | "subAgentActivity"
    )
}

/// The tool call that an item is; None when it is none, or of a type that is not known.
pub(super) fn call(item: &Value, id: &str) -> Option<ToolCall> {
    let word = |field: &str| item[field].as_str().unwrap_or_default();
    let tool = word("tool");
    let call = match word("type") {
        "commandExecution" => command(item, id),
        "fileChange" => file_change(item, id),
        "mcpToolCall" => {
            let title = title(&format!("{}: {tool}", word("server")), "");
            running(id, tool, ToolKind::Other, title, item["arguments"].clone())
        }
        "dynamicToolCall" => running(id, tool, ToolKind::Other, title(tool, ""), item["arguments"].clone()),
        "collabAgentToolCall" => {
            let input = json!({"prompt": item["prompt"], "model": item["model"], "receiverThreadIds": item["receiverThreadIds"]});
            running(id, tool, ToolKind::Delegate, title(tool, word("prompt")), input)
        }
        "webSearch" => {
            let action = &item["action"];
            let target = ["url", "pattern"].iter().find_map(|field| action[field].as_str()).unwrap_or(word("query"));
            let input = json!({"query": item["query"], "action": action});
            running(id, "web_search", ToolKind::Fetch, title("Web search", target), input)
        }
        "imageView" => {
            let mut call =
                running(id, "view_image", ToolKind::Read, title("View", word("path")), json!({"path": item["path"]}));
            call.locations = vec![location(word("path"), None)];
            call
        }
        "imageGeneration" => {
            let input = json!({"prompt": item["revisedPrompt"]});
            running(id, "image_generation", ToolKind::Other, title("Generate image", word("revisedPrompt")), input)
        }
        "sleep" => {
            let seconds = item["durationMs"].as_f64().unwrap_or_default() / 1000.0;
            running(
                id,
                "sleep",
                ToolKind::Other,
                format!("Sleep {seconds} s"),
                json!({"durationMs": item["durationMs"]}),
            )
        }
        _ => return None,
    };
    Some(call)
}

fn command(item: &Value, id: &str) -> ToolCall {
    let actions = item["commandActions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = |kinds: &[&str]| {
        !actions.is_empty() && actions.iter().all(|action| kinds.contains(&action["type"].as_str().unwrap_or_default()))
    };
    let kind = if all(&["read"]) {
        ToolKind::Read
    } else if all(&["search", "listFiles"]) {
        ToolKind::Search
    } else {
        ToolKind::Execute
    };
    let whole = item["command"].as_str().unwrap_or_default();
    // One action is the command without the shell that is put around it.
    let shown = match actions {
        [action] => action["command"].as_str().unwrap_or(whole),
        _ => whole,
    };
    let input = json!({"command": item["command"], "cwd": item["cwd"]});
    let mut call = running(id, "shell", kind, title("Run", shown), input);
    let paths = actions.iter().filter_map(|action| action["path"].as_str());
    call.locations = paths.map(|path| location(path, None)).collect();
    call
}

fn file_change(item: &Value, id: &str) -> ToolCall {
    let changes = item["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let path = |change: &Value| {
        let moved = change["kind"]["move_path"].as_str();
        moved.or_else(|| change["path"].as_str()).unwrap_or_default().to_owned()
    };
    let all = |kind: &str| !changes.is_empty() && changes.iter().all(|change| change["kind"]["type"] == kind);
    let (kind, verb) = match changes {
        [change] if change["kind"]["move_path"].is_string() => (ToolKind::Move, "Move to"),
        _ if all("delete") => (ToolKind::Delete, "Delete"),
        _ if all("add") => (ToolKind::Edit, "Write"),
        _ => (ToolKind::Edit, "Edit"),
    };
    let detail = match changes {
        [] => String::new(),
        [one] => path(one),
        [first, rest @ ..] => format!("{} and {} more", path(first), rest.len()),
    };
    let files: Vec<Value> =
        changes.iter().map(|change| json!({"path": change["path"], "kind": change["kind"]})).collect();
    let mut call = running(id, "apply_patch", kind, title(verb, &detail), json!({"changes": files}));
    call.locations = changes.iter().map(|change| location(&path(change), None)).collect();
    call.content = changes.iter().map(|change| diff(&path(change), change)).collect();
    call
}

/// For a new or a deleted file the `diff` is its text, otherwise it is a patch.
fn diff(path: &str, change: &Value) -> ToolContent {
    let text = change["diff"].as_str().unwrap_or_default().to_owned();
    let (old_text, new_text) = match change["kind"]["type"].as_str().unwrap_or_default() {
        "add" => (None, Some(text)),
        "delete" => (Some(text), None),
        _ => return patch(path, text),
    };
    ToolContent::Diff { path: path.to_owned(), old_text, new_text, patch: None }
}
