//! What does a call of one of claude's tools do, in words, kind, places and planned changes?

use protocol::item::{ToolCall, ToolContent};
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::tool_call::{location, running, title};

/// The fields of an input that say best what a call is about, the best first.
const TELLING: [&str; 18] = [
    "command",
    "file_path",
    "notebook_path",
    "pattern",
    "query",
    "url",
    "path",
    "description",
    "subject",
    "skill",
    "plan",
    "summary",
    "name",
    "taskId",
    "task_id",
    "shell_id",
    "message",
    "prompt",
];

/// The call that a `tool_use` block begins; None when it has no id.
pub(super) fn call(block: &Value) -> Option<ToolCall> {
    let id = block["id"].as_str()?;
    let name = block["name"].as_str().unwrap_or_default();
    let input = &block["input"];
    let telling = TELLING.iter().map(|field| &input[field]).chain([&input["questions"][0]["question"]]);
    let detail = telling.filter_map(Value::as_str).find(|text| !text.is_empty());
    let mut call = running(id, name, kind(name), title(&shown(name), detail.unwrap_or_default()), input.clone());
    let path = ["file_path", "notebook_path", "path"].iter().find_map(|field| input[field].as_str());
    call.locations = path.map(|path| location(path, input["offset"].as_u64())).into_iter().collect();
    call.content = changes(name, path.unwrap_or_default(), input);
    Some(call)
}

/// What sort of thing a tool does. Tools of MCP servers (`mcp__server__tool`) may do anything.
fn kind(name: &str) -> ToolKind {
    match name {
        "Read" | "NotebookRead" | "BashOutput" | "TaskOutput" | "ReadMcpResourceTool" => ToolKind::Read,
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => ToolKind::Edit,
        "Glob" | "Grep" | "LS" | "ToolSearch" | "ListMcpResourcesTool" => ToolKind::Search,
        "Bash" | "PowerShell" | "Monitor" | "KillShell" | "KillBash" => ToolKind::Execute,
        "WebFetch" | "WebSearch" | "web_search" | "web_fetch" => ToolKind::Fetch,
        "Task" | "Agent" | "SendMessage" | "TaskStop" | "ListAgents" | "Workflow" => ToolKind::Delegate,
        "TodoWrite" | "TaskCreate" | "TaskUpdate" | "TaskList" | "TaskGet" | "EnterPlanMode" | "ExitPlanMode" => {
            ToolKind::Think
        }
        _ => ToolKind::Other,
    }
}

/// The tool's name for people: `server: tool` for one of an MCP server.
fn shown(name: &str) -> String {
    match name.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")) {
        Some((server, tool)) => format!("{server}: {tool}"),
        None => name.to_owned(),
    }
}

/// The changes of files that the input describes.
fn changes(name: &str, path: &str, input: &Value) -> Vec<ToolContent> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let diff = |old: &Value, new: &Value| ToolContent::Diff {
        path: path.to_owned(),
        old_text: text(old),
        new_text: text(new),
        patch: None,
    };
    match name {
        "Write" => vec![diff(&Value::Null, &input["content"])],
        "Edit" => vec![diff(&input["old_string"], &input["new_string"])],
        "MultiEdit" => {
            let edits = input["edits"].as_array().into_iter().flatten();
            edits.map(|edit| diff(&edit["old_string"], &edit["new_string"])).collect()
        }
        "NotebookEdit" => vec![diff(&Value::Null, &input["new_source"])],
        _ => Vec::new(),
    }
}
