//! An agent starts, messages, reads, awaits and stops other agents, and reaches only those below it.

use std::fs;
use std::path::Path;
use std::process::Command;

use outrigger_tests::{Ended, Home, Program};
use serde_json::{Value, json};

use crate::stage::{self, detached, follow, listed, own_provider};

/// The live agent that calls the tools: a session of the demo agent that has had its first turn.
pub(crate) struct Caller<'a> {
    pub(crate) home: &'a Home,
    pub(crate) session: String,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(home: &'a Home, more: &[&str]) -> Self {
        let mut all = vec!["--mode", "accept-edits"];
        all.extend(more);
        let session = detached(home, "demo", &all, "hello");
        follow(home, &session).wait_for("the end of its turn", stage::is_kind("turnEnd"));
        Self { home, session }
    }

    fn order(&self, tool: &str, arguments: Value) -> String {
        let pod = pod_file(self.home, &self.session);
        json!({
            "session": self.session, "pod": pod["pod"], "keeperPid": pod["pid"], "keeperStarted": pod["pidStarted"],
            "call": { "name": tool, "arguments": arguments, "callId": "1" },
        })
        .to_string()
    }

    /// Begins a call in a process of its own, as a keeper does.
    pub(crate) fn begin(&self, tool: &str, arguments: Value) -> Program {
        let mut command: Command = self.home.command(["pod-tool"]);
        command.env("OUTRIGGER_POD", "owner");
        let mut program = Program::start(command);
        program.write_line(&self.order(tool, arguments));
        program.close_stdin();
        program
    }

    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Answer {
        Answer::of(self.begin(tool, arguments).finish())
    }

    /// Spawns a demo agent and answers with its session.
    fn spawned(&self, name: &str, task: &str, scope: Value) -> String {
        let answer = self.call("spawn_pod", json!({ "name": name, "task": task, "scope": scope }));
        assert!(!answer.failed, "{}", answer.text);
        answer.structured["session"].as_str().unwrap().to_owned()
    }
}

pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) failed: bool,
    structured: Value,
}

impl Answer {
    pub(crate) fn of(ended: Ended) -> Self {
        ended.assert_code(0);
        let answer = ended.json().remove(0);
        let text = answer["content"][0]["text"].as_str().unwrap().to_owned();
        Self { text, failed: answer["isError"] == true, structured: answer["structuredContent"].clone() }
    }

    #[track_caller]
    fn says(&self, parts: &[&str]) {
        assert!(!self.failed, "{}", self.text);
        parts.iter().for_each(|part| assert!(self.text.contains(part), "{part:?} is not in: {}", self.text));
    }

    #[track_caller]
    fn fails(&self, parts: &[&str]) {
        assert!(self.failed, "{}", self.text);
        parts.iter().for_each(|part| assert!(self.text.contains(part), "{part:?} is not in: {}", self.text));
    }
}

