//! What real sidecars do wrong: each ends in a state and an error that say so, and nothing is left behind.

use outrigger_toolbox::CallError;
use outrigger_toolbox::states::State;
use protocol::sidecar::{FailedAt, TryAgain};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn a_build_that_fails_is_told_with_its_output_and_not_tried_again() {
    let stage = Stage::of("plain", "build = \"sh -c 'echo no such library >&2; exit 2'\"\n");
    let why = stage.instance.ready().await.unwrap_err().0;
    assert!(why.contains("build step 1 of 1") && why.contains("exited with code 2"), "{why}");
    let State::Failed { failure, again } = stage.instance.look().state else { panic!() };
    assert_eq!((failure.at, again), (FailedAt::Build, TryAgain::ByHand));
    assert!(failure.output.iter().any(|line| line == "no such library"), "{failure:?}");
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn a_process_that_exits_is_told_with_what_it_said() {
    let stage = Stage::of("exit", "restart = \"never\"\n");
    stage.instance.start().await;
    let why = stage.until_failed().await;
    assert!(why.contains("exited with code 3"), "{why}");
    assert!(why.contains("the database is not there"), "{why}");
}

#[tokio::test]
async fn a_process_that_says_nothing_is_given_up() {
    let stage = Stage::of("silent", "[timeouts]\nconnect = \"500ms\"\n");
    stage.instance.start().await;
    let why = stage.until_failed().await;
    assert!(why.contains("said no word of MCP"), "{why}");
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn tools_that_are_never_listed_are_given_up() {
    let stage = Stage::of("nolist", "restart = \"never\"\n[timeouts]\nlist = \"500ms\"\n");
    stage.instance.start().await;
    let why = stage.until_failed().await;
    assert!(why.contains("did not list its tools"), "{why}");
    let State::Failed { failure, .. } = stage.instance.look().state else { panic!() };
    assert_eq!(failure.at, FailedAt::List);
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn a_list_that_is_none_is_told() {
    let stage = Stage::of("nonsense", "restart = \"never\"\n");
    stage.instance.start().await;
    let why = stage.until_failed().await;
    assert!(why.contains("holds no list `tools`"), "{why}");
}

#[tokio::test]
async fn tools_with_impossible_schemas_are_left_out_and_named() {
    let stage = Stage::of("lies", "");
    stage.ready().await;
    let listing = stage.instance.look().listing;
    let names: Vec<&str> = listing.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["echo"]);
    assert_eq!(listing.refused.len(), 5, "{:?}", listing.refused);
    assert!(listing.refused[0].starts_with("number: its inputSchema"), "{:?}", listing.refused);
}

#[tokio::test]
async fn words_on_stdout_that_are_no_mcp_are_passed_over() {
    let stage = Stage::of("babble", "");
    stage.ready().await;
    assert!(stage.instance.log().lines().iter().any(|line| line.text == "Welcome to my server!"));
}

#[tokio::test]
async fn a_flood_drowns_nobody() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    assert_eq!(stage.said("flood").await, "flooded");
    assert!(stage.call("echo", json!({})).await.is_ok());
    assert!(stage.instance.log().lines().len() <= outrigger_toolbox::limits::LOG_LINES);
}

#[tokio::test]
async fn dying_in_mid_call_fails_every_call_and_it_is_started_again() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let first = stage.said("pid").await;
    let (hung, died) = tokio::join!(stage.call("hang", json!({})), stage.call("die", json!({})));
    assert_eq!((hung.unwrap_err(), died.unwrap_err()), (CallError::Lost, CallError::Lost));
    let look = stage.until("disconnected or failed", |look| look.listing.tools.is_empty()).await;
    assert!(!matches!(look.state, State::Connected { .. }));
    let why = stage.until_failed().await;
    assert!(why.contains("exited with code 9"), "{why}");
    stage.ready().await;
    assert_ne!(stage.said("pid").await, first);
}

#[tokio::test]
async fn killed_from_outside_it_is_started_again() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    process::kill_processes(&[stage.instance.look().process.unwrap()]);
    let why = stage.until_failed().await;
    assert!(why.contains("was ended by SIGKILL"), "{why}");
    stage.ready().await;
}

#[tokio::test]
async fn closing_its_output_ends_it() {
    let stage = Stage::of("plain", "");
    stage.ready().await;
    let _ = stage.call("drop", json!({})).await;
    stage.until("at rest", |look| look.process.is_none()).await;
    stage.assert_nothing_is_left();
}

#[tokio::test]
async fn stopped_while_it_is_built_nothing_is_left() {
    let stage = Stage::of("plain", "build = \"sh -c 'sleep 1000 | sleep 1000'\"\n");
    stage.instance.start().await;
    stage.until("building", |look| look.state == State::Building).await;
    stage.instance.stop(protocol::sidecar::SidecarStop::Asked).await;
    stage.assert_nothing_is_left();
}

/// In virtual time; the program is not there, so no process is waited for.
#[tokio::test(start_paused = true)]
async fn five_tries_wait_longer_and_longer() {
    let stage = Stage::with("run = \"no-such-program-at-all\"\n");
    let mut changes = stage.instance.changes();
    let begun = tokio::time::Instant::now();
    stage.instance.start().await;
    let mut failures = Vec::new();
    loop {
        let state = changes.borrow_and_update().state.clone();
        if let State::Failed { again, .. } = state
            && failures.last().is_none_or(|(_, last)| *last != again)
        {
            failures.push((begun.elapsed().as_secs(), again));
            if again == TryAgain::ByHand {
                break;
            }
        }
        changes.changed().await.unwrap();
    }
    let seen: Vec<(u64, Option<u64>)> = failures
        .into_iter()
        .map(|(at, again)| (at, if let TryAgain::After { ms, .. } = again { Some(ms / 1000) } else { None }))
        .collect();
    assert_eq!(seen, [(0, Some(1)), (1, Some(2)), (3, Some(4)), (7, Some(8)), (15, Some(16)), (31, None)]);
}
