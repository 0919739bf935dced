//! A change of the folder: built beside the old one, taken over without a gap, or not at all.

use protocol::sidecar::SidecarNews;
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
    until(&mut news, "a reload", |one| matches!(one, SidecarNews::ToolsChanged { .. })).await;
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
