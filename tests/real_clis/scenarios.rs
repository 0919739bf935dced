//! The columns of the table: what every provider goes through, each with its own driver.

use std::fs;

use serde_json::Value;

use crate::drivers::{Driver, MidTurn, RateLimit};
use crate::stage::{Stage, any, is_kind, is_pending, says};
use crate::table::{self, Cells, Scenario};

pub(crate) fn text_and_thinking(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::Text, Scenario::Thinking]);
    let stage = Stage::set(driver);
    let ended = stage.run(stage.args(&[], "SCENARIO:think"));
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

pub(crate) fn an_allowed_tool_writes_its_file(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::ToolWritesFile, Scenario::Allowed]);
    let stage = Stage::set(driver);
    let file = stage.home.workspace().join("hello.txt");
    let (session, mut items) = stage.detached(&[], &format!("SCENARIO:write-file file={}", file.display()));
    let request = items.wait_for("a request", is_pending);
    assert_eq!(request["body"]["kind"], "edit");
    assert!(!file.exists(), "it waits for the answer");
    stage.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello from the stand-in\nsecond line\n");
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "completed"));
    stage.home.assert_nobody_left();
}

pub(crate) fn a_denied_tool_writes_nothing(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::Denied]);
    let stage = Stage::set(driver);
    let file = stage.home.workspace().join("hello.txt");
    let prompt = format!("SCENARIO:write-file file={}", file.display());
    let ended = stage.run(stage.args(&["--permissions", "deny"], &prompt));
    let items = ended.json();
    assert!(any(&items, |item| item["body"]["type"] == "permission" && item["body"]["state"]["outcome"] == "deny"));
    let call = items.iter().rfind(|item| item["body"]["type"] == "toolCall").unwrap();
    assert!(["denied", "failed"].contains(&call["body"]["status"].as_str().unwrap()), "{call}");
    assert!(!file.exists());
    assert!(any(&items, is_kind("turnEnd")));
    stage.home.assert_nobody_left();
}

pub(crate) fn an_api_error_is_told(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::ApiError]);
    let stage = Stage::set(driver);
    let ended = stage.run(stage.args(&[], "SCENARIO:error-400"));
    ended.assert_code(1);
    let items = ended.json();
    assert!(any(&items, |item| item["body"]["type"] == "error"
        && item["body"]["message"].as_str().unwrap().contains("stand-in: bad request")));
    stage.home.assert_nobody_left();
}

pub(crate) fn a_second_turn_in_the_same_process(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::TwoTurns]);
    let stage = Stage::set(driver);
    let (session, mut items) = stage.detached(&[], "SCENARIO:hello");
    items.wait_for("the first end", is_kind("turnEnd"));
    let before: Vec<u32> = stage.home.processes().iter().map(|process| process.pid).collect();
    stage.run(["send", &session, "SCENARIO:echo say=second"]).assert_code(0);
    items.wait_for("the second answer", says("You said: second"));
    items.wait_for("the second end", is_kind("turnEnd"));
    let name = stage.provider;
    let clis: Vec<_> = stage.home.processes().into_iter().filter(|process| process.command.contains(name)).collect();
    assert!(clis.iter().any(|process| before.contains(&process.pid)), "{clis:?}");
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let native: std::collections::BTreeSet<_> =
        all.iter().filter_map(|item| item["body"]["nativeSessionId"].as_str()).collect();
    assert_eq!(native.len(), 1, "one conversation");
    stage.home.assert_nobody_left();
}

