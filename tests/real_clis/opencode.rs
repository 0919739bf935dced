//! The real `opencode`: the same scenarios, and what is particular. Run by `./dev test --clis all` only, see `pins.mjs`.

use crate::a_death_loses_no_conversation::{the_cli_is_killed, the_keeper_is_killed, the_runner_is_killed};
use crate::stage::{Stage, is_kind, is_pending, says};
use crate::table::{Cells, Scenario};

const OPENCODE: &str = "opencode";

/// Scenarios that every CLI goes through.
macro_rules! the_same {
    ($($scenario:ident),* $(,)?) => {
        mod same {
            $(
                #[test]
                #[ignore = "only with ./dev test --clis all"]
                fn $scenario() { crate::$scenario(super::OPENCODE); }
            )*
        }
    };
}

the_same!(
    text_and_thinking,
    an_allowed_tool_writes_its_file,
    a_denied_tool_writes_nothing,
    an_api_error_is_told,
    a_second_turn_in_the_same_process,
    steering_in_mid_turn,
    an_interrupt_keeps_the_session,
    a_resume_in_a_new_process,
    an_mcp_tool_is_called,
);

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_server_is_killed() {
    the_cli_is_killed(OPENCODE);
}

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_runner_is_killed() {
    the_runner_is_killed(OPENCODE);
}

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_keeper_is_killed() {
    the_keeper_is_killed(OPENCODE);
}

/// It tries again without an end, so the limit is told while it does.
#[test]
#[ignore = "only with ./dev test --clis all"]
fn a_rate_limit_is_told_while_it_tries_again() {
    let mut cells = Cells::of(OPENCODE, &[Scenario::RateLimit]);
    cells.say("yes, retries");
    let stage = Stage::set(OPENCODE);
    let (session, mut items) = stage.detached(&[], "SCENARIO:error-429");
    items.wait_for("the limit", |item| {
        item["body"]["code"] == "retry" && item["body"]["text"].as_str().unwrap().contains("rate limited")
    });
    stage.home.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    stage.home.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

/// In its ACP mode such a question never arrives, and the turn hangs.
#[test]
#[ignore = "only with ./dev test --clis all"]
fn a_sub_agent_asks_and_its_work_is_nested() {
    let stage = Stage::set(OPENCODE);
    let file = stage.home.workspace().join("sub.txt");
    let prompt = format!("SCENARIO:subagent inner=write-file file={}", file.display());
    let (session, mut items) = stage.detached(&[], &prompt);
    let request = items.wait_for("a request", is_pending);
    assert!(request["body"]["title"].as_str().unwrap().contains("sub-agent"), "{request}");
    assert!(!file.exists(), "it waits for the answer");
    stage.home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the answer", says("The sub-agent reported back."));
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert!(file.exists());
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let task = all.iter().find(|item| item["body"]["kind"] == "delegate").unwrap();
    let nested = |item: &&serde_json::Value| item["parent"] == task["body"]["toolCallId"];
    assert!(all.iter().filter(nested).count() > 1, "{all:?}");
    stage.home.assert_nobody_left();
}
