//! The list of sessions, the sums of what they used, and readers who see everything once.

use std::fs;

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, demo, detached, follow, is_kind, listed, own_provider};

#[test]
fn an_ended_session_leaves_the_list_after_a_minute_and_stays_in_the_archive() {
    let home = stage::home();
    home.run(demo(&home, &["--permissions", "deny"], "hello")).assert_code(0);
    assert_eq!(home.run(["ps", "--json"]).json().len(), 1, "it stays for a minute");
    let meta = home.sessions()[0].join("meta.json");
    let mut value: Value = serde_json::from_str(&fs::read_to_string(&meta).unwrap()).unwrap();
    value["endedAt"] = "2026-01-01T00:00:00.000Z".into();
    fs::write(&meta, value.to_string()).unwrap();
    assert_eq!(home.run(["ps", "--json"]).json().len(), 0);
    assert_eq!(home.run(["ps", "--all", "--json"]).json().len(), 1);
}

#[test]
fn cost_and_tokens_add_up_over_turns_and_resumes() {
    let home = stage::home();
    own_provider(&home, "recording", "");
    let session = detached(&home, "own", &[], "one");
    let mut items = follow(&home, &session);
    items.wait_for("the first end", is_kind("turnEnd"));
    home.run(["send", &session, "two"]).assert_code(0);
    items.wait_for("the second end", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    home.run(["run", "--json", "--resume", &session, "three"]).assert_code(0);
    let usage = listed(&home, &session)["usage"].clone();
    assert_eq!(usage["inputTokens"], 30, "{usage}");
    assert_eq!(usage["outputTokens"], 15);
    assert_eq!(usage["costUsd"], 0.75);
    assert!(home.run(["ps", "--all"]).stdout[1].contains("$0.7500"));
    home.assert_nobody_left();
}

#[test]
fn readers_see_every_record_once_however_often_they_come_back() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "accept-edits"], "demo:tools=40 demo:slow=1 hello");
    let mut whole = stage::follow_records(&home, &session);
    // A reader that hangs up after every few records and asks for what came after.
    let mut seen: Vec<u64> = Vec::new();
    let over = |record: &Value| record["line"]["type"] == "turn_ended";
    let mut done = false;
    while !done {
        let from = seen.last().copied().unwrap_or(0).to_string();
        let mut reader = home.start(["logs", &session, "--follow", "--records", "--from-seq", &from]);
        for _ in 0..25 {
            let record = reader.wait_for("a record", |record| record["seq"].is_u64());
            seen.push(record["seq"].as_u64().unwrap());
            done = over(&record);
            if done {
                break;
            }
        }
        reader.kill();
    }
    let last = *seen.last().unwrap();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    home.run(["stop", &session]).assert_code(0);
    let live = whole_of(&mut whole, last);
    assert_eq!(live, (1..=last).collect::<Vec<_>>());
    let rest = whole.finish().json();
    assert_eq!(rest, Home::journal(&home.sessions()[0])[1..], "the live reader has the journal");
}

fn whole_of(reader: &mut outrigger_tests::Program, last: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        seen.push(reader.wait_for("a record", |record| record["seq"].is_u64())["seq"].as_u64().unwrap());
    }
    seen
}

#[test]
fn a_session_whose_keeper_was_killed_is_interrupted_and_resumes() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "demo:slow=100 hello");
    let keeper = home.processes().into_iter().find(|process| process.command.ends_with(" keep")).unwrap();
    let killed = std::process::Command::new("kill").args(["-9", &keeper.pid.to_string()]).status().unwrap();
    assert!(killed.success());
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["type"], "interrupted");
    let resumed = home.run(["run", "--json", "--permissions", "deny", "--resume", &session, "go on"]);
    resumed.assert_code(0);
    assert_eq!(listed(&home, &session)["liveness"]["outcome"], "done");
    home.assert_nobody_left();
}
