//! What the runner's own lines mean to a person, apart from the provider's events.

use jiff::Timestamp;
use protocol::failure::FailureClass;
use protocol::item::{ItemBody, Permission, PermissionState};
use protocol::record::NoticeLevel;
use protocol::runner::{PermissionAsk, RunnerLine, StopReason};
use providers::Sheet;

use crate::host::{OPENED, permission_key, settle, settle_permission};

pub(crate) fn fold(sheet: &mut Sheet, turn_began: &mut Option<String>, line: RunnerLine) {
    match line {
        RunnerLine::AgentStarted { native_session_id, cli_version, model, permission_mode: _, auth } => {
            started(sheet, native_session_id, cli_version, model, auth);
        }
        RunnerLine::TurnStarted { turn_id: _ } => *turn_began = Some(sheet.at().to_owned()),
        RunnerLine::TurnEnded { turn_id: _, stop_reason, usage, duration_ms, background_tasks: _ } => {
            match stop_reason {
                // What runs on in the background may still report.
                StopReason::EndTurn | StopReason::MaxTurns | StopReason::Refused => sheet.close(OPENED),
                StopReason::Interrupted | StopReason::Error => settle(sheet),
            }
            let duration_ms = duration_ms.or_else(|| since(turn_began.take(), sheet.at()));
            sheet.add(None, ItemBody::TurnEnd { stop_reason, usage, duration_ms });
        }
        RunnerLine::PermissionRequest(ask) => permission(sheet, ask),
        RunnerLine::PermissionCancelled { request_id } => {
            settle_permission(sheet, &request_id, PermissionState::Withdrawn);
        }
        RunnerLine::AgentError { code, message, retryable, retry_after_ms: _, exit_code, signal, stderr_tail } => {
            let class = if signal.is_some() { FailureClass::Killed } else { FailureClass::of(&code) };
            sheet.add(None, ItemBody::Error { code, message, retryable, class, exit_code, signal, stderr_tail });
        }
        RunnerLine::Error { message } => {
            let body = ItemBody::Notice { level: NoticeLevel::Warning, code: "runner_error".to_owned(), text: message };
            sheet.add(None, body);
        }
        // These say nothing that the items around them do not say.
        RunnerLine::Ready { .. }
        | RunnerLine::Pong
        | RunnerLine::AgentOffers(_)
        | RunnerLine::SteerAccepted { .. }
        | RunnerLine::AgentStopped { .. }
        | RunnerLine::Log { .. }
        | RunnerLine::Unknown => {}
    }
}

fn started(
    sheet: &mut Sheet,
    native: Option<String>,
    version: Option<String>,
    model_in_use: Option<String>,
    account: Option<String>,
) {
    sheet.change(OPENED, |body| {
        if let ItemBody::Opened { native_session_id, cli_version, model, auth, .. } = body {
            *native_session_id = native.or(native_session_id.take());
            *cli_version = version.or(cli_version.take());
            *model = model_in_use.or(model.take());
            *auth = account.or(auth.take());
        }
    });
}

fn permission(sheet: &mut Sheet, ask: PermissionAsk) {
    let key = permission_key(&ask.request_id);
    let body = ItemBody::Permission(Permission {
        request_id: ask.request_id,
        tool_call_id: ask.tool_call_id,
        tool_name: ask.tool_name,
        title: ask.title,
        kind: ask.kind,
        input: ask.input,
        options: ask.options,
        // Only the keeper knows.
        sidecar: None,
        state: PermissionState::Pending,
    });
    sheet.open(&key, None, body);
}

fn since(began: Option<String>, now: &str) -> Option<u64> {
    let began: Timestamp = began?.parse().ok()?;
    let now: Timestamp = now.parse().ok()?;
    u64::try_from(now.as_millisecond() - began.as_millisecond()).ok()
}
