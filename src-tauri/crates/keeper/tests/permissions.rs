//! Who answers a request for permission: a policy, a rule, or somebody; and what "always" comes to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use outrigger_keeper::exchange::{Answer, Ask, Effect, Facts, Input, Prompt};
use outrigger_keeper::pod_state::Pod;
use outrigger_keeper::waiting::Ticket;
use protocol::SessionId;
use protocol::error::ErrorCode;
use protocol::permission::{PermissionPolicy, PermissionRule, RuleReach, RuleSubject};
use protocol::pod::{AnswerParams, IfBusy, SetParams};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{HostRecord, PermissionOutcome};
use protocol::runner::{HostLine, PermissionAsk, RunnerLine, Usage};

const NOW: &str = "2026-11-21T07:00:00.000Z";

fn working(policy: PermissionPolicy, rules: Vec<PermissionRule>) -> Pod {
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
        rules,
    };
    let mut pod = Pod::new(SessionId::new(), facts);
    let prompt = Prompt { text: "go".into(), attached: Vec::new(), if_busy: IfBusy::Reject, from: None };
    pod.step(Input::Asked(Ticket(1), Ask::Prompt(prompt)), NOW);
    pod.step(Input::Line(serde_json::from_str::<RunnerLine>(r#"{"type":"turn_started"}"#).unwrap()), NOW);
    pod
}

fn command(command: &str) -> RuleSubject {
    RuleSubject::Command { command: command.to_owned(), cwd: None }
}

fn asked_by_rule(pod: &mut Pod, id: &str, about: Option<RuleSubject>, rule: Option<PermissionRule>) -> Vec<Effect> {
    let ask: PermissionAsk =
        serde_json::from_value(serde_json::json!({ "requestId": id, "toolName": "Bash", "kind": "execute" })).unwrap();
    pod.step(Input::Permission { ask, about, rule, verdict: None }, NOW)
}

fn asked(pod: &mut Pod, id: &str, about: Option<RuleSubject>) -> Vec<Effect> {
    asked_by_rule(pod, id, about, None)
}

fn answered(pod: &mut Pod, id: &str, outcome: PermissionOutcome, always: Option<RuleReach>) -> Vec<Effect> {
    let params = AnswerParams { request_id: id.into(), outcome, updated_input: None, message: None, by: None, always };
    pod.step(Input::Asked(Ticket(7), Ask::Answer(params)), NOW)
}

/// What the agent and the journal were told: `request outcome by`, one for each answer that was both recorded and sent.
fn told(effects: &[Effect]) -> Vec<String> {
    let sent = |id: &str, with: PermissionOutcome| {
        effects.iter().any(|effect| {
            matches!(effect, Effect::Tell(HostLine::PermissionResponse { request_id, outcome, .. }) if request_id == id && *outcome == with)
        })
    };
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(HostRecord::PermissionAnswered { request_id, outcome, by, .. }) => {
                assert!(sent(request_id, *outcome), "{request_id} was recorded and not sent");
                Some(format!("{request_id} {outcome:?} {by}"))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_policy_answers_at_once_and_nobody_is_asked() {
    let mut pod = working(PermissionPolicy::Allow, Vec::new());
    assert_eq!(told(&asked(&mut pod, "r1", None)), ["r1 Allow policy"]);
    let mut pod = working(PermissionPolicy::Deny, Vec::new());
    assert_eq!(told(&asked(&mut pod, "r1", Some(command("ls")))), ["r1 Deny policy"]);
    assert!(pod.permissions().is_empty());
}

#[test]
fn deny_means_deny_whatever_the_rules_say() {
    let rule = permissions::rule(RuleReach::Session, "Bash", command("ls"));
    let mut pod = working(PermissionPolicy::Deny, vec![rule.clone()]);
    assert_eq!(told(&asked_by_rule(&mut pod, "r1", Some(command("ls")), Some(rule))), ["r1 Deny policy"]);
}

#[test]
fn a_policy_that_comes_later_answers_what_waits() {
    let mut pod = working(PermissionPolicy::Ask, Vec::new());
    assert!(asked(&mut pod, "r1", None).is_empty());
    let set = SetParams { permissions: Some(PermissionPolicy::Allow), ..SetParams::default() };
    let effects = pod.step(Input::Asked(Ticket(2), Ask::Set(set)), NOW);
    assert_eq!(told(&effects), ["r1 Allow policy"]);
    assert!(
        !effects.iter().any(|effect| matches!(effect, Effect::Tell(HostLine::Set { .. }))),
        "no business of the agent"
    );
    assert!(effects.contains(&Effect::SaveFacts));
    assert_eq!(told(&asked(&mut pod, "r2", None)), ["r2 Allow policy"]);
}

#[test]
fn always_in_this_session_is_asked_once_and_answers_what_waits() {
    let mut pod = working(PermissionPolicy::Ask, Vec::new());
    asked(&mut pod, "r1", Some(command("cargo test")));
    asked(&mut pod, "r2", Some(command("cargo test")));
    asked(&mut pod, "r3", Some(command("rm -rf /")));
    assert_eq!(pod.permissions()[0].always.as_deref(), Some("exactly `cargo test`"));
    let effects = answered(&mut pod, "r1", PermissionOutcome::Allow, Some(RuleReach::Session));
    assert_eq!(told(&effects), ["r1 Allow user", "r2 Allow rule"]);
    assert!(effects.contains(&Effect::SaveFacts), "it outlives the keeper");
    assert_eq!(pod.permissions().len(), 1, "the other command still waits");
    assert_eq!(told(&asked(&mut pod, "r4", Some(command("cargo test")))), ["r4 Allow rule"]);
    assert!(asked(&mut pod, "r5", None).is_empty());
    let id = pod.facts().rules[0].id.clone();
    let effects = pod.step(Input::Asked(Ticket(9), Ask::ForgetRule(id)), NOW);
    assert!(matches!(&effects[0], Effect::Record(HostRecord::RuleForgotten { .. })));
    assert!(asked(&mut pod, "r6", Some(command("cargo test"))).is_empty(), "it is asked about again");
}

#[test]
fn always_in_this_workspace_is_kept_for_all() {
    let mut pod = working(PermissionPolicy::Ask, Vec::new());
    asked(&mut pod, "r1", Some(command("make")));
    let effects = answered(&mut pod, "r1", PermissionOutcome::Allow, Some(RuleReach::Workspace));
    let kept =
        effects.iter().find_map(|effect| if let Effect::KeepRule(rule) = effect { Some(rule.clone()) } else { None });
    let kept = kept.unwrap();
    assert_eq!((kept.reach, kept.about.clone()), (RuleReach::Workspace, command("make")));
    assert!(pod.facts().rules.is_empty(), "the file has it, so that taking it back there is enough");
    let effects = asked_by_rule(&mut pod, "r2", Some(command("make")), Some(kept.clone()));
    assert!(
        matches!(&effects[0], Effect::Record(HostRecord::PermissionAnswered { rule: Some(rule), .. }) if *rule == kept)
    );
}

#[test]
fn no_rule_is_made_of_what_is_not_understood_or_not_allowed() {
    let mut pod = working(PermissionPolicy::Ask, Vec::new());
    asked(&mut pod, "r1", None);
    asked(&mut pod, "r2", Some(command("ls")));
    for (id, outcome) in [("r1", PermissionOutcome::Allow), ("r2", PermissionOutcome::Deny)] {
        let effects = answered(&mut pod, id, outcome, Some(RuleReach::Session));
        assert!(matches!(&effects[..], [Effect::Reply(_, Err(error))] if error.code == ErrorCode::BadRequest));
    }
    assert_eq!(pod.permissions().len(), 2, "both still wait");
    let effects = answered(&mut pod, "r1", PermissionOutcome::Allow, None);
    assert!(matches!(effects.last(), Some(Effect::Reply(_, Ok(Answer::Done)))));
}

#[test]
fn a_request_about_a_sidecars_tool_says_whose_it_is_before_anything_else() {
    for (policy, answers) in [(PermissionPolicy::Ask, 0), (PermissionPolicy::Allow, 1)] {
        let mut pod = working(policy, Vec::new());
        let ask = serde_json::json!({ "requestId": "r", "toolName": "outrigger__status", "sidecar": "git" });
        let ask: PermissionAsk = serde_json::from_value(ask).unwrap();
        let effects = pod.step(Input::Permission { ask, about: None, rule: None, verdict: None }, NOW);
        let said = HostRecord::PermissionOfSidecar { request_id: "r".to_owned(), sidecar: "git".to_owned() };
        assert_eq!(effects.first(), Some(&Effect::Record(said)));
        assert_eq!(told(&effects).len(), answers);
    }
}
