//! Do the adapters understand what the real CLIs print? Every recorded stream is weighed as a keeper does and folded as a reader
//! does; see `tests/fixtures/streams` at the root of the project.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

mod recorded;

use std::collections::BTreeMap;

use outrigger_providers::adapter;
use protocol::item::{ItemBody, ToolStatus};
use recorded::{Folded, Recording, fold_from, recordings, run};

/// Of these there are recordings.
const PROVIDERS: [&str; 6] = ["acp", "claude", "codex", "demo", "ollama", "opencode"];

fn by_name(provider: &str, name: &str) -> Recording {
    recordings(provider).into_iter().find(|recording| recording.name == name).unwrap()
}

fn everywhere(check: impl Fn(&Recording, &Folded)) {
    let all: Vec<_> = PROVIDERS.into_iter().flat_map(recordings).collect();
    assert!(all.len() > 100, "the recordings are missing: {} found", all.len());
    for recording in &all {
        check(recording, &run(recording));
    }
}

#[test]
fn every_recorded_event_is_known_and_every_item_survives_the_wire() {
    everywhere(|recording, folded| {
        for item in folded.items.values() {
            if let ItemBody::Unknown { label, .. } = &item.body {
                panic!("{}: {label} is not known", recording.name);
            }
            let text = serde_json::to_string(item).unwrap();
            let back: protocol::Item = serde_json::from_str(&text).unwrap();
            assert_eq!(&back, item, "{}", recording.name);
        }
    });
}

#[test]
fn no_tool_call_runs_on_after_the_end_of_a_stream() {
    everywhere(|recording, folded| {
        if !recording.is_finished() {
            return;
        }
        for item in folded.items.values() {
            if let ItemBody::ToolCall(call) = &item.body {
                assert_ne!(call.status, ToolStatus::Running, "{}: {}", recording.name, call.title);
                let open = call.status == ToolStatus::Cancelled || call.ended_at.is_some();
                assert!(open, "{}: {} has no end", recording.name, call.title);
            }
        }
    });
    let is_call = |item: &&protocol::Item| matches!(item.body, ItemBody::ToolCall(_));
    let all = PROVIDERS.into_iter().flat_map(recordings);
    let calls: usize = all.map(|recording| run(&recording).items.values().filter(is_call).count()).sum();
    assert!(calls > 60, "{calls} tool calls were seen");
}

#[test]
fn what_was_streamed_is_what_the_finished_block_says() {
    let mut closed = 0;
    for recording in PROVIDERS.into_iter().flat_map(recordings).filter(|it| !it.name.starts_with("huge")) {
        let folded = run(&recording);
        for (block, text) in &folded.closed {
            let id = folded.replaced.get(&format!("live:{block}"));
            let Some(item) = id.and_then(|id| folded.items.get(id)) else {
                panic!("{}: nothing took the place of {block}", recording.name);
            };
            match &item.body {
                ItemBody::AgentMessage { text: said, .. } | ItemBody::Thought { text: said, .. } => {
                    // A character that the CLI cut in two arrives as two replacement characters, or not at all.
                    if !recording.name.contains("unicode") && recording.name != "fake-split" {
                        assert_eq!(said, text, "{}", recording.name);
                    }
                }
                ItemBody::ToolCall(call) if !text.starts_with('{') => assert!(!call.content.is_empty()),
                ItemBody::ToolCall(call) => {
                    let mut input = call.input.clone();
                    // claude adds where it keeps the plan.
                    input.as_object_mut().unwrap().remove("planFilePath");
                    let streamed: serde_json::Value = serde_json::from_str(text).unwrap();
                    assert_eq!(streamed, input, "{}", recording.name);
                }
                other => panic!("{}: {other:?} finished a block", recording.name),
            }
            closed += 1;
        }
        // Codex says nothing of a message that an interrupt or a steer cuts off; the keeper ends it with the turn.
        let cut_off = recording.provider == "codex" && ["interrupt", "steer-text"].contains(&recording.name.as_str());
        if recording.is_finished() && !cut_off {
            assert!(folded.open_blocks.is_empty(), "{}: {:?} stayed open", recording.name, folded.open_blocks);
        }
    }
    assert!(closed > 200, "{closed} blocks were compared");
}

#[test]
fn folding_from_the_middle_names_and_reads_the_items_alike() {
    for provider in PROVIDERS {
        for recording in recordings(provider) {
            let whole = run(&recording);
            for start in 0..whole.records.len() {
                let part = fold_from(provider, &whole.records[start..]);
                let first = whole.records[start].seq;
                let expected: Vec<_> = whole.items.values().filter(|item| item.seq >= first).collect();
                let ids = |items: &[&protocol::Item]| items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
                let got: Vec<_> = part.values().collect();
                assert_eq!(ids(&got), ids(&expected), "{} from {first}", recording.name);
                for (got, expected) in got.iter().zip(&expected) {
                    // claude's task tools change one list step by step, and a fold knows the steps that it has seen.
                    if recording.name == "tasks" && matches!(got.body, ItemBody::Plan { .. }) {
                        continue;
                    }
                    assert_eq!(got.body, expected.body, "{} from {first}", recording.name);
                }
            }
        }
    }
}

