//! How did a call of one of claude's tools end, and what came of it?

use protocol::item::{ToolCall, ToolContent, ToolStatus};
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::sheet::Sheet;
use crate::tool_call::{content, end_call, location, patch, unified};

/// Whether the work goes on in the background, so that its end comes with a `task_notification`.
pub(super) fn goes_on(structured: &Value) -> bool {
    let launched = structured["status"].as_str().is_some_and(|status| status.ends_with("_launched"));
    launched || structured["isAsync"] == true || structured["backgroundTaskId"].is_string()
}

/// Ends the call with its result.
pub(super) fn end(event: &Value, id: &str, block: &Value, structured: &Value, sheet: &mut Sheet) {
    let meta = event["tool_result_meta"].as_array().into_iter().flatten().find(|meta| meta["id"] == id);
    let failed = block["is_error"] == true;
    end_call(sheet, id, |call| {
        call.status = status(failed, meta, &block["content"], call.status);
        call.duration_ms = duration(structured);
        let told = failed && is_refusal(&block["content"]);
        if !told && (failed || !keep_structured(call, structured)) {
            call.content.append(&mut content(&block["content"]));
        }
    });
}

fn status(failed: bool, meta: Option<&Value>, said: &Value, before: ToolStatus) -> ToolStatus {
    let meta = meta.unwrap_or(&Value::Null);
    if !failed {
        return ToolStatus::Completed;
    }
    if before == ToolStatus::Denied || meta["permission_decision"]["decision"] == "reject" {
        return ToolStatus::Denied;
    }
    let stopped = meta["non_execution_kind"] == "user-rejected";
    let refused =
        said.as_str().is_some_and(|text| text.starts_with("The user doesn't want to proceed with this tool use"));
    match (stopped, refused) {
        // A rejection without a decision is an interrupt: nobody was asked.
        (true, _) => ToolStatus::Cancelled,
        (false, true) => ToolStatus::Denied,
        (false, false) => ToolStatus::Failed,
    }
}

/// Words that are for the model only: the status says the same to a person.
fn is_refusal(said: &Value) -> bool {
    said.as_str().is_some_and(|text| text.starts_with("The user doesn't want to proceed with this tool use"))
}

/// Takes what came of the call from the structured result where it says more than the text; false when it does not.
fn keep_structured(call: &mut ToolCall, structured: &Value) -> bool {
    match call.kind {
        ToolKind::Edit => keep_edit(call, structured),
        ToolKind::Execute => {
            keep_files(call, &structured["bashEditDiff"]);
            false
        }
        ToolKind::Delegate => keep_report(call, structured),
        ToolKind::Read
        | ToolKind::Delete
        | ToolKind::Move
        | ToolKind::Search
        | ToolKind::Think
        | ToolKind::Fetch
        | ToolKind::Other => false,
    }
}

/// The patch with its line numbers in place of the texts of the input.
fn keep_edit(call: &mut ToolCall, structured: &Value) -> bool {
    let Some(path) = structured["filePath"].as_str() else { return false };
    if let Some(unified) = unified(&structured["structuredPatch"]) {
        call.content = vec![patch(path, unified)];
    }
    !call.content.is_empty()
}

/// The files that a command changed, as far as claude saw it.
fn keep_files(call: &mut ToolCall, changes: &Value) {
    for file in changes["files"].as_array().into_iter().flatten() {
        let Some(path) = file["filePath"].as_str() else { continue };
        call.locations.push(location(path, None));
        call.content.extend(unified(&file["hunks"]).map(|unified| patch(path, unified)));
    }
}

/// A sub-agent's report without the notes that claude wraps around it.
fn keep_report(call: &mut ToolCall, structured: &Value) -> bool {
    let Some(blocks) = structured["content"].as_array() else { return false };
    let count = |name: &str| structured[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let end = blocks.len().saturating_sub(count("harnessTailCount"));
    let Some(report) = blocks.get(count("harnessNoteCount")..end).filter(|report| !report.is_empty()) else {
        return false;
    };
    call.content = content(&Value::Array(report.to_vec()));
    true
}

fn duration(structured: &Value) -> Option<u64> {
    ["durationMs", "totalDurationMs"].iter().find_map(|name| structured[name].as_u64())
}

/// Ends a call whose work went on in the background.
pub(super) fn end_background(event: &Value, id: &str, sheet: &mut Sheet) {
    let status = match event["status"].as_str().unwrap_or_default() {
        "completed" => ToolStatus::Completed,
        "killed" | "stopped" | "cancelled" => ToolStatus::Cancelled,
        _ => ToolStatus::Failed,
    };
    end_call(sheet, id, |call| {
        call.status = status;
        call.duration_ms = event["usage"]["duration_ms"].as_u64();
        let summary = event["summary"].as_str().filter(|summary| !summary.is_empty());
        call.content.extend(summary.map(|text| ToolContent::Text { text: text.to_owned() }));
    });
}
