//! What of a transcript does a time line show?
//!
//! Pure, over items: turns with how long they took, prompts, pods that were spawned, requests, refusals, errors, the end.

use protocol::item::{Item, ItemBody};
use protocol::pods_view::{MomentKind, PodMoment};
use protocol::runner::StopReason;

/// Characters of a title.
const TITLE: usize = 120;

/// What happened in these items that a time line shows, in order.
pub(crate) fn moments_in(items: &[Item]) -> Vec<PodMoment> {
    items.iter().filter_map(moment).collect()
}

fn moment(item: &Item) -> Option<PodMoment> {
    let (kind, title, duration_ms) = of(&item.body)?;
    let title = title.lines().next().unwrap_or_default().chars().take(TITLE).collect();
    Some(PodMoment { at: item.at.clone(), item: item.id.clone(), kind, title, duration_ms })
}

fn mark(kind: MomentKind, title: &str) -> Option<(MomentKind, &str, Option<u64>)> {
    Some((kind, title, None))
}

fn of(body: &ItemBody) -> Option<(MomentKind, &str, Option<u64>)> {
    match body {
        ItemBody::UserMessage { text, .. } => mark(MomentKind::Prompt, text),
        ItemBody::TurnEnd { stop_reason, duration_ms, .. } => {
            let (kind, title) = match stop_reason {
                StopReason::EndTurn => (MomentKind::Turn, ""),
                StopReason::MaxTurns => (MomentKind::BrokenTurn, "at the limit of turns"),
                StopReason::Interrupted => (MomentKind::BrokenTurn, "interrupted"),
                StopReason::Refused => (MomentKind::BrokenTurn, "the model refused"),
                StopReason::Error => (MomentKind::BrokenTurn, "failed"),
            };
            Some((kind, title, Some(duration_ms.unwrap_or(0))))
        }
        ItemBody::Pod { name, .. } => mark(MomentKind::Spawn, name),
        ItemBody::Permission(asked) => {
            mark(MomentKind::Request, if asked.title.is_empty() { &asked.tool_name } else { &asked.title })
        }
        ItemBody::Notice { code, text, .. } => match code.as_str() {
            "budget_used" => mark(MomentKind::BudgetRefusal, text),
            "foreign_write" => mark(MomentKind::ForeignWrite, text),
            _ => None,
        },
        ItemBody::Error { message, .. } => mark(MomentKind::Error, message),
        ItemBody::Ended { .. } => mark(MomentKind::End, ""),
        ItemBody::AgentMessage { .. }
        | ItemBody::Thought { .. }
        | ItemBody::ToolCall(_)
        | ItemBody::Plan { .. }
        | ItemBody::Opened { .. }
        | ItemBody::Unknown { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(body: &Value) -> Item {
        let item = json!({ "id": "7.0", "seq": 7, "lastSeq": 7, "at": "2026-01-01T00:00:00Z", "body": body });
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn turns_spawns_refusals_and_ends_are_moments() {
        let notice = |code: &str| json!({ "type": "notice", "level": "warning", "code": code, "text": "no more" });
        let pod = json!({ "type": "pod", "session": "0190b0aa-0000-7000-8000-000000000001", "name": "lexer",
            "provider": "demo", "task": "t", "rules": null });
        let items = [
            item(&json!({ "type": "userMessage", "text": "one\ntwo", "delivery": "prompt", "from": null })),
            item(&json!({ "type": "agentMessage", "text": "hm", "open": false })),
            item(&pod),
            item(&notice("budget_used")),
            item(&notice("torn_tail")),
            item(&json!({ "type": "turnEnd", "stopReason": "interrupted", "usage": null, "durationMs": 40 })),
        ];
        let moments = moments_in(&items);
        let told: Vec<(MomentKind, &str)> = moments.iter().map(|one| (one.kind, one.title.as_str())).collect();
        let wanted = [
            (MomentKind::Prompt, "one"),
            (MomentKind::Spawn, "lexer"),
            (MomentKind::BudgetRefusal, "no more"),
            (MomentKind::BrokenTurn, "interrupted"),
        ];
        assert_eq!(told, wanted);
        assert_eq!(moments[3].duration_ms, Some(40));
    }
}
