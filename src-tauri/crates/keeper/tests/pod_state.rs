//! The pod's state from outside: what is asked, what the runner says, and who is answered when.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use outrigger_keeper::exchange::{Answer, Ask, Effect, Facts, Gone, Input, Prompt, TurnRefused};
use outrigger_keeper::pod_state::Pod;
use outrigger_keeper::waiting::Ticket;
use protocol::SessionId;
use protocol::error::ErrorCode;
use protocol::permission::PermissionPolicy;
use protocol::pod::{AnswerParams, IfBusy, PodState, SetParams, Taken, Work};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{Delivery, HostRecord, Outcome, PermissionOutcome};
use protocol::runner::{HostLine, RunnerLine, StopReason, Usage};
use providers::Hint;

const NOW: &str = "2026-11-21T07:00:00.000Z";

fn pod() -> Pod {
    pod_that_resumes(None)
}

fn pod_that_resumes(native_session_id: Option<&str>) -> Pod {
    let capabilities = Capabilities { steer: true, set_model: true, ..Capabilities::default() };
    Pod::new(
        SessionId::new(),
        Facts {
            capabilities,
            model: None,
            permission_mode: PermissionMode::Ask,
            native_session_id: native_session_id.map(str::to_owned),
            cli_version: None,
            auth: None,
            offers: protocol::offers::AgentOffers::default(),
            usage: Usage::default(),
            turns: 0,
            policy: PermissionPolicy::Ask,
            rules: Vec::new(),
        },
    )
}

fn prompt(text: &str, if_busy: IfBusy) -> Ask {
    Ask::Prompt(Prompt { text: text.into(), attached: vec![], if_busy, from: None })
}

fn line(json: &str) -> Input {
    Input::Line(serde_json::from_str::<RunnerLine>(json).unwrap())
}

fn working() -> Pod {
    let mut pod = pod();
    pod.step(Input::Asked(Ticket(1), prompt("go", IfBusy::Reject)), NOW);
    pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    pod
}

fn replies(effects: &[Effect]) -> Vec<(u64, Result<Answer, ErrorCode>)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Reply(ticket, answer) => Some((ticket.0, answer.clone().map_err(|error| error.code))),
            _ => None,
        })
        .collect()
}

fn taken(ticket: u64, effects: &[Effect]) -> Taken {
    match &replies(effects)[..] {
        [(found, Ok(Answer::Prompt(result)))] if *found == ticket => result.taken,
        other => panic!("not one prompt answer for {ticket}: {other:?}"),
    }
}

#[test]
fn a_prompt_is_answered_when_its_turn_has_really_begun() {
    let mut pod = pod();
    let effects = pod.step(Input::Asked(Ticket(1), prompt("go", IfBusy::Reject)), NOW);
    assert!(replies(&effects).is_empty(), "sent is not begun");
    assert!(matches!(&effects[0], Effect::Record(HostRecord::Prompt { delivery: Delivery::Prompt, .. })));
    assert!(matches!(effects.last(), Some(Effect::Query { .. })), "recorded before it is sent");
    let effects = pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    assert_eq!(taken(1, &effects), Taken::Started);
    assert!(matches!(pod.state(), PodState::Working { on: Work::Model, .. }));
}

