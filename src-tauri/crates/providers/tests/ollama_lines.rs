//! What only Ollama does: a thought that ends in the line in which the message begins, and commands that speak while they run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Hint, Weight, adapter};
use protocol::record::BlockKind;

#[test]
fn a_line_with_the_end_of_a_thought_and_the_begin_of_a_message_loses_neither() {
    let mut ollama = adapter("ollama").unwrap();
    let line = |thinking: &str, content: &str| {
        format!(
            r#"{{"created_at":"t","message":{{"role":"assistant","content":"{content}","thinking":"{thinking}"}},"done":false}}"#
        )
    };
    let Weight::Delta(thought) = ollama.weigh(&line("so be it", "Well")) else { panic!("it is no delta") };
    assert_eq!((thought.kind, thought.text.as_str()), (BlockKind::Thought, "so be it"));
    let closed = ollama.weigh(r#"{"type":"thought","text":"so be it"}"#);
    assert_eq!(closed, Weight::Durable { closes: Some(thought.block), hints: Vec::new() });
    let Weight::Delta(message) = ollama.weigh(&line("", ", yes.")) else { panic!("it is no delta") };
    assert_eq!((message.kind, message.text.as_str()), (BlockKind::Message, "Well, yes."));
    let closed = ollama.weigh(r#"{"type":"text","text":"Well, yes."}"#);
    assert_eq!(closed, Weight::Durable { closes: Some(message.block), hints: vec![Hint::Said] });
}

#[test]
fn what_a_command_prints_is_seen_while_it_runs() {
    let mut ollama = adapter("ollama").unwrap();
    let started = ollama.weigh(r#"{"type":"tool_call","id":"c/1","name":"run_command","input":{}}"#);
    let hint = Hint::ToolStarted { id: "c/1".into(), name: "run_command".into() };
    assert_eq!(started, Weight::Durable { closes: None, hints: vec![hint] });
    let Weight::Delta(output) = ollama.weigh(r#"{"type":"tool_output","id":"c/1","text":"one\n"}"#) else {
        panic!("no delta")
    };
    assert_eq!(
        (output.kind, output.parent.as_deref(), output.text.as_str()),
        (BlockKind::ToolOutput, Some("c/1"), "one\n")
    );
    let ended = ollama.weigh(r#"{"type":"tool_result","id":"c/1","ok":true,"output":"one\n"}"#);
    assert_eq!(
        ended,
        Weight::Durable { closes: Some(output.block), hints: vec![Hint::ToolEnded { id: "c/1".into() }] }
    );
}
