//! Lines of claude that the recordings do not have: edits with patches, plans, compaction, limits, older versions.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Adapter, Hint, ItemChange, Sheet, Weight, adapter};
use protocol::failure::FailureClass;
use protocol::item::{ItemBody, PlanStatus, ToolCall, ToolContent, ToolStatus};
use protocol::record::BlockKind;
use serde_json::{Value, json};

struct Reader {
    claude: Box<dyn Adapter>,
    sheet: Sheet,
    seq: u64,
}

impl Reader {
    fn new() -> Self {
        Self { claude: adapter("claude").unwrap(), sheet: Sheet::new(), seq: 0 }
    }

    fn fold(&mut self, event: &Value) -> Vec<ItemChange> {
        self.seq += 1;
        self.sheet.begin(self.seq, "2026-11-21T08:00:01.000Z", None);
        self.claude.fold(&event.to_string(), &mut self.sheet);
        self.sheet.take()
    }

    fn bodies(&mut self, event: &Value) -> Vec<ItemBody> {
        self.fold(event).into_iter().map(|change| change.item.body).collect()
    }

    fn call(&mut self, event: &Value) -> ToolCall {
        match self.bodies(event).into_iter().next() {
            Some(ItemBody::ToolCall(call)) => call,
            other => panic!("{other:?}"),
        }
    }
}

fn uses(id: &str, name: &str, input: &Value) -> Value {
    json!({"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":id,"name":name,"input":input}]}})
}

fn gives(id: &str, content: &Value, is_error: bool, structured: &Value) -> Value {
    let result = json!({"type":"tool_result","tool_use_id":id,"content":content,"is_error":is_error});
    json!({"type":"user","message":{"content":[result]},"tool_use_result":structured})
}

#[test]
fn an_edit_shows_its_texts_first_and_its_patch_with_line_numbers_after() {
    let mut reader = Reader::new();
    let call = reader.call(&uses("e", "Edit", &json!({"file_path":"src/lib.rs","old_string":"a","new_string":"b"})));
    assert_eq!(call.title, "Edit src/lib.rs");
    let (old_text, new_text) = (Some("a".to_owned()), Some("b".to_owned()));
    assert_eq!(call.content, [ToolContent::Diff { path: "src/lib.rs".into(), old_text, new_text, patch: None }]);
    let structured = json!({"filePath":"src/lib.rs","structuredPatch":[
        {"oldStart":7,"oldLines":1,"newStart":7,"newLines":1,"lines":["-a","+b"]}]});
    let call = reader.call(&gives("e", &json!("The file was updated."), false, &structured));
    assert_eq!(call.status, ToolStatus::Completed);
    assert_eq!(call.ended_at.as_deref(), Some("2026-11-21T08:00:01.000Z"));
    let patch = Some("@@ -7,1 +7,1 @@\n-a\n+b\n".to_owned());
    assert_eq!(call.content, [ToolContent::Diff { path: "src/lib.rs".into(), old_text: None, new_text: None, patch }]);
}

#[test]
fn an_edit_that_failed_keeps_what_was_planned_and_says_why() {
    let mut reader = Reader::new();
    let edits = json!([{"old_string":"a","new_string":"b"},{"old_string":"c","new_string":"d"}]);
    reader.fold(&uses("e", "MultiEdit", &json!({"file_path":"x","edits":edits})));
    let call = reader.call(&gives("e", &json!("String to replace not found"), true, &Value::Null));
    assert_eq!(call.status, ToolStatus::Failed);
    assert_eq!(call.content.len(), 3, "two planned changes and the reason: {:?}", call.content);
}

#[test]
fn a_refusal_of_an_older_version_is_a_denial() {
    let mut reader = Reader::new();
    reader.fold(&uses("b", "Bash", &json!({"command":"rm -rf /"})));
    let words = json!("The user doesn't want to proceed with this tool use. The tool use was rejected");
    assert_eq!(reader.call(&gives("b", &words, true, &Value::Null)).status, ToolStatus::Denied);
    reader.fold(&uses("c", "Bash", &json!({"command":"ls"})));
    let result = json!({"type":"result","subtype":"success","permission_denials":[{"tool_use_id":"c"}]});
    assert_eq!(reader.call(&result).status, ToolStatus::Denied, "a denial without a result is told by the turn's end");
}

