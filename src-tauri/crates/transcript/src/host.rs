//! What Outrigger's own records mean to a person.

use protocol::failure::FailureClass;
use protocol::health::HealthVerdict;
use protocol::item::{ItemBody, PermissionState, ToolStatus};
use protocol::permission::PermissionPolicy;
use protocol::record::{BlockKind, HostRecord, NoticeLevel};
use providers::Sheet;
use providers::sheet::partial_key;

use crate::pod_tree;

pub(crate) fn fold(sheet: &mut Sheet, record: HostRecord) {
    match record {
        HostRecord::Opened { provider, cwd, model, permission_mode: _, resumes, permissions } => {
            settle(sheet);
            let body = ItemBody::Opened {
                provider,
                model,
                cwd,
                resumes,
                native_session_id: None,
                cli_version: None,
                auth: None,
                permissions: Some(permissions).filter(|policy| *policy != PermissionPolicy::Ask),
            };
            sheet.open(OPENED, None, body);
        }
        HostRecord::Prompt { text, delivery, from, prompt_id: _, attachments } => {
            sheet.add(None, ItemBody::UserMessage { text, delivery, from, attachments });
        }
        // The pod's status shows the queue; the transcript shows a prompt when the agent gets it.
        HostRecord::PromptQueued { .. } | HostRecord::PromptEdited { .. } | HostRecord::PromptRemoved { .. } => {}
        HostRecord::PermissionAnswered { request_id, outcome, message, by, rule } => {
            settle_permission(sheet, &request_id, PermissionState::Answered { outcome, message, by, rule });
        }
        HostRecord::PermissionOfSidecar { request_id, sidecar: of } => {
            sheet.change(&permission_key(&request_id), |body| {
                if let ItemBody::Permission(permission) = body {
                    permission.sidecar = Some(of);
                }
            });
        }
        // The end of the turn or of the session says it.
        HostRecord::InterruptAsked | HostRecord::StopAsked { .. } => {}
        HostRecord::Partial { block, kind, parent, from, text } => {
            partial(sheet, &block, kind, parent.as_deref(), from, &text);
        }
        HostRecord::Block { block, kind, parent, text } => finished(sheet, &block, kind, parent.as_deref(), text),
        HostRecord::Notice { level, code, text } => sheet.add(None, ItemBody::Notice { level, code, text }),
        HostRecord::RuleForgotten { rule } => {
            let text = format!("No longer allowed for good: {}.", rule.words);
            sheet.add(None, ItemBody::Notice { level: NoticeLevel::Info, code: "rule_forgotten".to_owned(), text });
        }
        HostRecord::Changed { model, permission_mode, permissions } => {
            changed(sheet, model, permission_mode);
            if let Some(policy) = permissions {
                let text = policy_words(policy).to_owned();
                sheet.add(None, ItemBody::Notice { level: NoticeLevel::Info, code: "changed".to_owned(), text });
            }
        }
        HostRecord::RunnerFailed { code, message, exit_code, signal, stderr_tail } => {
            settle(sheet);
            let class = if signal.is_some() { FailureClass::Killed } else { FailureClass::of(&code) };
            sheet.add(None, ItemBody::Error { code, message, retryable: true, class, exit_code, signal, stderr_tail });
        }
        HostRecord::Retrying { prompt_id: _, attempt, of, after_ms, class: _ } => {
            let text = format!("Trying again in {} s (attempt {attempt} of {of}).", after_ms.div_ceil(1000));
            sheet.add(None, ItemBody::Notice { level: NoticeLevel::Info, code: "retrying".to_owned(), text });
        }
        HostRecord::Health { verdict, was, reasons } => {
            if let Some(text) = health(verdict, was, &reasons) {
                sheet.add(None, ItemBody::Notice { level: NoticeLevel::Info, code: "health".to_owned(), text });
            }
        }
        HostRecord::PodSpawned { session, name, provider, task, rules } => {
            sheet.add(None, ItemBody::Pod { session, name, provider, task, rules });
        }
        // The agent's own tool call shows it; the record is there for whoever reads the journal. Only we know which sidecar served it.
        HostRecord::ToolCalled { name, sidecar, .. } => {
            if let Some(sidecar) = sidecar {
                served(sheet, &name, sidecar);
            }
        }
        HostRecord::PodTurn { session: _, name, outcome } => notice(sheet, pod_tree::turn(&name, outcome)),
        HostRecord::Scoped { rules, taken, confinement } => {
            notice(sheet, pod_tree::scoped(rules.as_deref(), &taken, &confinement));
        }
        HostRecord::BudgetChanged { budget } => notice(sheet, pod_tree::budget_changed(&budget)),
        HostRecord::BudgetUsed { limit: _, text } => {
            notice(sheet, Some((NoticeLevel::Warning, "budget_used", text)));
        }
        HostRecord::ForeignWrite { write } => notice(sheet, pod_tree::foreign_write(&write)),
        HostRecord::Ended { outcome, survivors } => {
            settle(sheet);
            sheet.add(None, ItemBody::Ended { outcome, survivors });
        }
    }
}

