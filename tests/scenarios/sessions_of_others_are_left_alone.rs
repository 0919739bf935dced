//! What belongs to somebody else is not ended: sessions that an agent has started with the command line outlive it, and what another
//! Outrigger home has left behind is shown and left to that home.

use outrigger_tests::{Home, program};
use serde_json::Value;

use crate::stage::{self, detached, follow, kill, listed, own_provider, processes_of, says};

fn home(runner: &str) -> Home {
    let home = stage::home();
    own_provider(&home, runner, "");
    home
}

/// The agent's tool starts a session of the demo agent in `inner`, which goes on by itself; the id of that session.
fn nested(outer: &Home, inner: &Home) -> (String, String) {
    let workspace = inner.workspace();
    let env = [format!("OUTRIGGER_HOME={}", inner.path().display()), format!("HOME={}", inner.user_home().display())];
    let run = ["run", "--json", "--detach", "--provider", "demo", "--mode", "bypass", "--cwd"];
    let program = program("outrigger");
    let mut words: Vec<&str> = vec!["/usr/bin/env", &env[0], &env[1], program.to_str().unwrap()];
    words.extend(run);
    words.extend([workspace.to_str().unwrap(), "demo:run=\"sleep 621\" hello"]);
    let session = detached(outer, "own", &[], &words.join("\n"));
    follow(outer, &session).wait_for("the end of the tool", says("done: "));
    let folder = inner.sessions().into_iter().find(|folder| !folder.ends_with(&session)).unwrap();
    let started = folder.file_name().unwrap().to_str().unwrap().to_owned();
    follow(inner, &started)
        .wait_for("its command", |item| item["body"]["type"] == "toolCall" && item["body"]["name"] == "shell");
    (session, started)
}

fn is_live(home: &Home, session: &str) -> bool {
    listed(home, session)["liveness"]["type"] == "live"
}

#[test]
fn a_session_that_an_agent_started_outlives_the_stop_of_that_agent() {
    let home = home("nesting");
    let (outer, inner) = nested(&home, &home);
    let before = processes_of(&home, &inner);
    assert!(before.iter().any(|process| process["command"] == "sleep 621"), "{before:?}");
    home.run(["stop", &outer, "--force"]).assert_code(0);
    assert!(is_live(&home, &inner));
    assert_eq!(pids(&processes_of(&home, &inner)), pids(&before), "nothing of it was touched");
    assert_eq!(journal_end(&home, &outer)["survivors"], serde_json::json!([]));
    home.run(["stop", &inner]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_session_that_an_agent_started_outlives_the_death_of_that_agents_keeper() {
    let home = home("nesting");
    let (outer, inner) = nested(&home, &home);
    let before = processes_of(&home, &inner);
    kill(&processes_of(&home, &outer)[0]["pid"]);
    assert_eq!(listed(&home, &outer)["liveness"]["type"], "interrupted");
    let after = pids(&processes_of(&home, &inner));
    // It may have started another tool meanwhile.
    assert!(pids(&before).iter().all(|pid| after.contains(pid)), "nothing of it was touched: {before:?}, {after:?}");
    home.run(["stop", &inner]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn what_a_killed_inner_keeper_leaves_is_ended_though_the_outer_one_has_adopted_it() {
    let home = home("nesting");
    let (outer, inner) = nested(&home, &home);
    kill(&processes_of(&home, &inner)[0]["pid"]);
    // The list settles what the killed keeper left, before it is made.
    assert_eq!(listed(&home, &inner)["liveness"]["type"], "interrupted");
    assert!(!home.processes().iter().any(|process| process.command == "sleep 621"), "{:?}", home.processes());
    assert!(is_live(&home, &outer));
    home.run(["stop", &outer]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_stop_leaves_a_session_in_another_home_alone() {
    let (ours, theirs) = (home("nesting"), stage::home());
    let (outer, inner) = nested(&ours, &theirs);
    ours.run(["stop", &outer]).assert_code(0);
    assert!(is_live(&theirs, &inner));
    theirs.run(["stop", &inner]).assert_code(0);
    ours.assert_nobody_left();
    theirs.assert_nobody_left();
}

#[test]
fn orphans_of_another_home_are_shown_as_such_and_never_ended() {
    let (ours, theirs) = (home("leaving"), home("leaving"));
    let session = detached(&theirs, "own", &[], "stay");
    follow(&theirs, &session).wait_for("the tool", says("up"));
    kill(&processes_of(&theirs, &session)[0]["pid"]);
    let sleeps = || theirs.processes().iter().filter(|process| process.command.starts_with("sleep")).count();
    assert_eq!(sleeps(), 2, "{:?}", theirs.processes());

    let found = of_home(&ours.run(["doctor", "--orphans", "--json"]).json(), &theirs);
    let is_told = found.iter().any(|orphan| orphan["command"] == "sleep 613");
    assert!(is_told, "it is not said that they are of another home: {found:?}");
    let asked = ours.run(["doctor", "--orphans", "--end"]);
    asked.assert_code(0);
    let text = asked.stdout.join("\n");
    assert!(text.contains("belongs to another Outrigger home, /"), "{text}");
    assert!(asked.stderr.contains("can only be ended from there"), "{}", asked.stderr);
    assert_eq!(sleeps(), 2, "they were not ended");

    // At home they are orphans like any other, though the home is named by a path of another spelling.
    let mut command = theirs.command(["doctor", "--orphans", "--end"]);
    command.env("OUTRIGGER_HOME", theirs.path().join("."));
    outrigger_tests::Program::start(command).finish().assert_code(0);
    assert_eq!(sleeps(), 0, "{:?}", theirs.processes());
    theirs.assert_nobody_left();
}

/// Those of this home, among those that are said to belong to other ones.
fn of_home(orphans: &[Value], home: &Home) -> Vec<Value> {
    let data = home.path().join("data").canonicalize().unwrap();
    orphans.iter().filter(|orphan| orphan["otherHome"] == data.to_str().unwrap()).cloned().collect()
}

fn pids(processes: &[Value]) -> Vec<Value> {
    processes.iter().map(|process| process["pid"].clone()).collect()
}

/// The journal's last word about a session.
fn journal_end(home: &Home, session: &str) -> Value {
    let folder = home.path().join("data/sessions").join(session);
    Home::journal(&folder)
        .into_iter()
        .rfind(|record| record["line"]["type"] == "ended")
        .map_or(Value::Null, |record| record["line"].clone())
}
