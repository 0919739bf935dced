//! Does an agent command agents? The real `claude` starts a `codex` pod and a demo pod in folders of their own, talks with them,
//! reads what they say, is woken by their end, and stops one.

use std::fs;

use serde_json::{Value, json};

use crate::drivers::CLAUDE;
use crate::stage::{Stage, any, is_kind, says};

/// Written by the test when the commander has nothing more to do: until then the coder's command waits.
const GO: &str = "a/go";

fn call(tool: &str, input: Value) -> Value {
    json!({ "tool": tool, "input": input })
}

/// What the stand-in lets `claude` do, one step for each time that it asks its model.
fn steps() -> Value {
    // The coder writes in its own folder, then tries the scout's.
    let command = format!(
        "while+[+!+-e+{GO}+];+do+sleep+0.1;+done;+echo+mine+>+a/mine.txt;+echo+foreign+>+b/foreign.txt;+echo+after:$?"
    );
    let write = |path: &str| json!([{ "permission": "write", "path": path }]);
    json!([
        { "say": "I start two.", "calls": [
            call("spawn_pod", json!({ "name": "coder", "provider": "codex", "task": format!("SCENARIO:bash cmd={command}"), "scope": write("a/") })),
            call("spawn_pod", json!({ "name": "scout", "provider": "demo", "task": "Look around in b", "scope": write("b/") })),
        ] },
        { "calls": [call("wait_for_pods", json!({ "names": ["scout"], "timeoutSeconds": 60 }))] },
        { "calls": [call("read_pod_output", json!({ "name": "scout" }))] },
        { "calls": [call("send_to_pod", json!({ "name": "scout", "message": "And once more, please" }))] },
        { "calls": [call("wait_for_pods", json!({ "names": ["scout"], "timeoutSeconds": 60 }))] },
        { "calls": [call("read_pod_output", json!({ "name": "scout" }))] },
        { "calls": [call("list_pods", json!({}))] },
        { "calls": [call("stop_pod", json!({ "name": "scout" }))] },
        { "say": "Now I wait for the coder." },
        { "say": "I was woken.", "calls": [call("read_pod_output", json!({ "name": "coder" }))] },
        { "say": "All is done." },
    ])
}

fn is_pod<'a>(name: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| item["body"]["type"] == "pod" && item["body"]["name"] == name
}

fn called<'a>(tool: &'a str, words: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| {
        let call = &item["body"];
        let ours = call["type"] == "toolCall" && call["name"].as_str().unwrap_or("").ends_with(tool);
        ours && call["status"] == "completed" && call.to_string().contains(words)
    }
}

#[test]
fn claude_commands_a_codex_pod_and_a_demo_pod() {
    let stage = Stage::set(&CLAUDE).with("codex");
    let workspace = stage.home.workspace();
    for folder in ["a", "b"] {
        fs::create_dir(workspace.join(folder)).unwrap();
    }
    let script = stage.home.user_home().join("steps.json");
    fs::write(&script, steps().to_string()).unwrap();
    let prompt = format!("SCENARIO:script path={}", script.display());
    let (session, mut items) = stage.detached(&["--mode", "bypass"], &prompt);

    items.wait_for("the coder", is_pod("coder"));
    items.wait_for("the scout", is_pod("scout"));
    items.wait_for("the end of the scout", called("stop_pod", "scout"));
    items.wait_for("the end of the turn", says("Now I wait for the coder."));
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    fs::write(workspace.join(GO), "").unwrap();
    let woken = items.wait_for("a word from the coder", |item| {
        item["body"]["type"] == "userMessage" && item["body"]["delivery"] == "notify" && item["body"]["from"] == "coder"
    });
    assert!(woken["body"]["text"].as_str().unwrap().lines().count() == 1, "{woken}");
    items.wait_for("the answer", says("All is done."));

    let listed = stage.run(["ps", "--json"]).json();
    assert!(any(&listed, |session| session.to_string().contains("coder")), "{listed:#?}");
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert!(any(&all, called("read_pod_output", "The command is done")), "the coder's words are read: {all:#?}");
    assert!(any(&all, called("send_to_pod", "")) && any(&all, called("list_pods", "coder")));
    assert!(all.iter().any(is_kind("ended")));
    assert_eq!(fs::read_to_string(workspace.join("a/mine.txt")).unwrap(), "mine\n");
    assert!(!workspace.join("b/foreign.txt").exists(), "the kernel refuses what is the scout's");
    stage.home.assert_nobody_left();
}
