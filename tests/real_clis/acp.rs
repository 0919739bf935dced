//! The real agents that are driven over ACP: the same scenarios, and what is particular. Run by `./dev test --clis all` only, see
//! `pins.mjs`.

use outrigger_tests::project;
use serde_json::json;

use crate::stage::{Stage, any, is_kind, says};
use crate::table::{self, Cells, Scenario};

/// Each scenario once for each agent.
macro_rules! for_each {
    ($($name:ident = $agent:literal: [$($scenario:path as $test:ident),* $(,)?]),* $(,)?) => {
        $(mod $name { $(
            #[test]
            #[ignore = "only with ./dev test --clis all"]
            fn $test() { $scenario($agent); }
        )* })*
    };
}

for_each!(
    gemini = "gemini": [
        crate::text_and_thinking as text_and_thinking,
        crate::an_allowed_tool_writes_its_file as an_allowed_tool_writes_its_file,
        crate::a_denied_tool_writes_nothing as a_denied_tool_writes_nothing,
        crate::an_api_error_is_told as an_api_error_is_told,
        crate::a_rate_limit_is_told as a_rate_limit_is_told,
        crate::a_second_turn_in_the_same_process as a_second_turn_in_the_same_process,
        super::a_message_in_mid_turn_waits_for_its_end as a_message_in_mid_turn_waits_for_its_end,
        crate::an_interrupt_keeps_the_session as an_interrupt_keeps_the_session,
        crate::a_resume_in_a_new_process as a_resume_in_a_new_process,
        super::a_tool_of_an_mcp_server_is_called as a_tool_of_an_mcp_server_is_called,
    ],
    qwen = "qwen": [
        crate::text_and_thinking as text_and_thinking,
        crate::an_allowed_tool_writes_its_file as an_allowed_tool_writes_its_file,
        crate::a_denied_tool_writes_nothing as a_denied_tool_writes_nothing,
        crate::an_api_error_is_told as an_api_error_is_told,
        super::a_rate_limit_cannot_be_seen as a_rate_limit_cannot_be_seen,
        crate::a_second_turn_in_the_same_process as a_second_turn_in_the_same_process,
        super::a_message_in_mid_turn_waits_for_its_end as a_message_in_mid_turn_waits_for_its_end,
        crate::an_interrupt_keeps_the_session as an_interrupt_keeps_the_session,
        crate::a_resume_in_a_new_process as a_resume_in_a_new_process,
        super::a_tool_of_an_mcp_server_is_called as a_tool_of_an_mcp_server_is_called,
    ],
    claude_acp = "claude-acp": [
        crate::text_and_thinking as text_and_thinking,
        crate::an_allowed_tool_writes_its_file as an_allowed_tool_writes_its_file,
        crate::a_denied_tool_writes_nothing as a_denied_tool_writes_nothing,
        crate::an_api_error_is_told as an_api_error_is_told,
        crate::a_rate_limit_is_told as a_rate_limit_is_told,
        crate::a_second_turn_in_the_same_process as a_second_turn_in_the_same_process,
        crate::steering_in_mid_turn as steering_in_mid_turn,
        crate::an_interrupt_keeps_the_session as an_interrupt_keeps_the_session,
        crate::a_resume_in_a_new_process as a_resume_in_a_new_process,
        super::a_tool_of_an_mcp_server_is_called as a_tool_of_an_mcp_server_is_called,
    ],
    codex_acp = "codex-acp": [
        crate::text_and_thinking as text_and_thinking,
        crate::an_allowed_tool_writes_its_file as an_allowed_tool_writes_its_file,
        crate::a_denied_tool_writes_nothing as a_denied_tool_writes_nothing,
        crate::an_api_error_is_told as an_api_error_is_told,
        crate::a_rate_limit_is_told as a_rate_limit_is_told,
        crate::a_second_turn_in_the_same_process as a_second_turn_in_the_same_process,
        crate::steering_in_mid_turn as steering_in_mid_turn,
        crate::an_interrupt_keeps_the_session as an_interrupt_keeps_the_session,
        crate::a_resume_in_a_new_process as a_resume_in_a_new_process,
        super::a_tool_of_an_mcp_server_is_called as a_tool_of_an_mcp_server_is_called,
    ],
);

fn a_message_in_mid_turn_waits_for_its_end(agent: &'static str) {
    let mut cells = Cells::of(agent, &[Scenario::SteerOrQueue]);
    cells.say("queue");
    let stage = Stage::set(agent);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=3");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall");
    stage.home.run(["send", &session, "--steer", "SCENARIO:echo say=steered"]).assert_code(0);
    items.wait_for("the first end", is_kind("turnEnd"));
    items.wait_for("the steered answer", says("You said: steered"));
    items.wait_for("the second end", is_kind("turnEnd"));
    stage.home.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

fn a_rate_limit_cannot_be_seen(agent: &'static str) {
    table::cannot(agent, Scenario::RateLimit, "it tries again without an end and says nothing");
}

fn a_tool_of_an_mcp_server_is_called(agent: &'static str) {
    let _cells = Cells::of(agent, &[Scenario::McpToolCall]);
    let stage = Stage::set(agent);
    let server = project().join("tests/real_clis/mcp_server.mjs");
    let servers = json!({"near": {"command": "node", "args": [server, stage.home.workspace().join("calls.ndjson")]}});
    let args = ["--mode", "bypass", "--mcp-config", &servers.to_string()];
    let (session, mut items) = stage.detached(&args, "SCENARIO:mcp say=lens");
    items.wait_for("the end", is_kind("turnEnd"));
    stage.home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item.to_string().contains("echo: lens")));
    stage.home.assert_nobody_left();
}
