//! What is a call of one of opencode's tools, in words, kind, places and changes, and how did it end?

use protocol::item::{ToolCall, ToolContent, ToolStatus};
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::tool_call::{location, patch, running, text, title};

/// The call, as far as it is known while it runs.
pub(super) fn call(part: &Value, id: &str) -> ToolCall {
    let name = part["tool"].as_str().unwrap_or_default();
    let input = &part["state"]["input"];
    let word = |field: &str| input[field].as_str().unwrap_or_default();
    let (kind, verb, detail) = match name {
        "bash" => (ToolKind::Execute, "Run", word("command")),
        "read" => (ToolKind::Read, "Read", word("filePath")),
        "write" => (ToolKind::Edit, "Write", word("filePath")),
        "edit" | "multiedit" => (ToolKind::Edit, "Edit", word("filePath")),
        "apply_patch" | "patch" => (ToolKind::Edit, "Change files", ""),
        "glob" => (ToolKind::Search, "Find", word("pattern")),
        "grep" => (ToolKind::Search, "Search", word("pattern")),
        "list" => (ToolKind::Search, "List", word("path")),
        "webfetch" => (ToolKind::Fetch, "Fetch", word("url")),
        "websearch" | "codesearch" => (ToolKind::Fetch, "Web search", word("query")),
        "task" => (ToolKind::Delegate, "Delegate", word("description")),
        "todowrite" | "todoread" => (ToolKind::Think, "Plan", ""),
        "skill" => (ToolKind::Read, "Skill", word("name")),
        "question" => (ToolKind::Other, "Question", input["questions"][0]["question"].as_str().unwrap_or_default()),
        other => (ToolKind::Other, other, ""),
    };
    let mut call = running(id, name, kind, title(verb, detail), input.clone());
    call.locations = input["filePath"].as_str().map(|path| location(path, None)).into_iter().collect();
    call.content = planned(name, input).into_iter().collect();
    call
}

/// The change that a call is to make, as its input tells it.
fn planned(name: &str, input: &Value) -> Option<ToolContent> {
    let word = |field: &str| input[field].as_str().map(str::to_owned);
    let (old_text, new_text) = match name {
        "write" => (None, word("content")?),
        "edit" => (word("oldString"), word("newString")?),
        _ => return None,
    };
    Some(ToolContent::Diff { path: word("filePath")?, old_text, new_text: Some(new_text), patch: None })
}

/// Ends the call.
pub(super) fn finish(call: &mut ToolCall, part: &Value) {
    let state = &part["state"];
    let id = call.tool_call_id.clone();
    let told = self::call(part, &id);
    call.title = told.title;
    call.input = told.input;
    call.locations = told.locations;
    call.status = status(state);
    call.duration_ms = state["time"]["end"]
        .as_u64()
        .zip(state["time"]["start"].as_u64())
        .map(|(end, start)| end.saturating_sub(start));
    let changed = changes(&state["metadata"]);
    call.content = if changed.is_empty() { told.content } else { changed };
    // A change that was made says all; what came of anything else is in its output.
    if call.content.is_empty() || call.status != ToolStatus::Completed {
        let said = state["output"].as_str().or_else(|| state["error"].as_str()).unwrap_or_default();
        call.content.extend(text(said));
    }
    call.content.extend(exit_code(state).map(|code| ToolContent::Text { text: format!("exit code {code}") }));
    call.content.extend(state["attachments"].as_array().into_iter().flatten().filter_map(image));
}

fn status(state: &Value) -> ToolStatus {
    let error = state["error"].as_str().unwrap_or_default();
    let output = state["output"].as_str().unwrap_or_default();
    if state["status"] == "error" {
        return match error {
            _ if error.contains("rejected permission") || error.contains("user has specified a rule") => {
                ToolStatus::Denied
            }
            _ if error.contains("aborted") || error.contains("dismissed") => ToolStatus::Cancelled,
            _ => ToolStatus::Failed,
        };
    }
    match exit_code(state) {
        _ if output.contains("<shell_metadata>\nUser aborted the command") => ToolStatus::Cancelled,
        Some(_) => ToolStatus::Failed,
        None => ToolStatus::Completed,
    }
}

/// Of a command, when it is another than 0.
fn exit_code(state: &Value) -> Option<i64> {
    state["metadata"]["exit"].as_i64().filter(|code| *code != 0)
}

/// What was changed, as the tool tells it.
fn changes(metadata: &Value) -> Vec<ToolContent> {
    let files = metadata["files"].as_array().into_iter().flatten().filter_map(|file| {
        let path = ["relativePath", "filePath"].iter().find_map(|field| file[field].as_str())?;
        let diff = ["patch", "diff"].iter().find_map(|field| file[field].as_str())?;
        Some(patch(path, diff.to_owned()))
    });
    let files: Vec<_> = files.collect();
    if !files.is_empty() {
        return files;
    }
    let one = &metadata["filediff"];
    let diff = metadata["diff"].as_str().or_else(|| one["patch"].as_str());
    match (one["file"].as_str(), diff) {
        (Some(path), Some(diff)) => vec![patch(path, diff.to_owned())],
        _ => Vec::new(),
    }
}

fn image(file: &Value) -> Option<ToolContent> {
    let (mime, data) = file["url"].as_str()?.strip_prefix("data:")?.split_once(";base64,")?;
    mime.starts_with("image/").then(|| ToolContent::Image { mime_type: mime.to_owned(), data: data.to_owned() })
}