/// Of each agent what it does its own way.
const ACP: [&str; 25] = [
    "gemini-write-file-ask",
    "gemini-write-file-reject",
    "gemini-think",
    "gemini-mcp",
    "gemini-cancel-tool",
    "claude-bash-fail",
    "claude-edit",
    "claude-write-file-reject",
    "claude-subagent",
    "claude-mcp",
    "claude-cancel-tool",
    "claude-error-400",
    "codex-bash-fail",
    "codex-edit",
    "codex-mcp",
    "codex-subagent",
    "codex-error-400",
    "qwen-bash",
    "qwen-write-file",
    "opencode-write-file-ask",
    "opencode-bash-fail",
    "fake-plan",
    "fake-terminal",
    "fake-bare-terminal",
    "fake-permission",
];

#[test]
fn telling_streams_read_as_expected() {
    let claude = [
        "bash",
        "bash-fail",
        "write-file",
        "think",
        "subagent",
        "subagent-sync",
        "interrupt-tool",
        "permission-deny",
        "permission-none",
        "error-529",
        "mcp-stdio",
        "unicode",
        "plan",
    ];
    let codex = [
        "bash-fail",
        "write-file",
        "subagent",
        "approval-decline",
        "interrupt-tool",
        "error-401",
        "mcp-stdio",
        "think",
    ];
    let opencode = [
        "think",
        "write-file",
        "denied",
        "bash-fail",
        "subagent",
        "mcp",
        "todo",
        "interrupt-tool",
        "interrupt-permission",
        "error-429",
        "multi",
    ];
    let ollama =
        ["think", "multi", "write-denied", "plan-mode", "bash-fail", "interrupt-tool", "mcp", "no-tools", "outside"];
    let telling = [
        ("acp", ACP.as_slice()),
        ("claude", claude.as_slice()),
        ("codex", codex.as_slice()),
        ("demo", ["turn"].as_slice()),
        ("ollama", ollama.as_slice()),
        ("opencode", opencode.as_slice()),
    ];
    for (provider, names) in telling {
        for name in names {
            let folded = run(&by_name(provider, name));
            insta::assert_snapshot!(format!("{provider}-{name}"), recorded::page(&folded));
        }
    }
}

