//! The owner's socket: who gets in, what is asked, and when it ends.

use std::time::Duration;

use outrigger_toolbox::owner::{Ended, OwnerClient, OwnerFile, connect, own};
use protocol::error::ErrorCode;
use protocol::sidecar::{SidecarCall, SidecarNamed, SidecarNews, SidecarState, SidecarView};
use protocol::tools::{CancelTool, ToolAnswer, ToolList};
use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage, file, surroundings, until};

/// An owner in this process, over the stage's folders.
fn start(stage: &Stage, idle: Duration) -> tokio::task::JoinHandle<Ended> {
    let surroundings = surroundings(stage.temp.path());
    tokio::spawn(async move { own(surroundings, idle, std::future::pending()).await.unwrap() })
}

async fn client(stage: &Stage) -> OwnerClient {
    connect(&stage.temp.path().join("run"), "test", || Ok(())).await.unwrap()
}

#[tokio::test]
async fn it_is_asked_for_everything_over_its_socket() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let _owner = start(&stage, PATIENCE);
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
        files: None,
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
    let _owner = start(&stage, PATIENCE);
    for (id, by_word) in [("cancelled", true), ("hung-up", false)] {
        let client = client(&stage).await;
        let gate = stage.temp.path().join(id);
        let call = SidecarCall {
            place: stage.place(None),
            name: "gate".to_owned(),
            arguments: json!({ "file": gate }).as_object().unwrap().clone(),
            call_id: id.to_owned(),
            files: None,
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
    let _owner = start(&stage, PATIENCE);
    let _client = client(&stage).await;
    assert_eq!(start(&stage, PATIENCE).await.unwrap(), Ended::OwnedAlready);
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
    let owner = start(&stage, Duration::from_millis(200));
    let client = client(&stage).await;
    let _: ToolList = client.ask("tools/list", &stage.place(None), PATIENCE).await.unwrap();
    let views: Vec<SidecarView> = client.ask("sidecar/list", &stage.place(None), PATIENCE).await.unwrap();
    let process = views[0].pid.and_then(process::ProcessRef::of);
    drop(client);
    assert_eq!(tokio::time::timeout(PATIENCE, owner).await.unwrap().unwrap(), Ended::Unused);
    assert!(process.is_none_or(|process| process.liveness() != process::Liveness::Alive), "nothing is left");
    assert!(OwnerFile::read(&stage.temp.path().join("run")).is_none());
}