#[test]
fn todo_write_is_a_call_and_a_plan() {
    let mut reader = Reader::new();
    let todos =
        json!([{"content":"one","status":"completed","activeForm":"x"},{"content":"two","status":"in_progress"}]);
    let bodies = reader.bodies(&uses("t", "TodoWrite", &json!({"todos": todos})));
    let ItemBody::Plan { entries } = &bodies[1] else { panic!("{bodies:?}") };
    let steps: Vec<_> = entries.iter().map(|entry| (entry.content.as_str(), entry.status)).collect();
    assert_eq!(steps, [("one", PlanStatus::Completed), ("two", PlanStatus::InProgress)]);
}

#[test]
fn the_task_tools_keep_one_plan() {
    let mut reader = Reader::new();
    let plan = |bodies: Vec<ItemBody>| match bodies.last() {
        Some(ItemBody::Plan { entries }) => {
            entries.iter().map(|it| format!("{} {:?}", it.content, it.status)).collect()
        }
        other => vec![format!("{other:?}")],
    };
    for (call, subject, id) in [("c1", "first", json!("1")), ("c2", "second", json!(2))] {
        reader.fold(&uses(call, "TaskCreate", &json!({"subject": subject, "description": "…"})));
        reader.fold(&gives(call, &json!("created"), false, &json!({"task": {"id": id, "subject": subject}})));
    }
    let update = |id: &str, input: Value| uses(id, "TaskUpdate", &input);
    let bodies = reader.bodies(&update("u1", json!({"taskId":"2","status":"in_progress"})));
    assert_eq!(plan(bodies), ["first Pending", "second InProgress"]);
    let bodies = reader.bodies(&update("u2", json!({"taskId":"1","status":"deleted"})));
    assert_eq!(plan(bodies), ["second InProgress"]);
}

#[test]
fn system_lines_that_matter_are_notices() {
    let mut reader = Reader::new();
    let mut notice = |event: Value| match reader.bodies(&event).as_slice() {
        [ItemBody::Notice { code, text, .. }] => format!("{code}: {text}"),
        other => format!("{other:?}"),
    };
    let boundary =
        json!({"type":"system","subtype":"compact_boundary","compact_metadata":{"trigger":"auto","pre_tokens":155000}});
    assert_eq!(
        notice(boundary),
        "compacted: The conversation was compacted because the context was full. It had 155000 tokens."
    );
    let hook = json!({"type":"system","subtype":"hook_response","hook_name":"PreToolUse:Bash","exit_code":2,"stderr":"no rm\n"});
    assert_eq!(notice(hook), "hook: Hook PreToolUse:Bash failed: no rm");
    let limit = json!({"type":"rate_limit_event","rate_limit_info":{"status":"rejected","rateLimitType":"five_hour"}});
    assert_eq!(notice(limit), "rate_limit: The five hour limit is reached.");
    assert_eq!(notice(json!({"type":"rate_limit_event","rate_limit_info":{"status":"allowed"}})), "[]");
    let printed =
        json!({"type":"user","message":{"content":"<local-command-stdout>Total cost: $1</local-command-stdout>"}});
    assert_eq!(notice(printed), "command_output: Total cost: $1");
}

#[test]
fn a_sub_agents_failed_call_to_the_api_belongs_to_it() {
    let event = json!({"type":"assistant","parent_tool_use_id":"a","is_api_error_message":true,"api_error_status":529,
        "api_error_type":"overloaded_error","message":{"content":[{"type":"text","text":"API Error: 529"}]}});
    let change = Reader::new().fold(&event).remove(0);
    assert_eq!(change.item.parent.as_deref(), Some("a"));
    assert!(matches!(change.item.body, ItemBody::Error { retryable: true, .. }), "{:?}", change.item.body);
}

fn delta(parent: Option<&str>, index: u32, piece: &Value) -> String {
    let event = json!({"type":"content_block_delta","index":index,"delta":piece});
    json!({"type":"stream_event","event":event,"parent_tool_use_id":parent}).to_string()
}

fn begins(parent: Option<&str>, id: &str) -> String {
    let event = json!({"type":"message_start","message":{"id":id}});
    json!({"type":"stream_event","event":event,"parent_tool_use_id":parent}).to_string()
}

