//! The real `claude` and `codex`, through `outrigger`, against a stand-in of their vendors' APIs: the same scenarios for both.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;
mod table;

use std::fs;

use outrigger_tests::project;
use serde_json::{Value, json};
use stage::{Stage, any, is_kind, is_pending, says};
use table::{Cells, Scenario};

/// Each scenario once for each CLI.
macro_rules! for_both {
    ($($scenario:ident),* $(,)?) => {
        mod claude { $(#[test] fn $scenario() { super::$scenario("claude"); })* }
        mod codex { $(#[test] fn $scenario() { super::$scenario("codex"); })* }
    };
}

mod a_death_loses_no_conversation;
mod acp;
mod codex_older;
mod direct;
mod opencode;

for_both!(
    text_and_thinking,
    an_allowed_tool_writes_its_file,
    a_denied_tool_writes_nothing,
    an_api_error_is_told,
    a_rate_limit_is_told,
    a_second_turn_in_the_same_process,
    steering_in_mid_turn,
    an_interrupt_keeps_the_session,
    a_resume_in_a_new_process,
    an_mcp_tool_is_called,
    the_account_is_told_and_no_key_is,
);

fn text_and_thinking(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::Text, Scenario::Thinking]);
    let stage = Stage::set(provider);
    let ended = stage.home.run(stage.args(&[], "SCENARIO:think"));
    ended.assert_code(0);
    let items = ended.json();
    assert!(any(&items, says("I thought about it: the answer is 42.")));
    assert!(any(&items, |item| item["body"]["type"] == "thought"
        && item["body"]["text"].as_str().unwrap().contains("I consider it for a moment")));
    let end = items.iter().rfind(|item| item["body"]["type"] == "turnEnd").unwrap();
    assert!(end["body"]["usage"]["outputTokens"].as_u64() > Some(0), "{end}");
    let unknown: Vec<_> = items.iter().filter(|item| item["body"]["type"] == "unknown").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    stage.home.assert_nobody_left();
}

fn an_allowed_tool_writes_its_file(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::ToolWritesFile, Scenario::Allowed]);
    let stage = Stage::set(provider);
    let file = stage.home.workspace().join("hello.txt");
    let (session, mut items) = stage.detached(&[], &format!("SCENARIO:write-file file={}", file.display()));
    let request = items.wait_for("a request", is_pending);
    assert_eq!(request["body"]["kind"], "edit");
    assert!(!file.exists(), "it waits for the answer");
    stage.home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello from the stand-in\nsecond line\n");
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "completed"));
    stage.home.assert_nobody_left();
}

fn a_denied_tool_writes_nothing(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::Denied]);
    let stage = Stage::set(provider);
    let file = stage.home.workspace().join("hello.txt");
    let prompt = format!("SCENARIO:write-file file={}", file.display());
    let ended = stage.home.run(stage.args(&["--permissions", "deny"], &prompt));
    let items = ended.json();
    assert!(any(&items, |item| item["body"]["type"] == "permission" && item["body"]["state"]["outcome"] == "deny"));
    let call = items.iter().rfind(|item| item["body"]["type"] == "toolCall").unwrap();
    assert!(["denied", "failed"].contains(&call["body"]["status"].as_str().unwrap()), "{call}");
    assert!(!file.exists());
    assert!(any(&items, is_kind("turnEnd")));
    stage.home.assert_nobody_left();
}

fn an_api_error_is_told(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::ApiError]);
    let stage = Stage::set(provider);
    let ended = stage.home.run(stage.args(&[], "SCENARIO:error-400"));
    ended.assert_code(1);
    let items = ended.json();
    assert!(any(&items, |item| item["body"]["type"] == "error"
        && item["body"]["message"].as_str().unwrap().contains("stand-in: bad request")));
    stage.home.assert_nobody_left();
}

fn a_second_turn_in_the_same_process(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::TwoTurns]);
    let stage = Stage::set(provider);
    let (session, mut items) = stage.detached(&[], "SCENARIO:hello");
    items.wait_for("the first end", is_kind("turnEnd"));
    let before: Vec<u32> = stage.home.processes().iter().map(|process| process.pid).collect();
    stage.home.run(["send", &session, "SCENARIO:echo say=second"]).assert_code(0);
    items.wait_for("the second answer", says("You said: second"));
    items.wait_for("the second end", is_kind("turnEnd"));
    let name = stage.provider;
    let clis: Vec<_> = stage.home.processes().into_iter().filter(|process| process.command.contains(name)).collect();
    assert!(clis.iter().any(|process| before.contains(&process.pid)), "{clis:?}");
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let native: std::collections::BTreeSet<_> =
        all.iter().filter_map(|item| item["body"]["nativeSessionId"].as_str()).collect();
    assert_eq!(native.len(), 1, "one conversation");
    stage.home.assert_nobody_left();
}