fn pod_file(home: &Home, session: &str) -> Value {
    let path = home.path().join("data/sessions").join(session).join("pod.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn write(path: &str) -> Value {
    json!([{ "permission": "write", "path": path }])
}

fn journal(home: &Home, session: &str) -> Vec<Value> {
    Home::journal(Path::new(&home.path().join("data/sessions").join(session)))
}

#[test]
fn a_child_is_spawned_messaged_read_awaited_and_stopped() {
    let home = stage::home();
    let caller = Caller::new(&home, &[]);
    caller.call("list_pods", json!({})).says(&["no spawned pods"]);
    // Its turn goes on until somebody answers.
    let child = caller.spawned("one", "demo:ask look around", write("a/"));
    follow(&home, &child).wait_for("its request", stage::is_pending);
    caller.call("send_to_pod", json!({ "name": "one", "message": "x" })).fails(&["already running a turn", "retry"]);
    caller.call("list_pods", json!({})).says(&["one [working (waits for the user's permission)]"]);
    home.run(["answer", &child, "-", "allow"]).assert_code(0);
    caller.call("wait_for_pods", json!({ "names": ["one"] })).says(&["a pod has ended its turn", "one [idle]"]);
    caller.call("list_pods", json!({})).says(&["1 live pod(s)", "one [idle] scope=write:a/", "not read"]);

    let read = caller.call("read_pod_output", json!({ "name": "one" }));
    read.says(&["pod `one` is idle;", "new line(s) of assistant text"]);
    assert!(read.structured["text"].as_str().unwrap().len() > 20, "{}", read.text);
    caller.call("read_pod_output", json!({ "name": "one" })).says(&["pod `one` is idle; no new assistant text"]);
    caller.call("wait_for_pods", json!({})).says(&["nothing to wait for"]);

    caller.call("send_to_pod", json!({ "name": "one", "message": "and once more" })).says(&["sent message to `one`"]);
    caller.call("wait_for_pods", json!({})).says(&["a pod has ended its turn"]);
    let from = journal(&home, &child).into_iter().find(|record| record["host"]["text"] == "and once more");
    let from =
        from.or_else(|| journal(&home, &child).into_iter().find(|record| record.to_string().contains("and once more")));
    assert!(from.is_some_and(|record| record.to_string().contains("\"from\":")), "the child knows who spoke");

    caller.call("stop_pod", json!({ "name": "one" })).says(&["stopped pod `one`; reclaimed scope: write:a/"]);
    assert_eq!(listed(&home, &child)["liveness"]["type"], "ended");
    caller.call("send_to_pod", json!({ "name": "one", "message": "x" })).fails(&["pod `one` is stopped"]);
    caller.call("read_pod_output", json!({ "name": "one" })).says(&["pod `one` is stopped (", "new line(s)"]);
    caller.call("stop_pod", json!({ "name": "one" })).says(&["had ended before"]);
    caller.spawned("one", "the same place again", write("a/"));
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_child_stands_in_its_parents_journal_before_its_own_first_event() {
    let home = stage::home();
    let caller = Caller::new(&home, &[]);
    let child = caller.spawned("one", "hello", write("a/"));
    let announced =
        journal(&home, &caller.session).into_iter().find(|record| record.to_string().contains("podSpawned"));
    let announced = announced.expect("the parent's journal tells of it");
    assert!(announced.to_string().contains(&child), "{announced}");
    let own = journal(&home, &child).into_iter().find_map(|record| record["at"].as_str().map(str::to_owned)).unwrap();
    assert!(announced["at"].as_str().unwrap() < own.as_str(), "{announced} against {own}");
    let summary = listed(&home, &child);
    assert_eq!(
        (summary["parent"].as_str(), summary["pod"]["name"].as_str()),
        (Some(caller.session.as_str()), Some("one"))
    );
}

#[test]
fn only_those_below_are_reached() {
    let home = stage::home();
    let (one, other) = (Caller::new(&home, &[]), Caller::new(&home, &[]));
    let child = one.spawned("mine", "hello", write("a/"));
    for name in ["theirs", "mine", child.as_str(), one.session.as_str(), "../mine", "mine/mine"] {
        for tool in ["read_pod_output", "stop_pod"] {
            other.call(tool, json!({ "name": name })).fails(&["no spawned pod named"]);
        }
        other.call("send_to_pod", json!({ "name": name, "message": "x" })).fails(&["no spawned pod named"]);
    }
    other
        .call("wait_for_pods", json!({ "names": ["mine"] }))
        .fails(&["no spawned pod named `mine`; you have spawned none"]);
    other.call("list_pods", json!({})).says(&["no spawned pods"]);
    let below = Caller { home: &home, session: child };
    below.spawned("grandchild", "hi there", write("a/deep/"));
    one.call("wait_for_pods", json!({ "names": ["mine/grandchild"] })).says(&["mine/grandchild [idle]"]);
    one.call("read_pod_output", json!({ "name": "grandchild" })).fails(&["there are `mine`"]);
    // What is stopped takes along what is below it.
    one.call("stop_pod", json!({ "name": "mine" })).says(&["stopped below it: `grandchild`"]);
    assert_eq!(listed(&home, &below.session)["liveness"]["type"], "ended");
}

#[test]
fn a_spawn_that_fails_leaves_nothing_and_says_what_the_child_said() {
    let home = stage::home();
    own_provider(&home, "unready", "");
    stage::write(&home.workspace().join("exit"), "");
    let caller = Caller::new(&home, &[]);
    let wanted = json!({ "name": "one", "task": "x", "scope": write("a/"), "provider": "own" });
    let failed = caller.call("spawn_pod", wanted);
    failed.fails(&["pod `one` was not spawned"]);
    assert!(failed.text.lines().count() > 1, "the end of its stderr is missing: {}", failed.text);
    let left = home.processes();
    let of_child = |command: &str| command.contains("unready") || command.starts_with("sleep");
    assert!(!left.iter().any(|process| of_child(&process.command)), "{left:#?}");
    assert_eq!(left.iter().filter(|process| process.command.ends_with(" keep")).count(), 1, "{left:#?}");
    caller.call("list_pods", json!({})).says(&["0 live pod(s), 1 ended", "one [stopped (failed)]"]);
    caller
        .call("spawn_pod", json!({ "name": "one", "task": "x", "provider": "nobody" }))
        .fails(&["no provider `nobody`"]);
    caller.spawned("one", "x", write("a/"));
}

#[test]
fn what_is_in_the_way_is_named_and_a_budget_holds() {
    let home = stage::home();
    let caller = Caller::new(&home, &["--scope", "a/", "--budget", "children=1"]);
    caller.call("spawn_pod", json!({ "name": "one", "task": "x" })).fails(&["give at least one rule"]);
    let spawn = |name: &str, path: &str| json!({ "name": name, "task": format!("x {path}"), "scope": write(path) });
    caller.call("spawn_pod", spawn("one", "b/")).fails(&["not within the scope", "a (with all below it)"]);
    caller.call("spawn_pod", spawn("one", "a/one/")).says(&["scope: write:a/one/"]);
    caller.call("spawn_pod", spawn("two", "a/two/")).fails(&["live children", "1 of 1"]);
    let raised = home.run(["budget", &caller.session, "children=2", "--json"]);
    raised.assert_code(0);
    assert_eq!(raised.json()[0]["budget"]["children"], 2);
    caller.call("spawn_pod", spawn("two", "a/one/deep/")).fails(&["overlaps", "`one`"]);
    caller.call("spawn_pod", spawn("two", "a/two/")).says(&["spawned pod `two`"]);
    let shown = home.run(["ps"]);
    shown.assert_code(0);
    assert!(
        shown.stdout[0].contains("SCOPE")
            && shown.stdout.iter().any(|line| line.contains("└") && line.contains("a/two/"))
    );
    // A second tree may not write there either, and nothing of it is started.
    let refused = home.run(stage::demo(&home, &["--scope", "a/one/", "--detach"], "hello"));
    refused.assert_code(2);
    assert!(refused.stderr.contains("overlaps"), "{}", refused.stderr);
    home.run(["stop", &caller.session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn fifty_spawns_at_once_for_one_place_make_one_pod() {
    let home = stage::home();
    let many = ["children", "pods", "spawns", "spawns-per-minute"].map(|key| format!("{key}=none"));
    let budget: Vec<&str> = many.iter().flat_map(|limit| ["--budget", limit.as_str()]).collect();
    let caller = Caller::new(&home, &budget);
    let places = ["src/", "src/deep/", "src/deep/er/", "src/deep/er/still/"];
    let calls: Vec<Program> = (0..50)
        .map(|number| {
            let scope = write(places[number % places.len()]);
            caller.begin(
                "spawn_pod",
                json!({ "name": format!("n{number}"), "task": format!("task {number}"), "scope": scope }),
            )
        })
        .collect();
    let answers: Vec<Answer> = calls.into_iter().map(|call| Answer::of(call.finish())).collect();
    let (lost, won): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.failed);
    let others: Vec<&&Answer> = lost.iter().filter(|answer| !answer.text.contains("overlaps")).collect();
    assert!(others.is_empty(), "{:?}", others.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    assert_eq!((won.len(), lost.len()), (1, 49));
    caller.call("list_pods", json!({})).says(&["1 live pod(s), 0 ended"]);
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_child_whose_keeper_was_killed_is_listed_as_gone_and_its_place_is_free() {
    let home = stage::home();
    let caller = Caller::new(&home, &[]);
    let child = caller.spawned("one", "hello", write("a/"));
    let keeper = stage::processes_of(&home, &child)[0]["pid"].clone();
    stage::kill(&keeper);
    // What it had started ends by itself, and then it is proved dead.
    let gone = || caller.call("list_pods", json!({})).text.contains("one [stopped (disconnected");
    let until = std::time::Instant::now() + outrigger_tests::DEADLINE;
    while !gone() {
        assert!(std::time::Instant::now() < until, "its scope is never given back");
    }
    caller.spawned("two", "the same place", write("a/"));
    caller.call("read_pod_output", json!({ "name": "one" })).says(&["pod `one` is stopped (disconnected"]);
}

#[test]
fn a_wait_ends_when_nobody_waits_for_it() {
    let home = stage::home();
    let caller = Caller::new(&home, &[]);
    caller.spawned("slow", "demo:ask take your time", write("a/"));
    let waiting = caller.begin("wait_for_pods", json!({ "timeoutSeconds": 3000 }));
    waiting.signal_when_handled(15);
    Answer::of(waiting.finish()).says(&["slow [working"]);
}

#[test]
fn the_bridge_answers_without_a_keeper_and_ends_with_its_agent() {
    let home = stage::home();
    let mut command = home.command(["mcp"]);
    command.env("OUTRIGGER_TOOLS_SOCKET", home.path().join("nobody")).env("OUTRIGGER_TOOLS_TOKEN", "x");
    let mut bridge = Program::start(command);
    let client = json!({ "name": "test", "version": "1" });
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    bridge.write_line(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }).to_string());
    let welcome = bridge.wait_for("its welcome", |line| line["id"] == 1);
    assert_eq!(welcome["result"]["capabilities"]["tools"]["listChanged"], true);
    bridge.write_line(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
    let call = json!({ "name": "list_pods", "arguments": {} });
    bridge.write_line(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }).to_string());
    let answer = bridge.wait_for("an answer", |line| line["id"] == 2);
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("cannot be reached"), "{answer}");
    bridge.write_line(&json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }).to_string());
    let list = bridge.wait_for("an answer", |line| line["id"] == 3);
    assert!(list["error"]["message"].as_str().unwrap().contains("cannot be reached"), "{list}");
    bridge.finish().assert_code(0);
}
