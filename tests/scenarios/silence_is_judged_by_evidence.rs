//! Health of agents that say nothing: who sleeps is stalled, who works is quiet, who runs a tool is busy. It is listed with its reasons
//! and told to subscribers, and nobody is ended because of it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home};
use serde_json::{Value, json};

use crate::stage::{self, detached, follow, is_kind, listed, own_provider, processes_of, write};

fn home() -> Home {
    let home = stage::home();
    own_provider(&home, "silent", "");
    write(&home.path().join("config/settings.toml"), "[health]\nquiet_after_seconds = 1\nstalled_after_seconds = 2\n");
    home
}

/// Waits until the session is listed with this verdict, and gives the reasons.
fn reasons(home: &Home, session: &str, verdict: &str) -> String {
    let until = Instant::now() + DEADLINE;
    loop {
        let liveness = listed(home, session)["liveness"].clone();
        if liveness["health"] == verdict {
            let reasons = liveness["healthReasons"].as_array().unwrap();
            return reasons.iter().map(|reason| reason.as_str().unwrap()).collect::<Vec<_>>().join("; ");
        }
        assert!(Instant::now() < until, "it never became {verdict}: {liveness}");
    }
}

/// The pod's status events, by its socket.
struct Statuses(BufReader<UnixStream>);

impl Statuses {
    fn of(home: &Home, session: &str) -> Self {
        let file = home.path().join("data/sessions").join(session).join("pod.json");
        let pod: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let mut socket = UnixStream::connect(pod["socket"].as_str().unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let hello = json!({ "protocol": 1, "token": pod["token"], "client": "test" });
        for (id, method, params) in [(1, "initialize", hello), (2, "session/subscribe", json!({ "want": "status" }))] {
            writeln!(socket, "{}", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).unwrap();
        }
        Self(BufReader::new(socket))
    }

    /// Reads on until a status has this verdict; that status.
    fn wait_for(&mut self, verdict: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the pod hung up before {verdict}");
            let message: Value = serde_json::from_str(&line).unwrap();
            let events = message["params"]["events"].as_array().cloned().unwrap_or_default();
            let found = events.into_iter().find(|event| event["status"]["health"]["verdict"] == verdict);
            if let Some(event) = found {
                return event["status"].clone();
            }
        }
    }
}

/// Readers are told of each changed status, and a streaming agent says hundreds of things in a second.
#[test]
fn what_an_agent_says_changes_no_status_by_itself() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "bypass"], "demo:slow=10 hello");
    follow(&home, &session).wait_for("the end of the turn", is_kind("turnEnd"));
    let status = Statuses::of(&home, &session).wait_for("ok");
    let lines = status["statistics"]["lines"].as_u64().unwrap();
    let changes = status["version"].as_u64().unwrap();
    assert!(lines > 50, "{lines} lines are too few to tell");
    assert!(changes < lines / 2, "{changes} changes of the status in {lines} lines");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

fn pids(home: &Home, session: &str) -> Vec<Value> {
    processes_of(home, session).iter().map(|process| process["pid"].clone()).collect()
}

#[test]
fn an_agent_that_sleeps_is_quiet_then_stalled_and_is_left_alone() {
    let home = home();
    let session = detached(&home, "own", &[], "sleep");
    let mut statuses = Statuses::of(&home, &session);
    let quiet = statuses.wait_for("quiet");
    let before = pids(&home, &session);
    let stalled = statuses.wait_for("stalled");
    assert!(stalled["version"].as_u64() > quiet["version"].as_u64(), "{quiet} {stalled}");
    assert!(stalled["health"]["since"].as_str() > quiet["health"]["since"].as_str());
    let reasons = reasons(&home, &session, "stalled");
    for part in ["said nothing for ", "no tool runs", "used no CPU and moved no data"] {
        assert!(reasons.contains(part), "{reasons}");
    }
    assert!(home.run(["ps"]).stdout[1].contains("stalled"));
    assert_eq!(pids(&home, &session), before, "nobody was ended");
    assert_eq!(stalled["state"]["type"], "working");
    let cli = home.processes().into_iter().find(|process| process.command == "sleep 651").unwrap();
    stage::kill(&cli.pid.into());
    statuses.wait_for("ok");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();

    let changes = health_records(&home, &session);
    let verdicts: Vec<&str> = changes.iter().map(|change| change["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["quiet", "stalled", "ok"], "each change is in the journal, once");
    assert_eq!(changes[1]["was"], "quiet");
    assert!(changes[1]["reasons"].as_array().unwrap().contains(&json!("no tool runs")), "{changes:?}");
    let told: Vec<String> = home.run(["logs", &session]).stdout;
    let is_told = |words: &str| told.iter().filter(|line| line.contains(words)).count();
    assert_eq!(is_told("The agent is stalled: said nothing for "), 1, "{told:?}");
    assert_eq!(is_told("The agent is no longer stalled."), 1, "{told:?}");
    assert_eq!(is_told("quiet"), 0, "{told:?}");
}

/// The changes of its health that a session's journal tells.
fn health_records(home: &Home, session: &str) -> Vec<Value> {
    let records = Home::journal(&home.path().join("data/sessions").join(session));
    let lines = records.into_iter().map(|record| record["line"].clone());
    lines.filter(|line| line["type"] == "health").collect()
}

#[test]
fn an_agent_that_works_or_runs_a_tool_is_never_stalled() {
    let home = home();
    let of = |prompt| detached(&home, "own", &[], prompt);
    // The one that sleeps began last: when it is stalled, the others have been looked at as often.
    let (burns, moves, tool, sleeps) = (of("burn"), of("data"), of("tool"), of("sleep"));
    Statuses::of(&home, &sleeps).wait_for("stalled");
    for session in [&burns, &moves] {
        let reasons = reasons(&home, session, "quiet");
        assert!(reasons.contains("its processes are at work"), "{reasons}");
    }
    let reasons = reasons(&home, &tool, "quiet");
    assert!(reasons.contains("busy in shell since "), "{reasons}");
    for line in home.debug_log().lines().filter(|line| line.contains("the agent's health")) {
        assert!(!line.contains("Stalled") || line.contains(&sleeps), "{line}");
    }
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}