fn finishes(parent: Option<&str>, id: &str, block: &Value) -> String {
    json!({"type":"assistant","message":{"id":id,"content":[block]},"parent_tool_use_id":parent}).to_string()
}

#[test]
fn two_agents_stream_at_once_without_mixing() {
    let mut claude = adapter("claude").unwrap();
    let mut block = |line: String| match claude.weigh(&line) {
        Weight::Delta(delta) => Some((delta.block, delta.kind, delta.parent)),
        Weight::Durable { closes, .. } => closes.map(|block| (block, BlockKind::Message, None)),
        Weight::Ephemeral | Weight::KeepAlive => None,
    };
    let words = json!({"type":"text_delta","text":"x"});
    let text = json!({"type":"text","text":"x"});
    assert_eq!(block(begins(None, "m1")), None);
    assert_eq!(block(begins(Some("t1"), "m2")), None);
    assert_eq!(block(delta(None, 0, &words)), Some(("/m1/0".into(), BlockKind::Message, None)));
    assert_eq!(block(delta(Some("t1"), 0, &words)), Some(("t1/m2/0".into(), BlockKind::Message, Some("t1".into()))));
    assert_eq!(block(delta(None, 1, &json!({"type":"input_json_delta","partial_json":""}))), None);
    let input = json!({"type":"input_json_delta","partial_json":"{"});
    assert_eq!(block(delta(None, 1, &input)), Some(("/m1/1".into(), BlockKind::ToolInput, None)));
    assert_eq!(block(finishes(Some("t1"), "m2", &text)), Some(("t1/m2/0".into(), BlockKind::Message, None)));
    let call = json!({"type":"tool_use","id":"t","name":"Bash","input":{}});
    assert_eq!(block(finishes(None, "m1", &call)), Some(("/m1/1".into(), BlockKind::Message, None)));
    assert_eq!(block(finishes(None, "other", &text)), None, "a message that was not streamed finishes nothing");
    assert_eq!(block(finishes(None, "m1", &text)), Some(("/m1/0".into(), BlockKind::Message, None)));
}

#[test]
fn a_retry_closes_the_block_that_broke_off() {
    let mut claude = adapter("claude").unwrap();
    claude.weigh(&begins(None, "m1"));
    claude.weigh(&delta(None, 0, &json!({"type":"text_delta","text":"half an ans"})));
    let retry = r#"{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"retry_delay_ms":1180.4,"error_status":529,"error":"overloaded"}"#;
    let told = Hint::Retrying { attempt: 1, of: 10, class: FailureClass::Overloaded, after_ms: Some(1180) };
    let durable =
        |closes: Option<&str>| Weight::Durable { closes: closes.map(str::to_owned), hints: vec![told.clone()] };
    assert_eq!(claude.weigh(retry), durable(Some("/m1/0")));
    assert_eq!(claude.weigh(retry), durable(None));
}

#[test]
fn words_are_told_to_the_keeper_and_an_api_error_is_no_word() {
    let mut claude = adapter("claude").unwrap();
    let mut hints = |more: &str| {
        let line =
            format!(r#"{{"type":"assistant","message":{{"id":"m","content":[{{"type":"text","text":"x"}}]}}{more}}}"#);
        claude.weigh(&line)
    };
    assert_eq!(hints(""), Weight::Durable { closes: None, hints: vec![Hint::Said] });
    assert_eq!(hints(r#","isApiErrorMessage":true"#), Weight::durable());
    assert_eq!(hints(r#","is_api_error_message":true"#), Weight::durable());
    assert_eq!(claude.weigh(r#"{"type":"keep_alive"}"#), Weight::KeepAlive);
}

#[test]
fn tools_are_told_to_the_keeper() {
    let mut claude = adapter("claude").unwrap();
    let started = Hint::ToolStarted { id: "t".into(), name: "Bash".into() };
    let line = uses("t", "Bash", &json!({"command":"ls"})).to_string();
    assert_eq!(claude.weigh(&line), Weight::Durable { closes: None, hints: vec![started] });
    let line = gives("t", &json!("ok"), false, &Value::Null).to_string();
    assert_eq!(claude.weigh(&line), Weight::Durable { closes: None, hints: vec![Hint::ToolEnded { id: "t".into() }] });
}
