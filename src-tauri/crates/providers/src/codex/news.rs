//! What do the notifications of codex say that are about no item: errors, warnings, hooks, servers?

use protocol::failure::FailureClass;
use protocol::item::ItemBody;
use protocol::record::NoticeLevel;
use serde_json::Value;

use crate::adapter::notice;
use crate::failure_code;

/// The items that a notification gives; None when its method is not known. How many depends on the notification alone.
pub(super) fn news(method: &str, params: &Value) -> Option<Vec<ItemBody>> {
    let word = |field: &str| params[field].as_str().unwrap_or_default();
    let say = |level, code: &str, text: String| Some(vec![notice(level, code, text)]);
    match method {
        "error" => Some(vec![error(params)]),
        "warning" | "guardianWarning" => say(NoticeLevel::Warning, "provider", word("message").to_owned()),
        "configWarning" => say(NoticeLevel::Warning, "config", detailed(params)),
        "deprecationNotice" => say(NoticeLevel::Info, "deprecated", detailed(params)),
        "windows/worldWritableWarning" => say(
            NoticeLevel::Warning,
            "provider",
            "Folders that everyone can write to weaken codex's sandbox.".to_owned(),
        ),
        "model/rerouted" => {
            let text =
                format!("The model was changed from {} to {} by the provider.", word("fromModel"), word("toModel"));
            say(NoticeLevel::Warning, "model_rerouted", text)
        }
        "mcpServer/startupStatus/updated" => Some(server(params).into_iter().collect()),
        "hook/completed" => Some(hook(&params["run"]).into_iter().collect()),
        "item/autoApprovalReview/completed" | "autoApprovalReview/strictReviewRequired" => {
            let review = &params["review"];
            let status = review["status"].as_str().unwrap_or("required");
            let why = review["rationale"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
            say(NoticeLevel::Info, "auto_review", format!("Automatic review {status}{why}"))
        }
        _ if method.starts_with("thread/realtime/") || method.starts_with("fuzzyFileSearch/") => Some(Vec::new()),
        _ => None,
    }
}

fn error(params: &Value) -> ItemBody {
    let error = &params["error"];
    let message = error["message"].as_str().unwrap_or("codex reported an error without a message");
    let details = error["additionalDetails"].as_str().map(|details| format!(": {details}")).unwrap_or_default();
    let message = format!("{}{details}", inner_message(message));
    if params["willRetry"] == true {
        return notice(NoticeLevel::Warning, "api_retry", message);
    }
    let info = &error["codexErrorInfo"];
    let kind = kind(info);
    let retryable = matches!(
        kind,
        "serverOverloaded"
            | "internalServerError"
            | "rateLimitExceeded"
            | "flexUnavailable"
            | "httpConnectionFailed"
            | "responseStreamConnectionFailed"
            | "responseStreamDisconnected"
            | "responseTooManyFailedAttempts"
    );
    let code = code(info).to_owned();
    let class = FailureClass::of(&code);
    ItemBody::Error { code, message, retryable, class, exit_code: None, signal: None, stderr_tail: Vec::new() }
}

/// Our word for what codex says of an error.
pub(super) fn code(info: &Value) -> &str {
    failure_code::codex(kind(info), http_status(info))
}

fn kind(info: &Value) -> &str {
    let named = info.as_str().or_else(|| info.as_object()?.keys().next().map(String::as_str));
    named.unwrap_or("other")
}

/// What the provider answered, where codex tells it: `{"responseStreamDisconnected":{"httpStatusCode":429}}`.
fn http_status(info: &Value) -> Option<u64> {
    info.as_object()?.values().next()?["httpStatusCode"].as_u64()
}

/// Some messages are the body of the provider's answer, as JSON.
fn inner_message(message: &str) -> String {
    let inner = serde_json::from_str::<Value>(message).ok();
    let inner = inner.as_ref().and_then(|body| body["error"]["message"].as_str());
    inner.unwrap_or(message).to_owned()
}

fn detailed(params: &Value) -> String {
    let summary = params["summary"].as_str().unwrap_or_default();
    match params["details"].as_str().filter(|details| !details.is_empty()) {
        Some(details) => format!("{summary}\n{details}"),
        None => summary.to_owned(),
    }
}

fn server(params: &Value) -> Option<ItemBody> {
    if params["status"] != "failed" {
        return None;
    }
    let name = params["name"].as_str().unwrap_or_default();
    let why = params["error"].as_str().unwrap_or("no reason was given");
    Some(notice(NoticeLevel::Warning, "mcp_failed", format!("The MCP server {name} did not start: {why}")))
}

/// A hook that failed or stopped something, or that has something to say.
fn hook(run: &Value) -> Option<ItemBody> {
    let name = run["eventName"].as_str().unwrap_or("hook");
    let status = run["status"].as_str().unwrap_or_default();
    let entries = run["entries"].as_array().into_iter().flatten().filter_map(|entry| entry["text"].as_str());
    let said = run["statusMessage"].as_str().into_iter().chain(entries).collect::<Vec<_>>().join("\n");
    let level = if status == "completed" { NoticeLevel::Info } else { NoticeLevel::Warning };
    match (status, said.as_str()) {
        ("completed", "") => None,
        (_, "") => Some(notice(level, "hook", format!("Hook {name} {status}."))),
        (_, said) => Some(notice(level, "hook", format!("Hook {name} {status}: {said}"))),
    }
}