/// Says at the newest open call of a tool which sidecar served it. Agents put the name of our server before the tool's.
fn served(sheet: &mut Sheet, tool: &str, sidecar: String) {
    let is_of = |name: &str| {
        let before = name.strip_suffix(tool);
        before.is_some_and(|before| before.chars().next_back().is_none_or(|sign| !sign.is_ascii_alphanumeric()))
    };
    let newest = sheet
        .open_items()
        .filter(|item| matches!(&item.body, ItemBody::ToolCall(call) if call.sidecar.is_none() && is_of(&call.name)))
        .max_by_key(|item| item.seq)
        .map(|item| item.id.clone());
    let Some(id) = newest else { return };
    let keys = sheet.open_keys("");
    let Some(key) = keys.into_iter().find(|key| sheet.id_of(key).as_ref() == Some(&id)) else { return };
    sheet.change(&key, |body| {
        if let ItemBody::ToolCall(call) = body {
            call.sidecar = Some(sidecar);
        }
    });
}

/// What is told of something, if it is worth telling: how bad it is, a word for programs, and words for people.
pub(crate) type Told = Option<(NoticeLevel, &'static str, String)>;

fn notice(sheet: &mut Sheet, told: Told) {
    if let Some((level, code, text)) = told {
        sheet.add(None, ItemBody::Notice { level, code: code.to_owned(), text });
    }
}

/// A change of the agent's health as people are told it. That it is quiet for a while, and speaks again, is no news.
fn health(verdict: HealthVerdict, was: HealthVerdict, reasons: &[String]) -> Option<String> {
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    match (trouble(verdict), trouble(was)) {
        (Some((now, _)), _) => Some(format!("The agent {now}{reasons}.")),
        (None, Some((_, over))) => Some(format!("The agent {over}.")),
        (None, None) => None,
    }
}

/// What the agent's trouble is, if it has one, and what is said when it is over.
fn trouble(verdict: HealthVerdict) -> Option<(&'static str, &'static str)> {
    match verdict {
        HealthVerdict::Stalled => Some(("is stalled", "is no longer stalled")),
        HealthVerdict::Degraded => Some(("is held up by its provider", "is no longer held up by its provider")),
        HealthVerdict::AuthFailed => Some(("cannot sign in", "can sign in again")),
        // That it is gone is told by the error which says how it ended.
        HealthVerdict::Gone | HealthVerdict::Ok | HealthVerdict::Quiet | HealthVerdict::Unknown => None,
    }
}

/// The key of the item that says how the session was opened.
pub(crate) const OPENED: &str = "opened";

/// Nothing more will come for what is open: tool calls are cancelled, requests withdrawn, half texts left as they are.
pub(crate) fn settle(sheet: &mut Sheet) {
    for key in sheet.open_keys("") {
        sheet.change_if(&key, |body| match body {
            ItemBody::AgentMessage { open, .. } | ItemBody::Thought { open, .. } => std::mem::replace(open, false),
            ItemBody::ToolCall(call) => match call.status {
                ToolStatus::Pending | ToolStatus::Running => {
                    call.status = ToolStatus::Cancelled;
                    true
                }
                ToolStatus::Completed | ToolStatus::Failed | ToolStatus::Denied | ToolStatus::Cancelled => false,
            },
            ItemBody::Permission(permission) => match permission.state {
                PermissionState::Pending => {
                    permission.state = PermissionState::Withdrawn;
                    true
                }
                PermissionState::Answered { .. } | PermissionState::Withdrawn => false,
            },
            ItemBody::UserMessage { .. }
            | ItemBody::Plan { .. }
            | ItemBody::Opened { .. }
            | ItemBody::TurnEnd { .. }
            | ItemBody::Notice { .. }
            | ItemBody::Error { .. }
            | ItemBody::Pod { .. }
            | ItemBody::Ended { .. }
            | ItemBody::Unknown { .. } => false,
        });
        sheet.close(&key);
    }
}

/// Gives a pending request its end.
pub(crate) fn settle_permission(sheet: &mut Sheet, request_id: &str, state: PermissionState) {
    let key = permission_key(request_id);
    sheet.change(&key, |body| {
        if let ItemBody::Permission(permission) = body {
            permission.state = state;
        }
    });
    sheet.close(&key);
}

pub(crate) fn permission_key(request_id: &str) -> String {
    format!("permission:{request_id}")
}

fn partial(sheet: &mut Sheet, block: &str, kind: BlockKind, parent: Option<&str>, from: u64, more: &str) {
    let key = partial_key(block);
    let continues = sheet.peek(&key).is_some() && from > 0;
    if continues {
        sheet.change(&key, |body| {
            if let ItemBody::AgentMessage { text, .. } | ItemBody::Thought { text, .. } = body
                && text.len() as u64 == from
            {
                text.push_str(more);
            }
        });
    } else if let Some(body) = text_body(kind, more.to_owned(), true) {
        sheet.open(&key, parent, body);
    }
}

fn finished(sheet: &mut Sheet, block: &str, kind: BlockKind, parent: Option<&str>, text: String) {
    let Some(body) = text_body(kind, text, false) else { return };
    sheet.finish(block);
    sheet.add(parent, body);
}

/// The item that shows a block's text. A tool's input and output show in the tool call instead.
fn text_body(kind: BlockKind, text: String, open: bool) -> Option<ItemBody> {
    match kind {
        BlockKind::Message => Some(ItemBody::AgentMessage { text, open }),
        BlockKind::Thought => Some(ItemBody::Thought { text, open }),
        BlockKind::ToolInput | BlockKind::ToolOutput => None,
    }
}

fn changed(sheet: &mut Sheet, model: Option<String>, mode: Option<protocol::provider::PermissionMode>) {
    use protocol::provider::PermissionMode;
    let mode = mode.map(|mode| match mode {
        PermissionMode::Ask => "ask",
        PermissionMode::AcceptEdits => "accept edits",
        PermissionMode::Plan => "plan",
        PermissionMode::Bypass => "bypass",
    });
    let text = match (model, mode) {
        (Some(model), Some(mode)) => format!("Model changed to {model}, mode to {mode}."),
        (Some(model), None) => format!("Model changed to {model}."),
        (None, Some(mode)) => format!("Mode changed to {mode}."),
        (None, None) => return,
    };
    sheet.add(None, ItemBody::Notice { level: NoticeLevel::Info, code: "changed".to_owned(), text });
}

fn policy_words(policy: PermissionPolicy) -> &'static str {
    match policy {
        PermissionPolicy::Ask => "Requests are put to you from now on.",
        PermissionPolicy::Allow => "Every request is allowed from now on.",
        PermissionPolicy::Deny => "Every request is denied from now on.",
    }
}

