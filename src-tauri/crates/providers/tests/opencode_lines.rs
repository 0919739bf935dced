//! What only opencode does: a running call is told again and again with all of its output, a sub-agent is another session, and
//! the provider is tried again without an end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

mod recorded;

use outrigger_providers::{Hint, Weight, adapter};
use protocol::failure::FailureClass;
use protocol::item::{ItemBody, ToolStatus};
use protocol::record::BlockKind;
use recorded::{recordings, run};

fn running(tool: &str, metadata: &str) -> String {
    format!(
        r#"{{"type":"message.part.updated","properties":{{"sessionID":"s","part":{{"id":"p","type":"tool","tool":"{tool}","callID":"c","state":{{"status":"running","input":{{}}{metadata}}}}}}}}}"#
    )
}

#[test]
fn only_what_is_new_of_a_commands_output_is_passed_on() {
    let mut opencode = adapter("opencode").unwrap();
    let hint = Hint::ToolStarted { id: "c".into(), name: "bash".into() };
    assert_eq!(opencode.weigh(&running("bash", "")), Weight::Durable { closes: None, hints: vec![hint] });
    let mut printed =
        |so_far: &str| opencode.weigh(&running("bash", &format!(r#","metadata":{{"output":"{so_far}"}}"#)));
    assert_eq!(printed(""), Weight::Ephemeral);
    let Weight::Delta(first) = printed("one ü") else { panic!("it is no delta") };
    assert_eq!((first.kind, first.parent.as_deref(), first.text.as_str()), (BlockKind::ToolOutput, Some("c"), "one ü"));
    let Weight::Delta(second) = printed("one ü two") else { panic!("it is no delta") };
    assert_eq!(second.text, " two");
    assert_eq!(printed("…"), Weight::Ephemeral, "cut at its beginning");
    let ended = opencode.weigh(&running("bash", "").replace(r#""running""#, r#""completed""#));
    assert_eq!(ended, Weight::Durable { closes: Some(second.block), hints: vec![Hint::ToolEnded { id: "c".into() }] });
}

#[test]
fn a_delegation_is_told_when_the_session_of_its_sub_agent_is_known() {
    let mut opencode = adapter("opencode").unwrap();
    assert_eq!(opencode.weigh(&running("task", "")), Weight::Ephemeral);
    let told = opencode.weigh(&running("task", r#","metadata":{"sessionId":"child"}"#));
    assert!(matches!(told, Weight::Durable { .. }));
    let part = r#"{"type":"message.part.updated","properties":{"sessionID":"child","part":{"id":"q","type":"text","text":"","time":{"start":1}}}}"#;
    assert_eq!(opencode.weigh(part), Weight::Ephemeral);
    let delta =
        r#"{"type":"message.part.delta","properties":{"sessionID":"child","partID":"q","field":"text","delta":"hi"}}"#;
    let Weight::Delta(delta) = opencode.weigh(delta) else { panic!("it is no delta") };
    assert_eq!((delta.kind, delta.parent.as_deref()), (BlockKind::Message, Some("c")));
}

#[test]
fn a_delegation_that_was_denied_is_a_call_too() {
    let denied = running("task", "")
        .replace(r#""running","#, r#""error","error":"The user rejected permission to use this specific tool call.","#);
    let recording = recorded::Recording { provider: "opencode".into(), name: "task".into(), lines: vec![denied] };
    let folded = run(&recording);
    let bodies: Vec<_> = folded.items.values().map(|item| &item.body).collect();
    let [ItemBody::ToolCall(call)] = bodies.as_slice() else { panic!("{bodies:?}") };
    assert_eq!(call.status, ToolStatus::Denied);
}

#[test]
fn a_provider_that_is_tried_again_is_told_with_its_class() {
    let mut opencode = adapter("opencode").unwrap();
    let mut hints = |lines: &[String]| -> Vec<Hint> {
        let weights = lines.iter().map(|line| opencode.weigh(line));
        weights.flat_map(|weight| if let Weight::Durable { hints, .. } = weight { hints } else { Vec::new() }).collect()
    };
    let recording = recordings("opencode").into_iter().find(|recording| recording.name == "error-429").unwrap();
    let class = FailureClass::RateLimited;
    let expected = [1, 2].map(|attempt| Hint::Retrying { attempt, of: attempt, class, after_ms: None });
    assert_eq!(hints(&recording.lines)[..2], expected);
}
