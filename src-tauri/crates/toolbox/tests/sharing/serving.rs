//! What agents get: the right tools, from as few processes as can be.

use protocol::sidecar::{SidecarState, SidecarTrust};
use serde_json::json;

use crate::stage::{Stage, session};

#[tokio::test]
async fn what_comes_with_a_workspace_runs_only_when_it_is_trusted() {
    let stage = Stage::new().await;
    let folder = stage.of_workspace("lint", "build = \"touch built\"");
    assert!(stage.names().await.is_empty());
    assert!(!folder.join("built").exists() && stage.starts("lint") == 0, "nothing of it has run");
    let SidecarTrust::Needed { changed: false, question } = stage.view("lint").trust else { panic!() };
    assert_eq!(question.build, [["touch", "built"]]);
    assert_eq!(question.run[0], "node");
    assert!(stage.broker.named_sidecar(&stage.place(None), "lint").is_err_and(|why| why.contains("not trusted")));
    stage.trust("lint").await;
    assert!(stage.names().await.contains(&"of_lint".to_owned()));
    assert!(folder.join("built").exists());
    stage.broker.trust(&stage.place(None), "lint", "", false).await.unwrap();
    assert!(stage.names().await.is_empty(), "withdrawn, its tools are gone");
    assert!(stage.call(None, "of_lint", json!({})).await.is_error);
    assert!(!stage.broker.is_busy());
}

#[tokio::test]
async fn twenty_sessions_share_one_process() {
    let stage = Stage::new().await;
    stage.own("shared", "share = \"machine\"");
    let mut pids = std::collections::HashSet::new();
    for number in 0..20 {
        let tools = stage.broker.tools(&stage.place(Some(session(number)))).await;
        assert!(tools.iter().any(|tool| tool.name == "pid"));
        pids.insert(stage.call(Some(session(number)), "pid", json!({})).await.text());
    }
    assert_eq!((pids.len(), stage.starts("shared")), (1, 1));
    assert_eq!(stage.view("shared").users.len(), 20);
    assert!(stage.view("shared").rss > 0);
}

#[tokio::test]
async fn one_for_each_session_where_the_manifest_says_so() {
    let stage = Stage::new().await;
    stage.own("private", "share = \"session\"");
    let first = stage.call(Some(session(1)), "pid", json!({})).await.text();
    let second = stage.call(Some(session(2)), "pid", json!({})).await.text();
    assert_ne!(first, second);
    assert_eq!(stage.call(Some(session(1)), "pid", json!({})).await.text(), first);
}

#[tokio::test]
async fn tools_are_offered_with_a_timeout_and_under_one_name_each() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let tools = stage.broker.tools(&stage.place(None)).await;
    let schema = |name: &str| &tools.iter().find(|tool| tool.name == name).unwrap().input_schema;
    assert_eq!(schema("echo")["properties"]["timeout_ms"]["type"], "integer");
    assert_eq!(schema("own_timeout")["properties"]["timeout_ms"]["type"], "string");
    assert!(!schema("bare").contains_key("properties"));
    let seen = stage.call(None, "echo", json!({ "text": "x", "timeout_ms": 5000 })).await;
    assert_eq!(seen.text(), "{\"text\":\"x\"}", "the tool does not see what we added");
    stage.own("b", "");
    let names = stage.names().await;
    assert!(names.contains(&"a__echo".to_owned()) && names.contains(&"b__echo".to_owned()), "{names:?}");
    assert!(names.contains(&"of_a".to_owned()) && !names.contains(&"echo".to_owned()));
    assert!(!stage.call(None, "echo", json!({})).await.is_error, "a name that an agent has already stays good");
}

#[tokio::test]
async fn a_call_ends_when_the_model_says() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let answer = stage.call(None, "hang", json!({ "timeout_ms": 300 })).await;
    assert!(answer.is_error && answer.text().contains("within 300 ms"), "{}", answer.text());
    assert!(!stage.call(None, "echo", json!({})).await.is_error);
}

#[tokio::test]
async fn a_long_answer_is_a_file() {
    let stage = Stage::new().await;
    stage.own("a", "");
    let answer = stage.call(None, "big", json!({ "bytes": 3_000_000 })).await;
    assert!(answer.text().len() < 4096);
    let uri = answer.content[1]["uri"].as_str().unwrap().to_owned();
    assert_eq!(std::fs::metadata(uri.strip_prefix("file://").unwrap()).unwrap().len(), 3_000_000);
}

