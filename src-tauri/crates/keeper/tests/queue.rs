//! Prompts that wait: changed in their place, and sent on a word after an interrupt, with what goes with them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use outrigger_keeper::exchange::{Ask, Attached, Effect, Facts, Input, Prompt};
use outrigger_keeper::pod_state::Pod;
use outrigger_keeper::waiting::Ticket;
use protocol::SessionId;
use protocol::attachment::{AttachedFile, Attachment};
use protocol::error::ErrorCode;
use protocol::permission::PermissionPolicy;
use protocol::pod::{EditParams, IfBusy};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{Delivery, HostRecord};
use protocol::runner::{RunnerLine, Usage};

const NOW: &str = "2026-11-21T07:00:00.000Z";

fn line(json: &str) -> Input {
    Input::Line(serde_json::from_str::<RunnerLine>(json).unwrap())
}

fn lamp() -> Attached {
    let sent = Attachment { path: Some("/lamp.png".into()), ..Attachment::default() };
    let shown =
        AttachedFile { name: "lamp.png".into(), mime_type: "image/png".into(), bytes: 1, blob: None, path: None };
    Attached { sent, shown }
}

fn prompt(text: &str, if_busy: IfBusy) -> Ask {
    Ask::Prompt(Prompt { text: text.into(), attached: vec![lamp()], if_busy, from: None })
}

/// Two prompts wait behind a turn.
fn pod() -> Pod {
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
    pod.step(Input::Asked(Ticket(1), prompt("go", IfBusy::Reject)), NOW);
    pod.step(line(r#"{"type":"turn_started"}"#), NOW);
    pod.step(Input::Asked(Ticket(2), prompt("second", IfBusy::Queue)), NOW);
    pod.step(Input::Asked(Ticket(3), prompt("third", IfBusy::Queue)), NOW);
    pod
}

fn refused(effects: &[Effect]) -> Option<ErrorCode> {
    match effects {
        [Effect::Reply(_, Err(error))] => Some(error.code),
        _ => None,
    }
}

#[test]
fn a_prompt_that_waits_is_changed_in_its_place() {
    let mut pod = pod();
    let id = pod.queue()[0].prompt_id.clone();
    let edit = |text: &str, id: &str| Ask::Edit(EditParams { prompt_id: id.into(), text: text.into() });
    let effects = pod.step(Input::Asked(Ticket(4), edit("other words", &id)), NOW);
    assert!(matches!(&effects[0], Effect::Record(HostRecord::PromptEdited { text, .. }) if text == "other words"));
    let shown: Vec<_> = pod.queue().iter().map(|queued| (queued.text.clone(), queued.attachments.len())).collect();
    assert_eq!(shown, [("other words".to_owned(), 1), ("third".to_owned(), 1)]);
    let effects = pod.step(line(r#"{"type":"turn_ended"}"#), NOW);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Query { prompt, .. } if prompt == "other words")));
    assert_eq!(refused(&pod.step(Input::Asked(Ticket(5), edit("late", &id)), NOW)), Some(ErrorCode::NotPending));
}

#[test]
fn what_waits_after_an_interrupt_goes_on_at_a_word_with_what_goes_with_it() {
    let mut pod = pod();
    assert_eq!(refused(&pod.step(Input::Asked(Ticket(4), Ask::GoOn), NOW)), Some(ErrorCode::AlreadyRunning));
    let effects = pod.step(line(r#"{"type":"turn_ended","stopReason":"interrupted"}"#), NOW);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Query { .. })), "it waits");
    let effects = pod.step(Input::Asked(Ticket(5), Ask::GoOn), NOW);
    let recorded = effects.iter().find_map(|effect| match effect {
        Effect::Record(HostRecord::Prompt { text, delivery: Delivery::Queued, attachments, .. }) => {
            Some((text.clone(), attachments.clone()))
        }
        _ => None,
    });
    assert_eq!(recorded, Some(("second".to_owned(), vec![lamp().shown])));
    let sent = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Query { attachments, .. } if *attachments == [lamp().sent]));
    assert!(sent, "{effects:?}");
    assert_eq!(pod.queue().len(), 1);
}

#[test]
fn without_a_queue_there_is_nothing_to_go_on_with_and_files_go_into_no_running_turn() {
    let mut pod = pod();
    let steer = pod.step(Input::Asked(Ticket(4), prompt("look", IfBusy::Steer)), NOW);
    assert_eq!(refused(&steer), Some(ErrorCode::NotSupported), "nothing is dropped in silence");
    pod.step(line(r#"{"type":"turn_ended"}"#), NOW);
    pod.step(line(r#"{"type":"turn_ended"}"#), NOW);
    pod.step(line(r#"{"type":"turn_ended"}"#), NOW);
    assert_eq!(refused(&pod.step(Input::Asked(Ticket(5), Ask::GoOn), NOW)), Some(ErrorCode::NotPending));
}
