//! A `codex` of months ago: it is driven like the newest one, and what it says in older words is understood.

use std::fs;

use crate::stage::{Stage, any, is_kind, is_pending, says};

const OLDER: &str = "codex-older";

/// Scenarios that every CLI goes through, once more for the older one.
macro_rules! the_same {
    ($($scenario:ident),* $(,)?) => {
        mod same { $(
            #[test]
            #[ignore = "only with ./dev test --clis all"]
            fn $scenario() { crate::$scenario(super::OLDER); }
        )* }
    };
}

the_same!(
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
);

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_plan_and_its_commands_read_alike() {
    let stage = Stage::set(OLDER);
    let (session, mut items) = stage.detached(&[], "SCENARIO:plan");
    items.wait_for("the plan", |item| {
        item["body"]["type"] == "plan" && item["body"]["entries"][1]["status"] == "inProgress"
    });
    items.wait_for("the end", is_kind("turnEnd"));
    stage.home.run(["send", &session, "SCENARIO:bash cmd=touch+lamp"]).assert_code(0);
    items.wait_for("a request", is_pending);
    stage.home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the answer", says("The command is done."));
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let unknown: Vec<_> = all.iter().filter(|item| item["body"]["type"] == "unknown").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "completed"));
    assert!(fs::exists(stage.home.workspace().join("lamp")).unwrap());
    stage.home.assert_nobody_left();
}