#[test]
fn an_event_of_the_future_survives_whole() {
    let events = [
        ("claude", r#"{"type":"brain_scan","depth":9007199254740993,"x":[1,{"y":null}]}"#, "brain_scan"),
        ("claude", r#"{"type":"system","subtype":"dream","text":"sheep"}"#, "system/dream"),
        ("claude", r#"{"type":"assistant","message":{"content":[{"type":"hologram","z":1}]}}"#, "assistant/hologram"),
        ("codex", r#"{"method":"thread/teleported","params":{"to":"moon"}}"#, "thread/teleported"),
        ("codex", r#"{"method":"mcpServer/dreams","params":{}}"#, "mcpServer/dreams"),
        (
            "codex",
            r#"{"method":"item/started","params":{"item":{"type":"song","id":"s1"},"threadId":"t"}}"#,
            "item/song",
        ),
        ("acp", r#"{"jsonrpc":"2.0","method":"session/dream","params":{"of":[1,2.5e300]}}"#, "session/dream"),
        ("acp", r#"{"jsonrpc":"2.0","id":7,"method":"client/sing","params":{}}"#, "client/sing"),
        ("acp", r#"{"method":"session/update","params":{"update":{"sessionUpdate":"hologram","z":1}}}"#, "hologram"),
        (
            "acp",
            r#"{"method":"session/update","params":{"update":{"sessionUpdate":"agent_message_chunk","content":{"type":"image","data":"QQ=="}}}}"#,
            "agent_message_chunk",
        ),
        (
            "acp",
            r#"{"method":"session/update","params":{"update":{"sessionUpdate":"tool_call","title":"x"}}}"#,
            "tool_call",
        ),
        ("acp", r#"{"method":"session/update","params":{"update":{"sessionUpdate":"plan","entries":"none"}}}"#, "plan"),
        ("demo", r#"{"type":"from_the_future","anything":{"goes":[1,2.5e300,null]}}"#, "from_the_future"),
        (
            "ollama",
            r#"{"message":{"role":"assistant","content":"","hologram":{"z":1}},"done":false}"#,
            "message/hologram",
        ),
        ("opencode", r#"{"id":"e","type":"session.dreamt","properties":{"sheep":1}}"#, "session.dreamt"),
        (
            "opencode",
            r#"{"type":"message.part.updated","properties":{"part":{"id":"p","type":"hologram","z":1}}}"#,
            "part/hologram",
        ),
        ("ollama", r#"{"dream":"sheep"}"#, "event"),
        ("ollama", r#"{"type":"teleported","to":"moon"}"#, "teleported"),
        ("raw", r#"{"type":"assistant","message":{"content":"hi"}}"#, "assistant"),
    ];
    for (provider, event, label) in events {
        let recording = Recording { provider: provider.into(), name: label.into(), lines: vec![event.into()] };
        let folded = run(&recording);
        let item = folded.items.values().next().unwrap();
        let expected = ItemBody::Unknown { label: label.into(), raw: serde_json::from_str(event).unwrap() };
        assert_eq!(item.body, expected);
    }
}

#[test]
fn an_unknown_item_of_codex_is_shown_as_it_ended() {
    let line = |method: &str, state: &str| {
        format!(
            r#"{{"method":"item/{method}","params":{{"item":{{"type":"song","id":"s1","state":"{state}"}},"threadId":"t"}}}}"#
        )
    };
    let lines = vec![line("started", "humming"), line("completed", "sung")];
    let folded = run(&Recording { provider: "codex".into(), name: "song".into(), lines });
    let items: Vec<_> = folded.items.values().collect();
    assert_eq!(items.len(), 1);
    let ItemBody::Unknown { raw, .. } = &items[0].body else { panic!("{:?}", items[0].body) };
    assert_eq!(raw["params"]["item"]["state"], "sung");
}

#[test]
fn only_named_adapters_exist() {
    for name in outrigger_providers::ADAPTERS {
        assert!(adapter(name).is_some(), "{name}");
    }
    assert!(adapter("gpt").is_none());
}

#[test]
fn a_line_that_was_no_json_is_a_notice_with_every_adapter() {
    for provider in outrigger_providers::ADAPTERS {
        let lines = vec![r#"{"type":"text_line","text":"Segmentation fault","cut":true,"bytes":99}"#.to_owned()];
        let folded = run(&Recording { provider: provider.into(), name: "text".into(), lines });
        let bodies: Vec<_> = folded.items.values().map(|item| item.body.clone()).collect();
        let [ItemBody::Notice { code, text, .. }] = bodies.as_slice() else { panic!("{provider}: {bodies:?}") };
        assert_eq!(code, "text_line");
        assert_eq!(text, "Segmentation fault… (cut; 99 bytes in all)");
    }
}

#[test]
fn hints_tell_when_tools_run_and_when_the_context_is_compacted() {
    use outrigger_providers::{Hint, Weight};
    let hints = |provider: &str, lines: &[&str]| -> Vec<Hint> {
        let mut adapter = adapter(provider).unwrap();
        let weights = lines.iter().map(|line| adapter.weigh(line));
        weights.flat_map(|weight| if let Weight::Durable { hints, .. } = weight { hints } else { Vec::new() }).collect()
    };
    let status = |status: &str| format!(r#"{{"type":"system","subtype":"status","status":{status}}}"#);
    let (on, off) = (status(r#""compacting""#), status("null"));
    assert_eq!(hints("claude", &[&on, &off, &off]), [Hint::CompactingStarted, Hint::CompactingEnded]);
    let boundary =
        r#"{"type":"system","subtype":"compact_boundary","compact_metadata":{"trigger":"auto","pre_tokens":9}}"#;
    assert_eq!(hints("claude", &[&on, boundary, &off]), [Hint::CompactingStarted, Hint::CompactingEnded]);
    let item = |method: &str| {
        format!(r#"{{"method":"item/{method}","params":{{"item":{{"type":"contextCompaction","id":"c"}}}}}}"#)
    };
    assert_eq!(
        hints("codex", &[&item("started"), &item("completed")]),
        [Hint::CompactingStarted, Hint::CompactingEnded]
    );
    let lost = r#"{"method":"error","params":{"willRetry":true,"error":{"message":"Reconnecting... 2/5","codexErrorInfo":{"responseStreamDisconnected":{"httpStatusCode":429}}}}}"#;
    let class = protocol::failure::FailureClass::RateLimited;
    assert_eq!(hints("codex", &[lost]), [Hint::Retrying { attempt: 2, of: 5, class, after_ms: None }]);
    assert_eq!(hints("codex", &[&lost.replace("true", "false")]), []);
    let mut counted: BTreeMap<bool, usize> = BTreeMap::new();
    for line in by_name("codex", "bash").lines {
        for hint in hints("codex", &[&line]).into_iter().filter(|hint| *hint != Hint::Said) {
            *counted.entry(matches!(hint, Hint::ToolStarted { .. })).or_default() += 1;
        }
    }
    assert_eq!(counted, BTreeMap::from([(true, 1), (false, 1)]));
}