fn steering_in_mid_turn(provider: &'static str) {
    let mut cells = Cells::of(provider, &[Scenario::SteerOrQueue]);
    cells.say("steer");
    let stage = Stage::set(provider);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=3");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "running");
    stage.home.run(["send", &session, "--steer", "SCENARIO:echo say=steered"]).assert_code(0);
    items.wait_for("the steered answer", says("You said: steered"));
    items.wait_for("the end", is_kind("turnEnd"));
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert_eq!(all.iter().filter(|item| item["body"]["type"] == "turnEnd").count(), 1, "one turn");
    stage.home.assert_nobody_left();
}

fn an_interrupt_keeps_the_session(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::Interrupt]);
    let stage = Stage::set(provider);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=300");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "running");
    stage.home.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    stage.home.run(["send", &session, "SCENARIO:echo say=after"]).assert_code(0);
    items.wait_for("the next answer", says("You said: after"));
    stage.home.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

fn a_resume_in_a_new_process(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::Resume]);
    let stage = Stage::set(provider);
    stage.home.run(stage.args(&[], "SCENARIO:hello")).assert_code(0);
    stage.home.assert_nobody_left();
    let session = stage.session();
    let resumed = stage.home.run(["run", "--json", "--resume", &session, "SCENARIO:echo say=again"]);
    resumed.assert_code(0);
    let items = resumed.json();
    assert!(any(&items, says("You said: again")));
    assert!(!any(&items, says("Hello from the stand-in")), "only what is new");
    let opened = items.iter().rfind(|item| item["body"]["type"] == "opened").unwrap();
    assert_eq!(opened["body"]["resumes"], opened["body"]["nativeSessionId"], "the same conversation: {opened}");
    assert_eq!(stage.home.sessions().len(), 1);
    stage.home.assert_nobody_left();
}

fn a_rate_limit_is_told(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::RateLimit]);
    let stage = Stage::set(provider);
    let (session, mut items) = stage.detached(&[], "SCENARIO:error-429");
    let said = items.wait_for("the limit", |item| item["body"]["class"] == "rateLimited");
    assert_eq!(said["body"]["code"], "rate_limited", "{said}");
    stage.home.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

fn an_mcp_tool_is_called(provider: &'static str) {
    let _cells = Cells::of(provider, &[Scenario::McpToolCall]);
    let stage = Stage::set(provider);
    let log = stage.home.workspace().join("calls.ndjson");
    let server = project().join("tests/real_clis/mcp_server.mjs");
    let servers = json!({"light": {"command": "node", "args": [server, log]}}).to_string();
    let (session, mut items) = stage.detached(&["--mcp-config", &servers], "SCENARIO:mcp say=lens");
    let request = items.wait_for("a request", is_pending);
    assert_eq!(request["body"]["input"]["text"], "lens", "{request}");
    assert!(!log.exists(), "it waits for the answer");
    stage.home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item.to_string().contains("echo: lens")));
    let called: Value = serde_json::from_str(fs::read_to_string(&log).unwrap().trim()).unwrap();
    assert_eq!(called["input"]["text"], "lens");
    stage.home.assert_nobody_left();
}

fn the_account_is_told_and_no_key_is(provider: &'static str) {
    let stage = Stage::set(provider);
    let ended = stage.home.run(stage.args(&[], "SCENARIO:hello"));
    ended.assert_code(0);
    let items = ended.json();
    let opened = items.iter().rfind(|item| is_kind("opened")(item)).unwrap();
    let expected = if provider == "claude" { "API key (ANTHROPIC_API_KEY)" } else { "provider standin" };
    assert_eq!(opened["body"]["auth"], expected, "{opened}");
    let journal = fs::read_to_string(stage.home.sessions()[0].join("journal.ndjson")).unwrap();
    assert!(!journal.contains("no-secret"), "the key stands in the journal");
    stage.home.assert_nobody_left();
}
