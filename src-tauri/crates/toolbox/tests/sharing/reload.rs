//! A change of the folder: built beside the old one, taken over without a gap, or not at all.

use protocol::sidecar::{SidecarNews, SidecarState, SidecarStop};
use serde_json::json;

use crate::stage::{Stage, file, until};

#[tokio::test]
async fn a_change_is_built_and_taken_over_while_calls_end_on_the_old_one() {
    let stage = std::sync::Arc::new(Stage::new().await);
    let folder = stage.own("a", "");
    let first = stage.said("pid").await;
    let gate = stage.temp.path().join("gate");
    let (slow, path) = (std::sync::Arc::clone(&stage), gate.clone());
    let slow = tokio::spawn(async move { slow.call(None, "gate", json!({ "file": path })).await });
    file(&stage.temp.path().join("gate.waiting")).await;
    let mut news = stage.broker.subscribe();
    std::fs::write(folder.join("version.txt"), "2").unwrap();
    until(&mut news, "other tools", |one| matches!(one, SidecarNews::ToolsChanged { .. })).await;
    assert_ne!(stage.said("pid").await, first);
    assert!(stage.names().await.contains(&"v2".to_owned()));
    std::fs::write(gate, "").unwrap();
    assert_eq!(slow.await.unwrap().text(), first, "the call that was under way ended on the old one");
}

#[tokio::test]
async fn a_build_that_fails_leaves_the_old_one_serving() {
    let stage = Stage::new().await;
    let folder = stage.own("a", "build = \"sh -c 'test ! -f broken || { echo syntax error; exit 1; }'\"");
    let first = stage.said("pid").await;
    let mut news = stage.broker.subscribe();
    std::fs::write(folder.join("broken"), "").unwrap();
    let told = until(&mut news, "a failed reload", |one| matches!(one, SidecarNews::ReloadFailed { .. })).await;
    let SidecarNews::ReloadFailed { failure, .. } = told else { panic!() };
    assert!(failure.output.iter().any(|line| line == "syntax error"), "{failure:?}");
    assert_eq!(stage.said("pid").await, first);
    assert!(stage.view("a").reload_failed.is_some());
    std::fs::remove_file(folder.join("broken")).unwrap();
    until(&mut news, "a reload", |one| matches!(one, SidecarNews::State { state: SidecarState::Connected { .. }, .. }))
        .await;
    assert!(stage.view("a").reload_failed.is_none());
}

#[tokio::test]
async fn a_changed_manifest_of_a_workspace_must_be_trusted_first() {
    let stage = Stage::new().await;
    stage.of_workspace("a", "");
    stage.trust("a").await;
    let first = stage.said("pid").await;
    let mut news = stage.broker.subscribe();
    stage.of_workspace("a", "description = \"other\"");
    let told = until(&mut news, "a refusal", |one| matches!(one, SidecarNews::ReloadFailed { .. })).await;
    let SidecarNews::ReloadFailed { failure, .. } = told else { panic!() };
    assert!(failure.message.contains("trusted again"), "{failure:?}");
    assert_eq!(stage.said("pid").await, first, "what was trusted serves on");
    assert_eq!(stage.starts("a"), 1);
}

#[tokio::test]
async fn a_sidecar_that_is_put_there_or_taken_away_is_told() {
    let stage = Stage::new().await;
    stage.own("a", "");
    assert!(stage.names().await.contains(&"of_a".to_owned()));
    let mut news = stage.broker.subscribe();
    let folder = stage.own("b", "");
    until(&mut news, "another one", |one| matches!(one, SidecarNews::CameOrWent)).await;
    assert!(stage.names().await.contains(&"of_b".to_owned()));
    std::fs::remove_dir_all(folder).unwrap();
    until(
        &mut news,
        "its end",
        |one| matches!(one, SidecarNews::State { name, state: SidecarState::Stopped { .. }, .. } if name == "b"),
    )
    .await;
    assert!(!stage.names().await.contains(&"of_b".to_owned()));
}

#[tokio::test]
async fn what_rests_unused_is_still_offered_and_started_by_a_call_alone() {
    let stage = Stage::new().await;
    stage.own("a", "idleStop = \"1s\"");
    let names = stage.names().await;
    let mut news = stage.broker.subscribe();
    until(&mut news, "at rest", |one| {
        matches!(one, SidecarNews::State { state: SidecarState::Stopped { why: SidecarStop::Unused }, .. })
    })
    .await;
    assert_eq!(stage.names().await, names);
    assert_eq!((stage.starts("a"), stage.view("a").tools.is_empty()), (1, false));
    assert_eq!(stage.said("of_a").await, "of_a was called");
    assert_eq!(stage.starts("a"), 2);
}

#[tokio::test]
async fn one_that_a_person_stopped_is_offered_no_more() {
    let stage = Stage::new().await;
    stage.own("a", "");
    assert!(!stage.names().await.is_empty());
    let mut news = stage.broker.subscribe();
    stage.broker.named_sidecar(&stage.place(None), "a").unwrap().stop(SidecarStop::Asked).await;
    until(&mut news, "other tools", |one| matches!(one, SidecarNews::ToolsChanged { .. })).await;
    assert!(stage.broker.tools_again(&stage.place(None)).await.is_empty());
    let answer = stage.call(None, "of_a", json!({})).await;
    assert!(answer.is_error && answer.text().contains("stopped by the user"), "{}", answer.text());
}
