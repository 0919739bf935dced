//! Follow-ups, steering, the queue, and sessions that are resumed.

use crate::stage::{self, demo, detached, follow, is_kind, is_pending, last_of, says, words};

#[test]
fn a_steer_reaches_the_running_turn_and_a_queued_prompt_the_next() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "first");
    let mut items = follow(&home, &session);
    items.wait_for("a request", is_pending);
    let busy = home.run(["send", &session, "rejected"]);
    busy.assert_code(1);
    assert!(busy.stderr.contains("a turn is running"), "{}", busy.stderr);
    home.run(["send", &session, "--steer", "mind the gap"]).assert_code(0);
    let queued = home.run(["send", &session, "--queue", "--json", "afterwards"]);
    queued.assert_code(0);
    assert_eq!(queued.json()[0]["taken"], "queued");
    home.run(["answer", &session, "-", "deny"]).assert_code(0);
    items.wait_for("the steer's answer", says("You added in the middle of the turn: “mind the gap”"));
    items.wait_for("the queued prompt's turn", says("You asked: “afterwards”"));
    items.wait_for("its end", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let prompts: Vec<_> = last_of(&all, "userMessage").iter().map(|item| item["body"]["delivery"].clone()).collect();
    assert_eq!(prompts, ["prompt", "steer", "queued"]);
    assert!(!words(&all).contains("rejected"));
    home.assert_nobody_left();
}

#[test]
fn a_session_is_resumed_by_its_id_and_shows_only_what_is_new() {
    let home = stage::home();
    home.run(demo(&home, &["--permissions", "deny"], "first")).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let resumed = home.run(["run", "--json", "--permissions", "deny", "--resume", &session, "again"]);
    resumed.assert_code(0);
    let said = words(&resumed.json());
    assert!(said.contains("I resumed `demo-") && said.contains("You asked: “again”"), "{said}");
    assert!(!said.contains("first"), "{said}");
    assert_eq!(home.sessions().len(), 1, "it is the same session");
    let all = home.run(["logs", &session, "--json"]).json();
    assert_eq!(last_of(&all, "turnEnd").len(), 2);
    assert!(words(&all).contains("first") && words(&all).contains("again"));
    home.assert_nobody_left();
}

#[test]
fn continue_takes_the_newest_session_of_the_folder() {
    let home = stage::home();
    let nothing = home.run(demo(&home, &["--continue"], "x"));
    nothing.assert_code(4);
    assert!(nothing.stderr.contains("no session of demo"), "{}", nothing.stderr);
    home.run(demo(&home, &["--permissions", "deny"], "older")).assert_code(0);
    home.run(demo(&home, &["--permissions", "deny"], "newer")).assert_code(0);
    let newer = home.sessions()[1].clone();
    let continued = home.run(demo(&home, &["--permissions", "deny", "--continue"], "go on"));
    continued.assert_code(0);
    assert_eq!(home.sessions().len(), 2);
    let newer = newer.file_name().unwrap().to_str().unwrap();
    assert!(words(&home.run(["logs", newer, "--json"]).json()).contains("go on"));
}

#[test]
fn a_prompt_for_a_live_session_leaves_it_alive() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "plan"], "first");
    follow(&home, &session).wait_for("the end of the turn", is_kind("turnEnd"));
    let second = home.run(["run", "--json", "--resume", &session, "second"]);
    second.assert_code(0);
    assert!(words(&second.json()).contains("You asked: “second”"));
    assert_eq!(stage::listed(&home, &session)["liveness"]["type"], "live");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_session_whose_agent_told_no_id_begins_anew_and_says_so() {
    let home = stage::home();
    stage::own_provider(&home, "recording", "");
    home.run(stage::run_of(&home, "own", &[], "anonymous")).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    home.run(["run", "--resume", &session, "--json", "second"]).assert_code(0);
    let items = home.run(["logs", &session, "--json"]).json();
    let told = items.iter().filter(|item| item["body"]["code"] == "not_resumed").count();
    assert_eq!(told, 1, "{items:?}");
    home.assert_nobody_left();
}
