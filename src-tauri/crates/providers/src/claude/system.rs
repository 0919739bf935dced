//! What do the lines `system/…` mean for a person? Most are for programs; a few say what a person should know.

use protocol::item::ToolStatus;
use protocol::record::NoticeLevel;
use serde_json::Value;

use super::{Claude, parent, tool_result};
use crate::adapter::{notice, unknown};
use crate::sheet::Sheet;
use crate::tool_call::change_call;

impl Claude {
    pub(super) fn system(&mut self, event: Value, sheet: &mut Sheet) {
        let subtype = event["subtype"].as_str().unwrap_or_default();
        match subtype {
            "init"
            | "thinking_tokens"
            | "task_started"
            | "task_progress"
            | "task_updated"
            | "background_tasks_changed"
            | "session_state_changed"
            | "ui_invalidate"
            | "files_persisted"
            | "hook_started"
            | "hook_progress"
            | "elicitation_complete" => {}
            "status" => compact_failure(&event, sheet),
            "api_retry" => say(&event, sheet, NoticeLevel::Warning, "api_retry", retry(&event)),
            "permission_denied" => denied(&event, sheet),
            "compact_boundary" => say(&event, sheet, NoticeLevel::Info, "compacted", compacted(&event)),
            "hook_response" => hook(&event, sheet),
            "informational" | "local_command_output" | "notification" => told(&event, sheet),
            "task_notification" => self.task_ended(&event, sheet),
            _ => {
                let label = format!("system/{subtype}");
                let parent = parent(&event).map(str::to_owned);
                sheet.add(parent.as_deref(), unknown(&label, event));
            }
        }
    }

    /// The end of work in the background. Work in the foreground is told of too, but ends with its own result.
    fn task_ended(&mut self, event: &Value, sheet: &mut Sheet) {
        if let Some(id) = event["tool_use_id"].as_str()
            && self.background.remove(id)
        {
            tool_result::end_background(event, id, sheet);
        }
    }
}

fn say(event: &Value, sheet: &mut Sheet, level: NoticeLevel, code: &str, text: String) {
    sheet.add(parent(event), notice(level, code, text));
}

/// The limits of the user's plan; worth a word only when they bind.
pub(super) fn rate_limit(event: &Value, sheet: &mut Sheet) {
    let info = &event["rate_limit_info"];
    let kind = info["rateLimitType"].as_str().unwrap_or("plan").replace('_', " ");
    match info["status"].as_str().unwrap_or_default() {
        "allowed_warning" => {
            say(event, sheet, NoticeLevel::Warning, "rate_limit", format!("The {kind} limit is nearly reached."));
        }
        "rejected" => say(event, sheet, NoticeLevel::Warning, "rate_limit", format!("The {kind} limit is reached.")),
        _ => {}
    }
}

fn compact_failure(event: &Value, sheet: &mut Sheet) {
    if let Some(error) = event["compact_error"].as_str().filter(|error| !error.is_empty()) {
        let text = format!("The conversation could not be compacted: {error}");
        say(event, sheet, NoticeLevel::Warning, "compact_failed", text);
    }
}

fn retry(event: &Value) -> String {
    let error = event["error"].as_str().unwrap_or("unknown error").replace('_', " ");
    let status = event["error_status"].as_u64().map(|status| format!(" ({status})")).unwrap_or_default();
    let number = |name: &str| event[name].as_u64().map_or_else(|| "?".to_owned(), |n| n.to_string());
    let wait = event["retry_delay_ms"].as_f64().map(|ms| format!(" in {:.1} s", ms / 1000.0)).unwrap_or_default();
    format!("API error: {error}{status}. Retry {} of {}{wait}.", number("attempt"), number("max_retries"))
}

fn denied(event: &Value, sheet: &mut Sheet) {
    if let Some(id) = event["tool_use_id"].as_str() {
        change_call(sheet, id, |call| call.status = ToolStatus::Denied);
    }
    let tool = event["tool_name"].as_str().unwrap_or("A tool");
    let why = event["message"].as_str().unwrap_or("no reason was given");
    say(event, sheet, NoticeLevel::Warning, "permission_denied", format!("{tool} was denied: {why}"));
}

fn compacted(event: &Value) -> String {
    let meta = &event["compact_metadata"];
    let before = meta["pre_tokens"].as_u64().map(|n| format!(" It had {n} tokens.")).unwrap_or_default();
    let how = if meta["trigger"] == "manual" { "on request" } else { "because the context was full" };
    format!("The conversation was compacted {how}.{before}")
}

fn hook(event: &Value, sheet: &mut Sheet) {
    let name = event["hook_name"].as_str().or_else(|| event["hook_event"].as_str()).unwrap_or("hook");
    let failed = event["exit_code"].as_i64().is_some_and(|code| code != 0) || event["outcome"] == "error";
    let outputs = ["output", "stdout", "stderr"];
    let output = outputs.iter().find_map(|field| event[field].as_str().map(str::trim).filter(|text| !text.is_empty()));
    if !failed && output.is_none() {
        // Some people have a hook on every call; only what one of them says is news.
        return;
    }
    let (level, verb) = if failed { (NoticeLevel::Warning, "failed") } else { (NoticeLevel::Info, "ran") };
    let text = output.map_or_else(|| format!("Hook {name} {verb}."), |output| format!("Hook {name} {verb}: {output}"));
    say(event, sheet, level, "hook", text);
}

fn told(event: &Value, sheet: &mut Sheet) {
    let words = ["content", "message", "text"].iter().find_map(|field| event[field].as_str());
    let level = match event["level"].as_str().unwrap_or_default() {
        "warning" | "warn" | "error" => NoticeLevel::Warning,
        _ => NoticeLevel::Info,
    };
    match words.map(str::trim) {
        Some(words) if !words.is_empty() => say(event, sheet, level, "provider", words.to_owned()),
        _ => {}
    }
}