#[cfg(test)]
mod tests {
    use protocol::item::{Item, ToolCall};
    use protocol::runner::ToolKind;
    use serde_json::json;

    use super::*;

    fn call(id: &str, name: &str) -> ItemBody {
        ItemBody::ToolCall(ToolCall {
            tool_call_id: id.to_owned(),
            name: name.to_owned(),
            title: name.to_owned(),
            kind: ToolKind::Other,
            status: ToolStatus::Running,
            input: json!({}),
            content: Vec::new(),
            locations: Vec::new(),
            ended_at: None,
            duration_ms: None,
            sidecar: None,
        })
    }

    fn called(sidecar: Option<&str>) -> HostRecord {
        HostRecord::ToolCalled {
            name: "query".to_owned(),
            arguments: "{}".to_owned(),
            answer: "1".to_owned(),
            is_error: false,
            duration_ms: 4,
            sidecar: sidecar.map(str::to_owned),
        }
    }

    fn sidecars(sheet: &Sheet) -> Vec<(String, Option<String>)> {
        let mut items: Vec<&Item> = sheet.open_items().collect();
        items.sort_by_key(|item| item.seq);
        let pairs = items.into_iter().filter_map(|item| {
            let ItemBody::ToolCall(call) = &item.body else { return None };
            Some((call.tool_call_id.clone(), call.sidecar.clone()))
        });
        pairs.collect()
    }

    #[test]
    fn the_newest_call_of_the_tool_says_which_sidecar_served_it() {
        let mut sheet = Sheet::new();
        for (seq, (id, name)) in (1u64..).zip([
            ("a", "mcp__outrigger__query"),
            ("b", "mcp__outrigger__query"),
            ("c", "mcp__outrigger__requery"),
            ("d", "Bash"),
        ]) {
            sheet.begin(seq, "2026-11-22T02:00:00Z", None);
            sheet.open(&format!("tool:{id}"), None, call(id, name));
        }
        fold(&mut sheet, called(None));
        assert!(sidecars(&sheet).iter().all(|(_, sidecar)| sidecar.is_none()), "a tool of pods has none");
        fold(&mut sheet, called(Some("staging")));
        let named = |id: &str, sidecar: Option<&str>| (id.to_owned(), sidecar.map(str::to_owned));
        let nobody = [named("c", None), named("d", None)];
        assert_eq!(sidecars(&sheet)[..2], [named("a", None), named("b", Some("staging"))]);
        assert_eq!(sidecars(&sheet)[2..], nobody);
        fold(&mut sheet, called(Some("staging")));
        assert_eq!(sidecars(&sheet)[0], named("a", Some("staging")));
        assert_eq!(sidecars(&sheet)[2..], nobody);
    }
}
