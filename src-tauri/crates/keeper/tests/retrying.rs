//! When a failed prompt is sent once more, when it is not, and who calls it off.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::Duration;

use outrigger_keeper::exchange::{Answer, Ask, Attached, Effect, Facts, Gone, Input, Prompt};
use outrigger_keeper::pod_state::Pod;
use outrigger_keeper::waiting::Ticket;
use protocol::SessionId;
use protocol::attachment::{AttachedFile, Attachment};
use protocol::failure::{FailureClass, RetryBy};
use protocol::limits::{RETRIES, RETRY_AFTER};
use protocol::permission::PermissionPolicy;
use protocol::pod::{IfBusy, PodState};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{Delivery, HostRecord, Outcome};
use protocol::runner::{RunnerLine, StopReason, Usage};
use providers::Hint;

const NOW: &str = "2026-11-21T07:00:00.000Z";
const OVERLOADED: &str = r#"{"type":"agent_error","code":"overloaded","message":"busy","retryable":true}"#;
const FAILED: &str = r#"{"type":"turn_ended","stopReason":"error"}"#;

fn prompt(text: &str) -> Ask {
    let sent = Attachment { path: Some("/a".into()), ..Attachment::default() };
    let shown = AttachedFile { name: "a".into(), mime_type: "x/y".into(), bytes: 1, blob: None, path: None };
    Ask::Prompt(Prompt {
        text: text.into(),
        attached: vec![Attached { sent, shown }],
        if_busy: IfBusy::Reject,
        from: None,
    })
}

fn line(json: &str) -> Input {
    Input::Line(serde_json::from_str::<RunnerLine>(json).unwrap())
}

fn working() -> Pod {
    let facts = Facts {
        capabilities: Capabilities { steer: true, ..Capabilities::default() },
        model: None,
        permission_mode: PermissionMode::Ask,
        native_session_id: None,
        cli_version: None,
        auth: None,
        offers: protocol::offers::AgentOffers::default(),
        usage: Usage::default(),
        turns: 0,
        policy: PermissionPolicy::Ask,
        rules: Vec::new(),
    };
    let mut pod = Pod::new(SessionId::new(), facts);
    pod.step(Input::Asked(Ticket(1), prompt("go")), NOW);
    pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    pod
}

fn wait(effects: &[Effect]) -> Option<Duration> {
    effects.iter().find_map(|effect| if let Effect::RetryAfter(wait) = effect { Some(*wait) } else { None })
}

fn sent(effects: &[Effect]) -> Option<&str> {
    effects
        .iter()
        .find_map(|effect| if let Effect::Query { prompt, .. } = effect { Some(prompt.as_str()) } else { None })
}

/// A pod whose prompt waits for its first retry.
fn waiting() -> Pod {
    let mut pod = working();
    pod.step(line(OVERLOADED), NOW);
    assert_eq!(wait(&pod.step(line(FAILED), NOW)), Some(RETRY_AFTER));
    pod
}

#[test]
fn a_passing_failure_is_tried_again_with_a_count_and_longer_waits_and_then_given_up() {
    let mut pod = working();
    for attempt in 1..=RETRIES {
        pod.step(line(OVERLOADED), NOW);
        let effects = pod.step(line(FAILED), NOW);
        assert_eq!(wait(&effects), Some(RETRY_AFTER * 4u32.pow(attempt - 1)));
        let recorded = effects.iter().any(|effect| {
            matches!(effect, Effect::Record(HostRecord::Retrying { attempt: told, of: RETRIES, class: FailureClass::Overloaded, .. }) if *told == attempt)
        });
        assert!(recorded, "{effects:?}");
        let shown = pod.retry().unwrap();
        assert_eq!((shown.attempt, shown.of, shown.by), (attempt, RETRIES, RetryBy::Outrigger));
        if attempt == 1 {
            assert_eq!(shown.at, "2026-11-21T07:00:02.000Z");
        }
        assert!(matches!(pod.state(), PodState::Working { .. }), "the prompt is still being worked on");
        let effects = pod.step(Input::RetryDue, NOW);
        assert!(
            matches!(&effects[0], Effect::Record(HostRecord::Prompt { delivery: Delivery::Retry, prompt_id, .. }) if prompt_id == "p1")
        );
        assert!(
            matches!(effects.last(), Some(Effect::Query { prompt, attachments, again: true }) if prompt == "go" && attachments.len() == 1)
        );
        assert_eq!(pod.retry(), None);
    }
    pod.step(line(OVERLOADED), NOW);
    assert_eq!(wait(&pod.step(line(FAILED), NOW)), None);
    assert_eq!(pod.state(), PodState::Idle);
    assert_eq!(pod.last_turn(), Some(StopReason::Error));
    assert!(pod.step(Input::RetryDue, NOW).is_empty());
}