#[tokio::test]
async fn killed_while_many_use_it_all_are_told_and_it_serves_again() {
    let stage = std::sync::Arc::new(Stage::new().await);
    stage.own("shared", "share = \"machine\"");
    stage.own("other", "");
    let other = stage.said("of_other").await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        let stage = std::sync::Arc::clone(&stage);
        let gate = stage.temp.path().join(format!("gate{number}"));
        calls.spawn(async move {
            let answer = stage.call(Some(session(number)), "shared__gate", json!({ "file": gate })).await;
            answer.is_error && answer.text().contains("before it answered")
        });
    }
    for number in 0..20 {
        crate::stage::file(&stage.temp.path().join(format!("gate{number}.waiting"))).await;
    }
    let pid = stage.view("shared").pid.unwrap();
    process::kill_processes(&[process::ProcessRef::of(pid).unwrap()]);
    while let Some(told) = calls.join_next().await {
        assert!(told.unwrap(), "each call is told");
    }
    assert_eq!(stage.said("of_other").await, other, "the other sidecar goes on");
    assert!(!stage.call(None, "of_shared", json!({})).await.is_error, "and this one is started again");
    assert_eq!(stage.starts("shared"), 2);
}

#[tokio::test]
async fn what_is_not_granted_is_neither_listed_nor_called() {
    let stage = Stage::new().await;
    stage.own("a", "");
    assert!(stage.names().await.contains(&"echo".to_owned()));
    let rules = "[[rule]]\nsidecar = \"a\"\ntools = [\"echo\"]\nallow = false\n";
    std::fs::write(stage.temp.path().join("config/sidecar-grants.toml"), rules).unwrap();
    let names = stage.names().await;
    assert!(!names.contains(&"echo".to_owned()) && names.contains(&"pid".to_owned()));
    assert!(stage.call(None, "echo", json!({})).await.text().contains("not granted"));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_used_is_shown_and_harms_no_other() {
    let stage = Stage::new().await;
    stage.own("good", "");
    let bad = stage.own("bad", "");
    std::fs::write(bad.join("sidecar.toml"), "run = 7").unwrap();
    assert!(stage.names().await.contains(&"of_good".to_owned()));
    let view = stage.view("bad");
    assert!(view.error.unwrap().contains("line 1"));
    assert_eq!(view.state, SidecarState::Idle);
}

#[tokio::test]
async fn what_a_killed_owner_left_is_ended_by_the_next() {
    let stage = Stage::new().await;
    stage.own("a", "");
    stage.said("of_a").await;
    let pid = stage.view("a").pid.unwrap();
    let process = process::ProcessRef::of(pid).unwrap();
    // The first broker still runs; to the second one its sidecar is what a killed one left.
    let _second = outrigger_toolbox::broker::Broker::new(crate::stage::surroundings(stage.temp.path())).await;
    assert_ne!(process.liveness(), process::Liveness::Alive);
}

#[tokio::test]
async fn a_person_calls_a_tool_by_its_own_name_and_needs_no_grant() {
    let stage = Stage::new().await;
    stage.own("a", "");
    stage.own("b", "");
    std::fs::write(stage.temp.path().join("config/sidecar-grants.toml"), "[[rule]]\nsidecar = \"*\"\nallow = false\n")
        .unwrap();
    assert!(stage.names().await.is_empty());
    let call = protocol::sidecar::SidecarCall {
        place: stage.place(None),
        sidecar: Some("b".to_owned()),
        name: "echo".to_owned(),
        arguments: json!({ "text": "x", "timeout_ms": 5000 }).as_object().unwrap().clone(),
        ..Default::default()
    };
    let (progress, _heard) = tokio::sync::mpsc::channel(1);
    let answer = stage.broker.call(call, progress, std::future::pending()).await;
    assert_eq!((answer.is_error, answer.text().as_str()), (false, "{\"text\":\"x\"}"));
    assert_eq!((stage.starts("a"), stage.starts("b")), (0, 1));
}

#[tokio::test]
async fn each_tool_says_whose_it_is() {
    let stage = Stage::new().await;
    stage.own("a", "");
    stage.own("b", "");
    let tools = stage.broker.tools(&stage.place(None)).await;
    let of = |name: &str| tools.iter().find(|tool| tool.name == name).and_then(|tool| tool.sidecar.clone()).unwrap();
    assert_eq!((of("of_a"), of("b__echo")), ("a".to_owned(), "b".to_owned()));
}
