//! The real `opencode`: what is particular. Run by `./dev test --clis all` only, see `pins.mjs`.

use crate::a_death_loses_no_conversation::{the_cli_is_killed, the_keeper_is_killed, the_runner_is_killed};
use crate::drivers::OPENCODE;
use crate::stage::{Stage, is_kind, is_pending, says};

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_server_is_killed() {
    the_cli_is_killed(&OPENCODE);
}

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_runner_is_killed() {
    the_runner_is_killed(&OPENCODE);
}

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_keeper_is_killed() {
    the_keeper_is_killed(&OPENCODE);
}

/// In its ACP mode such a question never arrives, and the turn hangs.
#[test]
#[ignore = "only with ./dev test --clis all"]
fn a_sub_agent_asks_and_its_work_is_nested() {
    let stage = Stage::set(&OPENCODE);
    let file = stage.home.workspace().join("sub.txt");
    let prompt = format!("SCENARIO:subagent inner=write-file file={}", file.display());
    let (session, mut items) = stage.detached(&[], &prompt);
    let request = items.wait_for("a request", is_pending);
    assert!(request["body"]["title"].as_str().unwrap().contains("sub-agent"), "{request}");
    assert!(!file.exists(), "it waits for the answer");
    stage.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the answer", says("The sub-agent reported back."));
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert!(file.exists());
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let task = all.iter().find(|item| item["body"]["kind"] == "delegate").unwrap();
    let nested = |item: &&serde_json::Value| item["parent"] == task["body"]["toolCallId"];
    assert!(all.iter().filter(nested).count() > 1, "{all:?}");
    stage.home.assert_nobody_left();
}