#[test]
fn a_retry_that_somebody_calls_off_is_his_end_of_the_turn() {
    let mut pod = waiting();
    assert_eq!(pod.last_turn(), None, "the prompt is still being worked on");
    pod.step(Input::Asked(Ticket(2), Ask::Interrupt), NOW);
    assert_eq!((pod.state(), pod.last_turn()), (PodState::Idle, Some(StopReason::Interrupted)));
}

#[test]
fn only_what_may_pass_and_did_nothing_yet_is_tried_again() {
    let said = || Input::Hinted(vec![Hint::Said]);
    let tool = || Input::Hinted(vec![Hint::ToolStarted { id: "t".into(), name: "Bash".into() }]);
    let error =
        |code: &str, more: &str| line(&format!(r#"{{"type":"agent_error","code":"{code}","message":""{more}}}"#));
    let yes = r#","retryable":true"#;
    let cases: Vec<(&str, Vec<Input>, Option<Duration>)> = vec![
        ("not retryable", vec![error("overloaded", "")], None),
        ("a class that stays", vec![error("auth", yes)], None),
        ("an unknown class", vec![error("api_error", yes)], None),
        ("no error was told", vec![], None),
        ("words were said", vec![said(), error("network", yes)], None),
        ("a tool began", vec![tool(), error("network", yes)], None),
        (
            "a permission was asked",
            vec![line(r#"{"type":"permission_request","requestId":"r"}"#), error("network", yes)],
            None,
        ),
        ("somebody steered", vec![Input::Asked(Ticket(5), Ask::Steer("x".into())), error("network", yes)], None),
        ("somebody interrupted", vec![Input::Asked(Ticket(5), Ask::Interrupt), error("network", yes)], None),
        ("only a thought was streamed", vec![Input::Output, error("network", yes)], Some(RETRY_AFTER)),
        (
            "the provider says when",
            vec![error("rate_limited", r#","retryable":true,"retryAfterMs":7000"#)],
            Some(Duration::from_secs(7)),
        ),
        (
            "the provider says much later",
            vec![error("rate_limited", r#","retryable":true,"retryAfterMs":600000"#)],
            None,
        ),
    ];
    for (what, inputs, expected) in cases {
        let mut pod = working();
        for input in inputs {
            pod.step(input, NOW);
        }
        assert_eq!(wait(&pod.step(line(FAILED), NOW)), expected, "{what}");
    }
}

#[test]
fn whoever_speaks_calls_it_off() {
    let mut pod = waiting();
    let effects = pod.step(Input::Asked(Ticket(2), Ask::Interrupt), NOW);
    assert!(effects.contains(&Effect::Reply(Ticket(2), Ok(Answer::Done))));
    assert_eq!((pod.state(), pod.retry()), (PodState::Idle, None));
    for ask in [prompt("else"), Ask::Steer("else".into())] {
        let mut pod = waiting();
        let effects = pod.step(Input::Asked(Ticket(2), ask), NOW);
        assert_eq!(sent(&effects), Some("else"));
        assert!(pod.step(Input::RetryDue, NOW).is_empty(), "the first prompt is not sent again");
    }
    let mut pod = waiting();
    let effects = pod.step(Input::Asked(Ticket(2), Ask::Stop { force: false }), NOW);
    assert!(effects.contains(&Effect::Stop));
    assert!(pod.step(Input::RetryDue, NOW).is_empty());
    let effects = pod.step(Input::RunnerGone(Gone::default()), NOW);
    assert_eq!(effects.last(), Some(&Effect::Finish(Outcome::Stopped)));
}

#[test]
fn the_retries_of_a_cli_show_until_the_agent_says_something() {
    let mut pod = working();
    let class = FailureClass::Overloaded;
    pod.step(Input::Hinted(vec![Hint::Retrying { attempt: 2, of: 10, class, after_ms: Some(500) }]), NOW);
    let shown = pod.retry().unwrap();
    assert_eq!((shown.attempt, shown.of, shown.class, shown.by), (2, 10, class, RetryBy::Agent));
    assert_eq!(shown.at, "2026-11-21T07:00:00.500Z");
    pod.step(Input::Output, NOW);
    assert_eq!(pod.retry(), None);
}

#[test]
fn the_end_of_a_runner_has_its_class() {
    let signal = || Gone { signal: Some("SIGKILL".into()), ..Gone::default() };
    let exit = || Gone { code: Some(3), ..Gone::default() };
    for (said, gone, expected) in [
        (true, signal(), FailureClass::Killed),
        (false, signal(), FailureClass::Killed),
        (false, exit(), FailureClass::NoOutput),
        (true, exit(), FailureClass::Unknown),
    ] {
        let mut pod = working();
        if said {
            pod.step(Input::Output, NOW);
        }
        let effects = pod.step(Input::RunnerGone(gone), NOW);
        let code = effects.iter().find_map(|effect| match effect {
            Effect::Record(HostRecord::RunnerFailed { code, .. }) => Some(code.clone()),
            _ => None,
        });
        assert_eq!(FailureClass::of(&code.unwrap()), expected);
    }
}
