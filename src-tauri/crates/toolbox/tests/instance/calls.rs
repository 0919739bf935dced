//! Calls: side by side, with progress, in time or not, and with answers of every size.

use std::time::Duration;

use outrigger_toolbox::{CallError, Progress};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::stage::{PATIENCE, Stage, file};

#[tokio::test]
async fn many_calls_go_side_by_side() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let gate = stage.folder.join("gate");
    let slow = stage.call("gate", json!({ "file": gate }));
    let quick = async {
        file(&stage.folder.join("gate.waiting")).await;
        let answers = futures_all(&stage).await;
        std::fs::write(&gate, "").unwrap();
        answers
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!(quick, (0..30).map(|n| format!("{{\"text\":\"{n}\"}}")).collect::<Vec<_>>());
    assert!(slow.is_ok());
}

/// Thirty calls at once; the answers in the order of the calls.
async fn futures_all(stage: &Stage) -> Vec<String> {
    let mut tasks = Vec::new();
    for n in 0..30 {
        let instance = stage.instance.clone();
        tasks.push(tokio::spawn(async move {
            let (progress, _heard) = mpsc::channel(1);
            let arguments = [("text".to_owned(), json!(n.to_string()))].into_iter().collect();
            let answer = instance.call("echo", arguments, PATIENCE, progress, std::future::pending()).await.unwrap();
            answer["content"][0]["text"].as_str().unwrap().to_owned()
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn progress_comes_in_order() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let (progress, mut heard) = mpsc::channel::<Progress>(64);
    let arguments = [("count".to_owned(), json!(5))].into_iter().collect();
    stage.instance.call("steps", arguments, PATIENCE, progress, std::future::pending()).await.unwrap();
    let mut steps = Vec::new();
    while let Some(step) = heard.recv().await {
        steps.push((step.progress, step.total, step.message.unwrap()));
    }
    let expected: Vec<_> = (1..=5).map(|n| (f64::from(n), Some(5.0), format!("step {n}"))).collect();
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn a_call_that_hangs_ends_in_time_and_harms_no_other() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let hung = stage.call_within("hang", json!({}), Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(hung, CallError::TimedOut(Duration::from_millis(200)));
    assert!(hung.to_string().contains("within 200 ms"));
    assert!(stage.call("echo", json!({})).await.is_ok());
}

#[tokio::test]
async fn a_call_can_be_cancelled_and_the_sidecar_hears_of_it() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let (cancel, cancelled) = oneshot::channel::<()>();
    let gate = stage.folder.join("gate");
    let arguments = [("file".to_owned(), json!(gate))].into_iter().collect();
    let (progress, _heard) = mpsc::channel(1);
    let called = stage.instance.call("gate", arguments, PATIENCE, progress, async {
        let _ = cancelled.await;
    });
    let cancelling = async {
        file(&stage.folder.join("gate.waiting")).await;
        cancel.send(()).unwrap();
    };
    let (called, ()) = tokio::join!(called, cancelling);
    assert_eq!(called.unwrap_err(), CallError::Cancelled);
    file(&stage.folder.join("gate.cancelled")).await;
}

#[tokio::test]
async fn tools_that_appear_are_listed() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    stage.call("grow", json!({})).await.unwrap();
    stage.until("grown", |look| look.listing.tools.iter().any(|tool| tool.name == "grown")).await;
    assert_eq!(stage.said("grown").await, "grown was called");
}

#[tokio::test]
async fn fifty_megabytes_arrive_and_more_than_the_limit_is_refused() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let answer = stage.call("big", json!({ "bytes": 50 * 1024 * 1024 })).await.unwrap();
    assert_eq!(answer["content"][0]["text"].as_str().unwrap().len(), 50 * 1024 * 1024);
    let refused = stage.call("big", json!({ "bytes": 70 * 1024 * 1024 })).await.unwrap_err();
    assert!(refused.to_string().contains("the limit is"), "{refused}");
    assert!(stage.call("echo", json!({})).await.is_ok(), "it goes on serving");
}

#[tokio::test]
async fn a_refusal_and_nonsense_are_told_apart_from_silence() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    assert_eq!(stage.call("fail", json!({})).await.unwrap()["isError"], true);
    assert_eq!(stage.call("wrong", json!({})).await.unwrap()["unexpected"], true);
}
