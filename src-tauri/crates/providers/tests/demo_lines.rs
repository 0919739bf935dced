//! The demo agent's events, as `runners/demo.mjs` sends them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Delta, Hint, Sheet, Weight, adapter};
use protocol::item::{ItemBody, PlanStatus, ToolStatus};
use protocol::record::BlockKind;
use protocol::runner::ToolKind;

const TURN: [&str; 8] = [
    r#"{"type":"plan","entries":[{"content":"Look","status":"completed"},{"content":"Tell","status":"in_progress"}]}"#,
    r#"{"type":"thought_delta","block":1,"text":"Hm"}"#,
    r#"{"type":"thought","block":1,"text":"Hm."}"#,
    r#"{"type":"tool_call","id":"c1","name":"read_file","kind":"read","title":"Read a.txt","input":{"path":"a.txt"}}"#,
    r#"{"type":"tool_result","id":"c1","ok":true,"output":"text","durationMs":3}"#,
    r#"{"type":"tool_call","id":"c2","name":"shell","kind":"execute","title":"Run: ls","input":{"command":"ls"}}"#,
    r#"{"type":"tool_result","id":"c2","ok":false,"output":"no such file","durationMs":0}"#,
    r#"{"type":"text","block":2,"text":"Done."}"#,
];

#[test]
fn a_turn_reads_as_it_was_played() {
    let mut demo = adapter("demo").unwrap();
    let mut sheet = Sheet::new();
    let mut bodies = Vec::new();
    for (n, line) in TURN.iter().enumerate() {
        sheet.begin(n as u64 + 1, "t", None);
        demo.fold(line, &mut sheet);
        bodies.extend(sheet.take().into_iter().map(|change| change.item.body));
    }
    assert!(matches!(&bodies[0], ItemBody::Plan { entries } if entries[1].status == PlanStatus::InProgress));
    assert!(matches!(&bodies[1], ItemBody::Thought { text, open: false } if text == "Hm."));
    let ItemBody::ToolCall(read) = &bodies[3] else { panic!("{bodies:?}") };
    assert_eq!((read.kind, read.status, read.duration_ms), (ToolKind::Read, ToolStatus::Completed, Some(3)));
    assert_eq!(read.locations[0].path, "a.txt");
    let ItemBody::ToolCall(shell) = &bodies[5] else { panic!("{bodies:?}") };
    assert_eq!(shell.status, ToolStatus::Failed);
    assert!(matches!(&bodies[6], ItemBody::AgentMessage { text, .. } if text == "Done."));
    assert_eq!(bodies.len(), 7);
    assert!(sheet.open_keys("").is_empty(), "nothing stays open");
}

#[test]
fn deltas_are_streamed_and_blocks_are_records() {
    let mut demo = adapter("demo").unwrap();
    let delta = Delta { block: "demo/1".into(), kind: BlockKind::Thought, parent: None, text: "Hm".into() };
    assert_eq!(demo.weigh(TURN[1]), Weight::Delta(delta));
    assert_eq!(demo.weigh(TURN[2]), Weight::Durable { closes: Some("demo/1".into()), hints: vec![] });
    let started = Hint::ToolStarted { id: "c1".into(), name: "read_file".into() };
    assert_eq!(demo.weigh(TURN[3]), Weight::Durable { closes: None, hints: vec![started] });
    assert_eq!(demo.weigh(TURN[4]), Weight::Durable { closes: None, hints: vec![Hint::ToolEnded { id: "c1".into() }] });
    assert_eq!(demo.weigh(r#"{"type":"text_delta","block":1,"text":""}"#), Weight::Ephemeral);
}
