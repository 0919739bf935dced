//! Failures are told by their class: one that passes is tried again with a visible count, one that stays is not, and a runner that
//! is killed in mid-turn leaves an error with its signal and its last words.

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, demo, detached, follow, is_kind, last_of};

fn is_retry(item: &Value) -> bool {
    item["body"]["type"] == "notice" && item["body"]["code"] == "retrying"
}

#[test]
fn a_failure_that_passes_is_tried_again_with_a_visible_count() {
    let home = stage::home();
    let ended = home.run(demo(&home, &["--mode", "plan"], "demo:flaky=1 look around"));
    ended.assert_code(0);
    let items = ended.json();
    let errors = last_of(&items, "error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((&errors[0]["body"]["class"], &errors[0]["body"]["retryable"]), (&"overloaded".into(), &true.into()));
    let retries: Vec<_> = items.iter().filter(|item| is_retry(item)).collect();
    assert_eq!(retries.len(), 1);
    assert!(retries[0]["body"]["text"].as_str().unwrap().contains("attempt 1 of 3"), "{}", retries[0]);
    let prompts = last_of(&items, "userMessage");
    let deliveries: Vec<_> = prompts.iter().map(|prompt| prompt["body"]["delivery"].as_str().unwrap()).collect();
    assert_eq!(deliveries, ["prompt", "retry"]);
    let ends: Vec<_> = last_of(&items, "turnEnd").iter().map(|end| end["body"]["stopReason"].clone()).collect();
    assert_eq!(ends, ["error", "endTurn"]);
    home.assert_nobody_left();
}

#[test]
fn a_failure_that_stays_is_not_tried_again() {
    let home = stage::home();
    let ended = home.run(demo(&home, &["--mode", "plan"], "demo:fail look around"));
    ended.assert_code(1);
    let items = ended.json();
    assert_eq!(last_of(&items, "error").len(), 1);
    assert!(!items.iter().any(is_retry), "{:?}", ended.stdout);
    assert_eq!(last_of(&items, "userMessage").len(), 1);
}

#[test]
fn a_runner_that_is_killed_in_mid_turn_tells_its_signal_and_the_next_prompt_resumes() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "plan"], "demo:slow=150 demo:stderr=30 a long story");
    let mut items = follow(&home, &session);
    items.wait_for("the first tool", is_kind("toolCall"));
    kill_runner(&home);
    let error = items.wait_for("the error", is_kind("error"))["body"].clone();
    assert_eq!((&error["signal"], &error["class"]), (&"SIGKILL".into(), &"killed".into()), "{error}");
    let tail: Vec<_> = error["stderrTail"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(tail.len(), 24, "{tail:?}");
    assert_eq!((tail[0], tail[23]), ("demo agent: line 7 of 30", "demo agent: line 30 of 30"));
    let message = error["message"].as_str().unwrap();
    assert_eq!(message.matches("resume").count(), 1, "one offer: {message}");
    let _ended = items.finish();
    home.assert_nobody_left();
    home.run(["run", "--resume", &session, "--mode", "plan", "--json", "go on"]).assert_code(0);
    let items = home.run(["logs", &session, "--json"]).json();
    assert!(items.iter().any(|item| is_kind("opened")(item) && item["body"]["resumes"].is_string()));
    home.assert_nobody_left();
}

fn kill_runner(home: &Home) {
    let processes = home.processes();
    let runner = processes.iter().find(|process| process.command.contains("demo.mjs"));
    let pid = i32::try_from(runner.unwrap_or_else(|| panic!("no runner: {processes:?}")).pid).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
