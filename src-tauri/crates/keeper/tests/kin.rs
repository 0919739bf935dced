//! What the pods below say, what the budgets refuse, and what ends a session, in the pod's state.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use outrigger_keeper::exchange::{Ask, Effect, Facts, Gone, Input, Prompt, ToldOf, TurnRefused, Verdict};
use outrigger_keeper::pod_state::Pod;
use outrigger_keeper::waiting::Ticket;
use protocol::SessionId;
use protocol::error::ErrorCode;
use protocol::limits::NOTIFICATIONS;
use protocol::permission::PermissionPolicy;
use protocol::pod::{IfBusy, PodState};
use protocol::pods::{ChildSpawned, Notify};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{Delivery, HostRecord, Outcome, PermissionOutcome};
use protocol::runner::{HostLine, PermissionAsk, RunnerLine, StopReason, Usage};
use protocol::scope::{BudgetLimit, PodOutcome};

const NOW: &str = "2026-11-21T07:00:00.000Z";

fn pod(policy: PermissionPolicy) -> Pod {
    let facts = Facts {
        capabilities: Capabilities::default(),
        model: None,
        permission_mode: PermissionMode::Ask,
        native_session_id: None,
        cli_version: None,
        auth: None,
        offers: protocol::offers::AgentOffers::default(),
        usage: Usage::default(),
        turns: 0,
        policy,
        rules: Vec::new(),
    };
    Pod::new(SessionId::new(), facts)
}

fn line(json: &str) -> Input {
    Input::Line(serde_json::from_str::<RunnerLine>(json).unwrap())
}

fn prompt(text: &str) -> Input {
    let prompt = Prompt { text: text.into(), attached: vec![], if_busy: IfBusy::Queue, from: None };
    Input::Asked(Ticket(1), Ask::Prompt(prompt))
}

fn working() -> Pod {
    let mut pod = pod(PermissionPolicy::Ask);
    pod.step(prompt("go"), NOW);
    pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    pod
}

fn note(from: &str, outcome: Option<PodOutcome>) -> Input {
    let text = format!("{from} says");
    let note = Notify { session: SessionId::new(), from: from.to_owned(), text, outcome, quiet: false };
    Input::Asked(Ticket(2), Ask::Notify(note))
}

/// The prompts that go to the agent: from whom, how, and the words.
fn prompts(effects: &[Effect]) -> Vec<(Option<String>, Delivery, String)> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Record(HostRecord::Prompt { text, delivery, from, .. }) => {
            Some((from.clone(), *delivery, text.clone()))
        }
        _ => None,
    });
    records.collect()
}

fn is_recorded(effects: &[Effect], wanted: impl Fn(&HostRecord) -> bool) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Record(record) if wanted(record)))
}

fn is_end_of_child(record: &HostRecord) -> bool {
    matches!(record, HostRecord::PodTurn { .. })
}

