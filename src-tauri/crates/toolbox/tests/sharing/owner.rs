//! The owner's socket: who gets in, what is asked, and when it ends.

use std::time::Duration;

use outrigger_toolbox::owner::{Ended, OwnerClient, OwnerFile, connect, own};
use protocol::error::ErrorCode;
use protocol::sidecar::{SidecarCall, SidecarNamed, SidecarNews, SidecarState, SidecarView};
use protocol::tools::{CancelTool, ToolAnswer, ToolList};
use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage, file, surroundings, until};

/// An owner in this process, over the stage's folders. It can be reached, or there is another one.
async fn start(stage: &Stage, idle: Duration) -> tokio::task::JoinHandle<Ended> {
    let surroundings = surroundings(stage.temp.path());
    let (ready, begun) = tokio::sync::oneshot::channel();
    let ready = move || ready.send(()).unwrap_or_default();
    let owner = tokio::spawn(async move { own(surroundings, idle, ready, std::future::pending()).await.unwrap() });
    let _ = begun.await;
    owner
}

async fn client(stage: &Stage) -> OwnerClient {
    OwnerClient::open(&stage.temp.path().join("run"), "test").await.unwrap()
}

#[tokio::test]
async fn one_is_started_where_there_is_none_and_waited_for() {
    let stage = Stage::new().await;
    let run = stage.temp.path().join("run");
    let begin = || async {
        start(&stage, PATIENCE).await;
        Ok(())
    };
    let first = connect(&run, "test", begin).await.unwrap();
    let second = connect(&run, "test", || async { panic!("there is one already") }).await.unwrap();
    let _: Vec<SidecarView> = second.ask("sidecar/list", &stage.place(None), PATIENCE).await.unwrap();
    let _: Value = first.ask("toolbox/end", &json!({}), PATIENCE).await.unwrap();
    tokio::time::timeout(PATIENCE, second.lost()).await.expect("it ends");
    let late = second.ask::<_, Value>("sidecar/list", &stage.place(None), PATIENCE).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Unreachable);
    assert!(OwnerClient::open(&run, "test").await.is_err());
}

#[tokio::test]
async fn a_call_tells_its_progress_before_its_answer_and_ends_when_nobody_waits() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let _owner = start(&stage, PATIENCE).await;
    let client = client(&stage).await;
    let call = |name: &str, arguments: Value| SidecarCall {
        place: stage.place(None),
        name: name.to_owned(),
        arguments: arguments.as_object().unwrap().clone(),
        call_id: name.to_owned(),
        ..SidecarCall::default()
    };
    let mut seen = Vec::new();
    let steps = call("steps", json!({ "count": 3 }));
    let answer = client.call(&steps, PATIENCE, |step| seen.push(step.progress), std::future::pending()).await.unwrap();
    assert_eq!((answer.text().as_str(), seen.as_slice()), ("done", [1.0, 2.0, 3.0].as_slice()));
    let late = stage.temp.path().join("late");
    let timed = call("gate", json!({ "file": late, "timeout_ms": 200 }));
    let answer = client.call(&timed, PATIENCE, |_| {}, std::future::pending()).await.unwrap();
    assert!(answer.is_error && answer.text().contains("within 200 ms"), "{}", answer.text());
    file(&stage.temp.path().join("late.cancelled")).await;
    let gate = stage.temp.path().join("gate");
    let waiting = async { file(&stage.temp.path().join("gate.waiting")).await };
    let gated = call("gate", json!({ "file": gate }));
    let answer = client.call(&gated, PATIENCE, |_| {}, waiting).await.unwrap();
    assert!(answer.is_error && answer.text().contains("cancelled"), "{}", answer.text());
    file(&stage.temp.path().join("gate.cancelled")).await;
}

