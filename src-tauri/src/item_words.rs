//! Which words of an item can be found, and which items are places on the map of a transcript?
//!
//! Pure, over a page of items, so that neither a search nor a map is bound to what a page of the window holds.

use protocol::desk::{Mark, MarkKind};
use protocol::item::{Item, ItemBody, PermissionState, ToolContent};
use protocol::record::Delivery;
use protocol::view::ItemPage;
use serde_json::Value;

/// Characters of a mark's title.
const TITLE: usize = 80;

/// The places of a page whose items hold the words; letters count the same in both cases.
pub(crate) fn places_in(page: &ItemPage, words: &str) -> Vec<u64> {
    let wanted = words.to_lowercase();
    let holds = |item: &Item| {
        let mut found = false;
        words_of(&item.body, &mut |text| found = found || text.to_lowercase().contains(&wanted));
        found
    };
    (page.before..).zip(&page.items).filter(|(_, item)| holds(item)).map(|(place, _)| place).collect()
}

/// Prompts that began turns, errors and requests of a page.
pub(crate) fn marks_in(page: &ItemPage) -> Vec<Mark> {
    let mark = |(place, item): (u64, &Item)| {
        let (kind, title) = mark_of(&item.body)?;
        Some(Mark { place, kind, title: title.chars().take(TITLE).collect() })
    };
    (page.before..).zip(&page.items).filter_map(mark).collect()
}

/// Everything that a reader sees of an item, folded or not.
fn words_of(body: &ItemBody, tell: &mut impl FnMut(&str)) {
    match body {
        ItemBody::UserMessage { text, .. }
        | ItemBody::AgentMessage { text, .. }
        | ItemBody::Thought { text, .. }
        | ItemBody::Notice { text, .. } => tell(text),
        ItemBody::ToolCall(call) => {
            tell(&call.title);
            strings_of(&call.input, tell);
            call.content.iter().for_each(|content| words_of_content(content, tell));
        }
        ItemBody::Plan { entries } => entries.iter().for_each(|entry| tell(&entry.content)),
        ItemBody::Permission(asked) => {
            tell(&asked.title);
            tell(&asked.tool_name);
            strings_of(&asked.input, tell);
            if let PermissionState::Answered { message: Some(message), .. } = &asked.state {
                tell(message);
            }
        }
        ItemBody::Error { message, stderr_tail, .. } => {
            tell(message);
            stderr_tail.iter().for_each(|line| tell(line));
        }
        ItemBody::Unknown { label, raw } => {
            tell(label);
            strings_of(raw, tell);
        }
        ItemBody::Pod { name, task, .. } => {
            tell(name);
            tell(task);
        }
        ItemBody::Opened { .. } | ItemBody::TurnEnd { .. } | ItemBody::Ended { .. } => {}
    }
}

fn words_of_content(content: &ToolContent, tell: &mut impl FnMut(&str)) {
    match content {
        ToolContent::Text { text } => tell(text),
        ToolContent::Diff { path, old_text, new_text, patch } => {
            tell(path);
            [old_text, new_text, patch].into_iter().flatten().for_each(|text| tell(text));
        }
        ToolContent::Json { value } => strings_of(value, tell),
        ToolContent::Image { .. } => {}
    }
}

/// JSON of agents is parsed with a limit to its depth, so this comes to an end.
fn strings_of(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(values) => values.iter().for_each(|value| strings_of(value, tell)),
        Value::Object(fields) => fields.values().for_each(|value| strings_of(value, tell)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mark_of(body: &ItemBody) -> Option<(MarkKind, &str)> {
    match body {
        ItemBody::UserMessage { text, delivery, .. } => match delivery {
            Delivery::Prompt | Delivery::Queued => Some((MarkKind::Turn, text)),
            Delivery::Steer | Delivery::Notify | Delivery::Retry => None,
        },
        ItemBody::Error { message, .. } => Some((MarkKind::Error, message)),
        ItemBody::Permission(asked) => {
            let kind = match asked.state {
                PermissionState::Pending => MarkKind::Pending,
                PermissionState::Answered { .. } | PermissionState::Withdrawn => MarkKind::Request,
            };
            Some((kind, if asked.title.is_empty() { &asked.tool_name } else { &asked.title }))
        }
        ItemBody::AgentMessage { .. }
        | ItemBody::Thought { .. }
        | ItemBody::ToolCall(_)
        | ItemBody::Plan { .. }
        | ItemBody::Pod { .. }
        | ItemBody::Opened { .. }
        | ItemBody::TurnEnd { .. }
        | ItemBody::Notice { .. }
        | ItemBody::Ended { .. }
        | ItemBody::Unknown { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(bodies: &[Value]) -> ItemPage {
        let items = bodies.iter().map(|body| {
            let item = json!({ "id": "1.0", "seq": 1, "lastSeq": 1, "at": "", "body": body });
            serde_json::from_value(item).unwrap()
        });
        ItemPage { items: items.collect(), before: 40, total: 99, last_seq: 7 }
    }

    #[test]
    fn words_are_found_in_commands_outputs_and_answers_in_any_case() {
        let call = json!({ "type": "toolCall", "toolCallId": "t", "name": "Bash", "title": "Run it", "kind": "execute",
            "status": "completed", "input": { "command": ["cargo", { "deep": "LIGHTHOUSE keeper" }] },
            "content": [{ "type": "diff", "path": "a.rs", "oldText": "Lantern", "newText": null, "patch": null }],
            "locations": [], "endedAt": null, "durationMs": null });
        let page = page(&[
            json!({ "type": "agentMessage", "text": "The Größe of a lighthouse", "open": false }),
            call,
            json!({ "type": "turnEnd", "stopReason": "endTurn", "usage": null, "durationMs": null }),
        ]);
        assert_eq!(places_in(&page, "lightHouse"), [40, 41]);
        assert_eq!(places_in(&page, "GRÖSSE"), [] as [u64; 0]);
        assert_eq!(places_in(&page, "GRÖßE"), [40]);
        assert_eq!(places_in(&page, "lantern"), [41]);
        assert_eq!(places_in(&page, "endturn"), [] as [u64; 0]);
    }

    #[test]
    fn prompts_errors_and_requests_are_marks() {
        let said = |delivery: &str| json!({ "type": "userMessage", "text": "é".repeat(100), "delivery": delivery, "from": null });
        let error =
            json!({ "type": "error", "code": "c", "message": "It broke", "retryable": false, "stderrTail": [] });
        let marks = marks_in(&page(&[said("prompt"), said("steer"), error]));
        let kinds: Vec<(u64, MarkKind)> = marks.iter().map(|mark| (mark.place, mark.kind)).collect();
        assert_eq!(kinds, [(40, MarkKind::Turn), (42, MarkKind::Error)]);
        assert_eq!(marks[0].title.chars().count(), TITLE);
    }
}
