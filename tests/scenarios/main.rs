//! Scenarios: the real `outrigger`, real runners and the built-in demo agent, each in a home of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod a_cli_without_a_runner;
mod a_crash_costs_seconds;
mod a_disk_may_fail;
mod a_portable_home_holds_everything;
mod a_provider_of_ones_own;
mod a_resume_is_disclosed;
mod a_run_streams_a_session;
mod a_scope_is_held;
mod a_session_outlives_its_command;
mod a_sidecar_may_fail;
mod a_start_is_whole_or_nothing;
mod agents_command_agents;
mod an_agent_commands_others;
mod an_end_leaves_nothing;
mod bad_input_is_told;
mod blind;
mod everything_is_found_again;
mod failures_are_classed;
mod hostile_lines_lose_nothing;
mod lists_and_sums;
mod nobody_is_orphaned;
mod nobody_need_be_there_to_answer;
mod options_reach_the_runner;
mod permissions_are_asked;
mod pods_stand_and_fall_together;
mod prompts_follow_each_other;
mod sessions_of_others_are_left_alone;
mod sessions_share_a_sidecar;
mod sidecars_stage;
mod silence_is_judged_by_evidence;
mod stage;
mod the_debug_log_tells;
mod the_users_environment;
mod tools_of_ones_own;
mod what_goes_with_a_prompt_is_kept;
