//! From the first use to rest, over each transport.

use std::time::Duration;

use outrigger_toolbox::states::State;
use protocol::sidecar::SidecarStop;

use crate::stage::{Stage, file, node};

#[tokio::test]
async fn it_is_built_started_used_and_stopped() {
    let stage = Stage::of("plain", "build = [\"sh -c 'echo made > made'\", \"test -f made\"]\n");
    assert_eq!(stage.instance.look().state, State::Idle, "nothing runs before somebody uses it");
    stage.assert_nothing_is_left();
    stage.ready().await;
    assert!(stage.folder.join("made").is_file());
    let look = stage.instance.look();
    assert!(look.listing.tools.iter().any(|tool| tool.name == "echo" && tool.read_only));
    assert_eq!(stage.said("pid").await, look.process.unwrap().pid.to_string());
    stage.instance.stop(SidecarStop::Asked).await;
    let look = stage.instance.look();
    assert_eq!(look.state, State::Stopped { why: SidecarStop::Asked });
    assert!(look.listing.tools.is_empty() && look.process.is_none());
    stage.assert_nothing_is_left();
    assert!(stage.instance.ready().await.unwrap_err().0.contains("stopped by the user"));
}

#[tokio::test]
async fn it_sees_only_what_its_manifest_says() {
    let stage = Stage::of("plain", "[env]\nset = { MODE = \"strict\" }\n");
    stage.ready().await;
    let seen: serde_json::Value = serde_json::from_str(&stage.said("env").await).unwrap();
    assert_eq!(seen["MODE"], "strict");
    assert!(seen["PATH"].is_string());
    assert!(seen.get("NOT_FOR_SIDECARS").is_none(), "{seen}");
}

#[tokio::test]
async fn a_socket_sidecar_connects_back_and_may_come_again() {
    let stage = Stage::of("socket", "transport = \"socket\"\n");
    stage.ready().await;
    let pid = stage.said("pid").await;
    let _ = stage.call("drop", serde_json::json!({})).await;
    let look = stage.until("disconnected", |look| matches!(look.state, State::Disconnected { .. })).await;
    assert!(look.listing.tools.is_empty(), "its tools are gone at once");
    assert!(look.process.is_some_and(|it| it.liveness() == process::Liveness::Alive), "its process is kept");
    std::fs::write(stage.folder.join("come-back"), "").unwrap();
    stage.ready().await;
    assert_eq!(stage.said("pid").await, pid, "it is the same process");
    stage.instance.stop(SidecarStop::Asked).await;
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn whoever_has_no_token_is_not_let_in() {
    let stage = Stage::of("impostor", "transport = \"socket\"\n[timeouts]\nconnect = \"2s\"\n");
    stage.instance.start().await;
    file(&stage.folder.join("refused")).await;
    let why = stage.until_failed().await;
    assert!(why.contains("did not connect back within 2 s"), "{why}");
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn unused_it_is_stopped_and_used_again_it_is_started() {
    let stage = Stage::of("plain", "idleStop = \"2s\"\n");
    stage.ready().await;
    let first = stage.said("pid").await;
    stage.until("unused", |look| look.state == State::Stopped { why: SidecarStop::Unused }).await;
    stage.assert_nothing_is_left();
    stage.ready().await;
    assert_ne!(stage.said("pid").await, first);
}

#[tokio::test]
async fn a_call_under_way_is_a_use() {
    let stage = Stage::of("plain", "idleStop = \"1s\"\n");
    stage.ready().await;
    // Three times the idle time.
    let hung = stage.call_within("hang", serde_json::json!({}), Duration::from_secs(3)).await;
    assert!(matches!(hung, Err(outrigger_toolbox::CallError::TimedOut(_))), "{hung:?}");
}

#[tokio::test]
async fn what_ignores_every_request_is_killed_with_all_it_started() {
    let stage = Stage::of("stubborn", "");
    stage.ready().await;
    stage.said("child").await;
    assert_eq!(process::marked(&stage.mark).len(), 2, "the sidecar and its child in a group of its own");
    stage.instance.stop(SidecarStop::Asked).await;
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn when_nobody_has_it_any_more_it_ends() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let mut look = stage.instance.changes();
    let Stage { instance, mark, .. } = stage;
    drop(instance);
    while look.changed().await.is_ok() {}
    assert!(process::marked(&mark).is_empty());
}

#[tokio::test]
async fn a_restart_builds_anew() {
    let stage = Stage::with(&format!("{}build = \"sh -c 'echo x >> built'\"\n", node("plain")));
    stage.ready().await;
    stage.instance.restart().await;
    stage.ready().await;
    assert_eq!(std::fs::read_to_string(stage.folder.join("built")).unwrap(), "x\nx\n");
}