fn ended(pod: &mut Pod, reason: &str) -> Vec<Effect> {
    pod.step(line(&format!(r#"{{"type":"turn_ended","stopReason":"{reason}"}}"#)), NOW)
}

#[test]
fn a_child_wakes_an_agent_that_rests() {
    let mut pod = pod(PermissionPolicy::Ask);
    let effects = pod.step(note("oars", None), NOW);
    assert!(is_recorded(&effects, is_end_of_child));
    assert_eq!(prompts(&effects), [(Some("oars".to_owned()), Delivery::Notify, "oars says".to_owned())]);
    assert!(matches!(effects.last(), Some(Effect::Query { prompt, .. }) if prompt == "oars says"));
}

#[test]
fn an_agent_at_work_hears_it_all_at_once_at_the_end_of_its_turn() {
    let mut pod = working();
    for name in ["oars", "sails", "oars"] {
        let effects = pod.step(note(name, None), NOW);
        assert!(is_recorded(&effects, is_end_of_child));
        assert_eq!(prompts(&effects), []);
    }
    let effects = ended(&mut pod, "endTurn");
    let text = "oars says\nsails says\noars says".to_owned();
    assert_eq!(prompts(&effects), [(Some("oars, sails".to_owned()), Delivery::Notify, text)]);
    let over = effects.iter().position(|effect| matches!(effect, Effect::TurnOver { rests: None, .. }));
    let query = effects.iter().position(|effect| matches!(effect, Effect::Query { .. }));
    assert!(over < query && over.is_some(), "it is counted before the next one begins");
}

#[test]
fn the_user_comes_before_the_pods() {
    let mut pod = working();
    pod.step(note("oars", None), NOW);
    pod.step(prompt("and then"), NOW);
    assert_eq!(prompts(&ended(&mut pod, "endTurn"))[0].2, "and then");
    pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    assert_eq!(prompts(&ended(&mut pod, "endTurn"))[0].2, "oars says");
}

#[test]
fn after_an_interrupt_and_after_a_failure_nobody_goes_on_by_itself() {
    for reason in ["interrupted", "error"] {
        let mut pod = working();
        pod.step(note("oars", None), NOW);
        assert_eq!(prompts(&ended(&mut pod, reason)), [], "{reason}");
        // It is told with what comes next.
        assert_eq!(prompts(&pod.step(note("sails", None), NOW))[0].2, "oars says\nsails says");
    }
}

#[test]
fn what_was_read_meanwhile_is_not_told_again() {
    let mut pod = working();
    pod.step(note("oars", None), NOW);
    pod.step(note("sails", None), NOW);
    let told = ToldOf { names: vec!["oars".to_owned()], stopped: false };
    pod.step(Input::Asked(Ticket(3), Ask::ToldOf(told)), NOW);
    assert_eq!(prompts(&ended(&mut pod, "endTurn"))[0].2, "sails says");
}

#[test]
fn the_end_of_a_pod_that_the_agent_stopped_is_no_news_and_its_successors_is() {
    let mut pod = working();
    let told = ToldOf { names: vec!["oars".to_owned()], stopped: true };
    pod.step(Input::Asked(Ticket(3), Ask::ToldOf(told.clone())), NOW);
    let effects = pod.step(note("oars", Some(PodOutcome::Cancelled)), NOW);
    assert!(is_recorded(&effects, is_end_of_child));
    assert!(effects.contains(&Effect::LookAtScope), "its scope came back");
    assert_eq!(prompts(&ended(&mut pod, "endTurn")), []);
    assert_eq!(prompts(&pod.step(note("oars", Some(PodOutcome::Failed)), NOW)).len(), 1);

    let mut pod = working();
    pod.step(Input::Asked(Ticket(3), Ask::ToldOf(told)), NOW);
    let child = ChildSpawned {
        session: SessionId::new(),
        name: "oars".to_owned(),
        provider: "demo".to_owned(),
        task: "row".to_owned(),
        rules: None,
    };
    let effects = pod.step(Input::Asked(Ticket(4), Ask::ChildSpawned(child)), NOW);
    assert!(is_recorded(&effects, |record| matches!(record, HostRecord::PodSpawned { .. })));
    pod.step(note("oars", None), NOW);
    assert_eq!(prompts(&ended(&mut pod, "endTurn")).len(), 1);
}

#[test]
fn the_oldest_message_gives_way_and_that_is_said() {
    let mut pod = working();
    for number in 0..=NOTIFICATIONS {
        pod.step(note(&format!("pod{number}"), None), NOW);
    }
    let text = prompts(&ended(&mut pod, "endTurn"))[0].2.clone();
    assert_eq!(text.lines().count(), NOTIFICATIONS + 1);
    assert!(text.starts_with("(1 older") && !text.contains("pod0 ") && text.ends_with("pod128 says"), "{text}");
}

#[test]
fn a_quiet_message_is_only_recorded() {
    let mut pod = pod(PermissionPolicy::Ask);
    let (session, from, text) = (SessionId::new(), "oars".to_owned(), "x".to_owned());
    let note = Notify { session, from, text, outcome: Some(PodOutcome::Disconnected), quiet: true };
    let effects = pod.step(Input::Asked(Ticket(2), Ask::Notify(note)), NOW);
    assert!(is_recorded(&effects, is_end_of_child));
    assert_eq!(prompts(&effects), []);
}

fn refused() -> Input {
    let (limit, code) = (Some(BudgetLimit::Turns), ErrorCode::BudgetUsed);
    Input::TurnRefused(TurnRefused { limit, code, text: "no turn is left".to_owned() })
}

#[test]
fn a_turn_that_is_refused_never_began() {
    let mut pod = pod(PermissionPolicy::Ask);
    pod.step(prompt("go"), NOW);
    pod.step(prompt("and then"), NOW);
    let effects = pod.step(refused(), NOW);
    assert!(is_recorded(&effects, |record| matches!(
        record,
        HostRecord::BudgetUsed { limit: Some(BudgetLimit::Turns), .. }
    )));
    assert!(
        effects.iter().any(
            |effect| matches!(effect, Effect::Reply(Ticket(1), Err(error)) if error.code == ErrorCode::BudgetUsed)
        )
    );
    assert_eq!(pod.state(), PodState::Idle);
    assert_eq!(pod.queue().len(), 1, "the user may raise the budget");
}

#[test]
fn a_turn_that_the_agent_begins_unasked_is_counted_and_ended_when_it_is_refused() {
    let mut pod = pod(PermissionPolicy::Ask);
    let effects = pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    assert!(effects.contains(&Effect::CountTurn));
    let effects = pod.step(refused(), NOW);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell(HostLine::Interrupt { .. }))));
    assert!(matches!(pod.state(), PodState::Working { .. }));
    assert!(
        pod.step(line(r#"{"type":"turn_ended","stopReason":"interrupted"}"#), NOW)
            .iter()
            .any(|effect| matches!(effect, Effect::TurnOver { rests: Some(StopReason::Interrupted), .. }))
    );
}

#[test]
fn a_stop_takes_what_is_below_along_and_a_crash_does_not() {
    let mut stopped = working();
    let effects = stopped.step(Input::Asked(Ticket(9), Ask::Stop { force: false }), NOW);
    assert!(effects.contains(&Effect::StopBelow));
    let mut crashed = working();
    let effects = crashed.step(Input::RunnerGone(Gone { code: Some(1), ..Gone::default() }), NOW);
    assert!(!effects.contains(&Effect::StopBelow));
    assert!(effects.contains(&Effect::Finish(Outcome::Failed)));
}

fn asked(policy: PermissionPolicy, verdict: Verdict) -> Option<(PermissionOutcome, Option<String>)> {
    let mut pod = pod(policy);
    pod.step(prompt("go"), NOW);
    let ask: PermissionAsk =
        serde_json::from_value(serde_json::json!({ "requestId": "r", "toolName": "Edit", "kind": "edit" })).unwrap();
    let effects = pod.step(Input::Permission { ask, about: None, rule: None, verdict: Some(verdict) }, NOW);
    effects.into_iter().find_map(|effect| match effect {
        Effect::Record(HostRecord::PermissionAnswered { outcome, message, by, .. }) => {
            let past_scope = message.is_some();
            assert_eq!(by, if past_scope { "scope" } else { "policy" });
            Some((outcome, message))
        }
        _ => None,
    })
}

#[test]
fn a_write_past_the_scope_is_denied_whatever_else_is_said() {
    for policy in [PermissionPolicy::Ask, PermissionPolicy::Allow, PermissionPolicy::Deny] {
        let words = "not yours".to_owned();
        let denied = Some((PermissionOutcome::Deny, Some(words.clone())));
        assert_eq!(asked(policy, Verdict::PastScope(words)), denied);
    }
}

#[test]
fn our_own_tools_pass_unless_everything_is_denied() {
    let of = |policy| asked(policy, Verdict::OwnTool).map(|(outcome, _)| outcome);
    assert_eq!(of(PermissionPolicy::Ask), Some(PermissionOutcome::Allow));
    assert_eq!(of(PermissionPolicy::Deny), Some(PermissionOutcome::Deny));
}