pub(crate) fn a_message_in_mid_turn_is_taken_or_waits(driver: &'static Driver) {
    let mut cells = Cells::of(driver.name, &[Scenario::SteerOrQueue]);
    let (word, turns) = match driver.mid_turn {
        MidTurn::Steers => ("steer", 1),
        MidTurn::Queues => ("queue", 2),
    };
    cells.say(word);
    let stage = Stage::set(driver);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=3");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "running");
    stage.run(["send", &session, "--steer", "SCENARIO:echo say=steered"]).assert_code(0);
    items.wait_for("the steered answer", says("You said: steered"));
    items.wait_for("the end", is_kind("turnEnd"));
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert_eq!(all.iter().filter(|item| item["body"]["type"] == "turnEnd").count(), turns, "{all:?}");
    stage.home.assert_nobody_left();
}

pub(crate) fn an_interrupt_keeps_the_session(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::Interrupt]);
    let stage = Stage::set(driver);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=300");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "running");
    stage.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    stage.run(["send", &session, "SCENARIO:echo say=after"]).assert_code(0);
    items.wait_for("the next answer", says("You said: after"));
    stage.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

pub(crate) fn a_resume_in_a_new_process(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::Resume]);
    let stage = Stage::set(driver);
    stage.run(stage.args(&[], "SCENARIO:hello")).assert_code(0);
    stage.home.assert_nobody_left();
    let session = stage.session();
    let resumed = stage.run(["run", "--json", "--resume", &session, "SCENARIO:echo say=again"]);
    resumed.assert_code(0);
    let items = resumed.json();
    assert!(any(&items, says("You said: again")));
    assert!(!any(&items, says("Hello from the stand-in")), "only what is new");
    let opened = items.iter().rfind(|item| item["body"]["type"] == "opened").unwrap();
    assert_eq!(opened["body"]["resumes"], opened["body"]["nativeSessionId"], "the same conversation: {opened}");
    assert_eq!(stage.home.sessions().len(), 1);
    stage.home.assert_nobody_left();
}

pub(crate) fn a_rate_limit_is_told(driver: &'static Driver) {
    let reason = match driver.rate_limit {
        RateLimit::EndsTheTurn => return a_rate_limit_ends_the_turn(driver),
        RateLimit::ToldWhileItTriesAgain => return a_rate_limit_is_told_while_it_tries_again(driver),
        RateLimit::Untold(reason) => reason,
    };
    table::cannot(driver.name, Scenario::RateLimit, reason);
}

fn a_rate_limit_ends_the_turn(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::RateLimit]);
    let stage = Stage::set(driver);
    let (session, mut items) = stage.detached(&[], "SCENARIO:error-429");
    let said = items.wait_for("the limit", |item| item["body"]["class"] == "rateLimited");
    assert_eq!(said["body"]["code"], "rate_limited", "{said}");
    stage.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

fn a_rate_limit_is_told_while_it_tries_again(driver: &'static Driver) {
    let mut cells = Cells::of(driver.name, &[Scenario::RateLimit]);
    cells.say("yes, retries");
    let stage = Stage::set(driver);
    let (session, mut items) = stage.detached(&[], "SCENARIO:error-429");
    items.wait_for("the limit", |item| {
        item["body"]["code"] == "retry" && item["body"]["text"].as_str().unwrap().contains("rate limited")
    });
    stage.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    stage.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

pub(crate) fn an_mcp_tool_is_called(driver: &'static Driver) {
    let _cells = Cells::of(driver.name, &[Scenario::McpToolCall]);
    let stage = Stage::set(driver);
    let log = stage.home.workspace().join("calls.ndjson");
    let servers = stage.mcp_server(&log);
    let (session, mut items) = stage.detached(&["--mcp-config", &servers], "SCENARIO:mcp say=lens");
    let request = items.wait_for("a request", is_pending);
    // Agents word it differently; what the tool gets is the same.
    assert!(request["body"]["input"].to_string().contains("lens"), "{request}");
    assert!(!log.exists(), "it waits for the answer");
    stage.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item.to_string().contains("echo: lens")));
    let called: Value = serde_json::from_str(fs::read_to_string(&log).unwrap().trim()).unwrap();
    assert_eq!(called["input"]["text"], "lens");
    stage.home.assert_nobody_left();
}
