//! Builds with real processes: order, failure, time limit, stop, and nothing left behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use outrigger_toolbox::build::{BuildOrder, build};
use outrigger_toolbox::log::Log;
use protocol::sidecar::{FailedAt, SidecarFailure};
use tokio::sync::mpsc;

/// `sh -c` with a script, as the words of a step.
fn sh(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

fn mark() -> String {
    format!("sidecar-test-{}", uuid::Uuid::now_v7())
}

async fn run(
    folder: &Path,
    steps: &[Vec<String>],
    mark: &str,
    limit: Duration,
    stop: mpsc::Receiver<()>,
) -> Result<(), SidecarFailure> {
    let environment: BTreeMap<String, String> = [("PATH".to_owned(), std::env::var("PATH").unwrap())].into();
    let order = BuildOrder { steps, folder, environment: &environment, mark, limit };
    build(&order, &Log::default(), stop).await
}

const LONG: Duration = Duration::from_secs(120);

#[tokio::test]
async fn steps_run_in_order_and_the_first_failure_ends_the_build() {
    let folder = tempfile::tempdir().unwrap();
    let steps = [sh("echo one >> log"), sh("echo two >> log; echo the reason >&2; exit 3"), sh("echo three >> log")];
    let (_stop, stopped) = mpsc::channel(1);
    let failure = run(folder.path(), &steps, &mark(), LONG, stopped).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(folder.path().join("log")).unwrap(), "one\ntwo\n");
    assert_eq!(failure.at, FailedAt::Build);
    assert!(failure.message.starts_with("build step 2 of 3"), "{}", failure.message);
    assert!(failure.message.ends_with("exited with code 3"), "{}", failure.message);
    assert!(failure.output.iter().any(|line| line == "the reason"), "{:?}", failure.output);
}

#[tokio::test]
async fn words_are_not_expanded_by_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let steps = [["touch", "a b; touch $HOME"].map(str::to_owned).to_vec()];
    let (_stop, stopped) = mpsc::channel(1);
    run(folder.path(), &steps, &mark(), LONG, stopped).await.unwrap();
    assert!(folder.path().join("a b; touch $HOME").is_file());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (_stop, stopped) = mpsc::channel(1);
    let steps = [vec!["no-such-program-here".to_owned()]];
    let failure = run(folder.path(), &steps, &mark(), LONG, stopped).await.unwrap_err();
    assert!(failure.message.contains("could not be run"), "{}", failure.message);
}

#[tokio::test]
async fn a_build_that_takes_too_long_is_ended_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let mark = mark();
    let (_stop, stopped) = mpsc::channel(1);
    // One child in a session of its own, which a signal to the group does not reach.
    let steps = [sh("setsid sleep 1000 & echo begun; sleep 1000")];
    let failure = run(folder.path(), &steps, &mark, Duration::from_secs(1), stopped).await.unwrap_err();
    assert!(failure.message.contains("took longer than 1 s"), "{}", failure.message);
    assert!(failure.output.iter().any(|line| line == "begun"), "{:?}", failure.output);
    assert!(process::marked(&mark).is_empty(), "{:?}", process::marked(&mark));
}

#[tokio::test]
async fn a_build_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mark = mark();
    let (stop, stopped) = mpsc::channel(1);
    stop.send(()).await.unwrap();
    let failure = run(folder.path(), &[sh("sleep 1000 | sleep 1000")], &mark, LONG, stopped).await.unwrap_err();
    assert!(failure.message.ends_with("was stopped"), "{}", failure.message);
    assert!(process::marked(&mark).is_empty());
}

#[tokio::test]
async fn what_a_step_leaves_in_the_background_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mark = mark();
    let (_stop, stopped) = mpsc::channel(1);
    run(folder.path(), &[sh("sleep 1000 & true")], &mark, LONG, stopped).await.unwrap();
    assert!(process::marked(&mark).is_empty(), "{:?}", process::marked(&mark));
}
