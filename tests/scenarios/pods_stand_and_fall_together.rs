//! Pods below a pod: a stop takes them along, a crash does not, and what a tree may use is asked before each turn.

use std::process::Stdio;

use outrigger_tests::{Home, Program};
use serde_json::{Value, json};

use crate::stage::{self, is_kind, listed, processes_of};

/// Calls a pod tool for the agent of a session, as its keeper would.
fn call(home: &Home, session: &str, tool: &str, arguments: &Value) -> Value {
    let pod = pod_file(home, session);
    let order = json!({
        "session": session, "pod": pod["pod"], "keeperPid": pod["pid"], "keeperStarted": pod["pidStarted"],
        "call": { "name": tool, "arguments": arguments },
    });
    let mut command = home.command(["pod-tool"]);
    command.stdin(Stdio::piped());
    let mut program = Program::start(command);
    program.write_line(&order.to_string());
    program.close_stdin();
    let ended = program.finish();
    ended.assert_code(0);
    ended.json()[0].clone()
}

fn spawn(home: &Home, parent: &str, name: &str, more: &Value) -> String {
    let mut arguments = json!({ "name": name, "task": format!("be {name}") });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = call(home, parent, "spawn_pod", &arguments);
    assert_eq!(answer["isError"], false, "{answer}");
    let found = home.sessions().into_iter().find(|folder| meta(folder)["start"]["name"] == name);
    found.unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

fn meta(folder: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("meta.json")).unwrap_or_default()).unwrap_or_default()
}

fn pod_file(home: &Home, session: &str) -> Value {
    let folder = home.sessions().into_iter().find(|folder| folder.ends_with(session)).unwrap();
    serde_json::from_str(&std::fs::read_to_string(folder.join("pod.json")).unwrap()).unwrap()
}

fn liveness(home: &Home, session: &str) -> Value {
    listed(home, session)["liveness"]["type"].clone()
}

/// A parent that rests, a child, and a child of that.
fn family(home: &Home) -> [String; 3] {
    let parent = stage::detached(home, "demo", &["--mode", "plan"], "hello");
    let child = spawn(home, &parent, "child", &json!({}));
    let grandchild = spawn(home, &child, "grandchild", &json!({}));
    [parent, child, grandchild]
}

fn wait_for(home: &Home, session: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    stage::follow(home, session).wait_for(what, wanted)
}

#[test]
fn a_child_is_announced_and_wakes_its_parent() {
    let home = stage::home();
    let parent = stage::detached(&home, "demo", &["--mode", "plan"], "hello");
    let child = spawn(&home, &parent, "oars", &json!({}));
    wait_for(&home, &parent, "the child", |item| {
        item["body"]["type"] == "pod" && item["body"]["session"] == child.as_str()
    });
    let woken = wait_for(&home, &parent, "the message", |item| {
        item["body"]["type"] == "userMessage"
            && item["body"]["text"].as_str().unwrap().contains("Pod `oars` has ended its turn")
    });
    assert_eq!(woken["body"]["from"], "oars", "{woken}");
    home.run(["stop", &child]).assert_code(0);
    wait_for(&home, &parent, "the end", |item| {
        item["body"]["text"].as_str().unwrap_or("").contains("Pod `oars` was stopped")
    });
    home.run(["stop", &parent]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_stop_takes_all_below_along() {
    let home = stage::home();
    let [parent, child, grandchild] = family(&home);
    // Its keeper alone is told: what is below is its own business.
    let keeper = &processes_of(&home, &parent)[0]["pid"];
    let mut gone = stage::follow(&home, &grandchild);
    std::process::Command::new("kill").args(["-TERM", &keeper.to_string()]).status().unwrap();
    gone.wait_for("the end", is_kind("ended"));
    let _ = stage::follow(&home, &parent).finish();
    for session in [&parent, &child, &grandchild] {
        assert_eq!(liveness(&home, session), "ended", "{session}");
    }
    home.assert_nobody_left();
}

#[test]
fn children_outlive_a_crash_and_belong_to_the_next_above() {
    let home = stage::home();
    let [parent, child, grandchild] = family(&home);
    stage::kill(&processes_of(&home, &child)[0]["pid"]);
    assert_eq!(liveness(&home, &grandchild), "live");
    // Whoever looks at the sessions finds it gone, and the one above hears of it.
    wait_for(&home, &parent, "the loss", |item| {
        item["body"]["text"].as_str().unwrap_or("").contains("Pod `child` is gone without a word")
    });
    home.run(["send", &grandchild, "again"]).assert_code(0);
    wait_for(&home, &parent, "a word of the grandchild", |item| {
        item["body"]["text"].as_str().unwrap_or("").contains("Pod `grandchild` has ended its turn")
    });
    // It is the child's again when that one goes on.
    let _ = home.run(["run", "--resume", &child, "--detach", "go on"]);
    let tree = call(&home, &child, "list_pods", &json!({}));
    assert!(tree.to_string().contains("grandchild"), "{tree}");
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_budget_of_turns_ends_the_turns_and_says_so() {
    let home = stage::home();
    let session = stage::detached(&home, "demo", &["--mode", "plan", "--budget", "turns=1"], "hello");
    wait_for(&home, &session, "the end of the turn", is_kind("turnEnd"));
    wait_for(&home, &session, "that nothing is left", |item| item["body"]["code"] == "budget_used");
    let refused = home.run(["send", &session, "once more"]);
    refused.assert_code(1);
    assert!(refused.stderr.contains("turns of the budget") && refused.stderr.contains("1 of 1"), "{}", refused.stderr);
    home.run(["budget", &session, "turns=2"]).assert_code(0);
    home.run(["send", &session, "once more"]).assert_code(0);
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}
