//! How is a question of the CLI (`can_use_tool`) put to the host, and how is the host's answer put to the CLI?

use protocol::record::PermissionOutcome;
use protocol::runner::{PermissionAsk, PermissionOption, ToolKind};
use serde_json::{Value, json};

use crate::host_line::Answer;

/// The longest title, in characters.
const TITLE_CHARS: usize = 200;
/// The longest label of a button, in characters.
const LABEL_CHARS: usize = 120;

/// A question that waits: what is needed to answer it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    input: Value,
    /// Rules that would make the question unnecessary.
    suggestions: Vec<Value>,
}

/// A question as the host is asked it, and as it is kept.
pub(crate) fn asked(request_id: &str, request: &Value) -> (PermissionAsk, Asked) {
    let suggestions = request["permission_suggestions"].as_array().cloned().unwrap_or_default();
    let option = |outcome, label: String| PermissionOption { outcome, label };
    let mut options = vec![option(PermissionOutcome::Allow, "Allow".to_owned())];
    if !suggestions.is_empty() {
        options.push(option(PermissionOutcome::AllowAlways, always_label(&suggestions)));
    }
    options.push(option(PermissionOutcome::Deny, "Deny".to_owned()));
    let input = if request["input"].is_null() { json!({}) } else { request["input"].clone() };
    let tool_name = request["tool_name"].as_str().unwrap_or_default();
    let ask = PermissionAsk {
        request_id: request_id.to_owned(),
        tool_call_id: request["tool_use_id"].as_str().map(str::to_owned),
        tool_name: tool_name.to_owned(),
        title: title(request, tool_name),
        kind: kind(tool_name),
        input: input.clone(),
        options,
        sidecar: None,
    };
    (ask, Asked { input, suggestions })
}

/// The line that answers it.
pub(crate) fn control_response(asked: &Asked, answer: Answer) -> Value {
    let response = match answer.outcome {
        PermissionOutcome::Allow | PermissionOutcome::AllowAlways => {
            let mut allowed =
                json!({ "behavior": "allow", "updatedInput": answer.updated_input.as_ref().unwrap_or(&asked.input) });
            if answer.outcome == PermissionOutcome::AllowAlways && !asked.suggestions.is_empty() {
                allowed["updatedPermissions"] = Value::Array(asked.suggestions.clone());
            }
            allowed
        }
        PermissionOutcome::Deny | PermissionOutcome::DenyAlways => {
            let said = answer.message.filter(|message| !message.is_empty());
            let message = said.unwrap_or_else(|| "The user declined this. Ask what to do instead.".to_owned());
            json!({ "behavior": "deny", "message": message })
        }
    };
    json!({
        "type": "control_response",
        "response": { "subtype": "success", "request_id": answer.request_id, "response": response },
    })
}

/// What sort of thing claude's own tools do.
fn kind(tool: &str) -> ToolKind {
    match tool {
        "Read" | "NotebookRead" => ToolKind::Read,
        "Write" | "Edit" | "MultiEdit" | "NotebookEdit" => ToolKind::Edit,
        "Glob" | "Grep" | "ToolSearch" => ToolKind::Search,
        "Bash" | "PowerShell" | "Monitor" => ToolKind::Execute,
        "WebFetch" | "WebSearch" => ToolKind::Fetch,
        "Task" | "Agent" => ToolKind::Delegate,
        "ExitPlanMode" => ToolKind::Think,
        _ => ToolKind::Other,
    }
}

fn title(request: &Value, tool: &str) -> String {
    let word = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let name = word(&request["display_name"]).unwrap_or_else(|| tool.to_owned());
    let detail = match tool {
        "Bash" => word(&request["input"]["command"]),
        _ => word(&request["description"]).or_else(|| word(&request["input"]["file_path"])),
    };
    let detail = detail.and_then(|detail| detail.lines().next().map(|line| shortened(line, TITLE_CHARS)));
    detail.map_or_else(|| name.clone(), |detail| format!("{name}: {detail}"))
}

fn always_label(suggestions: &[Value]) -> String {
    if suggestions.iter().any(|one| one["type"] == "setMode" && one["mode"] == "acceptEdits") {
        return "Allow all edits in this session".to_owned();
    }
    let rules = suggestions.iter().filter_map(|one| one["rules"].as_array()).flatten();
    let names: Vec<String> = rules
        .map(|rule| {
            let tool = rule["toolName"].as_str().unwrap_or_default();
            rule["ruleContent"].as_str().map_or_else(|| tool.to_owned(), |content| format!("{tool}({content})"))
        })
        .collect();
    if names.is_empty() {
        return "Always allow".to_owned();
    }
    shortened(&format!("Always allow {}", names.join(", ")), LABEL_CHARS)
}

fn shortened(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(outcome: PermissionOutcome) -> Answer {
        Answer { request_id: "r".into(), outcome, updated_input: None, message: None }
    }

    #[test]
    fn a_command_is_asked_about_with_what_would_be_allowed_always() {
        let request = json!({
            "subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": "t1", "input": {"command": "ls\nrm"},
            "permission_suggestions": [{"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "ls:*"}]}],
        });
        let (ask, asked) = asked("r", &request);
        assert_eq!((ask.title.as_str(), ask.kind), ("Bash: ls", ToolKind::Execute));
        let labels: Vec<_> = ask.options.iter().map(|option| option.label.as_str()).collect();
        assert_eq!(labels, ["Allow", "Always allow Bash(ls:*)", "Deny"]);
        let response = |outcome| control_response(&asked, answer(outcome))["response"]["response"].clone();
        let allowed = response(PermissionOutcome::Allow);
        assert_eq!(allowed, json!({"behavior": "allow", "updatedInput": {"command": "ls\nrm"}}));
        assert_eq!(response(PermissionOutcome::AllowAlways)["updatedPermissions"], request["permission_suggestions"]);
        assert_eq!(response(PermissionOutcome::DenyAlways)["behavior"], "deny");
    }

    #[test]
    fn an_answer_may_change_the_call_and_say_a_word() {
        let (ask, asked) = asked("r", &json!({"tool_name": "Write", "description": "a file"}));
        assert_eq!((ask.title.as_str(), ask.options.len()), ("Write: a file", 2));
        let changed = Answer { updated_input: Some(json!({"x": 1})), ..answer(PermissionOutcome::Allow) };
        assert_eq!(control_response(&asked, changed)["response"]["response"]["updatedInput"], json!({"x": 1}));
        let said = Answer { message: Some("not now".into()), ..answer(PermissionOutcome::Deny) };
        assert_eq!(control_response(&asked, said)["response"]["response"]["message"], "not now");
    }
}
