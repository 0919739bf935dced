//! Whatever dies, nobody is left behind: CLI, runner or keeper. What a crash left is found, shown and ended, and only that.

use std::fs;

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, detached, follow, follow_records, kill, listed, own_provider, processes_of, run_of, says};

/// A session whose tool runs in the background in a session of its own.
fn with_a_tool(home: &Home, prompt: &str) -> String {
    let session = detached(home, "own", &[], prompt);
    follow(home, &session).wait_for("the tool", says("up"));
    session
}

fn home() -> Home {
    let home = stage::home();
    own_provider(&home, "leaving", "");
    home
}

/// The orphans of a session; others of this machine are somebody else's.
fn orphans(home: &Home, session: &str) -> Vec<Value> {
    let found = home.run(["doctor", "--orphans", "--json"]).json();
    found.into_iter().filter(|orphan| orphan["session"] == session).collect()
}

#[test]
fn what_a_killed_cli_leaves_is_ended_and_told_while_the_session_goes_on() {
    let home = home();
    let session = detached(&home, "own", &[], "die");
    let notice =
        follow_records(&home, &session).wait_for("the notice", |record| record["line"]["code"] == "leftovers_ended");
    let text = notice["line"]["text"].as_str().unwrap();
    assert!(text.contains("sleep 613") && text.contains("sleep 614"), "{text}");
    assert!(!home.processes().iter().any(|process| process.command.starts_with("sleep")), "{:?}", home.processes());
    assert_eq!(listed(&home, &session)["liveness"]["type"], "live");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn each_process_is_shown_with_its_purpose_and_all_are_ended_together() {
    let home = home();
    let session = with_a_tool(&home, "stay");
    let all = processes_of(&home, &session);
    let purposes: Vec<&str> = all.iter().map(|process| process["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes[..2], ["keeper", "runner"], "{all:?}");
    assert!(all.iter().all(|process| process["rss"].as_u64() > Some(0) && process["ageMs"].is_u64()), "{all:?}");
    assert!(all.iter().any(|process| process["command"] == "sleep 613" && process["purpose"] == "tool"), "{all:?}");
    let text = home.run(["ps", "--processes"]).stdout.join("\n");
    assert!(text.contains("PURPOSE") && text.contains("└ ") && text.contains("of CPU time"), "{text}");

    let stopped = home.run(["stop", "--all"]);
    stopped.assert_code(0);
    assert_eq!(stopped.stdout.last().unwrap(), "1 session was stopped; nothing is left running.");
    assert_eq!(home.processes(), []);
}

#[test]
fn a_runner_that_is_killed_in_the_middle_of_a_tool_leaves_nobody() {
    let home = home();
    let session = with_a_tool(&home, "stay");
    kill(&processes_of(&home, &session)[1]["pid"]);
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["outcome"], "failed");
}

#[test]
fn orphans_are_found_and_ended_beside_a_session_that_lives() {
    let home = home();
    let lives = with_a_tool(&home, "stay");
    let before = processes_of(&home, &lives);
    let dies = with_a_tool(&home, "stay");
    kill(&processes_of(&home, &dies)[0]["pid"]);

    let found = orphans(&home, &dies);
    assert!(found.iter().any(|orphan| orphan["command"] == "sleep 613"), "{found:?}");
    assert!(found.iter().all(|orphan| orphan["proof"].as_str().unwrap().contains("keeper")), "{found:?}");
    assert_eq!(orphans(&home, &lives), Vec::<Value>::new());
    let listed = home.run(["doctor", "--orphans"]);
    listed.assert_code(1);
    assert!(listed.stderr.contains("--orphans --end"), "without a terminal nothing is ended: {}", listed.stderr);
    assert!(!orphans(&home, &dies).is_empty());

    let ended = home.run(["doctor", "--orphans", "--end"]);
    ended.assert_code(0);
    assert!(ended.stderr.contains("none is left"), "{}", ended.stderr);
    assert_eq!(orphans(&home, &dies), Vec::<Value>::new());
    let pids = |list: &[Value]| list.iter().map(|process| process["pid"].clone()).collect::<Vec<_>>();
    assert_eq!(pids(&processes_of(&home, &lives)), pids(&before), "the living session was not touched");
    home.run(["stop", &lives]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_missing_working_directory_is_made_only_when_asked_for() {
    let home = stage::home();
    let folder = home.workspace().join("new/folder");
    let cwd = folder.to_str().unwrap();
    let mut words = run_of(&home, "demo", &["--permissions", "deny"], "hello");
    let at = words.iter().position(|word| word == "--cwd").unwrap();
    words[at + 1] = cwd.to_owned();
    let refused = home.run(words.clone());
    refused.assert_code(2);
    assert!(refused.stderr.contains("--create-cwd") && !folder.exists(), "{}", refused.stderr);
    words.insert(at, "--create-cwd".to_owned());
    home.run(words).assert_code(0);
    assert!(folder.is_dir());

    let own = home.path().join("data/agents/helper");
    fs::create_dir_all(own.join(".git")).unwrap();
    let mut words = run_of(&home, "demo", &["--permissions", "deny"], "hello");
    words[at + 1] = own.to_str().unwrap().to_owned();
    let warned = home.run(words);
    warned.assert_code(0);
    assert!(warned.stderr.contains("rm -rf '"), "{}", warned.stderr);
    home.assert_nobody_left();
}
