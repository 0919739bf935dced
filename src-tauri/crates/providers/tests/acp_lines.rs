//! What only ACP does: text that is finished by the runner, calls that are told in parts or not begun at all, terminals.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Adapter, Hint, Sheet, Weight, adapter};
use proptest::prelude::*;
use protocol::item::{ItemBody, ToolCall, ToolContent, ToolStatus};
use protocol::record::BlockKind;
use serde_json::{Value, json};

fn update(fields: Value) -> String {
    json!({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": fields}}).to_string()
}

fn chunk(kind: &str, text: &str) -> String {
    update(json!({"sessionUpdate": kind, "content": {"type": "text", "text": text}}))
}

fn delta(weight: Weight) -> (String, BlockKind, String) {
    let Weight::Delta(delta) = weight else { panic!("{weight:?} is no delta") };
    (delta.block, delta.kind, delta.text)
}

/// The items as they are at the end.
fn folded(events: &[String]) -> Vec<ItemBody> {
    let mut both = adapter("acp").unwrap();
    let (mut sheet, mut items) = (Sheet::new(), std::collections::BTreeMap::new());
    for (n, event) in events.iter().enumerate() {
        let closes = if let Weight::Durable { closes, .. } = both.weigh(event) { closes } else { None };
        sheet.begin(n as u64 + 1, "2026-11-21T08:00:00.000Z", closes.as_deref());
        both.fold(event, &mut sheet);
        for change in sheet.take() {
            items.insert((change.item.seq, change.item.id.clone()), change.item.body);
        }
    }
    items.into_values().collect()
}

fn only_call(events: &[String]) -> ToolCall {
    match folded(events).as_slice() {
        [ItemBody::ToolCall(call)] => call.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_is_one_until_the_runner_finishes_it() {
    let mut acp = adapter("acp").unwrap();
    let (first, kind, _) = delta(acp.weigh(&chunk("agent_thought_chunk", "hm")));
    assert_eq!(kind, BlockKind::Thought);
    assert_eq!(delta(acp.weigh(&chunk("agent_thought_chunk", "m"))).0, first);
    let closed = acp.weigh(r#"{"type":"thought","text":"hmm"}"#);
    assert_eq!(closed, Weight::Durable { closes: Some(first.clone()), hints: Vec::new() });
    let (second, kind, text) = delta(acp.weigh(&chunk("agent_message_chunk", "Yes.")));
    assert_eq!((kind, text.as_str()), (BlockKind::Message, "Yes."));
    assert_ne!(first, second);
    let closed = acp.weigh(r#"{"type":"text","text":"Yes."}"#);
    assert_eq!(closed, Weight::Durable { closes: Some(second), hints: vec![Hint::Said] });
    assert_eq!(acp.weigh(&chunk("agent_message_chunk", "")), Weight::Ephemeral);
}

#[test]
fn a_call_is_put_together_from_its_parts() {
    let started = json!({"sessionUpdate": "tool_call", "toolCallId": "c", "title": "Terminal", "kind": "execute",
        "status": "pending", "rawInput": {}, "content": [], "_meta": {"claudeCode": {"toolName": "Bash", "parentToolUseId": "p"}}});
    let told = json!({"sessionUpdate": "tool_call_update", "toolCallId": "c", "title": "echo a\nb", "rawInput": {"command": "echo a"},
        "locations": [{"path": "/a", "line": 3}, {"line": 4}]});
    let ended = json!({"sessionUpdate": "tool_call_update", "toolCallId": "c", "status": "completed",
        "content": [{"type": "content", "content": {"type": "text", "text": "```console\na\n```"}}, {"type": "hologram"}]});
    let call = only_call(&[update(started), update(told), update(ended)]);
    assert_eq!((call.name.as_str(), call.title.as_str(), call.status), ("Bash", "echo a", ToolStatus::Completed));
    assert_eq!(call.input, json!({"command": "echo a"}));
    assert_eq!((call.locations.len(), call.locations[0].line), (1, Some(3)));
    let hologram = ToolContent::Json { value: json!({"type": "hologram"}) };
    assert_eq!(call.content, [ToolContent::Text { text: "a".into() }, hologram]);
    assert!(call.ended_at.is_some());
}

#[test]
fn output_of_the_agents_own_terminal_is_joined_and_survives_new_content() {
    let meta = |data: &str, fields: Value| {
        let mut fields = fields;
        fields["sessionUpdate"] = json!("tool_call_update");
        fields["toolCallId"] = json!("c");
        fields["_meta"]["terminal_output_delta"] = json!({"data": data, "terminal_id": "c"});
        update(fields)
    };
    let started =
        update(json!({"sessionUpdate": "tool_call", "toolCallId": "c", "title": "x", "status": "in_progress",
        "content": [{"type": "terminal", "terminalId": "c"}]}));
    let ended = json!({"status": "failed", "content": [], "_meta": {"terminal_exit": {"exit_code": 3}}});
    let call = only_call(&[started, meta("one\n", json!({})), meta("two\n", ended)]);
    let text = |text: &str| ToolContent::Text { text: text.into() };
    assert_eq!(call.content, [text("one\ntwo\n"), text("exit code 3")]);
    assert_eq!(call.status, ToolStatus::Failed);
}

#[test]
fn a_terminal_of_the_runner_is_streamed_into_its_call_and_one_without_a_call_stands_alone() {
    let mut acp = adapter("acp").unwrap();
    let output = r#"{"type":"terminal_output","terminalId":"t","toolCallId":"c","text":"a"}"#;
    let Weight::Delta(delta) = acp.weigh(output) else { panic!("it is no delta") };
    assert_eq!((delta.kind, delta.parent.as_deref()), (BlockKind::ToolOutput, Some("c")));
    let exit = r#"{"type":"terminal_exit","terminalId":"t","toolCallId":"c","output":"a","exitCode":0}"#;
    assert_eq!(acp.weigh(exit), Weight::Durable { closes: Some(delta.block), hints: Vec::new() });
    let alone = r#"{"type":"terminal_exit","terminalId":"t","command":"make","output":"a","exitCode":2,"signal":null}"#;
    let call = only_call(&[alone.to_owned()]);
    assert_eq!((call.title.as_str(), call.status), ("Run make", ToolStatus::Failed));
}

#[test]
fn an_image_that_the_agent_shows_is_an_item_and_half_of_one_is_not_dropped() {
    let shown = |content: Value| update(json!({"sessionUpdate": "agent_message_chunk", "content": content}));
    let call = only_call(&[shown(json!({"type": "image", "mimeType": "image/png", "data": "QQ=="}))]);
    let image = ToolContent::Image { mime_type: "image/png".into(), data: "QQ==".into() };
    assert_eq!((call.status, call.content), (ToolStatus::Completed, vec![image]));
    assert!(call.ended_at.is_some());
    let broken = folded(&[shown(json!({"type": "image", "uri": "file:///a.png"}))]);
    assert!(matches!(broken[..], [ItemBody::Unknown { .. }]), "{broken:?}");
}

#[test]
fn a_cancelled_turn_cancels_what_runs() {
    let started =
        update(json!({"sessionUpdate": "tool_call", "toolCallId": "c", "title": "x", "status": "in_progress"}));
    let answer = r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"cancelled"}}"#.to_owned();
    assert_eq!(only_call(&[started, answer]).status, ToolStatus::Cancelled);
}

#[test]
fn an_agent_without_an_account_is_told() {
    let status = |kind: &str| {
        let status = json!({"kind": kind, "label": "Not logged in", "detail": "SECRET"});
        json!({"method": "_auth/status_update", "params": {"authStatus": status}}).to_string()
    };
    let [ItemBody::Notice { code, text, .. }] = &folded(&[status("none")])[..] else { panic!("no notice") };
    assert_eq!((code.as_str(), text.as_str()), ("auth", "Account: Not logged in."));
    assert!(folded(&[status("api_key")]).is_empty(), "the runner tells it");
}

proptest! {
    /// Whatever an update holds: it is shown as an item, streamed, or one of the kinds that are known to say nothing.
    #[test]
    fn no_update_of_an_unknown_kind_is_dropped(kind in "[a-z_]{1,20}", words in "\\PC{0,40}", more in any::<u32>()) {
        let known = ["user_message_chunk", "available_commands_update", "config_option_update", "session_info_update",
            "usage_update", "compaction_summary_chunk", "compaction_update", "current_mode_update", "notice"];
        prop_assume!(!known.contains(&kind.as_str()));
        let event = update(json!({"sessionUpdate": kind, "words": words, "more": more}));
        let items = folded(std::slice::from_ref(&event));
        prop_assert_eq!(items.len(), 1);
        let shown = serde_json::to_string(&items).unwrap();
        let raw: Value = serde_json::from_str(&event).unwrap();
        prop_assert!(matches!(&items[0], ItemBody::Unknown { raw: kept, .. } if *kept == raw), "{}", shown);
    }

    /// Chunks and what finishes them, in any order and number: what is streamed is never more than one open block.
    #[test]
    fn blocks_never_run_into_each_other(steps in proptest::collection::vec(0..4_u8, 0..40)) {
        let mut acp: Box<dyn Adapter> = adapter("acp").unwrap();
        let mut open: Option<(BlockKind, String)> = None;
        for step in steps {
            let (kind, event) = match step {
                0 => (BlockKind::Message, chunk("agent_message_chunk", "a")),
                1 => (BlockKind::Thought, chunk("agent_thought_chunk", "b")),
                2 => (BlockKind::Message, r#"{"type":"text","text":"a"}"#.to_owned()),
                _ => (BlockKind::Thought, r#"{"type":"thought","text":"b"}"#.to_owned()),
            };
            match acp.weigh(&event) {
                Weight::Delta(delta) => {
                    if let Some((before, block)) = &open {
                        prop_assert_eq!(*before == kind, *block == delta.block);
                    }
                    open = Some((kind, delta.block));
                }
                Weight::Durable { closes, .. } => {
                    let expected = open.take_if(|(before, _)| *before == kind).map(|(_, block)| block);
                    prop_assert_eq!(closes, expected);
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
