//! The conversation, told what happens and asked what it does.

use process::Exit;
use protocol::provider::PermissionMode;

use super::*;

fn conversation(control: bool) -> Conversation {
    let driver = Driver { control, session_id_field: "session_id".into(), ..Driver::default() };
    let mut conversation = Conversation::new("Claude", driver);
    conversation.obey(Command::Query(Box::new(prompt("first"))));
    let effects = conversation.take();
    let [Effect::Start(query)] = &effects[..] else { panic!("{effects:?}") };
    conversation.started("/bin/claude".into(), query, Known::default(), None);
    conversation
}

fn prompt(text: &str) -> Query {
    Query { session_id: "s".into(), prompt: text.into(), ..Query::default() }
}

fn hear(conversation: &mut Conversation, line: &str) {
    conversation.line(&Line { bytes: line.as_bytes().to_vec().into(), cut_from: None });
}

/// What was told to the host, and what was sent to the CLI, as `> words`.
fn said(conversation: &mut Conversation) -> Vec<String> {
    let word = |effect: Effect| match effect {
        Effect::Tell(line) => {
            let line: Value = serde_json::from_slice(&line).unwrap();
            line["type"].as_str().unwrap().to_owned()
        }
        Effect::Send(line) if line["type"] == "user" => format!("> {}", line["message"]["content"].as_str().unwrap()),
        Effect::Send(line) => format!("> {}", line["request"]["subtype"].as_str().unwrap_or("answer")),
        Effect::Start(_) => "start".to_owned(),
        Effect::Finish(code) => format!("finish {code}"),
    };
    conversation.take().into_iter().map(word).collect()
}

const RESULT: &str = r#"{"type":"result","subtype":"success"}"#;

#[test]
fn a_result_ends_a_turn_and_the_agent_may_begin_the_next_one_itself() {
    let mut told = conversation(true);
    assert_eq!(said(&mut told), ["agent_started", "turn_started", "> first"]);
    hear(&mut told, r#"{"type":"system","subtype":"background_tasks_changed","tasks":[{},{}]}"#);
    assert_eq!(said(&mut told), ["agent_event"]);
    hear(&mut told, RESULT);
    let effects = told.take();
    let Some(Effect::Tell(end)) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(serde_json::from_slice::<Value>(end).unwrap()["backgroundTasks"], 2);
    assert!(!told.in_turn() && told.has_background_tasks());
    hear(&mut told, r#"{"type":"system","subtype":"init","session_id":"n","model":"m"}"#);
    assert_eq!(said(&mut told), ["agent_started", "turn_started", "agent_event"]);
}

#[test]
fn prompts_wait_for_the_end_of_the_turn() {
    let mut told = conversation(true);
    said(&mut told);
    told.obey(Command::Query(Box::new(prompt("second"))));
    assert_eq!(said(&mut told), ["log"]);
    hear(&mut told, RESULT);
    assert_eq!(said(&mut told), ["agent_event", "turn_ended", "turn_started", "> second"]);
}

#[test]
fn a_message_into_a_turn_goes_to_a_cli_with_control_and_waits_for_one_without() {
    let steer = || Command::Steer { text: "also this".into() };
    let mut with = conversation(true);
    said(&mut with);
    with.obey(steer());
    assert_eq!(said(&mut with), ["> also this", "steer_accepted"]);
    let mut without = conversation(false);
    said(&mut without);
    without.obey(steer());
    assert_eq!(said(&mut without), ["steer_accepted"]);
    hear(&mut without, RESULT);
    assert_eq!(said(&mut without), ["agent_event", "turn_ended", "turn_started", "> also this"]);
}

#[test]
fn what_a_cli_cannot_do_is_refused_and_what_it_refuses_is_told() {
    let change = || Command::Set(Change { model: Some("big".into()), permission_mode: Some(PermissionMode::Plan) });
    let mut without = conversation(false);
    said(&mut without);
    without.obey(Command::Interrupt);
    without.obey(change());
    assert_eq!(said(&mut without), ["error", "error"]);
    let mut with = conversation(true);
    said(&mut with);
    with.obey(change());
    let effects = with.take();
    let [Effect::Send(model), Effect::Send(mode)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((&model["request"]["model"], &mode["request"]["mode"]), (&"big".into(), &"plan".into()));
    let answer = |request: &Value, subtype: &str| {
        let response = json!({"subtype": subtype, "request_id": request["request_id"], "error": "no"});
        json!({"type": "control_response", "response": response}).to_string()
    };
    hear(&mut with, &answer(model, "success"));
    assert_eq!(said(&mut with), ["agent_started"], "the new model is told");
    hear(&mut with, &answer(mode, "error"));
    assert_eq!(said(&mut with), ["error"]);
}

#[test]
fn a_change_before_the_first_prompt_is_part_of_the_start() {
    let mut told = Conversation::new("Claude", Driver::default());
    told.obey(Command::Set(Change { model: Some("big".into()), permission_mode: None }));
    told.obey(Command::Query(Box::new(prompt("first"))));
    assert!(matches!(&told.take()[..], [Effect::Start(query)] if query.model.as_deref() == Some("big")));
}

#[test]
fn a_question_is_put_answered_and_taken_back() {
    let ask = r#"{"type":"control_request","request_id":"q","request":{"subtype":"can_use_tool","tool_name":"Write"}}"#;
    let answer = || {
        let outcome = protocol::record::PermissionOutcome::Allow;
        Command::Answer(Answer { request_id: "q".into(), outcome, updated_input: None, message: None })
    };
    let mut told = conversation(true);
    said(&mut told);
    hear(&mut told, ask);
    told.obey(answer());
    told.obey(answer());
    assert_eq!(said(&mut told), ["agent_event", "permission_request", "> answer", "error"], "it is answered once");
    hear(&mut told, ask);
    hear(&mut told, r#"{"type":"control_cancel_request","request_id":"q"}"#);
    assert_eq!(said(&mut told), ["agent_event", "permission_request", "agent_event", "permission_cancelled"]);
    hear(&mut told, ask);
    hear(&mut told, RESULT);
    let end = said(&mut told);
    assert_eq!(end[2..], ["agent_event", "permission_cancelled", "turn_ended"], "the turn is over, so is the question");
    hear(&mut told, r#"{"type":"control_request","request_id":"h","request":{"subtype":"hook_callback"}}"#);
    assert_eq!(said(&mut told), ["agent_event", "> answer"], "what is not known is answered with an error");
}

#[test]
fn an_end_in_mid_turn_is_a_failure_and_an_end_that_was_asked_for_is_not() {
    let ended = |code, signal: Option<&str>| Ended {
        exit: Exit { code, signal: signal.map(str::to_owned) },
        stderr_tail: Vec::new(),
        said_nothing: false,
    };
    let mut told = conversation(true);
    said(&mut told);
    told.ended(&ended(None, Some("SIGKILL")));
    assert_eq!(said(&mut told), ["agent_error", "turn_ended", "agent_stopped", "finish 1"]);
    let mut told = conversation(true);
    said(&mut told);
    hear(&mut told, RESULT);
    told.ended(&ended(Some(0), None));
    assert_eq!(said(&mut told)[2..], ["agent_stopped", "finish 0"]);
    let mut told = conversation(true);
    said(&mut told);
    told.stop();
    assert_eq!(said(&mut told), ["> interrupt"]);
    told.ended(&ended(Some(143), None));
    assert_eq!(said(&mut told), ["turn_ended", "agent_stopped"]);
}