#[test]
fn a_prompt_whose_agent_fails_before_the_turn_is_answered_with_the_failure() {
    let mut pod = pod();
    pod.step(Input::Asked(Ticket(1), prompt("go", IfBusy::Reject)), NOW);
    let effects = pod.step(line(r#"{"type":"agent_error","code":"auth","message":"log in first"}"#), NOW);
    assert_eq!(replies(&effects), [(1, Err(ErrorCode::AgentFailed))]);
}

#[test]
fn while_a_turn_runs_a_prompt_is_refused_queued_or_steered_as_asked() {
    let mut pod = working();
    let effects = pod.step(Input::Asked(Ticket(2), prompt("b", IfBusy::Reject)), NOW);
    assert_eq!(replies(&effects), [(2, Err(ErrorCode::AlreadyRunning))]);
    let effects = pod.step(Input::Asked(Ticket(3), prompt("c", IfBusy::Queue)), NOW);
    assert_eq!(taken(3, &effects), Taken::Queued);
    let effects = pod.step(Input::Asked(Ticket(4), prompt("d", IfBusy::Steer)), NOW);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell(HostLine::Steer { .. }))));
    assert!(replies(&effects).is_empty());
    let effects = pod.step(line(r#"{"type":"steer_accepted","accepted":"queued"}"#), NOW);
    assert_eq!(taken(4, &effects), Taken::SteeredLater);
}

#[test]
fn the_queue_follows_a_finished_turn_and_waits_after_an_interrupted_one() {
    for (reason, goes_on) in [("endTurn", true), ("interrupted", false), ("error", false)] {
        let mut pod = working();
        pod.step(Input::Asked(Ticket(2), prompt("next", IfBusy::Queue)), NOW);
        let effects = pod.step(line(&format!(r#"{{"type":"turn_ended","stopReason":"{reason}"}}"#)), NOW);
        let sent = effects.iter().any(|effect| matches!(effect, Effect::Query { prompt, .. } if prompt == "next"));
        assert_eq!(sent, goes_on, "{reason}");
        assert_eq!(pod.queue().len(), usize::from(!goes_on), "{reason}");
    }
}

#[test]
fn a_queued_prompt_can_be_taken_back_once() {
    let mut pod = working();
    pod.step(Input::Asked(Ticket(2), prompt("next", IfBusy::Queue)), NOW);
    let id = pod.queue()[0].prompt_id.clone();
    let effects = pod.step(Input::Asked(Ticket(3), Ask::Unqueue(id.clone())), NOW);
    assert_eq!(replies(&effects), [(3, Ok(Answer::Done))]);
    let effects = pod.step(Input::Asked(Ticket(4), Ask::Unqueue(id)), NOW);
    assert_eq!(replies(&effects), [(4, Err(ErrorCode::NotPending))]);
}

#[test]
fn a_request_is_answered_by_the_first_and_refused_to_the_second() {
    let mut pod = working();
    pod.step(line(r#"{"type":"permission_request","requestId":"r1","toolName":"Write"}"#), NOW);
    assert!(matches!(pod.state(), PodState::Working { on: Work::Permission { .. }, .. }));
    let answer = || {
        Ask::Answer(AnswerParams {
            request_id: "r1".into(),
            outcome: PermissionOutcome::Allow,
            updated_input: None,
            message: None,
            by: None,
            always: None,
        })
    };
    let effects = pod.step(Input::Asked(Ticket(2), answer()), NOW);
    assert!(matches!(&effects[0], Effect::Record(HostRecord::PermissionAnswered { by, .. }) if by == "user"));
    assert!(matches!(&effects[1], Effect::Tell(HostLine::PermissionResponse { .. })), "recorded before it is sent");
    let effects = pod.step(Input::Asked(Ticket(3), answer()), NOW);
    assert_eq!(replies(&effects), [(3, Err(ErrorCode::NotPending))]);
}

#[test]
fn a_withdrawn_request_is_not_pending_any_more() {
    let mut pod = working();
    pod.step(line(r#"{"type":"permission_request","requestId":"r1"}"#), NOW);
    pod.step(line(r#"{"type":"permission_cancelled","requestId":"r1"}"#), NOW);
    assert!(pod.permissions().is_empty());
    assert!(matches!(pod.state(), PodState::Working { on: Work::Model, .. }));
}

#[test]
fn the_work_names_the_newest_tool_that_still_runs() {
    let mut pod = working();
    let started = |id: &str, name: &str| Hint::ToolStarted { id: id.into(), name: name.into() };
    pod.step(Input::Hinted(vec![started("1", "Read"), started("2", "Bash")]), NOW);
    assert!(matches!(pod.state(), PodState::Working { on: Work::Tool { name, .. }, .. } if name == "Bash"));
    pod.step(Input::Hinted(vec![Hint::ToolEnded { id: "2".into() }]), NOW);
    assert!(matches!(pod.state(), PodState::Working { on: Work::Tool { name, .. }, .. } if name == "Read"));
    pod.step(Input::Hinted(vec![Hint::CompactingStarted]), NOW);
    assert!(matches!(pod.state(), PodState::Working { on: Work::Compacting, .. }));
}

#[test]
fn an_interrupt_is_answered_at_the_end_of_the_turn() {
    let mut pod = working();
    let effects = pod.step(Input::Asked(Ticket(2), Ask::Interrupt), NOW);
    assert!(replies(&effects).is_empty());
    let effects = pod.step(line(r#"{"type":"turn_ended","stopReason":"interrupted"}"#), NOW);
    assert_eq!(replies(&effects), [(2, Ok(Answer::Done))]);
    assert_eq!(pod.state(), PodState::Idle);
}

#[test]
fn a_stop_while_idle_ends_well_and_while_working_is_a_stop() {
    for (mut pod, expected) in [(pod(), Outcome::Done), (working(), Outcome::Stopped)] {
        let effects = pod.step(Input::Asked(Ticket(2), Ask::Stop { force: false }), NOW);
        assert_eq!(effects.iter().filter(|effect| **effect == Effect::Stop).count(), 1);
        pod.step(Input::RunnerExited, NOW);
        let gone = Gone { signal: Some("SIGKILL".into()), survivors: vec!["7 sleep".into()], ..Gone::default() };
        let effects = pod.step(Input::RunnerGone(gone), NOW);
        let stopped = replies(&effects);
        assert!(
            matches!(&stopped[..], [(2, Ok(Answer::Stop(result)))] if result.outcome == expected && result.survivors.len() == 1)
        );
        assert_eq!(effects.last(), Some(&Effect::Finish(expected)));
        assert_eq!(pod.state(), PodState::Ended { outcome: expected });
    }
}

#[test]
fn a_second_stop_goes_one_rung_further_and_both_are_answered() {
    let mut pod = working();
    pod.step(Input::Asked(Ticket(2), Ask::Stop { force: false }), NOW);
    let effects = pod.step(Input::Asked(Ticket(3), Ask::Stop { force: false }), NOW);
    assert!(effects.contains(&Effect::Stop));
    let effects = pod.step(Input::RunnerGone(Gone::default()), NOW);
    assert_eq!(replies(&effects).len(), 2);
}

#[test]
fn a_runner_that_dies_in_mid_turn_leaves_an_error_with_its_evidence() {
    let mut pod = working();
    pod.step(Input::RunnerExited, NOW);
    let gone = Gone { code: Some(7), stderr_tail: vec!["boom".into()], ..Gone::default() };
    let effects = pod.step(Input::RunnerGone(gone), NOW);
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Record(HostRecord::RunnerFailed { exit_code, stderr_tail, message, .. }) => {
            Some((*exit_code, stderr_tail.clone(), message.clone()))
        }
        _ => None,
    });
    let (code, tail, message) = told.unwrap();
    assert_eq!((code, tail), (Some(7), vec!["boom".to_owned()]));
    assert!(message.contains("code 7") && message.contains("resume"), "{message}");
    assert_eq!(effects.last(), Some(&Effect::Finish(Outcome::Failed)));
}

#[test]
fn an_error_that_was_told_is_not_told_twice() {
    let mut pod = working();
    pod.step(line(r#"{"type":"agent_error","code":"cli_exited","message":"claude exited"}"#), NOW);
    let effects = pod.step(Input::RunnerGone(Gone { code: Some(1), ..Gone::default() }), NOW);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Record(HostRecord::RunnerFailed { .. }))));
    assert_eq!(effects.last(), Some(&Effect::Finish(Outcome::Failed)));
}

#[test]
fn nothing_can_be_asked_of_a_session_that_is_over() {
    let mut pod = pod();
    pod.step(Input::RunnerGone(Gone { code: Some(0), ..Gone::default() }), NOW);
    assert_eq!(pod.state(), PodState::Ended { outcome: Outcome::Done });
    let effects = pod.step(Input::Asked(Ticket(2), prompt("more", IfBusy::Queue)), NOW);
    assert_eq!(replies(&effects), [(2, Err(ErrorCode::SessionEnded))]);
    assert!(pod.step(Input::RunnerGone(Gone::default()), NOW).is_empty(), "it ends once");
}

#[test]
fn usage_adds_up_over_turns_and_the_native_id_is_saved_at_once() {
    let mut pod = working();
    let effects = pod.step(line(r#"{"type":"agent_started","nativeSessionId":"n1","model":"m"}"#), NOW);
    assert_eq!(effects, [Effect::SaveFacts]);
    for _ in 0..2 {
        pod.step(line(r#"{"type":"turn_ended","usage":{"inputTokens":10,"costUsd":0.5}}"#), NOW);
        pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    }
    let set = SetParams { model: Some("x".into()), ..SetParams::default() };
    let status_usage = pod.step(Input::Asked(Ticket(9), Ask::Set(set)), NOW);
    assert!(status_usage.contains(&Effect::SaveFacts));
    assert_eq!(pod.facts().turns, 2);
    assert_eq!(pod.facts().usage.input_tokens, Some(20));
    assert_eq!(pod.facts().usage.cost_usd, Some(1.0));
    assert_eq!(pod.facts().native_session_id.as_deref(), Some("n1"));
    assert_eq!(pod.facts().model.as_deref(), Some("x"));
}

#[test]
fn a_stop_right_after_the_agent_broke_does_not_make_it_look_well_ended() {
    for broke in [
        r#"{"type":"agent_error","code":"cli_exited","message":"claude exited"}"#,
        r#"{"type":"agent_stopped","exitCode":3}"#,
        r#"{"type":"agent_stopped","signal":"SIGKILL"}"#,
    ] {
        let mut pod = working();
        pod.step(line(broke), NOW);
        pod.step(line(r#"{"type":"turn_ended","stopReason":"error"}"#), NOW);
        pod.step(Input::Asked(Ticket(2), Ask::Stop { force: false }), NOW);
        let effects = pod.step(Input::RunnerGone(Gone { code: Some(1), ..Gone::default() }), NOW);
        assert_eq!(effects.last(), Some(&Effect::Finish(Outcome::Failed)), "{broke}");
    }
}

/// What the transcript is told of conversations when the agent says these ids one after the other.
fn told_of_conversations(pod: &mut Pod, ids: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for id in ids {
        let started = format!(r#"{{"type":"agent_started","nativeSessionId":"{id}"}}"#);
        let effects = pod.step(line(&started), NOW);
        assert!(effects.contains(&Effect::SaveFacts));
        assert_eq!(pod.facts().native_session_id.as_deref(), Some(*id), "what goes on is what is resumed next");
        told.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Record(HostRecord::Notice { code, text, .. }) if code == "conversation_changed" => Some(text),
            _ => None,
        }));
    }
    told
}

#[test]
fn a_resume_that_goes_on_as_another_conversation_is_disclosed() {
    let told = told_of_conversations(&mut pod_that_resumes(Some("x")), &["x", "y", "y", "z"]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("asked to resume the conversation x") && told[0].contains("goes on as y"), "{told:?}");
    assert!(told[1].contains("worked in the conversation y and goes on as z"), "{told:?}");
    assert!(told_of_conversations(&mut pod(), &["x", "x"]).is_empty(), "a new conversation has no other before it");
}

#[test]
fn a_conversation_that_the_provider_forgot_is_told_by_the_next_start_and_not_as_a_change() {
    let mut pod = pod_that_resumes(Some("x"));
    pod.step(Input::Asked(Ticket(1), prompt("go", IfBusy::Reject)), NOW);
    pod.step(line(r#"{"type":"agent_error","code":"conversation_unknown","message":"no such conversation"}"#), NOW);
    assert_eq!(pod.facts().native_session_id, None);
    assert!(told_of_conversations(&mut pod, &["y"]).is_empty());
}

#[test]
fn what_the_agent_tells_of_itself_is_kept() {
    let mut pod = pod();
    pod.step(line(r#"{"type":"agent_started","permissionMode":"plan","auth":"API key"}"#), NOW);
    pod.step(line(r#"{"type":"agent_offers","commands":[{"name":"compact"}],"models":[{"id":"o","name":"O"}]}"#), NOW);
    pod.step(line(r#"{"type":"agent_started","model":"m"}"#), NOW);
    let facts = pod.facts();
    assert_eq!(facts.permission_mode, PermissionMode::Plan);
    assert_eq!(facts.auth.as_deref(), Some("API key"));
    assert_eq!(facts.offers.commands[0].name, "compact");
    assert_eq!(facts.offers.models[0].id, "o");
}

#[test]
fn how_the_newest_turn_ended_is_told_until_the_next_begins() {
    let mut pod = pod();
    let ask = |n: u64| Input::Asked(Ticket(n), prompt("go", IfBusy::Reject));
    assert_eq!(pod.last_turn(), None);
    for (n, reason) in [(1, StopReason::Error), (2, StopReason::EndTurn), (3, StopReason::Interrupted)] {
        pod.step(ask(n), NOW);
        assert_eq!(pod.last_turn(), None, "a turn runs");
        pod.step(line(r#"{"type":"turn_started"}"#), NOW);
        let ended = serde_json::json!({ "type": "turn_ended", "stopReason": reason });
        pod.step(line(&ended.to_string()), NOW);
        assert_eq!(pod.last_turn(), Some(reason));
    }
    let text = "the budget is used up".to_owned();
    pod.step(ask(4), NOW);
    let refused = TurnRefused { limit: None, code: ErrorCode::BudgetUsed, text };
    pod.step(Input::TurnRefused(refused), NOW);
    assert_eq!(pod.last_turn(), Some(StopReason::Refused), "nothing came of it");
}