#[tokio::test]
async fn it_is_asked_for_everything_over_its_socket() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let _owner = start(&stage, PATIENCE).await;
    let client = client(&stage).await;
    let place = stage.place(None);
    let _: Value = client.ask("subscribe", &json!({}), PATIENCE).await.unwrap();
    let mut news = client.news();
    let tools: ToolList = client.ask("tools/list", &place, PATIENCE).await.unwrap();
    assert!(tools.tools.iter().any(|tool| tool.name == "steps"));
    until(&mut news, "connected", |one| {
        matches!(one, SidecarNews::State { state: SidecarState::Connected { .. }, .. })
    })
    .await;
    let call = SidecarCall {
        place: place.clone(),
        name: "steps".to_owned(),
        arguments: json!({ "count": 3 }).as_object().unwrap().clone(),
        call_id: "c1".to_owned(),
        ..SidecarCall::default()
    };
    let answer: ToolAnswer = client.ask("tools/call", &call, PATIENCE).await.unwrap();
    assert_eq!(answer.text(), "done");
    let step = until(&mut news, "progress", |one| matches!(one, SidecarNews::Progress { .. })).await;
    assert!(matches!(step, SidecarNews::Progress { call_id, progress, .. } if call_id == "c1" && progress == 1.0));
    let named = SidecarNamed { place: place.clone(), name: "a".to_owned() };
    let state: SidecarState = client.ask("sidecar/stop", &named, PATIENCE).await.unwrap();
    assert!(matches!(state, SidecarState::Stopped { .. }));
    let views: Vec<SidecarView> = client.ask("sidecar/list", &place, PATIENCE).await.unwrap();
    assert_eq!(views[0].state, state);
    let refused = client.ask::<_, Value>("sidecar/start", &SidecarNamed::default(), PATIENCE).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BadRequest);
    let unknown = client.ask::<_, Value>("sidecar/dance", &json!({}), PATIENCE).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotSupported);
}

#[tokio::test]
async fn a_cancelled_call_and_one_whose_caller_hangs_up_end_at_the_sidecar_too() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let _owner = start(&stage, PATIENCE).await;
    for (id, by_word) in [("cancelled", true), ("hung-up", false)] {
        let client = client(&stage).await;
        let gate = stage.temp.path().join(id);
        let call = SidecarCall {
            place: stage.place(None),
            name: "gate".to_owned(),
            arguments: json!({ "file": gate }).as_object().unwrap().clone(),
            call_id: id.to_owned(),
            ..SidecarCall::default()
        };
        let calling = client.clone();
        let called = tokio::spawn(async move { calling.ask::<_, ToolAnswer>("tools/call", &call, PATIENCE).await });
        file(&stage.temp.path().join(format!("{id}.waiting"))).await;
        if by_word {
            let word = CancelTool { call_id: id.to_owned() };
            let _: Value = client.ask("tools/cancel", &word, PATIENCE).await.unwrap();
            assert!(called.await.unwrap().unwrap().text().contains("cancelled"));
        } else {
            called.abort();
            drop(client);
        }
        file(&stage.temp.path().join(format!("{id}.cancelled"))).await;
    }
}

#[tokio::test]
async fn nobody_without_the_token_gets_in_and_there_is_but_one_owner() {
    let stage = Stage::new().await;
    let _owner = start(&stage, PATIENCE).await;
    let _client = client(&stage).await;
    assert_eq!(start(&stage, PATIENCE).await.await.unwrap(), Ended::OwnedAlready);
    let run = stage.temp.path().join("run");
    let file = OwnerFile::read(&run).unwrap();
    use std::os::unix::fs::PermissionsExt;
    for name in ["toolbox.json", "toolbox.sock"] {
        assert_eq!(std::fs::metadata(run.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let wrong = OwnerFile { token: "wrong".to_owned(), ..file };
    std::fs::write(run.join("toolbox.json"), serde_json::to_vec(&wrong).unwrap()).unwrap();
    let refused = OwnerClient::open(&run, "test").await.err().expect("it is refused");
    assert_eq!(refused.code, ErrorCode::NotAuthorised);
}

#[tokio::test]
async fn it_ends_when_nobody_needs_it_and_not_before() {
    let stage = Stage::new().await;
    stage.own("a", "idleStop = \"1s\"");
    let owner = start(&stage, Duration::from_millis(200)).await;
    let client = client(&stage).await;
    let _: ToolList = client.ask("tools/list", &stage.place(None), PATIENCE).await.unwrap();
    let views: Vec<SidecarView> = client.ask("sidecar/list", &stage.place(None), PATIENCE).await.unwrap();
    let process = views[0].pid.and_then(process::ProcessRef::of);
    drop(client);
    assert_eq!(tokio::time::timeout(PATIENCE, owner).await.unwrap().unwrap(), Ended::Unused);
    assert!(process.is_none_or(|process| process.liveness() != process::Liveness::Alive), "nothing is left");
    assert!(OwnerFile::read(&stage.temp.path().join("run")).is_none());
}
